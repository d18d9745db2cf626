// The page of one host: charts of its resources, the time in the URL, and the operations that ran.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { alive, expect, start, SYMBOL, test } from './signalbox';
import { until } from './pages';

test('a host shows its resources and what ran on it, and the time is in the URL', async ({ page, request }) => {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    await page.goto('/hosts');
    await alive(page);
    await page.getByRole('article', { name: 'local' }).getByRole('link', { name: 'local' }).click();
    await expect(page).toHaveTitle('local · Signalbox');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('local');
    await expect(page.getByRole('main')).toContainText('Connected');
    for (const title of ['CPU', 'Memory', 'Network', 'Slots', 'Response time', 'Requests', 'Failed requests', 'Host process']) {
        const chart = page.getByRole('region', { name: title, exact: true });
        await chart.scrollIntoViewIfNeeded();
        await expect(chart.locator('canvas').first()).toBeVisible();
    }
    const row = page.locator('.timeline-row').first();
    await expect(row.getByRole('link')).toHaveAttribute('href', `/operations/${load}`);
    await expect(row).toContainText('succeeded');

    const times = page.getByRole('navigation', { name: 'Period of the charts' });
    const current = times.locator('[aria-current]');
    await expect(current).toContainText('1 h');
    await times.getByRole('link', { name: /Last 15 min/ }).focus();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/hosts\/local\?range=15m$/);
    await expect(current).toContainText('15 min');
});

test('a drag over any chart zooms all charts, and Back returns', async ({ page }, info) => {
    test.skip(info.project.name !== 'desktop', 'a finger reads values instead');
    await page.goto('/hosts/local?range=15m');
    await alive(page);
    const plot = page.getByRole('region', { name: 'Memory', exact: true }).locator('.u-over');
    const drag = async () => {
        const box = (await plot.boundingBox())!;
        await page.mouse.move(box.x + box.width * 0.4, box.y + box.height / 2);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 2, { steps: 5 });
        await page.mouse.up();
    };
    await expect(plot).toBeVisible();
    await drag();
    await expect(page).toHaveURL(/from=.+&to=.+/);
    const times = page.getByRole('navigation', { name: 'Period of the charts' });
    await expect(times.locator('[aria-current]')).toHaveCount(0);
    const zoomed = page.url();
    await page.reload();
    await alive(page);
    expect(page.url()).toBe(zoomed);
    await expect(page.locator('.span-state')).toContainText(' to ');
    await page.goBack();
    await expect(page).toHaveURL(/\?range=15m$/);
    await expect(page.locator('.span-state')).toHaveText('Live');
});

test('the keys of one chart read the values of all, and the timeline stands on the axis of the charts', async ({ page, request }) => {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    await page.goto('/hosts/local?range=15m');
    await alive(page);
    const cpu = page.getByRole('region', { name: 'CPU', exact: true });
    await expect(cpu.locator('.u-over')).toBeVisible();
    await cpu.getByRole('img').focus();
    await page.keyboard.press('ArrowLeft');
    await expect(cpu.locator('[data-spoken]')).toContainText('Busy');
    await expect(page.getByRole('region', { name: 'Memory', exact: true }).locator('.chart-line')).toContainText('Used');
    const row = page.locator('.timeline-run').first();
    await expect(row).toBeVisible();
    const [plot, track] = [(await cpu.locator('.u-over').boundingBox())!, (await row.boundingBox())!];
    expect(Math.abs(plot.x - track.x)).toBeLessThan(2);
    expect(Math.abs(plot.x + plot.width - track.x - track.width)).toBeLessThan(2);
});

test('the latency of requests is a heat map on the axis of the charts, and a table', async ({ page }, info) => {
    await page.goto('/hosts/local?range=15m');
    await alive(page);
    const heat = page.getByRole('region', { name: 'Distribution of response times', exact: true }).first();
    await expect(heat.locator('.latency-cells').first()).toBeAttached({ timeout: 30_000 });
    if (info.project.name === 'desktop') {
        const plot = heat.locator('svg').first();
        await plot.scrollIntoViewIfNeeded();
        const cell = (await heat.locator('.latency-cells').last().boundingBox())!;
        await page.mouse.move(cell.x + cell.width - 1, cell.y + 2);
        await expect(heat.locator('.latency-read')).toContainText(/ of \d+ requests?/);
    }
    await heat.getByText('Show as table').click();
    await expect(heat.getByRole('row').nth(1)).toContainText(/ms: \d+/);
});

test('an alert is marked on the chart of its metric, and leads to its rule', async ({ page, server }) => {
    const config = path.join(server.folder, 'alerts.toml');
    const rule = '[[alerts.rule]]\nname = "memory-in-use"\nmetric = "memory.used_ratio"\nthreshold = 0.0001\nfor = 0\n';
    writeFileSync(config, `[alerts]\ninterval = 1\n${rule}`);
    await server.stop();
    await server.start('--config', config);
    await page.goto('/hosts/local?range=15m');
    await alive(page);
    const row = page.getByRole('region', { name: 'Alerts', exact: true }).getByRole('listitem').first();
    await expect(row).toContainText('memory-in-use');
    await expect(row).toContainText('firing');
    await row.getByRole('link', { name: 'memory-in-use' }).click();
    await expect(page).toHaveURL(/\/alerts#rule-memory-in-use$/);
});

test('a time without samples says what to do', async ({ page }) => {
    await page.goto('/hosts/local?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z');
    await alive(page);
    await expect(page.getByRole('main')).toContainText('No samples in this period');
    await page.getByRole('link', { name: 'Show 90 days' }).click();
    await expect(page).toHaveURL(/\?range=90d$/);
});

test('a host that does not exist is not found', async ({ page, tolerated }) => {
    tolerated.push(/404/);
    const response = await page.goto('/hosts/nobody');
    expect(response?.status()).toBe(404);
    await expect(page.getByRole('heading', { name: 'No such host' }).or(page.getByText('No such host'))).toBeVisible();
});
