// Baseline behind a curve and the auto-cancel rule based on it: six runs of a command form the baseline; a seventh is
// far above it and is cancelled by a rule set on the page.
import type { APIRequestContext, Page } from '@playwright/test';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { choose } from './charts';
import { alive, expect, start, test as base } from './signalbox';

/** Reports a loss that falls from `level`, one epoch at a time; waits for a file before epoch `wait`. */
const SCRIPT = `level=$1; pause=$2; wait=$3; epoch=1
while [ $epoch -le 40 ]; do
    if [ $epoch = "$wait" ]; then
        while [ ! -e "$4" ]; do sleep 0.05; done
    fi
    echo "{\\"step\\": $epoch, \\"done\\": $epoch, \\"total\\": 40, \\"loss\\": $((level * 100 / epoch + level))}"
    sleep $pause
    epoch=$((epoch + 1))
done
`;

const test = base.extend({
    server: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const script = path.join(server.folder, 'fall.sh');
        writeFileSync(script, SCRIPT);
        const gate = path.join(server.folder, 'gate');
        const kind = `[exec.fall]
title = "Fall"
summary = "a fall"
command = ["sh", "${script}", "{level}", "{pause}", "{wait}", "${gate}"]
max_parallel = 6
params.level = { type = "integer", default = 10 }
params.pause = { type = "number", default = 0 }
params.wait = { type = "integer", default = 0 }
series.loss = { title = "Loss", x = "epoch" }
`;
        writeFileSync(path.join(data, 'exec.toml'), kind);
        await server.start();
        await use(server);
    },
});

/** Creates the file that a run waits for. */
const open = (folder: string) => writeFileSync(path.join(folder, 'gate'), '');

async function becomes(request: APIRequestContext, id: string, state: string): Promise<void> {
    const now = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
    await expect.poll(now, { timeout: 30_000 }).toBe(state);
}

async function runs(request: APIRequestContext, levels: number[]): Promise<void> {
    const ids = await Promise.all(levels.map((level) => start(request, 'exec.fall', { level })));
    for (const id of ids) await becomes(request, id, 'succeeded');
}

const chart = (page: Page) => page.getByRole('main').getByRole('figure', { name: 'Loss' });

async function shot(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: path.join(__dirname, 'shots', `band-${name}.png`), fullPage: true });
}

test('past runs are shown behind the curve, named, and listed in its table', async ({ page, request, server }, info) => {
    await runs(request, [8, 9, 10, 11, 12, 13]);
    const id = await start(request, 'exec.fall', { level: 10, wait: 20 });
    await page.goto(`/operations/${id}`);
    await alive(page);
    const dial = page.getByRole('button', { name: 'Compare with past runs', exact: true });
    await expect(dial).toHaveAttribute('aria-pressed', 'false');
    await dial.click();
    await expect(page).toHaveURL(/[?&]band=loss/);
    await expect(chart(page)).toContainText('Baseline: P10 to P90 of 6 past runs with the same title · inside the baseline');
    await expect(chart(page).locator('.chart-line')).toContainText('past runs');
    await shot(page, `live-${info.project.name}`);
    await choose(chart(page), 'Show as table');
    const heads = chart(page).getByRole('columnheader');
    await expect(heads).toHaveText(['epoch', 'Loss', /p10$/, /p50$/, /p90$/, /runs$/]);
    await expect(chart(page).getByRole('row').nth(1).getByRole('cell').last()).toHaveText('6');

    // The URL restores it, also after the end.
    open(server.folder);
    await becomes(request, id, 'succeeded');
    await page.reload();
    await alive(page);
    await expect(chart(page)).toContainText('ended inside the baseline');
    await expect(dial).toHaveAttribute('aria-pressed', 'true');
    await dial.click();
    await expect(chart(page)).not.toContainText('P10 to P90');
    await expect(page).toHaveURL(/[?&]band=none/);
});

test('with too few past runs the chart says how many exist', async ({ page, request }) => {
    await runs(request, [8, 9]);
    const id = await start(request, 'exec.fall', {});
    await page.goto(`/operations/${id}?band=loss`);
    await alive(page);
    await expect(chart(page)).toContainText('A baseline needs 5 past successful runs; there are 2.');
});

test('a rule is set, removed, restored, and cancels a run that leaves the band', async ({ page, request, server }, info) => {
    await runs(request, [8, 9, 10, 11, 12, 13]);
    const id = await start(request, 'exec.fall', { level: 90, pause: 0.1, wait: 3 });
    await page.goto(`/operations/${id}`);
    await alive(page);
    await expect(chart(page)).toBeVisible();
    const card = page.getByRole('region', { name: 'Auto-cancel rule' });
    await card.getByText('Auto-cancel…').click();
    const form = card.getByRole('form', { name: 'Set auto-cancel rule' });
    await form.getByLabel('Points in a row').fill('2');
    await form.getByRole('button', { name: 'Set rule' }).click();
    await expect(form.getByLabel('Points in a row')).toBeFocused();
    await form.getByLabel('Points in a row').fill('4');
    await form.getByRole('button', { name: 'Set rule' }).click();
    await expect(card).toContainText('Cancel when 4 points in a row of loss are above the P90 of 6 past runs with the same title.');
    await expect(card).toContainText('0 of 4 points above');
    await expect(page.getByRole('button', { name: 'Compare with past runs', exact: true })).toHaveAttribute('aria-pressed', 'true');

    await card.getByRole('button', { name: 'Remove rule' }).click();
    await expect(card.getByText('Auto-cancel…')).toBeVisible();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(card).toContainText('0 of 4 points above');
    await shot(page, `rule-${info.project.name}`);

    open(server.folder);
    await expect(page.locator('.op-state')).toContainText('cancelled', { timeout: 20_000 });
    const reason = 'loss was above the P90 of 6 past runs for 4 points, from epoch 3';
    await expect(page.locator('.receipt')).toContainText(reason);
    await page.getByRole('tab', { name: 'Details' }).click();
    const audit = page.getByRole('region', { name: 'Audit log' });
    await expect(audit.getByRole('row').filter({ hasText: 'Requested cancel' })).toContainText('Signalbox');
    await expect(audit.getByRole('row').filter({ hasText: 'Set rule' })).toHaveCount(2);
    await expect(chart(page)).toContainText('ended above the baseline');
    await expect(card).toHaveCount(0);
    await shot(page, `cancelled-${info.project.name}`);
});

test('an operation started with a rule from the address is cancelled by it', async ({ page, request }) => {
    await runs(request, [8, 9, 10, 11, 12, 13]);
    // A link carries the rule. The run takes 4 s, so it cannot end before it is cancelled.
    await page.goto('/new?kind=exec.fall&level=300&pause=0.1&rule=loss%20below%2030');
    await alive(page);
    const rule = page.getByRole('group', { name: 'Auto-cancel rule' });
    await expect(page.getByRole('checkbox', { name: 'Set an auto-cancel rule' })).toBeChecked();
    await expect(rule.getByLabel('Side of the baseline')).toHaveValue('below');
    await expect(rule.getByLabel('Points in a row')).toHaveValue('30');
    await rule.getByLabel('Side of the baseline').selectOption('above');
    // The minimum is three points in a row.
    await rule.getByLabel('Points in a row').fill('1');
    await page.getByRole('button', { name: 'Start fall' }).click();
    await expect(rule).toBeFocused();
    await expect(rule).toHaveAccessibleDescription(/from 3 to 1000/);
    await expect(rule.getByLabel('Points in a row')).toHaveValue('1');
    await rule.getByLabel('Points in a row').fill('3');
    await expect(page).toHaveURL(/rule=loss(\+|%20)above(\+|%20)3/);
    // Switched off and on again, it is unchanged.
    await page.getByRole('checkbox', { name: 'Set an auto-cancel rule' }).uncheck();
    await expect(rule.getByLabel('Curve')).toBeDisabled();
    await expect(page).not.toHaveURL(/rule=/);
    await page.getByRole('checkbox', { name: 'Set an auto-cancel rule' }).check();
    await expect(rule.getByLabel('Points in a row')).toHaveValue('3');

    await page.getByRole('button', { name: 'Start fall' }).click();
    await expect(page).toHaveURL(/\/operations\//);
    await expect(page.locator('.receipt')).toContainText('above the P90', { timeout: 20_000 });
    await expect(page.getByRole('main').getByText('cancelled').first()).toBeVisible();
});
