// Interaction with charts: cursor, zoom and panning are shared by all charts with the same x axis.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { choose } from './charts';
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
        // A figure may be replaced once, when an answer joins the feed.
        await expect(() => figures.nth(n).scrollIntoViewIfNeeded({ timeout: 2_000 })).toPass();
        await expect(figures.nth(n).locator('.chart-line')).toContainText('epoch');
    }
    return [figures.nth(0), figures.nth(1)];
}

/** The epoch whose values stand above the chart. */
async function epoch(chart: Locator): Promise<number> {
    const label = await chart.locator('.chart-line > span').first().textContent();
    return Number(/^epoch (\d+)$/.exec(label ?? '')?.[1]);
}

const tools = (page: Page) => page.getByRole('group', { name: 'Chart settings' });
const reset = (page: Page) => tools(page).getByRole('button', { name: 'Reset zoom' });

async function area(chart: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
    const box = await chart.locator('.u-over').first().boundingBox();
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
    await expect(reset(page)).toBeVisible();
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
    await expect(reset(page)).toHaveCount(0);
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
    await expect(reset(page)).toBeVisible();

    await touch('touchStart', [0.8]);
    for (const at of [0.6, 0.4, 0.2]) await touch('touchMove', [at]);
    await touch('touchEnd', []);
    await one.getByRole('img').focus();
    await page.keyboard.press('End');
    const last = await epoch(one);
    expect(last).toBeGreaterThan(EPOCHS / 2);
    await reset(page).click();
    await expect(reset(page)).toHaveCount(0);
});

test('one toolbar serves all charts of a group', async ({ page, request }) => {
    const [one, other] = await open(page, request);
    await expect(tools(page)).toHaveCount(1);
    await tools(page).getByRole('slider', { name: 'Smoothing of all charts' }).fill('0.6');
    // The smoothed value, followed by the raw one.
    for (const chart of [one, other]) await expect(chart.locator('.chart-line')).toContainText(/[\d.]+ ?%? \([\d.]+/);
    await tools(page).getByRole('button', { name: 'Log scale' }).click();
    await expect(tools(page).getByRole('button', { name: 'Log scale' })).toHaveAttribute('aria-pressed', 'true');
    // The learning rate never changes.
    await expect(page.getByText(/^Constant: Learning rate [\d.]+$/)).toBeVisible();
    await expect(page.getByRole('main').getByRole('figure', { name: 'Learning rate' })).toHaveCount(0);
});

test('the previous zoom comes back by key and by button', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const [one, other] = await open(page, request);
    const canvas = one.getByRole('img');
    await canvas.focus();
    const ends = async () => {
        await page.keyboard.press('Home');
        const from = await epoch(one);
        await page.keyboard.press('End');
        return [from, await epoch(one)];
    };
    await page.keyboard.press('+');
    const first = await ends();
    await page.keyboard.press('+');
    const second = await ends();
    expect(second[1] - second[0]).toBeLessThan(first[1] - first[0]);
    await page.keyboard.press('Backspace');
    await expect.poll(ends).toEqual(first);
    expect(await epoch(other)).toBe(await epoch(one));
    await tools(page).getByRole('button', { name: 'Back', exact: true }).click();
    await expect(reset(page)).toHaveCount(0);
});

test('one readout has the values of all charts of the group', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a finger covers what it reads');
    const [one, other] = await open(page, request);
    const { x, y, width, height } = await area(one);
    await page.mouse.move(x + width / 2, y + height / 2);
    const readout = page.locator('.chart-reading');
    await expect(readout).toHaveCount(1);
    await expect(readout).toContainText(`epoch ${await epoch(one)}`);
    for (const chart of [one, other]) {
        for (const value of await chart.locator('.chart-line > span').allTextContents()) {
            await expect(readout).toContainText(/[\d.]+( %)?$/.exec(value)?.[0] ?? value);
        }
    }
    await page.mouse.move(x + width / 2, y - 80);
    await expect(readout).toHaveCount(0);
});

test('a chart fills the screen, and Escape returns to where it was opened', async ({ page, request }) => {
    const [one] = await open(page, request);
    const opener = one.getByRole('button', { name: 'Full screen: Loss' });
    await opener.click();
    const dialog = page.getByRole('dialog', { name: 'Loss, full screen' });
    await expect(dialog.locator('canvas')).toBeVisible();
    const [small, large] = [await area(one), await area(dialog)];
    expect(large.height).toBeGreaterThan(small.height * 1.5);
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await expect(opener).toBeFocused();
});

test('the value at the end of a line is that of the table', async ({ page, request }) => {
    await page.addInitScript(() => {
        const texts = new Set<string>();
        const { fillText } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
            texts.add(text);
            fillText.call(this, text, ...rest);
        };
        Object.assign(window, { texts });
    });
    const [one] = await open(page, request);
    await choose(one, 'Show as table');
    const newest = one.getByRole('row').nth(1).getByRole('cell');
    const values = await newest.allTextContents();
    expect(values.length).toBe(2);
    const drawn = await page.evaluate(() => [...(window as unknown as { texts: Set<string> }).texts]);
    for (const value of values) expect(drawn).toContain(value);
});
