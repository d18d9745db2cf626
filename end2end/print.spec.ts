// Printed pages: long content is in the document only in part, and says which part that is.
import type { Page } from '@playwright/test';
import { openTwoBacktests, until } from './pages';
import { alive, expect, start, SYMBOL, test } from './signalbox';

const printedNote = (page: Page) => page.locator('.paper-only');

test('a long list is printed without empty space, and says which rows it has', async ({ page, request }) => {
    test.setTimeout(120_000);
    const all = 90;
    const failing = { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' };
    const ids: string[] = [];
    for (let n = 0; n < all; n++) ids.push(await start(request, 'data.load', failing));
    for (const id of ids) await until(request, id, 'failed');
    await page.goto('/operations');
    await alive(page);
    const rows = page.locator('tr.row');
    // Once the page lives it keeps only those in sight, and some around them.
    await expect.poll(() => rows.count()).toBeLessThan(all);
    await expect(printedNote(page)).toBeHidden();
    await page.emulateMedia({ media: 'print' });
    await expect(printedNote(page)).toHaveText(/^Printed: rows 1 to \d+ of 90\.$/);
    await expect(printedNote(page)).toBeVisible();
    for (const space of await page.locator('tr.space').all()) await expect(space).toBeHidden();
});

test('a log is printed from its position, at the height of its lines', async ({ page, request }) => {
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const room = page.locator('.log-space');
    // As it is where the log is long: the lines stand far down in the room of all of them.
    await room.evaluate((room: HTMLElement) => {
        room.style.height = '200000px';
        (room.firstElementChild as HTMLElement).style.transform = 'translateY(100000px)';
    });
    await page.emulateMedia({ media: 'print' });
    const tall = (await room.boundingBox())!;
    const line = (await room.locator('.log-line').first().boundingBox())!;
    expect(line.y - tall.y).toBeLessThan(40);
    expect(tall.height).toBeLessThan(10_000);
});

test('controls are not printed, and sideways scrolling content is expanded', async ({ page, request }) => {
    await openTwoBacktests(page, request);
    await expect(page.locator('.dial').first()).toBeVisible();
    await page.emulateMedia({ media: 'print' });
    for (const dial of await page.locator('.dial').all()) await expect(dial).toBeHidden();
    await expect(page.getByRole('region', { name: 'Comparison table' })).toHaveCSS('overflow-x', 'visible');
});
