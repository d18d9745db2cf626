// Events during an outage of the page: it shows them after reconnecting, even if the new snapshot no longer has them and
// the first request after it fails.
import type { APIRequestContext, Page } from '@playwright/test';
import { giveClock, later } from './clock';
import { until } from './pages';
import { alive, expect, start, test } from './signalbox';

/** The page goes out of sight, or comes back. */
async function show(page: Page, shown: boolean): Promise<void> {
    await page.evaluate((shown) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => !shown });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, shown);
}

/** How many streams the server has open. */
async function streams(request: APIRequestContext): Promise<number> {
    const figures = await (await request.get('/metrics')).text();
    return Number(/^signalbox_streams (\d+)$/m.exec(figures)?.[1]);
}

/** The visible marks of a state. */
const marks = (page: Page, state: string) =>
    page.getByRole('main').locator(`.state[data-state="${state}"]`).filter({ visible: true });

for (const [where, address] of [
    ['the page of an operation', (id: string) => `/operations/${id}`],
    ['a comparison', (id: string, other: string) => `/compare?ids=${id},${other}`],
] as const) {
    test(`${where} shows its end after a silence, even if hundreds of others ended since`, async ({ page, request, tolerated }) => {
        tolerated.push(/503/);
        const load = { timeframe: '1h', source: 'synthetic', years: 1 };
        const other = await start(request, 'data.load', { ...load, symbol: 'OTHER' });
        await until(request, other, 'succeeded');
        const id = await start(request, 'data.load', { ...load, symbol: 'SLOW', rows_per_second: 20 });
        await until(request, id, 'running');
        await giveClock(page);
        await page.goto(address(id, other));
        await alive(page);
        await expect(marks(page, 'running')).not.toHaveCount(0);

        // Out of sight for minutes it hears nothing, and then takes a snapshot.
        await show(page, false);
        await later(page, 5);
        await expect.poll(() => streams(request)).toBe(0);
        await request.post(`/api/v1/operations/${id}/cancel`, { data: {} });
        await until(request, id, 'cancelled');
        // Of what has ended a snapshot holds the newest only.
        await page.route('**/api/v1/snapshot', async (route) => {
            const snapshot = await (await route.fetch()).json();
            snapshot.operations = snapshot.operations.filter((operation: { id: string }) => operation.id !== id);
            await route.fulfill({ json: snapshot });
        });
        // What the page asks for then is answered at the second asking.
        let asked = 0;
        await page.route(`**/api/v1/operations/${id}`, (route) =>
            (asked += 1) === 1 ? route.fulfill({ status: 503, body: '' }) : route.continue(),
        );
        const taken = page.waitForResponse('**/api/v1/snapshot');
        await later(page, 5);
        await show(page, true);
        await taken;
        await alive(page);
        await expect(marks(page, 'cancelled')).not.toHaveCount(0, { timeout: 20_000 });
        await expect(marks(page, 'running')).toHaveCount(0);
        // What was hidden until now is current, too.
        const details = page.getByRole('tab', { name: 'Details' });
        if (await details.isVisible()) {
            await details.click();
            await expect(page.locator('#panel-details').getByRole('cell', { name: 'cancelled' }).first()).toBeVisible();
            await expect(marks(page, 'running')).toHaveCount(0);
        }
        expect(asked).toBeGreaterThan(1);
    });
}
