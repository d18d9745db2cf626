// The main flow where streams are blocked: the page polls, says so, and misses nothing.
import { badge, expect, fillLoad, linkOf, percent, rail, reaches, row, submit, SYMBOL, test } from './signalbox';

test.beforeEach(async ({ page, tolerated }) => {
    tolerated.push(/net::ERR_FAILED|EventSource/);
    await page.route('**/api/v1/events*', async (route) => {
        const accepted = (await route.request().headerValue('accept')) ?? '';
        await (accepted.includes('text/event-stream') ? route.abort() : route.continue());
    });
});

test('where streams are blocked the page polls, says so, and a load can still be cancelled', async ({ page }) => {
    await page.goto('/operations');
    await expect(badge(page)).toContainText('Polling', { timeout: 20_000 });
    await badge(page).getByText('Why?').click();
    await expect(badge(page)).toContainText(/proxy/);

    await page.goto('/new?kind=data.load');
    await expect(badge(page)).toContainText('Polling', { timeout: 20_000 });
    await fillLoad(page, { symbol: SYMBOL, rowsPerSecond: 500 });
    await submit(page);

    await rail(page, 'Operations').click();
    const listed = row(page, SYMBOL);
    await expect(listed).toContainText('running');
    const before = await percent(listed);
    await reaches(listed, before + 5);

    await linkOf(listed).click();
    await page.getByRole('main').getByRole('button', { name: 'Cancel operation' }).click();
    await expect(page.locator('.receipt')).toContainText('Cancelled');
    await expect(page.locator('.receipt').getByRole('listitem')).toHaveCount(5);
});
