// The alerts page: firing alerts, silences, notifications, and tests of rules.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { alive, expect, start, SYMBOL, test } from './signalbox';

/** A rule that fires on any machine, evaluated each second. */
const CONFIG = `
[alerts]
interval = 1
group_wait = 1

[[alerts.rule]]
name = "memory-in-use"
metric = "memory.used_ratio"
threshold = 0.0001
for = 0
hosts = ["local"]
action = "Close some programs."
`;

async function openAlerts(page: Page): Promise<void> {
    await page.goto('/alerts');
    await alive(page);
}

/** The row of its alert. */
const firing = (page: Page) => page.getByRole('region', { name: /^Firing/ }).getByRole('listitem').filter({ hasText: 'memory-in-use' });
/** The entry of the sidebar. */
const entry = (page: Page) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: /^Alerts/ });

test('an alert appears without a reload, is silenced with a reason, and its notification has a delivery status', async ({ page, request, server }) => {
    const requests: string[] = [];
    const receiver = createServer((request, response) => {
        let body = '';
        request.on('data', (part) => (body += part));
        request.on('end', () => {
            requests.push(body);
            response.end();
        });
    });
    await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
    try {
        const config = path.join(server.folder, 'alerts.toml');
        const { port } = receiver.address() as AddressInfo;
        writeFileSync(config, `${CONFIG}\n[[alerts.webhook]]\nname = "ops"\nurl = "http://127.0.0.1:${port}/"\n`);
        await server.stop();
        await server.start('--config', config);
        await openAlerts(page);

        await expect(firing(page)).toContainText('Close some programs.');
        await expect(firing(page).getByRole('link', { name: 'local' })).toHaveAttribute('href', /^\/hosts\/local\?from=.+&to=/);
        await expect(entry(page)).toContainText('firing');
        const delivery = page.getByRole('region', { name: 'Notifications' }).last().getByRole('row').last();
        await expect(delivery).toContainText('Delivered (200)');
        expect(JSON.parse(requests[0]).status).toBe('firing');

        // A reason is required; nothing changes without one.
        await firing(page).getByRole('button', { name: /^Silence/ }).click();
        const dialog = page.getByRole('dialog', { name: 'Silence alerts' });
        await expect(dialog.getByLabel('Reason')).toBeFocused();
        await expect(dialog.getByLabel('Rule')).toHaveValue('memory-in-use');
        await dialog.getByRole('button', { name: 'Silence' }).click();
        await expect(dialog.getByRole('alert')).toContainText('Enter a reason');
        await dialog.getByLabel('Reason').fill('new memory modules');
        await page.keyboard.press('Enter');
        await expect(dialog).toBeHidden();
        await expect(firing(page)).toContainText('Silenced: new memory modules');
        await expect(entry(page)).not.toContainText('firing');
        const silences = page.getByRole('region', { name: 'Silences' });
        await expect(silences).toContainText('memory-in-use, host local');

        await silences.getByRole('button', { name: /^End/ }).click();
        await expect(silences).toContainText('No alerts are silenced.');
        await expect(entry(page)).toContainText('firing');
        await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
        await page.goto('/');
        await expect(page.getByRole('region', { name: /Needs attention/ })).toContainText('1 alert firing');
    } finally {
        receiver.close();
    }
});

test('a rule is tested with other values, and shows its configuration', async ({ page }) => {
    await openAlerts(page);
    await expect(page.getByRole('main')).toContainText('No firing alerts.');
    const rule = page.getByRole('article').filter({ has: page.getByRole('heading', { name: 'memory-high' }) });
    await rule.getByRole('button', { name: 'Test memory-high against history' }).click();
    await expect(rule.getByRole('status')).toContainText(/The rule would (not )?have fired/);
    await rule.getByLabel('Above').fill('many');
    await rule.getByRole('button', { name: 'Run test', exact: true }).click();
    await expect(rule.getByRole('status')).toContainText('Threshold: enter a number.');
    await rule.getByLabel('Above').fill('0.5');
    await rule.getByLabel('For (seconds)').fill('90');
    await page.keyboard.press('Enter');
    await expect(rule.getByRole('status')).toContainText('threshold = 0.5\nfor = 90', { useInnerText: true });
    // Rules without a history can't be tested.
    await expect(page.getByRole('button', { name: 'Test host-unreachable against history' })).toHaveCount(0);
});

test('the alerts are one key away', async ({ page }, info) => {
    test.skip(info.project.name !== 'desktop', 'a phone has no keys');
    await page.goto('/');
    await alive(page);
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await expect(page).toHaveURL(/\/alerts$/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Alerts');
});
