// Columns of the list: chosen and ordered in a dialog, params and key figures among them; in the address, and remembered.
import type { Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, row, start, SYMBOL, test } from './signalbox';

const headings = (page: Page) => page.locator('table.ops[data-list="ended"]').getByRole('columnheader');
const titles = async (page: Page) => (await headings(page).allInnerTexts()).map((title) => title.trim());

test('params and key figures are chosen as columns, ordered, shared by address and remembered', async ({ page, request, context }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no columns');
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    await page.goto('/operations');
    await alive(page);
    await page.getByRole('button', { name: 'Columns' }).click();
    const dialog = page.getByRole('dialog', { name: 'Columns' });
    await dialog.getByRole('button', { name: 'Add: symbol' }).click();
    await expect(page).toHaveURL(/columns=.*param\.symbol/);
    await dialog.getByRole('button', { name: 'Add: Completeness' }).click();
    await dialog.getByRole('button', { name: 'Remove: Progress' }).click();
    for (const name of ['End', 'Started']) await dialog.getByRole('button', { name: `Remove: ${name}` }).click();
    for (let n = 0; n < 2; n += 1) await dialog.getByRole('button', { name: 'Move up: symbol' }).click();
    await dialog.getByRole('button', { name: 'Done' }).click();
    await expect(dialog).toBeHidden();
    await expect.poll(() => titles(page)).toEqual(['', 'State', 'Operation', 'Result', 'symbol', 'Duration', 'Host', 'Completeness', 'Action']);
    await expect(row(page, SYMBOL).getByRole('cell', { name: SYMBOL, exact: true })).toBeVisible();
    await expect(row(page, SYMBOL).locator('td.c-own.num').last()).toHaveText(/%$/);

    // A link shows the same; the list without one has the last choice of this browser.
    const address = page.url();
    await page.goto('/operations');
    await alive(page);
    await expect(headings(page).getByText('Completeness')).toBeVisible();
    const other = await (await context.browser()!.newContext({ baseURL: new URL(address).origin })).newPage();
    await other.goto(address);
    await expect.poll(() => titles(other)).toContain('Completeness');
    await other.context().close();

    await page.getByRole('button', { name: 'Columns' }).click();
    await dialog.getByRole('button', { name: 'Standard columns' }).click();
    await page.keyboard.press('Escape');
    await expect(headings(page).getByText('Completeness')).toHaveCount(0);
    await page.reload();
    await alive(page);
    await expect(headings(page).getByText('Completeness')).toHaveCount(0);
});

test('a column is moved by keys, and the focus stays on the button', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no columns');
    await until(request, await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' }), 'succeeded');
    await page.goto('/operations');
    await alive(page);
    await page.getByRole('button', { name: 'Columns' }).click();
    const dialog = page.getByRole('dialog', { name: 'Columns' });
    const names = dialog.locator('.columns-shown .column-name');
    const down = dialog.getByRole('button', { name: 'Move down: Progress' });
    await down.focus();
    for (const place of [2, 3, 4, 5]) {
        await page.keyboard.press('Enter');
        await expect(names.nth(place)).toHaveText('Progress');
        await expect(down).toBeFocused();
    }
    // At the end it does nothing more, and keeps the focus.
    await expect(down).toHaveAttribute('aria-disabled', 'true');
    await page.keyboard.press('Enter');
    await expect(down).toBeFocused();
    await expect(names.nth(5)).toHaveText('Progress');
});

test('many columns are scrolled to within the list, and the page stays as wide as it is', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no columns');
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    const columns = ['result', 'progress', 'end', 'duration', 'started', 'host', 'kind', 'attempt', 'id', 'param.symbol', 'param.timeframe', 'param.source'];
    await page.goto(`/operations?columns=${columns.join(',')}`);
    await alive(page);
    await expect(row(page, SYMBOL).getByRole('cell', { name: 'csv', exact: true })).toBeAttached();
    const [holds, wide] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    expect(holds).toBeLessThanOrEqual(wide);
});

test('the list is sorted by a chosen column', async ({ page, request }, info) => {
    for (const symbol of ['BBB', 'CCC', 'AAA']) {
        const id = await start(request, 'data.load', { symbol, timeframe: '1h', source: 'csv' });
        await until(request, id, 'failed');
    }
    const titles = page.locator('table.ops[data-list="ended"] tr.row a.title');
    await page.goto('/operations?columns=result,param.symbol');
    await alive(page);
    await expect(titles).toHaveText([/AAA/, /CCC/, /BBB/]);
    if (info.project.name === 'phone') {
        const order = page.getByRole('combobox', { name: 'Sort by' });
        await order.selectOption('By symbol, ascending');
        await expect(titles).toHaveText([/AAA/, /BBB/, /CCC/]);
        await expect(page).toHaveURL(/sort=up\.param\.symbol/);
        await order.selectOption('By symbol, descending');
        await expect(order.locator('option:checked')).toHaveText('By symbol, descending');
    } else {
        const heading = page.getByRole('columnheader', { name: 'symbol' });
        await heading.getByRole('link').click();
        await expect(titles).toHaveText([/AAA/, /BBB/, /CCC/]);
        await expect(page).toHaveURL(/sort=up\.param\.symbol/);
        await expect(heading).toHaveAttribute('aria-sort', 'ascending');
        await heading.getByRole('link').press('Enter');
        await expect(heading).toHaveAttribute('aria-sort', 'descending');
    }
    await expect(titles).toHaveText([/CCC/, /BBB/, /AAA/]);
    // A link shows the same order.
    await page.reload();
    await alive(page);
    await expect(titles).toHaveText([/CCC/, /BBB/, /AAA/]);
});
