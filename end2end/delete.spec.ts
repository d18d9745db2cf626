// Deletion: the confirmation names what is lost, and every page that shows the operation removes it or says that it was
// deleted.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, row, start, test } from './signalbox';

test('an ended operation is deleted from its page, and all other pages are updated', async ({ page, context, request }) => {
    const load = { symbol: 'GONE', timeframe: '1h', source: 'synthetic', years: 1 };
    const id = await start(request, 'data.load', load);
    const kept = await start(request, 'data.load', { ...load, symbol: 'KEPT' });
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    await expect(main.getByText('succeeded').first()).toBeVisible({ timeout: 20_000 });

    const list = await context.newPage();
    await list.goto('/operations');
    await alive(list);
    await expect(row(list, 'GONE')).toHaveCount(1);
    const open = await context.newPage();
    await open.goto(`/operations/${id}`);
    await alive(open);

    // Asked first; keeping it changes nothing.
    const more = main.locator('summary[aria-label="More actions"]');
    await more.click();
    await main.getByRole('button', { name: 'Delete…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('Permanently deletes');
    await dialog.getByRole('button', { name: 'Keep' }).click();
    await expect(dialog).toBeHidden();
    await more.click();
    await main.getByRole('button', { name: 'Delete…' }).click();
    await dialog.getByRole('button', { name: 'Delete operation' }).click();

    for (const one of [page, open]) {
        await expect(one.getByRole('heading', { name: 'Operation deleted' })).toBeVisible();
    }
    await expect(page.locator('.toast')).toContainText('Deleted: GONE');
    await expect(row(list, 'GONE')).toHaveCount(0);
    await expect(row(list, 'KEPT')).toHaveCount(1);
    expect((await request.get(`/api/v1/operations/${id}`)).status()).toBe(404);
    expect((await request.get(`/api/v1/operations/${kept}`)).ok()).toBe(true);

    await page.getByRole('link', { name: 'Go to operations' }).click();
    await expect(page).toHaveURL(/\/operations$/);
    await expect(row(page, 'KEPT')).toHaveCount(1);
});

test("a running operation can't be deleted, and the API says why", async ({ page, request }) => {
    const slow = { symbol: 'SLOW', timeframe: '1h', source: 'synthetic', rows_per_second: 20 };
    const id = await start(request, 'data.load', slow);
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    await expect(main.getByRole('button', { name: 'Cancel operation' })).toBeVisible();
    await expect(main.getByRole('button', { name: 'Delete…' })).toHaveCount(0);
    const refused = await request.delete(`/api/v1/operations/${id}`);
    expect(refused.status()).toBe(409);
    expect((await refused.json()).detail).toContain('Cancel it first');
});

test('ended operations of a selection are deleted with one confirmation, running ones are skipped', async ({ page, request }) => {
    const load = { timeframe: '1h', source: 'synthetic', years: 1 };
    for (const symbol of ['ONE', 'TWO', 'KEPT']) await start(request, 'data.load', { ...load, symbol });
    await start(request, 'data.load', { ...load, symbol: 'RUNS', rows_per_second: 20 });
    await page.goto('/operations');
    await alive(page);
    const ended = page.getByRole('region', { name: 'Ended' });
    await expect(ended.getByRole('row').filter({ hasText: 'succeeded' })).toHaveCount(3);
    for (const symbol of ['ONE', 'TWO', 'RUNS']) {
        await row(page, symbol).getByRole('checkbox').check();
    }
    const bar = page.getByRole('region', { name: 'Selection' });
    await bar.getByRole('button', { name: 'Delete 2…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('Permanently deletes 2 operations and all runs they started');
    await expect(dialog).toContainText('1 has not ended');
    await dialog.getByRole('button', { name: 'Delete 2 operations' }).click();
    await expect(page.locator('.toast')).toContainText('Deleted 2 operations. 1 skipped');
    // At once, though the focus is in the list: this page's own request.
    await expect(row(page, 'ONE')).toHaveCount(0);
    await expect(row(page, 'TWO')).toHaveCount(0);
    await expect(row(page, 'KEPT')).toHaveCount(1);
    await expect(row(page, 'RUNS')).toContainText('running');
    await expect(bar).toHaveCount(0);
});

test('all matches of a filter are deleted, counted by the server, and a hovered row says so', async ({ page, context, request }, info) => {
    test.skip(info.project.name === 'phone', 'a finger does not point');
    const load = { timeframe: '1h', source: 'synthetic', years: 1 };
    for (const symbol of ['OUT-A', 'OUT-B', 'IN']) await start(request, 'data.load', { ...load, symbol });
    const other = await context.newPage();
    for (const one of [other, page]) {
        await one.goto('/operations');
        await alive(one);
        await expect(one.getByRole('row').filter({ hasText: 'succeeded' })).toHaveCount(3);
    }
    await other.getByRole('row').filter({ hasText: 'OUT' }).first().hover();

    await page.goto('/operations?q=OUT');
    await alive(page);
    await expect(page.getByRole('row').filter({ hasText: 'succeeded' })).toHaveCount(2);
    await page.getByRole('button', { name: 'Delete matching…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('deletes 2 operations');
    await dialog.getByRole('button', { name: 'Delete 2 operations' }).click();
    await expect(page.locator('.toast')).toContainText('Deleted 2 operations.');
    await expect(page.getByText('No operations match')).toBeVisible();

    await expect(other.getByRole('cell', { name: 'Deleted', exact: true })).toHaveCount(2);
    await other.getByRole('heading', { name: 'Operations', level: 1 }).hover();
    await expect(other.getByRole('cell', { name: 'Deleted', exact: true })).toHaveCount(0);
    await expect(row(other, 'IN')).toHaveCount(1);
});

/** Starts a load that fails, and waits until it has. */
async function fail(request: APIRequestContext, symbol: string): Promise<void> {
    const id = await start(request, 'data.load', { symbol, timeframe: '1h', source: 'csv' });
    await until(request, id, 'failed');
}

/** One that failed, and the question whether to delete all that did. */
async function asked(page: Page, request: APIRequestContext): Promise<{ ask: Locator; dialog: Locator }> {
    await fail(request, 'NOSUCH');
    await page.goto('/operations?state=failed');
    await alive(page);
    await expect(row(page, 'NOSUCH')).toHaveCount(1);
    const ask = page.getByRole('button', { name: 'Delete matching…' });
    await ask.click();
    return { ask, dialog: page.getByRole('dialog') };
}

test('an operation that ends while the confirmation is open is not deleted', async ({ page, request }) => {
    const { dialog } = await asked(page, request);
    await expect(dialog).toContainText('Permanently deletes 1 operation');
    await fail(request, 'NEITHER');
    await dialog.getByRole('button', { name: 'Delete 1 operation' }).click();
    await expect(page.locator('.toast')).toContainText('Deleted 1 operation.');
    await expect(row(page, 'NOSUCH')).toHaveCount(0);
    const left = await (await request.get('/api/v1/operations?state=failed')).json();
    expect(left.operations.map((operation: { title: string }) => operation.title)).toEqual([
        expect.stringContaining('NEITHER'),
    ]);
});

test('a reopened confirmation counts again', async ({ page, request }) => {
    const { ask, dialog } = await asked(page, request);
    await expect(dialog).toContainText('Permanently deletes 1 operation');
    await dialog.getByRole('button', { name: 'Keep' }).click();
    await expect(dialog).toBeHidden();

    await fail(request, 'NEITHER');
    await ask.click();
    await expect(dialog).toContainText('deletes 2 operations');
    await expect(dialog.getByRole('button', { name: 'Keep' })).toBeFocused();
    await dialog.getByRole('button', { name: 'Delete 2 operations' }).click();
    await expect(page.locator('.toast')).toContainText('Deleted 2 operations.');
});
