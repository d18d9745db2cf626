// The pages of the dashboard in a state worth looking at, for the tests that look at all of them.
import type { APIRequestContext, Page } from '@playwright/test';
import { alive, expect, start, SYMBOL } from './signalbox';

/** One page: what to call it, where it is, and how to tell that it is all there. */
export interface Shown {
    name: string;
    path: string;
    /** The badge does not become "Live" on this one. */
    still?: boolean;
}

export async function until(request: APIRequestContext, id: string, state: string): Promise<void> {
    const now = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
    await expect.poll(now, { timeout: 20_000 }).toBe(state);
}

/** Compares two backtests over the same bars. */
export async function openTwoBacktests(page: Page, request: APIRequestContext): Promise<void> {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    const ids: string[] = [];
    for (const strategy of ['sma_cross', 'buy_and_hold']) {
        ids.push(await start(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', strategy }));
    }
    for (const id of ids) await until(request, id, 'succeeded');
    await page.goto(`/compare?ids=${ids.join(',')}`);
    await alive(page);
}

/** Starts one operation of each fate, so that every face of the page is there to be seen. */
export async function everyFace(request: APIRequestContext): Promise<Shown[]> {
    const load = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };
    const succeeded = await start(request, 'data.load', load);
    await until(request, succeeded, 'succeeded');
    const sweep = await start(request, 'analysis.sweep', {
        fixed: `symbol=${SYMBOL}; timeframe=1h`,
        vary: 'fast=5,10,20; slow=50..150:50',
    });
    await until(request, sweep, 'succeeded');
    const failed = await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await until(request, failed, 'failed');
    const cancelled = await start(request, 'data.load', { ...load, rows_per_second: 200 });
    await until(request, cancelled, 'running');
    await request.post(`/api/v1/operations/${cancelled}/cancel`, { data: {} });
    await until(request, cancelled, 'cancelled');
    const running = await start(request, 'data.load', { ...load, symbol: SYMBOL, rows_per_second: 20 });
    await until(request, running, 'running');
    return [
        { name: 'overview', path: '/' },
        { name: 'operations', path: '/operations' },
        { name: 'new', path: '/new?kind=data.load' },
        { name: 'succeeded', path: `/operations/${succeeded}` },
        { name: 'failed', path: `/operations/${failed}` },
        { name: 'cancelled', path: `/operations/${cancelled}` },
        { name: 'running', path: `/operations/${running}` },
        { name: 'compare', path: `/compare?ids=${succeeded},${failed},${cancelled},${running}` },
        { name: 'compare-one', path: `/compare?ids=${succeeded}` },
        { name: 'compare-none', path: '/compare' },
        { name: 'sweep', path: `/operations/${sweep}` },
        { name: 'hosts', path: '/hosts' },
        { name: 'alerts', path: '/alerts' },
        { name: 'audit', path: '/audit' },
        { name: 'host', path: '/hosts/local?range=15m' },
        { name: 'no-such-page', path: '/no/such/page', still: true },
    ];
}

/** Opens a page and waits until it stands still: code running, nothing loading, charts drawn. */
export async function open(page: Page, shown: Shown): Promise<void> {
    await page.goto(shown.path);
    if (!shown.still) await alive(page);
    await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
    await page.evaluate(() => document.fonts.ready);
}
