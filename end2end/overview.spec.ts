// The overview: first steps of an empty installation, what needs attention, what runs and just ended, usual figures.
import type { Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, start, SYMBOL, test } from './signalbox';

const figure = (page: Page, label: string) => page.getByRole('list', { name: 'Operations in figures' }).getByRole('link', { name: label });

const load = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };

test('an empty installation offers the first steps', async ({ page }) => {
    await page.goto('/');
    await alive(page);
    await expect(page.getByText('No operations yet')).toBeVisible();
    const first = page.getByRole('navigation', { name: 'Start an operation' });
    await first.getByRole('link', { name: /data\.load/ }).click();
    await expect(page).toHaveURL(/\/new\?kind=data\.load$/);
    await expect(page.getByLabel('Symbol')).toBeVisible();
});

test('one button loads, trains and backtests, up to an equity curve', async ({ page }) => {
    await page.goto('/');
    await alive(page);
    await page.getByRole('button', { name: 'Run the demonstration' }).click();
    await expect(page).toHaveURL(/\/operations\?parent=/);
    const rows = page.locator('tr.row');
    await expect(rows).toHaveCount(3, { timeout: 30_000 });
    for (const row of await rows.all()) await expect(row).toContainText('succeeded', { timeout: 30_000 });
    await rows.filter({ hasText: 'backtest.run' }).getByRole('link').first().click();
    await expect(page.getByText('Synthetic', { exact: false }).first()).toBeVisible();
    await expect(page.getByRole('img', { name: /Chart: Equity/ })).toBeVisible();
});

test('running, waiting and failed operations are shown and stay current', async ({ page, request }) => {
    await page.goto('/');
    await alive(page);
    // Each of a symbol of its own: two loads of the same bars don't run side by side.
    const slow = (n: number) => ({ symbol: `SLOW${n}`, timeframe: '1h', source: 'synthetic', rows_per_second: 20 });
    // The first one turns the empty page into the full one.
    const running = await start(request, 'data.load', slow(0));
    const rows = page.getByRole('region', { name: 'Running' }).locator('tr.row');
    await expect(rows.locator('.state')).toContainText('running');
    await expect(rows.getByRole('button', { name: /^Cancel/ })).toBeVisible();
    await expect(page.getByRole('region', { name: 'Running' }).getByRole('heading', { level: 2 })).toContainText('1');
    await expect(page.locator('.hours')).toContainText('Peak: 0/h');

    // A slot leads to the operation that uses it, the host to its operations.
    const hosts = page.getByRole('list', { name: 'Hosts: slots in use' });
    await expect(hosts).toContainText(/1 running, \d+ slots?/);
    await expect(hosts.locator('a.slot')).toHaveAttribute('href', new RegExp(`/operations/${running}$`));
    await expect(hosts.getByRole('link', { name: 'local' })).toHaveAttribute('href', '/operations?host=local');

    const many = await Promise.all(
        Array.from({ length: 12 }, (_, n) => start(request, 'data.load', slow(n + 1))),
    );
    const waiting = page.getByRole('region', { name: 'Queued' });
    await expect(waiting.locator('tr.row').first()).toContainText('queued');
    await request.post('/api/v1/operations/cancel', { data: { ids: [running, ...many] } });
    await expect(page.getByText('Nothing is running')).toBeVisible();
    await expect(waiting).toHaveCount(0);

    const failed = page.getByRole('region', { name: 'Needs attention' });
    await expect(failed.getByText('Nothing needs attention')).toBeVisible();
    await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await expect(failed.locator('tr.row')).toHaveCount(1);
    await expect(failed.locator('tr.row')).toContainText('NOSUCH');
    const lately = page.getByRole('region', { name: 'Last 24 hours', exact: true }).first();
    await expect(lately).toContainText('1 failed, 13 cancelled');
    await expect(figure(page, 'failed')).toHaveText(/^1failed in 24 h7 % of all ended$/);
    await expect(figure(page, 'failed')).toHaveAttribute('href', /^\/operations\?state=failed&ended_since=/);
    const ended = page.getByRole('region', { name: 'Just ended' }).locator('tr.row');
    await expect(ended.first()).toContainText('cancelled');

    // What was seen is not shown again, also after a reload; what fails later is.
    await failed.getByRole('button', { name: 'Mark as seen' }).click();
    await expect(failed.getByText('Nothing needs attention')).toBeVisible();
    await failed.getByRole('button', { name: 'Show again' }).click();
    await expect(failed.locator('tr.row')).toHaveCount(1);
    await failed.getByRole('button', { name: 'Mark as seen' }).click();
    await expect(ended.first()).toContainText('NOSUCH');
    await page.reload();
    await alive(page);
    await expect(failed.getByText('Nothing needs attention')).toBeVisible();
    await expect(failed).toContainText('since your last check');
    await start(request, 'data.load', { ...load, symbol: 'NEITHER' });
    await expect(failed.locator('tr.row')).toHaveCount(1);
    await expect(failed.locator('tr.row')).toContainText('NEITHER');
});

test('a failed operation is retried where it is shown, and leads to its log', async ({ page, request }) => {
    const id = await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await until(request, id, 'failed');
    await page.goto('/');
    await alive(page);
    const failed = page.getByRole('region', { name: 'Needs attention' }).locator('tr.row');
    await expect(failed).toContainText('NOSUCH');
    await failed.getByRole('button', { name: /^Retry/ }).click();
    const attempts = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).attempts.length;
    await expect.poll(attempts).toBe(2);
    // It fails again, and that is news.
    await until(request, id, 'failed');
    await failed.getByRole('link', { name: /^Log/ }).click();
    await expect(page).toHaveURL(new RegExp(`${id}\\?tab=log$`));
    await expect(page.getByRole('tab', { name: 'Log' })).toHaveAttribute('aria-selected', 'true');
});

test('a host with problems and an operation without a host need attention', async ({ page, request }) => {
    await page.goto('/');
    await alive(page);
    const hosts = page.getByRole('list', { name: 'Hosts: slots in use' });
    await hosts.getByRole('link', { name: 'local' }).focus();
    // Drained, the only host takes nothing.
    await request.post('/api/v1/hosts/local/drain', { data: {} });
    await expect(hosts).toContainText('drained');
    await expect(hosts.getByRole('link', { name: 'local' })).toBeFocused();
    await start(request, 'data.load', load);
    const attention = page.getByRole('region', { name: 'Needs attention' });
    await expect(attention.locator('tr.row')).toContainText('no host available');
    await expect(attention.getByRole('link', { name: /^Log/ })).toBeVisible();
    await expect(attention.getByRole('button', { name: /^Retry/ })).toHaveCount(0);
    await request.post('/api/v1/hosts/local/undrain', { data: {} });
    await expect(attention.getByText('Nothing needs attention')).toBeVisible();
});

test('a failure is shown even if many others ended after it, and unknown states are never OK', async ({ page, request, tolerated }) => {
    tolerated.push(/ERR_|Failed to load resource|net::/);
    const old = await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await until(request, old, 'failed');
    const ids = async (path: string) => {
        const { operations } = await (await request.get(path)).json();
        return operations.map((operation: { id: string }) => operation.id);
    };
    // So many end after it that a page is given no more of it than that it is there.
    const slow = { timeframe: '1h', source: 'synthetic', rows_per_second: 20 };
    for (let n = 0; n < 210; n += 30) {
        const some = Array.from({ length: 30 }, (_, m) => start(request, 'data.load', { ...slow, symbol: `S${n + m}` }));
        await Promise.all(some);
    }
    await request.post('/api/v1/operations/cancel', { data: { filter: '' } });
    const open = () => ids('/api/v1/operations?state=queued,starting,running,cancelling&limit=1');
    await expect.poll(open, { timeout: 20_000 }).toEqual([]);
    expect(await ids('/api/v1/snapshot')).not.toContain(old);

    const failed = page.getByRole('region', { name: 'Needs attention' });
    const asked = page.waitForRequest(/operations\?state=failed/);
    await page.route(/operations\?state=failed/, (route) => route.abort());
    await page.goto('/');
    await alive(page);
    await asked;
    await expect(failed).toContainText('older operations not searched');
    await expect(failed).toContainText('Nothing needs attention among the newest operations');
    await expect(failed.getByRole('link', { name: 'Show all failed operations' })).toBeVisible();
    await expect(failed.getByText('Nothing needs attention', { exact: true })).toHaveCount(0);

    await page.unroute(/operations\?state=failed/);
    await page.reload();
    await expect(failed.locator('tr.row')).toContainText('NOSUCH');
    await expect(failed).not.toContainText('older operations not searched');
    // Now that all are known.
    await failed.getByRole('button', { name: 'Mark as seen' }).click();
    await expect(failed.getByText('Nothing needs attention')).toBeVisible();
});

test('long texts of running operations are cut at the edge of their row', async ({ page, request }) => {
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    const params = { symbols: SYMBOL, timeframe: '1h', epochs: 10_000, patience: 0 };
    await start(request, 'training.run', params);
    await page.goto('/');
    await alive(page);
    await expect(page.getByRole('region', { name: 'Running' }).locator('tr.row')).toContainText('epoch');
    const [holds, wide] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    expect(holds).toBeLessThanOrEqual(wide);
});

test('the overview is readable without JavaScript', async ({ browser, request, server }) => {
    const id = await start(request, 'data.load', load);
    await expect
        .poll(async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state)
        .toBe('succeeded');
    const context = await browser.newContext({ javaScriptEnabled: false, baseURL: server.url });
    const page = await context.newPage();
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'Last 24 hours', exact: true })).toBeVisible();
    await expect(page.getByText('1 succeeded', { exact: true })).toBeVisible();
    await expect(page.getByRole('rowheader', { name: 'data.load' })).toBeVisible();
    await expect(page.getByText('Nothing is running')).toBeVisible();
    await context.close();
});

test('a progress bar moves between reports without a layout of the page', async ({ page, request }) => {
    const slow = { symbol: 'SLOW', timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: 2000 };
    const id = await start(request, 'data.load', slow);
    await page.goto(`/operations/${id}`);
    await alive(page);
    // What moves while a report is taken in.
    const moved = await page.locator('.running .bar-fill').evaluate(
        (bar) => new Promise<string>((resolve) => bar.addEventListener('transitionrun', (event) => resolve(event.propertyName), { once: true })),
    );
    expect(moved).toBe('transform');
});

test('a bar in a row is painted, and neither moved nor laid out', async ({ page, request }) => {
    const slow = { symbol: 'SLOW', timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: 2000 };
    await start(request, 'data.load', slow);
    await page.goto('/operations');
    await alive(page);
    const bar = page.locator('tr.row .bar-fill');
    const drawn = () =>
        bar.evaluate((bar) => {
            const { backgroundSize, transform } = getComputedStyle(bar);
            return { filled: parseFloat(backgroundSize), transform, motions: bar.getAnimations().length };
        });
    await expect.poll(async () => (await drawn()).filled).toBeGreaterThan(0);
    const before = await drawn();
    await expect.poll(async () => (await drawn()).filled).toBeGreaterThan(before.filled);
    expect(await drawn()).toMatchObject({ transform: 'none', motions: 0 });
    // Old data changes its colour alone.
    await page.locator('.frame').evaluate((frame) => frame.setAttribute('data-stale', ''));
    expect((await drawn()).filled).toBeLessThan(100);
});

test('the last 24 hours agree with the list', async ({ page, request }) => {
    const failing = () => start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    const [again, gone] = [await failing(), await failing()];
    for (const id of [again, gone]) await until(request, id, 'failed');
    await page.goto('/');
    await alive(page);
    const lately = page.locator('.lately');
    await expect(lately).toContainText('2 failed');
    // Another attempt is no other operation, and what is deleted is none.
    await request.post(`/api/v1/operations/${again}/retry`, { data: {} });
    const attempts = async () => (await (await request.get(`/api/v1/operations/${again}`)).json()).attempts.length;
    await expect.poll(attempts).toBe(2);
    await until(request, again, 'failed');
    await request.delete(`/api/v1/operations/${gone}`);
    await expect(lately).toContainText('1 failed');
    const stored = await (await request.get('/api/v1/operations/counts')).json();
    const failed = stored.counts.find((of: { state: string }) => of.state === 'failed');
    expect(failed.count).toBe(1);
    // The bar of an hour leads to what ended in it; an active operation is not among them.
    const { ended_at } = (await (await request.get(`/api/v1/operations/${again}`)).json()).operation;
    const slow = { ...load, symbol: 'SLOW', source: 'synthetic', rows_per_second: 20 };
    await until(request, await start(request, 'data.load', slow), 'running');
    await page.locator(`.hour-links a[href*="ended_since=${ended_at.slice(0, 13)}"]`).click();
    await alive(page);
    await expect(page.locator('tr.row')).toHaveCount(1);
    await expect(page.locator('tr.row')).toContainText('NOSUCH');
});
