// Many tabs of one browser: one is connected, all are live, and the connected one may close at any time.
import type { APIRequestContext, BrowserContext, Page } from '@playwright/test';
import { giveClock, later } from './clock';
import { alive, badge, expect, percent, reaches, start, SYMBOL, test } from './signalbox';

/** One more than a browser opens connections to one server. */
const TABS = 7;

test.describe.configure({ timeout: 300_000 });

/** A tab, and what it asked the server for. */
interface Tab {
    page: Page;
    asked: string[];
    /** Snapshots among that. */
    snapshots(): number;
}

async function open(context: BrowserContext, path: string): Promise<Tab> {
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(path);
    return { page, asked, snapshots: () => asked.filter((url) => url.includes('/api/v1/snapshot')).length };
}

async function openAll(context: BrowserContext, path: string, count = TABS): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (let n = 0; n < count; n++) {
        tabs.push(await open(context, path));
        // So many pages share the machine's processors.
        await expect(badge(tabs[n].page)).toContainText('Live', { timeout: 60_000 });
    }
    return tabs;
}

/** A load that takes minutes; two of one symbol would be in each other's way. */
async function startSlow(request: APIRequestContext, symbol: string): Promise<string> {
    const params = { symbol, timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: 150 };
    return start(request, 'data.load', params);
}

/** How many streams the server has open. */
async function streams(request: APIRequestContext): Promise<number> {
    const figures = await (await request.get('/metrics')).text();
    return Number(/^signalbox_streams (\d+)$/m.exec(figures)?.[1]);
}

/** How far the bar of the open operation is, as exactly as it is drawn. */
async function drawn(page: Page): Promise<number> {
    const style = await page.getByRole('main').locator('.bar-fill').first().getAttribute('style');
    return Number(/--done:([\d.]+)%/.exec(style ?? '')?.[1]);
}

/** The progress of the open operation goes on in each tab. */
async function allMove(tabs: Tab[]): Promise<void> {
    for (const { page } of tabs) {
        const before = await drawn(page);
        await expect.poll(() => drawn(page), { timeout: 20_000 }).toBeGreaterThan(before);
    }
}

/** A page whose own clock can be set ahead. */
async function withClock(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await giveClock(page);
    return page;
}

/** The page goes out of sight, or comes back. */
async function show(page: Page, shown: boolean): Promise<void> {
    await page.evaluate((shown) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => !shown });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, shown);
}

test('seven tabs share one connection, and continue without a gap when its tab is closed', async ({ context, request }) => {
    const id = await startSlow(request, SYMBOL);
    const [first, ...others] = await openAll(context, `/operations/${id}`);
    await allMove([first, ...others]);
    expect(await streams(request)).toBe(1);
    // It is the first who asked for it.
    expect(first.asked.filter((url) => url.includes('/events?') && !url.includes('wait='))).toHaveLength(1);

    await first.page.close();
    await allMove(others);
    await expect.poll(() => streams(request)).toBe(1);
    for (const { page } of others) await alive(page);

    // The end is told to all, and nobody needed to start over.
    expect((await request.post(`/api/v1/operations/${id}/cancel`, { data: {} })).ok()).toBe(true);
    for (const { page } of others) await expect(page.locator('.op-state')).toContainText('cancelled');
    expect(others.map((tab) => tab.snapshots())).toEqual(others.map(() => 0));
});

test('all tabs recover from a server restart', async ({ context, request, server }) => {
    const tabs = await openAll(context, '/operations', 3);
    await server.stop();
    for (const { page } of tabs) await expect(badge(page)).toContainText(/Reconnecting/);
    await server.start();
    for (const { page } of tabs) await expect(badge(page)).toContainText('Live', { timeout: 40_000 });
    await startSlow(request, SYMBOL);
    for (const { page } of tabs) await expect(page.locator('tr.row').filter({ hasText: SYMBOL })).toContainText('running');
    expect(await streams(request)).toBe(1);
});

test('a visible tab takes over from a stuck leader', async ({ context, request }) => {
    const id = await startSlow(request, SYMBOL);
    const [still, ...others] = await openAll(context, `/operations/${id}`, 3);
    const session = await context.newCDPSession(still.page);
    await session.send('Debugger.enable');
    const stopped = new Promise((done) => session.once('Debugger.paused', done));
    await session.send('Debugger.pause');
    await stopped;
    const asked = () => others.flatMap((tab) => tab.asked).filter((url) => url.includes('/events?after=')).length;
    const before = asked();
    await expect.poll(asked, { timeout: 20_000 }).toBeGreaterThan(before);
    await allMove(others);
    for (const { page } of others) await alive(page);

    // When it wakes it listens like the others.
    await session.send('Debugger.resume');
    await allMove([still, ...others]);
    await alive(still.page);
    await expect.poll(() => streams(request)).toBe(1);
});

test('a tab hidden for minutes passes the connection on, the last one closes it and catches up when shown', async ({ context, request }) => {
    const id = await startSlow(request, SYMBOL);
    const tabs: Tab[] = [];
    for (let n = 0; n < 2; n++) {
        const page = await withClock(context);
        await page.goto(`/operations/${id}`);
        await alive(page);
        tabs.push({ page, asked: [], snapshots: () => 0 });
    }
    const [first, second] = tabs;
    const opened = second.page.waitForRequest(/\/events\?after=/);
    await show(first.page, false);
    await later(first.page, 5);
    await opened;
    await allMove(tabs);
    await expect.poll(() => streams(request)).toBe(1);

    await show(second.page, false);
    await later(second.page, 5);
    await expect.poll(() => streams(request)).toBe(0);
    const then = await percent(first.page.getByRole('main'));
    await expect
        .poll(async () => {
            const { operation } = await (await request.get(`/api/v1/operations/${id}`)).json();
            return operation.progress.fraction * 100;
        })
        .toBeGreaterThan(then + 0.5);

    await show(first.page, true);
    await reaches(first.page.getByRole('main'), then + 0.5);
    await alive(first.page);
    await allMove(tabs);
    expect(await streams(request)).toBe(1);
});

test('where streams are blocked one tab polls for all, and each says so', async ({ context, request }) => {
    const polls: Page[] = [];
    await context.route('**/api/v1/events*', async (route) => {
        const accepted = (await route.request().headerValue('accept')) ?? '';
        if (accepted.includes('text/event-stream')) return route.abort();
        if (route.request().url().match(/wait=[1-9]/)) polls.push(route.request().frame().page());
        return route.continue();
    });
    const id = await startSlow(request, SYMBOL);
    const tabs: Tab[] = [];
    for (let n = 0; n < 3; n++) tabs.push(await open(context, `/operations/${id}`));
    for (const { page } of tabs) await expect(badge(page)).toContainText('Polling', { timeout: 20_000 });
    await allMove(tabs);
    expect(new Set(polls).size).toBe(1);
});

test('without web locks each tab has its own connection', async ({ context, request }) => {
    await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined }));
    const id = await startSlow(request, SYMBOL);
    const tabs = await openAll(context, `/operations/${id}`, 2);
    await allMove(tabs);
    expect(await streams(request)).toBe(2);
});
