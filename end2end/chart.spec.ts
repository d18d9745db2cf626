// Interaction with charts: cursor, zoom and panning are shared by all charts with the same x axis.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, start, SYMBOL, test } from './signalbox';

const EPOCHS = 60;

async function open(page: Page, request: APIRequestContext): Promise<[Locator, Locator]> {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    const params = { symbols: SYMBOL, timeframe: '1h', epochs: EPOCHS, patience: 0, seed: 7 };
    const id = await start(request, 'training.run', params);
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const figures = page.getByRole('main').locator('figure.chart');
    // They are drawn when they come into sight.
    for (const n of [1, 0]) {
        await figures.nth(n).scrollIntoViewIfNeeded();
        await expect(figures.nth(n).locator('.chart-line')).toContainText('epoch');
    }
    return [figures.nth(0), figures.nth(1)];
}

/** The epoch whose values stand above the chart. */
async function epoch(chart: Locator): Promise<number> {
    const said = await chart.locator('.chart-line > span').first().textContent();
    return Number(/^epoch (\d+)$/.exec(said ?? '')?.[1]);
}

async function area(chart: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
    const box = await chart.locator('.u-over').boundingBox();
    if (!box) throw new Error('the chart is not drawn');
    return box;
}

test('curves are visible without JavaScript', async ({ browser, page, request, server }) => {
    await open(page, request);
    const plain = await browser.newPage({ javaScriptEnabled: false, baseURL: server.url });
    await plain.goto(page.url());
    const loss = plain.locator('figure.chart').first();
    await expect(loss.locator('.still-lines path')).toHaveCount(2);
    await expect(loss.locator('.no-script').first()).toContainText(`epoch 1 to ${EPOCHS}, values `);
    const drawn = await loss.locator('.still-lines').boundingBox();
    expect(drawn?.height).toBeGreaterThan(100);
    await plain.close();
    // With one there is the chart in its place.
    await expect(page.locator('figure.chart').first().locator('.chart-still')).toBeHidden();
});

test('cursor, zoom and position are shared between charts, by mouse and by keyboard', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has neither');
    const [one, other] = await open(page, request);
    const { x, y, width, height } = await area(one);
    const to = (share: number) => page.mouse.move(x + share * width, y + height / 2);
    await to(0.5);
    await expect.poll(() => epoch(one)).toBeGreaterThan(EPOCHS * 0.4);
    const middle = await epoch(one);
    expect(middle).toBeLessThan(EPOCHS * 0.6);
    expect(await epoch(other)).toBe(middle);

    // From a quarter to the half.
    await to(0.25);
    await page.mouse.down();
    await to(0.4);
    await to(0.5);
    await page.mouse.up();
    for (const chart of [one, other]) await expect(chart.getByRole('button', { name: 'Reset zoom' })).toBeVisible();
    await to(0.5);
    await expect.poll(() => epoch(other)).toBeLessThan(middle);
    const before = await epoch(one);

    // By half of it to the left: what was beyond the right edge comes into sight.
    await page.keyboard.down('Shift');
    await to(0.75);
    await page.mouse.down();
    await to(0.5);
    await to(0.25);
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await to(0.5);
    await expect.poll(() => epoch(one)).toBeGreaterThan(before + 4);
    expect(await epoch(other)).toBe(await epoch(one));

    // A wheel turned sideways moves it, as far as there is something; turned down it scrolls the page.
    for (let n = 0; n < 20; n++) await page.mouse.wheel(200, 0);
    await to(0.999);
    await expect.poll(() => epoch(one)).toBe(EPOCHS);

    const canvas = one.getByRole('img');
    await canvas.focus();
    await page.keyboard.press('PageUp');
    await to(0.999);
    await expect.poll(() => epoch(other)).toBeLessThan(EPOCHS - 3);
    // What is read by keys comes into sight.
    await page.keyboard.press('Home');
    const first = await epoch(one);
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => epoch(one)).toBe(first - 1);
    for (let n = 0; n < 2; n++) await page.keyboard.press('Shift+ArrowLeft');
    await expect.poll(() => epoch(one)).toBeLessThan(EPOCHS / 2);
    await page.keyboard.press('0');
    for (const chart of [one, other]) await expect(chart.getByRole('button', { name: 'Reset zoom' })).toHaveCount(0);
});

test('one finger reads and pans, two zoom, and the page still scrolls', async ({ page, request }, info) => {
    test.skip(info.project.name !== 'phone', 'fingers are for phones');
    const [one, other] = await open(page, request);
    const { x, y, width, height } = await area(one);
    const session = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', shares: number[]) =>
        session.send('Input.dispatchTouchEvent', {
            type,
            touchPoints: shares.map((share, id) => ({ id, x: x + share * width, y: y + height / 2 })),
        });
    await touch('touchStart', [0.2]);
    for (const at of [0.3, 0.4, 0.5]) await touch('touchMove', [at]);
    await expect.poll(() => epoch(one)).toBeGreaterThan(EPOCHS * 0.4);
    expect(await epoch(other)).toBe(await epoch(one));
    await touch('touchEnd', []);

    await touch('touchStart', [0.45, 0.55]);
    for (const by of [0.1, 0.2, 0.3, 0.4]) await touch('touchMove', [0.5 - by, 0.5 + by]);
    await touch('touchEnd', []);
    for (const chart of [one, other]) await expect(chart.getByRole('button', { name: 'Reset zoom' })).toBeVisible();

    await touch('touchStart', [0.8]);
    for (const at of [0.6, 0.4, 0.2]) await touch('touchMove', [at]);
    await touch('touchEnd', []);
    await one.getByRole('img').focus();
    await page.keyboard.press('End');
    const last = await epoch(one);
    expect(last).toBeGreaterThan(EPOCHS / 2);
    await one.getByRole('button', { name: 'Reset zoom' }).click();
    for (const chart of [one, other]) await expect(chart.getByRole('button', { name: 'Reset zoom' })).toHaveCount(0);
});
