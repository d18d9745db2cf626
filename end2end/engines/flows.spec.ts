// The main flows of the dashboard, in each browser engine. `make test` runs those with @smoke.
import type { APIRequestContext } from '@playwright/test';
import { until } from '../pages';
import { Proxy } from '../proxy';
import { start, SYMBOL } from '../signalbox';
import { expect, test } from './engine';
import type { Tab } from './tab';

const OPERATION = /^\/operations\/[0-9a-f-]{36}$/;
const BARS = { symbol: SYMBOL, timeframe: '1h' };

const RECEIPT = [
    /^requested \d\d:\d\d:\d\d\.\d{3}/,
    /^sent \+\d+(\.\d+)? (ms|s)/,
    /^acknowledged \+\d+(\.\d+)? (ms|s)/,
    /^stopped \+\d+(\.\d+)? (ms|s)/,
    /^released \+\d+(\.\d+)? (ms|s)/,
];

/** Waits until the receipt of a cancel has all five steps with their times. */
async function hasReceipt(tab: Tab): Promise<void> {
    await tab.shows('.receipt', /Cancelled/);
    await tab.counts('.receipt li', RECEIPT.length);
    const steps = await tab.texts('.receipt li');
    RECEIPT.forEach((step, n) => expect(steps[n]).toMatch(step));
}

async function resume(tab: Tab): Promise<void> {
    await tab.click('main button', /^Resume…$/);
    await tab.click('[role=dialog] button, dialog button', /^Resume operation$/);
}

/** Loads the bars of the test. */
async function load(request: APIRequestContext): Promise<void> {
    const id = await start(request, 'data.load', { ...BARS, source: 'csv' });
    await until(request, id, 'succeeded');
}

/** Starts a load that takes minutes. */
async function startSlow(request: APIRequestContext): Promise<string> {
    const params = { ...BARS, source: 'synthetic', years: 20, rows_per_second: 150 };
    const id = await start(request, 'data.load', params);
    await until(request, id, 'running');
    return id;
}

/** The epoch that the first chart shows. */
async function epoch(tab: Tab): Promise<number> {
    const [text] = await tab.texts('main figure.chart .chart-line > span');
    return Number(/^epoch (\d+)$/.exec(text ?? '')?.[1] ?? 0);
}

/** What the first chart has drawn, as the sum of its opaque pixels' positions; 0 for an empty canvas. */
async function drawing(tab: Tab): Promise<number> {
    return tab.run(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('main figure.chart canvas');
        const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let sum = 0;
        for (let n = 3; n < pixels.length; n += 4) if (pixels[n] > 0) sum += n;
        return sum;
    });
}

/** The curve gets longer, in its figures and in its picture. */
async function grows(tab: Tab): Promise<void> {
    await expect.poll(() => epoch(tab)).toBeGreaterThan(0);
    const [before, drawn] = [await epoch(tab), await drawing(tab)];
    expect(drawn, 'opaque pixels of the chart').toBeGreaterThan(0);
    await expect.poll(() => epoch(tab)).toBeGreaterThan(before + 1);
    await expect.poll(() => drawing(tab)).not.toBe(drawn);
}

test('a load is started from its form, watched, cancelled with a receipt, and resumed @smoke', async ({ tab, rows }) => {
    await tab.open('/');
    await tab.click('main a', /^New operation/);
    await tab.click('nav[aria-label=Kind] a', /data\.load/);
    await tab.fill('Symbol', SYMBOL);
    for (const value of ['1d', '1h']) await tab.select('timeframe', value);
    await tab.click('label.segment', /^csv$/);
    await tab.click('summary', /^Advanced/);
    await tab.fill('Rows per second', '500');
    await tab.click('button', /^Start load/);
    await tab.isAt(OPERATION);

    await tab.click('nav[aria-label=Pages] a', /^Operations/);
    await tab.shows('tr.row', new RegExp(`running.*${SYMBOL}`));
    await tab.moves();
    await tab.click('tr.row .c-what a');
    await tab.isAt(OPERATION);
    // Each of the three years is a segment: after the first one, a resume has something to keep.
    await tab.reaches(36);
    await tab.click('main button', /^Cancel operation$/);
    await hasReceipt(tab);

    await tab.driver.navigate().refresh();
    await tab.isLive();
    await hasReceipt(tab);
    await resume(tab);
    await tab.shows('main .state', /^succeeded/, 40_000);
    await expect.poll(() => tab.texts('.headline')).toEqual([expect.stringContaining(rows.toLocaleString('en-US'))]);
});

test('a training draws its curve while it runs, and continues it after a cancel @smoke', async ({ tab, request }) => {
    await load(request);
    await tab.open(`/new?kind=training.run&symbols=${SYMBOL}&timeframe=1h`);
    await tab.fill('Epochs', '5000');
    await tab.fill('Patience', '0');
    await tab.click('button', /^Start/);
    await tab.isAt(OPERATION);
    await tab.shows('main figure.chart canvas');
    await grows(tab);

    await tab.click('main button', /^Cancel operation$/);
    await hasReceipt(tab);
    const cancelled = await epoch(tab);
    await resume(tab);
    await tab.shows('main .state', /^running/);
    await expect.poll(() => epoch(tab), { timeout: 40_000 }).toBeGreaterThan(cancelled + 5);
    await grows(tab);
});

test('two backtests are selected in the list and compared', async ({ tab, request }) => {
    await load(request);
    const ids: string[] = [];
    for (const strategy of ['sma_cross', 'buy_and_hold']) {
        ids.push(await start(request, 'backtest.run', { ...BARS, strategy }));
        await until(request, ids[ids.length - 1], 'succeeded');
    }
    await tab.open('/operations');
    for (const name of ['SMA cross', 'Buy and hold']) {
        await tab.shows('tr.row', new RegExp(name));
        await tab.click('tr.row input[type=checkbox]', new RegExp(name));
    }
    await tab.click('[aria-label=Selection] a', /^Compare$/);
    await tab.isAt(new RegExp(`^/compare\\?ids=${ids.join(',')}$`));
    await tab.counts('[aria-label="Comparison table"] th[scope=col]', 2);
    await tab.scrollTo('main figure.chart');
    await tab.shows('main figure.chart canvas');
    await expect.poll(() => drawing(tab)).toBeGreaterThan(0);

    // A curve that is switched off is not drawn.
    const both = await drawing(tab);
    await tab.click('.legend button');
    await expect.poll(() => drawing(tab)).not.toBe(both);
});

test('back and forward lead through the pages, and each is live', async ({ tab, request }) => {
    const id = await startSlow(request);
    await tab.open('/');
    await tab.click('nav[aria-label=Pages] a', /^Operations/);
    // The overview has such rows, too.
    await tab.shows('h1', /^Operations/);
    await tab.click('tr.row .c-what a', new RegExp(SYMBOL));
    await tab.isAt(OPERATION);
    await tab.moves();
    const history = tab.driver.navigate();
    await history.back();
    await tab.isAt(/^\/operations$/);
    await tab.shows('tr.row', /running/);
    await tab.moves();
    await history.back();
    await tab.isAt(/^\/$/);
    await tab.isLive();
    await history.forward();
    await history.forward();
    await tab.isAt(new RegExp(id));
    await tab.moves();
    await tab.isLive();
});

test('a page restored from the browser cache is live again', async ({ tab, request, engine }) => {
    const id = await startSlow(request);
    await tab.open(`/operations/${id}`);
    await tab.moves();
    await tab.run(() => {
        addEventListener('pageshow', (event) => document.body.setAttribute('data-kept', String(event.persisted)));
    });
    await tab.driver.get('about:blank');
    expect(await tab.texts('main')).toEqual([]);
    await tab.driver.navigate().back();
    await tab.isAt(new RegExp(id));
    await tab.moves();
    await tab.isLive();
    // Firefox loads the page again: it keeps none with `no-store`, an open stream or a lock.
    const kept = await tab.run(() => document.body.getAttribute('data-kept'));
    if (engine !== 'firefox') expect(kept, 'restored from the back/forward cache').toBe('true');

    await request.post(`/api/v1/operations/${id}/cancel`, { data: {} });
    await tab.shows('main .state', /^cancelled/);
});

test('behind a buffering proxy the page polls, says so, and a load can still be cancelled', async ({ tab, server, request }) => {
    const proxy = new Proxy();
    await proxy.start(server.url);
    try {
        proxy.behave({ buffers: true });
        const id = await startSlow(request);
        await tab.driver.get(`${proxy.url}/operations/${id}`);
        await tab.shows('.badge', /Polling/, 60_000);
        await tab.moves();
        await tab.click('main button', /^Cancel operation$/);
        await hasReceipt(tab);
    } finally {
        await proxy.stop();
    }
});

test('the page reconnects after a server restart', async ({ tab, server }) => {
    await tab.open('/operations');
    await server.stop();
    await tab.shows('.badge', /Reconnecting|offline/);
    await server.start();
    await tab.shows('.badge', /Live/, 40_000);
});

test('of two tabs one is connected, and the other takes over when it leaves the site', async ({ tab, request }) => {
    const streams = async () => {
        const metrics = await (await request.get('/metrics')).text();
        return Number(/^signalbox_streams (\d+)$/m.exec(metrics)?.[1]);
    };
    const id = await startSlow(request);
    await tab.open(`/operations/${id}`);
    const { driver } = tab;
    const first = await driver.getWindowHandle();
    await driver.switchTo().newWindow('tab');
    const second = await driver.getWindowHandle();
    await tab.open(`/operations/${id}`);
    await tab.moves();
    expect(await streams()).toBe(1);

    // The browser may keep the first page, which must not keep the connection to itself.
    await driver.switchTo().window(first);
    await driver.get('about:blank');
    await driver.switchTo().window(second);
    await tab.moves();
    await tab.isLive();
    await driver.switchTo().window(first);
    await driver.navigate().back();
    await tab.moves();
    await tab.isLive();
    await expect.poll(streams).toBe(1);
});
