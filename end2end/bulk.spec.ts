// Bulk actions: rows are selected by mouse, by range and by keyboard; the confirmation says what a cancel will do, and
// the outcome what it did.
import type { APIRequestContext, Page } from '@playwright/test';
import { alive, expect, row, start, test } from './signalbox';

/** A load that takes minutes; two of one symbol would be in each other's way. */
async function startSlow(request: APIRequestContext, symbol: string): Promise<string> {
    const load = { symbol, timeframe: '1h', source: 'synthetic', rows_per_second: 20 };
    return start(request, 'data.load', load);
}

async function stateOf(request: APIRequestContext, id: string): Promise<string> {
    return (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
}

async function allAre(request: APIRequestContext, ids: string[], state: string): Promise<void> {
    const states = async () => [...new Set(await Promise.all(ids.map((id) => stateOf(request, id))))];
    await expect.poll(states, { timeout: 20_000 }).toEqual([state]);
}

/** The box of the nth row, from the top. */
const box = (page: Page, n: number) => page.locator('tr.row').nth(n).getByRole('checkbox');
const bar = (page: Page) => page.getByRole('region', { name: 'Selection' });

test('a range of rows is selected, cancelled with one confirmation, and the outcome shown', async ({ page, request }) => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) ids.push(await startSlow(request, `SLOW${n}`));
    await allAre(request, ids, 'running');
    await page.goto('/operations');
    await alive(page);
    await expect(page.locator('tr.row')).toHaveCount(4);

    // The newest stands first: the lower three are the older ones.
    await box(page, 1).click();
    await box(page, 3).click({ modifiers: ['Shift'] });
    await expect(bar(page)).toContainText('3 selected');
    await expect(box(page, 0)).not.toBeChecked();
    for (const n of [1, 2, 3]) await expect(box(page, n)).toBeChecked();

    // It survives what happens meanwhile: another operation comes, waits until it is asked for, and stands above.
    const late = await startSlow(request, 'LATE');
    await page.getByRole('button', { name: '1 new' }).click();
    await expect(page.locator('tr.row')).toHaveCount(5);
    await expect(bar(page)).toContainText('3 selected');
    await expect(box(page, 1)).not.toBeChecked();
    for (const n of [2, 3, 4]) await expect(box(page, n)).toBeChecked();

    // Asked first; keeping them changes nothing.
    await bar(page).getByRole('button', { name: 'Cancel 3 operations…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('3 running operations are asked to stop.');
    await dialog.getByRole('button', { name: 'Keep running' }).click();
    await expect(dialog).toBeHidden();
    await expect(bar(page)).toContainText('3 selected');
    expect(await stateOf(request, ids[0])).toBe('running');

    await bar(page).getByRole('button', { name: 'Cancel 3 operations…' }).click();
    await dialog.getByRole('textbox').fill('wrong source');
    await dialog.getByRole('button', { name: 'Cancel 3 operations', exact: true }).click();
    await expect(page.locator('.toast')).toContainText('Cancel requested for 3 operations.');
    await allAre(request, ids.slice(0, 3), 'cancelled');
    await expect(bar(page)).toBeHidden();
    expect(await stateOf(request, ids[3])).toBe('running');
    expect(await stateOf(request, late)).toBe('running');

    // The reason is in the receipt.
    await page.goto(`/operations/${ids[0]}`);
    await expect(page.locator('.receipt')).toContainText('wrong source');
});

test('the keyboard selects like the mouse', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    for (let n = 0; n < 3; n++) await startSlow(request, `KEY${n}`);
    await page.goto('/operations');
    await alive(page);
    await expect(page.locator('tr.row')).toHaveCount(3);
    await box(page, 0).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect(bar(page)).toContainText('2 selected');
    await expect(box(page, 2)).toBeFocused();
    await page.keyboard.press('Shift+Space');
    await expect(bar(page)).toContainText('3 selected');

    const all = page.getByRole('checkbox', { name: 'Select all shown' });
    await expect(all).toBeChecked();
    await all.press('Space');
    await expect(bar(page)).toBeHidden();
    await all.press('Space');
    await expect(bar(page)).toContainText('3 selected');
});

test('all matches of a filter are cancelled, queued ones at once, and others are untouched', async ({ page, request }, info) => {
    const { hosts } = await (await request.get('/api/v1/hosts')).json();
    const places = hosts
        .filter((host: { kinds: string[] }) => host.kinds.includes('data.load'))
        .reduce((sum: number, host: { capacity: number }) => sum + host.capacity, 0);
    const other = await startSlow(request, 'OTHER');
    const ids: string[] = [];
    for (let n = 0; n < places + 1; n++) ids.push(await startSlow(request, `MATCH${n}`));
    const states = async () => {
        const all = await Promise.all(ids.map((id) => stateOf(request, id)));
        return `${all.filter((s) => s === 'running').length} running, ${all.filter((s) => s === 'queued').length} queued`;
    };
    await expect.poll(states).toBe(`${places - 1} running, 2 queued`);

    await page.goto('/operations?q=match');
    await alive(page);
    await expect(row(page, 'MATCH')).toHaveCount(ids.length);
    // A phone has no room for what a row is doing.
    if (info.project.name === 'desktop') await expect(page.locator('.ops')).toContainText('next of 2 in the queue');
    await page.getByRole('button', { name: `Cancel ${ids.length} matching…` }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText(`${places - 1} running operations are asked to stop; 2 queued operations are cancelled immediately.`);
    await dialog.getByRole('button', { name: `Cancel ${ids.length} operations` }).click();
    await expect(page.locator('.toast')).toContainText(`Cancel requested for ${ids.length} operations.`);
    await allAre(request, ids, 'cancelled');
    expect(await stateOf(request, other)).toBe('running');
});

test('operations that ended meanwhile are reported as ended and not as cancelled', async ({ page, request }) => {
    const [gone, stays] = [await startSlow(request, 'GONE'), await startSlow(request, 'STAYS')];
    await allAre(request, [gone, stays], 'running');
    await page.goto('/operations');
    await alive(page);
    for (const n of [0, 1]) await box(page, n).click();
    await expect(bar(page)).toContainText('2 selected');
    await request.post(`/api/v1/operations/${gone}/cancel`, { data: {} });
    await expect(bar(page)).toContainText('1 ended');
    await bar(page).getByRole('button', { name: 'Cancel 1 operation…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('1 has already ended and is skipped.');
    await dialog.getByRole('button', { name: 'Cancel 1 operation', exact: true }).click();
    await expect(page.locator('.toast').filter({ hasText: 'Cancel requested for' })).toContainText(/1 operation\. 1 skipped/);
    await allAre(request, [gone, stays], 'cancelled');
});
