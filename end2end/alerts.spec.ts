// The alerts page: firing alerts, silences, notifications, and tests of rules.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { findings } from './axe';
import { CALM } from './server';
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

${CALM}`;

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
        await expect(page.getByRole('region', { name: /Needs attention/ })).toContainText('Alerts: 1 firing');
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

/** The row of a rule. */
const ruleOf = (page: Page, name: string) =>
    page.getByRole('article').filter({ has: page.getByRole('heading', { name, exact: true }) });

/** Presses an entry in the menu of a rule. */
async function choose(page: Page, name: string, entry: string): Promise<void> {
    await ruleOf(page, name).getByLabel(`More actions for ${name}`).click();
    await ruleOf(page, name).getByRole('button', { name: entry }).click();
}

test('a rule is made, tested before it is saved, changed, switched off and deleted, with Undo', async ({ page, server, tolerated }) => {
    // While the server restarts.
    tolerated.push(/ERR_CONNECTION_REFUSED/);
    await openAlerts(page);
    await page.getByRole('button', { name: 'New rule…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New rule' });
    // An error is at its field.
    await dialog.getByLabel('Name').fill('Memory in use');
    await dialog.getByRole('button', { name: 'Save rule' }).click();
    await expect(dialog.getByRole('alert')).toContainText('use 1 to 60 lower-case letters');
    await expect(dialog.getByLabel('Name')).toBeFocused();
    await dialog.getByLabel('Name').fill('memory-in-use');
    await dialog.getByLabel('Metric').selectOption('Memory usage');
    await dialog.getByLabel('Threshold', { exact: true }).fill('0.01');
    await dialog.getByLabel('For at least', { exact: true }).fill('0');
    await page.keyboard.press('Tab');
    await expect(dialog).toContainText('Fires when memory usage of a host is above 0.01 %');
    await expect(dialog.getByRole('status')).toContainText(/The rule would (not )?have fired/);
    expect(await findings(page), 'what axe says of the dialog').toEqual([]);
    const box = await dialog.boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= (page.viewportSize()?.width ?? 0), 'it fits').toBe(true);
    await dialog.getByRole('button', { name: 'Save rule' }).click();
    await expect(dialog).toBeHidden();
    await expect(ruleOf(page, 'memory-in-use')).toContainText('Custom, changed');

    // It is stored, and its values come back in the units in which they were entered.
    await server.stop();
    await server.start();
    await openAlerts(page);
    await ruleOf(page, 'memory-in-use').getByRole('button', { name: 'Edit memory-in-use' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit memory-in-use' });
    await expect(edit.getByLabel('Threshold', { exact: true })).toHaveValue('0.01');
    await edit.getByLabel('Threshold', { exact: true }).fill('99.5');
    // The test of the new value begins when the button is pressed, and moves nothing.
    await edit.getByRole('button', { name: 'Save rule' }).click();
    await expect(edit).toBeHidden();
    await expect(ruleOf(page, 'memory-in-use')).toContainText('is above 99.5 %');

    await choose(page, 'memory-in-use', 'Switch off');
    await expect(ruleOf(page, 'memory-in-use').getByText('Off', { exact: true })).toBeVisible();
    await expect(ruleOf(page, 'memory-in-use').locator('summary'), 'the focus stays at its rule').toBeFocused();
    await choose(page, 'memory-in-use', 'Duplicate…');
    await expect(page.getByRole('dialog', { name: 'New rule' }).getByLabel('Name')).toHaveValue('memory-in-use-copy');
    await page.keyboard.press('Escape');
    await choose(page, 'memory-in-use', 'Delete');
    await expect(ruleOf(page, 'memory-in-use')).toHaveCount(0);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await expect(ruleOf(page, 'memory-in-use')).toContainText('is above 99.5 %');
});

test('a built-in rule gets another threshold, and is reset; an outdated change overwrites nothing', async ({ page, request, tolerated }) => {
    tolerated.push(/409/);
    await openAlerts(page);
    const rule = ruleOf(page, 'memory-high');
    await rule.getByRole('button', { name: 'Edit memory-high' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit memory-high' });
    await expect(dialog.getByLabel('Metric')).toBeDisabled();
    await expect(dialog.getByLabel('Recovery threshold (optional)', { exact: true })).toHaveValue('90');
    await dialog.getByLabel('Threshold', { exact: true }).fill('80');
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toContainText('Recovery threshold: enter at most the threshold');
    await dialog.getByLabel('Threshold', { exact: true }).fill('97');

    // Meanwhile, somebody else changes it.
    const list = await (await request.get('/api/v1/alerts/rules')).json();
    const known = list.rules.find((status: { rule: { name: string } }) => status.rule.name === 'memory-high');
    const theirs = { rule: { ...known.rule, threshold: 0.96 }, enabled: true, revision: 0 };
    expect((await request.put('/api/v1/alerts/rules/memory-high', { data: theirs })).status()).toBe(200);
    await expect(rule, 'the page is told').toContainText('is above 96 %');
    await dialog.getByLabel('Threshold', { exact: true }).press('Enter');
    await expect(dialog.getByRole('alert')).toContainText('changed in the meantime');
    await page.keyboard.press('Escape');
    await expect(rule).toContainText('Built-in rule: Fires when memory usage of a host is above 95 %');
    await choose(page, 'memory-high', 'Reset to built-in');
    await expect(rule).toContainText('is above 95 %');
    await expect(rule).not.toContainText('Built-in rule');
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
