// Comparison of two backtests through the page: load, backtest twice, select both, compare. Also what the page says
// when there is nothing to compare.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import path from 'node:path';
import { alive, expect, rail, row, SYMBOL, test } from './signalbox';

type Params = Record<string, unknown>;

async function start(request: APIRequestContext, kind: string, params: Params): Promise<string> {
    const answer = await request.post('/api/v1/operations', { data: { kind, params } });
    expect(answer.ok(), await answer.text()).toBe(true);
    return (await answer.json()).id;
}

async function becomes(request: APIRequestContext, id: string, state: string): Promise<void> {
    const now = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
    await expect.poll(now, { timeout: 30_000 }).toBe(state);
}

async function resultOf(request: APIRequestContext, id: string): Promise<{ performance: { total_return: number } }> {
    return (await (await request.get(`/api/v1/operations/${id}`)).json()).result.document;
}

async function done(request: APIRequestContext, kind: string, params: Params): Promise<string> {
    const id = await start(request, kind, params);
    await becomes(request, id, 'succeeded');
    return id;
}

const load = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };

/** Loads bars and runs two backtests on them: SMA cross, and buy and hold. */
async function twoBacktests(request: APIRequestContext): Promise<[string, string]> {
    await done(request, 'data.load', load);
    const on = { symbol: SYMBOL, timeframe: '1h' };
    const cross = await done(request, 'backtest.run', { ...on, strategy: 'sma_cross' });
    const hold = await done(request, 'backtest.run', { ...on, strategy: 'buy_and_hold' });
    return [cross, hold];
}

const table = (page: Page) => page.getByRole('region', { name: 'Comparison table' });
/** The cells of a table row, by the row's name. */
const line = (page: Page, name: string) =>
    table(page).getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) }).getByRole('cell');
const figure = (page: Page, name: string): Locator => page.getByRole('main').getByRole('figure', { name });

/** Pixels by which the page is wider than its screen. */
const wider = (page: Page) =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** The values above a chart, one per curve. */
const readings = (chart: Locator) => chart.locator('.chart-line > span');

async function shot(page: Page, name: string): Promise<void> {
    await page.screenshot({ path: path.join(__dirname, 'shots', `compare-${name}.png`), fullPage: true });
}

test('two backtests are selected and compared, with both equities in one chart', async ({ page, request }) => {
    test.setTimeout(120_000);
    const [cross, hold] = await twoBacktests(request);
    const returns = await Promise.all([cross, hold].map(async (id) => (await resultOf(request, id)).performance.total_return));
    expect(returns[0]).not.toBe(returns[1]);
    const better = returns[0] > returns[1] ? 0 : 1;

    // A single operation cannot be compared, and the bar says so.
    await page.goto('/operations');
    await alive(page);
    const bar = page.getByRole('region', { name: 'Selection' });
    await row(page, 'SMA cross').getByRole('checkbox').click();
    await expect(bar).toContainText('Select 1 more to compare');
    await expect(bar.getByRole('button', { name: 'Compare' })).toBeDisabled();
    await row(page, 'Buy and hold').getByRole('checkbox').click();
    // Both have ended: there is nothing to cancel.
    await expect(bar.getByRole('button', { name: /cancel/i })).toHaveCount(0);
    await bar.getByRole('link', { name: 'Compare' }).click();

    // In the order in which they were started.
    await expect(page).toHaveURL(`${new URL(page.url()).origin}/compare?ids=${cross},${hold}`);
    await expect(page).toHaveTitle(/SMA cross · 20\/50 vs\. .*Buy and hold/);
    const heads = table(page).getByRole('columnheader');
    await expect(heads).toHaveCount(2);
    await expect(heads.nth(0)).toContainText('SMA cross');
    await expect(heads.nth(1)).toContainText('Buy and hold');

    // Different parameters are shown; identical ones are collapsed.
    await expect(table(page).getByRole('rowheader', { name: /^3 parameters differ, \d+ identical/ })).toBeVisible();
    await expect(line(page, 'strategy')).toHaveText(['sma_cross', 'buy_and_hold']);
    // The other strategy does not have this parameter.
    await expect(line(page, 'fast')).toHaveText(['20', /^[–-]?$/]);
    await expect(line(page, 'symbol')).toHaveCount(0);
    await table(page).getByRole('link', { name: 'Show all rows' }).click();
    await expect(line(page, 'symbol')).toHaveText([SYMBOL, SYMBOL]);
    await table(page).getByRole('link', { name: 'Differences only' }).click();
    await expect(line(page, 'symbol')).toHaveCount(0);

    // The better return is marked, also in words.
    const figures = line(page, 'Total return');
    await expect(figures.nth(better)).toContainText('best:');
    await expect(figures.nth(1 - better)).not.toContainText('best:');
    await expect(line(page, 'Commissions').filter({ hasText: 'best:' })).toHaveCount(0);

    // Both equity curves are in one chart; its legend names and hides them.
    const equity = figure(page, 'Equity');
    const legend = page.getByRole('list', { name: 'Runs shown' }).getByRole('button');
    await expect(legend).toHaveText([/^A .*SMA cross/, /^B .*Buy and hold/]);
    await equity.scrollIntoViewIfNeeded();
    await expect(equity.locator('canvas')).toBeVisible();
    await expect(readings(equity)).toHaveText([/UTC|^\d{4}-\d{2}-\d{2}$/, /^A .* [\d,.]+$/, /^B .* [\d,.]+$/]);
    // Hidden in one place, a run is hidden in all charts.
    await figure(page, 'Drawdown').scrollIntoViewIfNeeded();
    await legend.nth(0).click();
    await expect(legend.nth(0)).toHaveAttribute('aria-pressed', 'false');
    for (const name of ['Equity', 'Drawdown']) await expect(readings(figure(page, name))).toHaveCount(2);
    await legend.nth(0).click();
    for (const name of ['Drawdown', 'Exposure']) await expect(figure(page, name)).toBeVisible();

    // Settings are part of the URL, which restores them.
    await page.getByRole('navigation', { name: 'Curves shown' }).getByRole('link', { name: 'Exposure' }).click();
    await expect(figure(page, 'Exposure')).toHaveCount(0);
    await page.getByRole('link', { name: 'by bar' }).click();
    await page.getByRole('slider', { name: 'Smoothing of all charts' }).fill('0.6');
    await expect(page).toHaveURL(/&series=equity,drawdown&x=count&smooth=0.6$/);
    await page.reload();
    await alive(page);
    await expect(figure(page, 'Exposure')).toHaveCount(0);
    await expect(page.getByRole('slider', { name: 'Smoothing of all charts' })).toHaveValue('0.6');
    await equity.scrollIntoViewIfNeeded();
    await expect(readings(equity).first()).toHaveText(/^bar /);
    // The smoothed value, followed by the raw one.
    await expect(readings(equity).nth(1)).toHaveText(/^A .* [\d,.]+ \([\d,.]+\)$/);

    expect(await wider(page), 'pixels by which the page is wider than the screen').toBeLessThanOrEqual(0);
    // Of all links on the page only the shown curves are current.
    await expect(table(page).locator('[aria-current]')).toHaveCount(0);
    // Removing one leaves the other, with a way to add another one.
    await table(page).getByRole('link', { name: /^Remove B/ }).click();
    await expect(page).toHaveURL(new RegExp(`/compare\\?ids=${cross}&`));
    await expect(page.getByRole('heading', { name: /^Compare .*SMA cross · 20\/50 with$/ })).toBeVisible();
    const search = page.getByRole('searchbox', { name: 'Search operations to compare' });
    await search.fill('buy hold');
    const other = page.getByRole('main').getByRole('link', { name: /Buy and hold/ });
    await expect(other).toHaveCount(1);
    await search.fill('nothing of this name');
    await expect(page.getByText('No results')).toBeVisible();
    await search.fill('');
    await expect(other).not.toHaveAttribute('aria-current');
    await other.click();
    await expect(table(page).getByRole('columnheader')).toHaveCount(2);
});

test('a comparison is drawn in both themes', async ({ page, request }, info) => {
    test.setTimeout(120_000);
    const [cross, hold] = await twoBacktests(request);
    for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.goto(`/compare?ids=${cross},${hold}`);
        await alive(page);
        for (const name of ['Equity', 'Drawdown', 'Exposure']) {
            await figure(page, name).scrollIntoViewIfNeeded();
            await expect(figure(page, name).locator('canvas')).toBeVisible();
        }
        await page.evaluate(() => window.scrollTo(0, 0));
        await shot(page, `${info.project.name}-${colorScheme}`);
        expect(await wider(page)).toBeLessThanOrEqual(0);
    }
});

test('from an operation one reaches a comparison with another of its kind, even while one runs', async ({ page, request }) => {
    const first = await done(request, 'data.load', load);
    const slow = await start(request, 'data.load', { ...load, symbol: 'SLOW', source: 'synthetic', rows_per_second: 200 });
    await becomes(request, slow, 'running');
    await page.goto(`/operations/${first}`);
    await alive(page);
    await page.getByRole('main').getByLabel('More actions').click();
    await page.getByRole('main').getByRole('link', { name: 'Compare with…' }).click();
    await page.getByRole('main').getByRole('link', { name: /SLOW/ }).click();
    await expect(line(page, 'Outcome')).toHaveText(['succeeded', /^running/]);
    await expect(line(page, 'Rows').nth(1)).toHaveText('–');
    const rate = figure(page, 'Rows per second');
    await rate.scrollIntoViewIfNeeded();
    await expect(rate.locator('canvas')).toBeVisible();

    // It ends while the page is open, and the page says so.
    await request.post(`/api/v1/operations/${slow}/cancel`, { data: {} });
    await expect(line(page, 'Outcome')).toHaveText(['succeeded', 'cancelled']);
});

test('failures show their reason, and different kinds are compared in what they share', async ({ page, request }) => {
    const loaded = await done(request, 'data.load', load);
    const failed = await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await becomes(request, failed, 'failed');
    const tested = await done(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', strategy: 'buy_and_hold' });
    await page.goto(`/compare?ids=${loaded},${failed},${tested}`);
    await alive(page);
    await expect(line(page, 'Outcome').nth(1)).toHaveText(/^failed: .*NOSUCH/);
    await expect(line(page, 'symbol')).toHaveText([SYMBOL, 'NOSUCH', SYMBOL]);
    await expect(page.getByRole('main')).toContainText('C (backtest.run) is the only operation of its kind here');
    expect(await wider(page), 'pixels by which the page is wider than the screen').toBeLessThanOrEqual(0);
});

test('trainings say whether they overfit, and their losses share a chart', async ({ page, request }) => {
    test.setTimeout(120_000);
    await done(request, 'data.load', load);
    const on = { symbols: SYMBOL, timeframe: '1h', epochs: 3 };
    const ids = [await done(request, 'training.run', { ...on, hidden: '4' }), await done(request, 'training.run', { ...on, hidden: '8' })];
    await page.goto(`/compare?ids=${ids.join(',')}`);
    await alive(page);
    await expect(line(page, 'Overfitting').first()).toHaveText(/^(Overfits|No overfitting): best epoch \d of 3; at the end, validation loss .* training$/);
    const loss = figure(page, 'Loss (training dotted)');
    await expect(loss).toBeVisible();
    // The chart is replaced once, when all curves are there.
    await expect(() => loss.scrollIntoViewIfNeeded()).toPass();
    // Two runs, each on training and on validation data.
    await expect(readings(loss).filter({ hasText: /training|validation/i })).toHaveCount(4);
});

test('too few, unknown and invalid IDs are reported, and the rest is shown', async ({ page, request, tolerated }) => {
    tolerated.push(/404/);
    await page.goto('/');
    await alive(page);
    await rail(page, 'Compare').click();
    await expect(page.getByText('Nothing to compare yet')).toBeVisible();

    const first = await done(request, 'data.load', load);
    const second = await done(request, 'data.load', load);
    const gone = '0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d';
    await page.goto(`/compare?ids=${first},${gone},${second},nonsense`);
    await alive(page);
    await expect(page.getByRole('alert').filter({ hasText: gone })).toContainText('No operation with ID');
    await expect(page.getByRole('main')).toContainText('“nonsense” in the URL is not an operation ID');
    await expect(table(page).getByRole('columnheader')).toHaveCount(2);
    await expect(table(page).getByRole('rowheader', { name: 'No parameter differs' })).toBeVisible();
    await page.getByRole('link', { name: 'Remove from comparison', exact: true }).click();
    await expect(page).toHaveURL(new RegExp(`ids=${first},${second}$`));
    await expect(page.getByRole('alert').filter({ hasText: gone })).toHaveCount(0);

    const answer = await request.get(`/compare?ids=${gone}`);
    expect(answer.status()).toBe(404);
});

test('several operations are picked at once, and a phone shows three of them', async ({ page, request }) => {
    const [cross] = await twoBacktests(request);
    for (const fast of [10, 30]) await done(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', strategy: 'sma_cross', fast });
    await page.goto(`/compare?ids=${cross}`);
    await alive(page);
    // The page names the differences from the first.
    const runs = page.getByRole('main').getByRole('listitem');
    for (const fast of [10, 30]) await runs.filter({ hasText: `fast ${fast}` }).getByRole('checkbox').check();
    await page.getByRole('link', { name: 'Add 2 operations' }).click();
    await expect(table(page).getByRole('columnheader')).toHaveCount(3);
    const third = table(page).getByRole('columnheader').nth(2);
    await expect(third).toContainText('C');
    const right = await third.evaluate((head) => head.getBoundingClientRect().right);
    expect(right, 'pixels up to the right edge of C').toBeLessThanOrEqual(page.viewportSize()?.width ?? 0);
    const names = await table(page).locator('tbody th[scope="row"]').evaluateAll((heads) => heads.map((head) => head.clientWidth));
    expect(Math.min(...names), 'width of the names of rows').toBeGreaterThan(60);
    expect(await wider(page)).toBeLessThanOrEqual(0);
});

test('of twenty runs all can be reached, and the first column stays', async ({ page, request }) => {
    test.setTimeout(180_000);
    await done(request, 'data.load', load);
    const params = { symbol: SYMBOL, timeframe: '1h', strategy: 'sma_cross' };
    const ids = [];
    for (let n = 0; n < 20; n++) ids.push(await start(request, 'backtest.run', { ...params, fast: 5 + n }));
    for (const id of ids) await becomes(request, id, 'succeeded');
    await page.goto(`/compare?ids=${ids.join(',')}`);
    await alive(page);
    const heads = table(page).getByRole('columnheader');
    await expect(heads).toHaveCount(20);
    const name = table(page).getByRole('rowheader', { name: 'fast' });
    const before = await name.boundingBox();
    await heads.nth(19).scrollIntoViewIfNeeded();
    await expect(heads.nth(19)).toBeInViewport();
    expect((await name.boundingBox())?.x).toBe(before?.x);
    expect(await wider(page)).toBeLessThanOrEqual(0);
    await expect(page.getByRole('list', { name: 'Runs shown' }).getByRole('button')).toHaveCount(20);
});

test('without JavaScript the table and its figures are shown', async ({ browser, server, request }) => {
    const [cross, hold] = await twoBacktests(request);
    const page = await browser.newPage({ javaScriptEnabled: false, baseURL: server.url });
    await page.goto(`/compare?ids=${cross},${hold}`);
    await expect(line(page, 'Total return').filter({ hasText: 'best:' })).toHaveCount(1);
    await expect(line(page, 'strategy')).toHaveText(['sma_cross', 'buy_and_hold']);
    await page.close();
});
