// Network faults between page and server: the page stays correct, and never calls old figures current.
import type { APIRequestContext, Page } from '@playwright/test';
import { giveClock, later } from './clock';
import { Proxy } from './proxy';
import { alive, badge, expect, percent, reaches, start, SYMBOL, test as base } from './signalbox';

const test = base.extend<{ between: Proxy }>({
    between: async ({ server, rows, tolerated }, use) => {
        expect(rows).toBeGreaterThan(0);
        // The browser itself reports a cut connection in the console.
        tolerated.push(/net::ERR_|EventSource/);
        const proxy = new Proxy();
        await proxy.start(server.url);
        try {
            await use(proxy);
        } finally {
            await proxy.stop();
        }
    },
});

test.describe.configure({ timeout: 120_000 });

async function startSlow(request: APIRequestContext, rowsPerSecond = 150): Promise<string> {
    const params = { symbol: SYMBOL, timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: rowsPerSecond };
    return start(request, 'data.load', params);
}

/** How far the operation is for the server, percent. */
async function truth(request: APIRequestContext, id: string): Promise<number> {
    const { operation } = await (await request.get(`/api/v1/operations/${id}`)).json();
    return (operation.progress?.fraction ?? 0) * 100;
}

/** The page shows what the server knows by now. */
async function catchesUp(page: Page, request: APIRequestContext, id: string): Promise<void> {
    await reaches(page.getByRole('main'), Math.floor(await truth(request, id)));
}

/** Whether the page says of itself that what it shows may be old. */
const stale = (page: Page) => page.locator('.frame[data-stale]');

/** Every name of the badge and every "may be old" from now on, as they come: none is missed between two looks. */
async function record(page: Page): Promise<void> {
    await page.evaluate(() => {
        const seen: string[] = [];
        (window as unknown as { seen: string[] }).seen = seen;
        const look = () => {
            const frame = document.querySelector('.frame');
            const words = `${document.querySelector('.badge')?.getAttribute('data-link')}${frame?.hasAttribute('data-stale') ? ', stale' : ''}`;
            if (seen.at(-1) !== words) seen.push(words);
        };
        look();
        new MutationObserver(look).observe(document.body, { subtree: true, attributes: true, childList: true, characterData: true });
    });
}

const recorded = (page: Page) => page.evaluate(() => (window as unknown as { seen: string[] }).seen);

test('behind a buffering proxy the page polls, says why, and returns to the stream when it works', async ({ page, between, request }) => {
    between.behave({ buffers: true });
    const id = await startSlow(request);
    await giveClock(page);
    await page.goto(`${between.url}/operations/${id}`);
    await expect(badge(page)).toContainText('Polling', { timeout: 20_000 });
    await badge(page).getByText('Why?').click();
    await expect(badge(page)).toContainText('may be buffering the connection');
    await catchesUp(page, request, id);
    await reaches(page.getByRole('main'), (await percent(page.getByRole('main'))) + 1);

    between.behave();
    // A minute later by the page's clock it tries again.
    const held = between.heldBack;
    await later(page, 61 / 60);
    await alive(page);
    expect(between.heldBack).toBe(held);
    await catchesUp(page, request, id);
});

test('behind a proxy that cuts every stream the page recovers each time and loses nothing', async ({ page, between, request }) => {
    const snapshots: string[] = [];
    page.on('request', (asked) => {
        if (asked.url().includes('/api/v1/snapshot')) snapshots.push(asked.url());
    });
    between.behave({ cutAfter: 2_500 });
    const id = await startSlow(request);
    await page.goto(`${between.url}/operations/${id}`);
    await alive(page);
    await record(page);
    await expect.poll(() => between.cuts, { timeout: 40_000 }).toBeGreaterThanOrEqual(4);
    await catchesUp(page, request, id);
    // Each time it was back before a heartbeat was missed, so the page did not show it.
    expect((await recorded(page)).filter((words) => words !== 'live')).toEqual([]);
    expect((await request.post(`/api/v1/operations/${id}/cancel`, { data: {} })).ok()).toBe(true);
    await expect(page.locator('.op-state')).toContainText('cancelled');
    await expect(page.locator('.receipt').getByRole('listitem')).toHaveCount(5);
    // It went on from its number; nothing had to be asked for again.
    expect(snapshots).toEqual([]);
});

test('on a slow network the page is live and shows its latency', async ({ page, between, request }) => {
    between.behave({ delay: 300 });
    const id = await startSlow(request);
    await page.goto(`${between.url}/operations/${id}`);
    await expect(badge(page)).toHaveText('Live', { timeout: 30_000 });
    await expect(badge(page)).toHaveAttribute('title', /^Latency of the newest event: \d+ ms$/);
    await expect(stale(page)).toHaveCount(0);
    await catchesUp(page, request, id);
    await page.getByRole('main').getByRole('button', { name: 'Cancel operation' }).click();
    await expect(page.locator('.op-state')).toContainText('cancelled');
});

test('when open connections fall silent figures are marked as old and timers stop until data arrives', async ({ page, between, request }) => {
    const id = await startSlow(request);
    await page.goto(`${between.url}/operations/${id}`);
    await alive(page);
    await reaches(page.getByRole('main'), 1);
    between.behave({ silent: true });
    await expect(stale(page)).toHaveCount(1, { timeout: 20_000 });
    await expect(badge(page)).toContainText(/No data for|Reconnecting/);
    const shown = await percent(page.getByRole('main'));
    await expect.poll(() => truth(request, id), { timeout: 20_000 }).toBeGreaterThan(shown + 1);
    expect(await percent(page.getByRole('main'))).toBe(shown);
    await expect(stale(page)).toHaveCount(1);

    await record(page);
    between.behave();
    await alive(page);
    await expect(stale(page)).toHaveCount(0);
    await catchesUp(page, request, id);
    // From old to live in one step: at no moment was an old number called fresh.
    expect((await recorded(page)).filter((words) => words === 'live')).toHaveLength(1);
});

test('a laptop that was suspended for an hour shows stale data as such at once, and recovers', async ({ page, between, request }) => {
    await giveClock(page);
    const id = await startSlow(request);
    await page.goto(`${between.url}/operations/${id}`);
    await alive(page);
    await reaches(page.getByRole('main'), 1);

    between.behave({ silent: true });
    await later(page, 60);
    // Meanwhile the world went on.
    expect((await request.post(`/api/v1/operations/${id}/cancel`, { data: {} })).ok()).toBe(true);
    await expect(stale(page)).toHaveCount(1);
    await expect(badge(page)).toContainText(/Reconnecting|Connecting|offline/);
    await expect(page.locator('.op-state')).toContainText('running');

    between.cut();
    between.behave();
    await expect(page.locator('.op-state')).toContainText('cancelled', { timeout: 40_000 });
    await alive(page);
    await expect(stale(page)).toHaveCount(0);
});

test('a page reconnects to a restarted server with everything it knew before', async ({ page, between, request, server }) => {
    const id = await startSlow(request);
    await page.goto(`${between.url}/operations/${id}`);
    await alive(page);
    await reaches(page.getByRole('main'), 1);
    await server.kill();
    await expect(stale(page)).toHaveCount(1, { timeout: 20_000 });
    await expect(badge(page)).toContainText(/Reconnecting|offline/);
    await server.start();
    await alive(page);
    await expect(stale(page)).toHaveCount(0);
    // Its host died with it: the attempt is over, and the page says why instead of 0 % for ever.
    await expect(page.locator('.op-state')).toContainText('failed', { timeout: 40_000 });
    await expect(page.getByRole('main')).toContainText(/restarted/);
});
