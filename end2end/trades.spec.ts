// A backtest's pane: bars without closed markets, aligned panels, and trades that are linked between chart and table.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, start, SYMBOL, test } from './signalbox';

const pane = (page: Page) => page.getByRole('region', { name: 'Backtest', exact: true });
const reset = (page: Page) => pane(page).getByRole('button', { name: 'Reset zoom' });

/** Opens a backtest over the bars of these dates, or over all. */
async function open(page: Page, request: APIRequestContext, params: object): Promise<Locator> {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    const id = await start(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', fast: 3, slow: 9, ...params });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}?tab=trades`);
    await alive(page);
    const price = pane(page).getByRole('figure', { name: `${SYMBOL} 1h` });
    for (const name of ['Equity', 'Drawdown', 'Exposure', `${SYMBOL} 1h`]) {
        const figure = pane(page).getByRole('figure', { name });
        await figure.scrollIntoViewIfNeeded();
        await expect(figure.locator('.chart-line')).toContainText(/\d/);
    }
    return price;
}

/** So few bars that each has its own candle. */
const MONTH = { start: '2022-03-01', end: '2022-03-25' };

test('nights and weekends take no room', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const price = await open(page, request, MONTH);
    await price.getByRole('img').focus();
    await page.keyboard.press('Home');
    const places: number[] = [];
    const times: string[] = [];
    for (let n = 0; n < 40; n++) {
        const cursor = await price.locator('.u-cursor-x').evaluate((line) => line.getBoundingClientRect().x);
        const time = await price.locator('.chart-line > span').first().textContent();
        places.push(cursor);
        times.push(time ?? '');
        await page.keyboard.press('ArrowRight');
        await expect(price.locator('.chart-line > span').first()).not.toHaveText(times[n]);
    }
    // A week of seven bars a day: a night and a weekend are among them.
    expect(times.filter((time) => time.includes('20:00')).length).toBeGreaterThan(4);
    const apart = places.slice(1).map((place, n) => place - places[n]);
    for (const step of apart) expect(Math.abs(step - apart[0]), `${apart}`).toBeLessThan(1.5);
});

test('the panels of a backtest are aligned, and one crosshair reads all of them', async ({ page, request }, info) => {
    const price = await open(page, request, {});
    const areas = pane(page).locator('.u-over');
    await expect(areas).toHaveCount(4);
    const edges = () => areas.evaluateAll((all) => all.map((area) => {
        const { left, right } = area.getBoundingClientRect();
        return `${Math.round(left)} ${Math.round(right)}`;
    }));
    await expect.poll(async () => new Set(await edges()).size).toBe(1);
    if (info.project.name === 'phone') return;
    const box = await price.locator('.u-over').boundingBox();
    if (!box) throw new Error('the chart is not drawn');
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 2);
    const readout = price.locator('.chart-reading');
    for (const text of ['Equity', 'Drawdown', 'Exposure']) await expect(readout).toContainText(text);
    const cursors = await pane(page).locator('.u-cursor-x').evaluateAll((all) => all.map((line) => line.getBoundingClientRect().x));
    expect(cursors.length).toBe(4);
    for (const x of cursors) expect(Math.abs(x - cursors[0])).toBeLessThan(4);
});

test('a trade leads from the table to the chart and back', async ({ page, request }) => {
    await open(page, request, MONTH);
    const table = page.getByRole('region', { name: 'Table of trades' });
    const line = pane(page).locator('.trade-line');
    await table.getByRole('button', { name: 'Show trade 2 in the chart' }).click();
    await expect(reset(page)).toBeVisible();
    await expect(line).toContainText('Trade 2');
    await expect(table.locator('tr[aria-current=true]')).toHaveCount(1);
    await expect(table.locator('tr[aria-current=true] button')).toHaveText('2');
    const next = line.getByRole('button', { name: 'Next trade' });
    await next.press('Enter');
    await expect(line).toContainText('Trade 3');
    await expect(next).toBeFocused();
    await expect(table.locator('tr[aria-current=true] button')).toHaveText('3');
    await page.getByRole('tab', { name: 'Log' }).click();
    await line.getByRole('button', { name: 'Show in table' }).click();
    await expect(table.getByRole('button', { name: 'Show trade 3 in the chart' })).toBeFocused();
});

test('a pressed mark highlights its trade, by mouse and by keyboard', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has neither');
    const price = await open(page, request, MONTH);
    const line = pane(page).locator('.trade-line');
    const said = price.locator('.chart-line');
    await price.getByRole('img').focus();
    await page.keyboard.press('Home');
    for (let n = 0; n < 100 && !(await said.textContent())?.includes('trade 1:'); n++) await page.keyboard.press('ArrowRight');
    await expect(said).toContainText('trade 1: ');
    await page.keyboard.press('Enter');
    await expect(line).toContainText('Trade 1');
    await expect(reset(page)).toBeVisible();

    // Somewhere above the bar of its entry is the mark.
    await pane(page).getByRole('button', { name: 'Next trade' }).click();
    await expect(line).toContainText('Trade 2');
    const over = price.locator('.u-over');
    const box = await over.boundingBox();
    if (!box) throw new Error('the chart is not drawn');
    const pressable = price.locator('.chart-pressable');
    let found = false;
    for (let x = 0; x < box.width && !found; x += 9) {
        for (let y = 0; y < box.height && !found; y += 9) {
            await page.mouse.move(box.x + x, box.y + y);
            found = (await pressable.count()) > 0;
            if (found) await page.mouse.click(box.x + x, box.y + y);
        }
    }
    expect(found).toBe(true);
    await expect(line).toContainText(/Trade \d/);
});
