// The dot for failures that nobody has looked at: set by a failure, cleared by opening it or the list of failed ones.
import type { Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, rail, start, test } from './signalbox';

const failing = (symbol: string) => ({ symbol, timeframe: '1h', source: 'csv' });
const entry = (page: Page, name: string | RegExp) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name });
const none = (page: Page) => expect(entry(page, /^Operations$/)).toBeVisible();
const some = (page: Page, wording: string) => expect(entry(page, new RegExp(`^Operations\\s*${wording}$`))).toBeVisible();

test('a failure marks the sidebar until its page is opened', async ({ page, request }) => {
    await page.goto('/hosts');
    await alive(page);
    await none(page);
    const ids = await Promise.all(['AAA', 'BBB'].map((symbol) => start(request, 'data.load', failing(symbol))));
    for (const id of ids) await until(request, id, 'failed');
    await some(page, '2 failures not seen');
    await expect(page.locator('.rail-dot')).toBeVisible();

    await page.goto(`/operations/${ids[0]}`);
    await alive(page);
    await some(page, '1 failure not seen');
    await page.reload();
    await alive(page);
    await some(page, '1 failure not seen');

    // Another attempt that fails is another failure.
    await page.goto('/hosts');
    await alive(page);
    await request.post(`/api/v1/operations/${ids[0]}/retry`, { data: {} });
    await some(page, '2 failures not seen');
});

test('the list of failed operations clears the mark in all tabs', async ({ page, request, context }) => {
    await start(request, 'data.load', failing('AAA'));
    await page.goto('/');
    await alive(page);
    await some(page, '1 failure not seen');
    const other = await context.newPage();
    await other.goto('/hosts');
    await alive(other);
    await some(other, '1 failure not seen');

    // The whole list is no look at what failed.
    await rail(page, 'Operations').click();
    await expect(page.locator('tr.row')).toHaveCount(1);
    await some(page, '1 failure not seen');
    await page.goto('/operations?state=failed');
    await alive(page);
    await none(page);
    await none(other);
    await other.goto('/');
    await alive(other);
    await expect(other.getByText('Nothing needs attention')).toBeVisible();
});

test('marking failures as seen clears the mark, and undo brings it back', async ({ page, request }) => {
    await start(request, 'data.load', failing('AAA'));
    await page.goto('/');
    await alive(page);
    await some(page, '1 failure not seen');
    await page.getByRole('button', { name: 'Mark as seen' }).click();
    await none(page);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await some(page, '1 failure not seen');
});
