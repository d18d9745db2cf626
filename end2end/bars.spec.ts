// Time charts get finer data from the server when they are zoomed, can be panned along all of it, and say when it is
// merged or incomplete.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { choose } from './charts';
import { until } from './pages';
import { alive, expect, start, SYMBOL, test } from './signalbox';

/** Opens a backtest over some thousand bars. */
async function backtest(page: Page, request: APIRequestContext): Promise<void> {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    const id = await start(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', strategy: 'sma_cross' });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
}

const pane = (page: Page) => page.getByRole('region', { name: 'Backtest', exact: true });

async function drawn(page: Page, title: string): Promise<Locator> {
    const chart = page.getByRole('main').getByRole('figure', { name: title });
    await chart.scrollIntoViewIfNeeded();
    await expect(chart.locator('.chart-line')).toContainText(/\d/);
    return chart;
}

/** The time whose values stand above the chart, seconds since 1970. */
async function time(chart: Locator): Promise<number> {
    const label = (await chart.locator('.chart-line > span').first().textContent()) ?? '';
    const text = label.replace(' UTC', 'Z').replace(' ', 'T');
    return Date.parse(text) / 1000;
}

/** Reads the first value in sight, once more for each look: what a zoom asked for may still be on its way. */
const first = (page: Page, chart: Locator) => async () => {
    await page.keyboard.press('Home');
    return time(chart);
};

/** Does something by which the chart is asked for finer, and gives the range that it asked for once it is answered. */
async function asks(page: Page, act: () => Promise<void>): Promise<[number, number]> {
    const answered = page.waitForResponse((answer) => /\/artifacts\/equity\?.*from=\d/.test(answer.url()));
    await act();
    const { searchParams } = new URL((await answered).url());
    return [Number(searchParams.get('from')), Number(searchParams.get('to'))];
}

test('a zoomed time chart can be panned along all data and loads more detail', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    await backtest(page, request);
    const equity = await drawn(page, 'Equity');
    const canvas = equity.getByRole('img');
    const whole = pane(page).getByRole('button', { name: 'Reset zoom' });
    const held = pane(page).locator('.chart-held').first();
    await canvas.focus();
    let [from, to] = [0, 0];
    for (let n = 0; n < 3; n++) [from, to] = await asks(page, () => page.keyboard.press('+'));
    await expect(whole).toBeVisible();
    // What is there now ends where the view does.
    await expect(held).toContainText('Zoomed range only.');
    await expect.poll(first(page, equity)).toBeGreaterThanOrEqual(from);

    const width = to - from;
    const [back] = await asks(page, () => page.keyboard.press('PageUp'));
    expect(back).toBeLessThan(from);
    expect(from - back).toBeLessThan(width);
    await expect.poll(first(page, equity)).toBeLessThan(from);
    const [forth, end] = await asks(page, () => page.keyboard.press('PageDown'));
    expect(forth).toBeGreaterThan(back);

    // One step out shows twice as much, not all of it; the last step does.
    const [wider, wide] = await asks(page, () => page.keyboard.press('-'));
    expect(wide - wider).toBeGreaterThan((end - forth) * 1.5);
    await expect(whole).toBeVisible();
    await page.keyboard.press('0');
    await expect(whole).toHaveCount(0);
    await expect(held).not.toContainText('Zoomed range only');
});

test('merged bars are labelled as such, also in the name of their CSV', async ({ page, request }) => {
    await backtest(page, request);
    const equity = await drawn(page, 'Equity');
    await expect(pane(page).locator('.chart-held').first()).toHaveText(
        /^Downsampled to [\d,]+ points \(min\/max per [\d,]+ bars\)\.$/,
    );
    await expect(page.getByRole('region', { name: 'Bars' }).locator('.chart-held')).toHaveText(/^[\d,]+ candles, \d+ bars each\.$/);
    const coming = page.waitForEvent('download');
    await choose(equity, 'CSV of Equity');
    expect((await coming).suggestedFilename()).toMatch(/equity\.part\.csv$/);
});
