// 100 hosts and 90 days: the page of all hosts, and the page of one.
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { findings } from '../axe';
import { alive, expect, test as base } from '../signalbox';
import { busy, DAYS, type Fleet, fixtures, HOSTS, unreachable } from './fleet';

const test = base.extend<object, { fleet: Fleet }>(fixtures);
const HOST = 'host-002';
const DAY_MS = 86_400_000;

/** Articles of the simulated hosts, in the order of the page. */
function cards(page: Page): Locator {
    return page.getByRole('article', { name: /^host-\d{3}$/ });
}

/** Waits until the server has met all hosts that respond, and has given up on the others. */
async function met(request: APIRequestContext): Promise<void> {
    const links = async () => {
        const { hosts } = (await (await request.get('/api/v1/hosts')).json()) as { hosts: { link: string }[] };
        return ['up', 'away'].map((link) => hosts.filter((host) => host.link === link).length);
    };
    // The bundled hosts and the host of sweeps are connected, too.
    await expect.poll(links, { timeout: 30_000 }).toEqual([HOSTS - unreachable.length + 2, unreachable.length]);
}

/** The page does not scroll sideways. */
async function fits(page: Page): Promise<void> {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
}

test('100 hosts: those in trouble are first, then busy ones, and the keyboard leads to each', async ({ page, request }) => {
    await met(request);
    await page.goto('/hosts');
    await alive(page);
    await expect(cards(page)).toHaveCount(HOSTS);
    const names = () => cards(page).getByRole('heading').allTextContents();
    const expected = [...unreachable, ...busy];
    await expect.poll(async () => (await names()).slice(0, expected.length)).toEqual(expected);
    for (const name of unreachable) await expect(cards(page).filter({ hasText: name })).toContainText('Unreachable');
    const fine = cards(page).filter({ hasText: HOST });
    await expect(fine).toContainText('Connected');
    await expect(fine).toContainText(/CPU\s*\d+ %/);
    await expect(fine.locator('.host-curve path')).toHaveAttribute('d', /^M.*L/);
    await fits(page);

    const last = cards(page).last().getByRole('heading').getByRole('link');
    const name = (await last.textContent())!;
    await last.focus();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`/hosts/${name}$`));
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
});

test('the page of 100 hosts has no findings of axe', async ({ page, request }) => {
    await met(request);
    await page.goto('/hosts');
    await alive(page);
    await expect(cards(page).filter({ hasText: HOST })).toContainText(/CPU\s*\d+ %/);
    expect(await findings(page)).toEqual([]);
});

/** Share of the width of a chart at which its curve begins and ends. */
async function drawn(chart: Locator): Promise<[number, number]> {
    return chart.locator('canvas').first().evaluate((canvas: HTMLCanvasElement) => {
        const over = canvas.parentElement!.querySelector('.u-over')!.getBoundingClientRect();
        const box = canvas.getBoundingClientRect();
        const scale = canvas.width / box.width;
        const [left, width] = [(over.left - box.left) * scale, over.width * scale];
        const [top, height] = [(over.top - box.top) * scale, over.height * scale];
        const { data, width: across } = canvas.getContext('2d')!.getImageData(left, top, width, height);
        // Columns with a saturated pixel: the grid is grey.
        const columns: number[] = [];
        for (let n = 0; n < data.length; n += 4) {
            const [r, g, b, a] = data.subarray(n, n + 4);
            if (a > 60 && Math.max(r, g, b) - Math.min(r, g, b) > 40) columns.push((n / 4) % across);
        }
        const first = columns.reduce((least, column) => Math.min(least, column), across);
        const last = columns.reduce((most, column) => Math.max(most, column), 0);
        return [first / across, last / across];
    });
}

test('one host shows 90 days, its values can be read, and a drag zooms all charts', async ({ page, request }, info) => {
    await met(request);
    await page.goto(`/hosts/${HOST}?range=90d`);
    await alive(page);
    const cpu = page.getByRole('region', { name: 'CPU', exact: true });
    await expect(cpu.locator('.u-over')).toBeVisible();
    await expect.poll(async () => (await drawn(cpu))[0], 'where the curve begins').toBeLessThan(0.02);
    expect((await drawn(cpu))[1], 'where the curve ends').toBeGreaterThan(0.98);
    await fits(page);

    // The value at the left end is 90 days old.
    await cpu.getByRole('img').focus();
    await page.keyboard.press('Home');
    await expect(cpu.locator('[data-spoken]')).toContainText(/Busy/);
    for (const title of ['Memory', 'Pressure', 'Disk', 'Network', 'Response time', 'Host process']) {
        const chart = page.getByRole('region', { name: title, exact: true });
        await chart.scrollIntoViewIfNeeded();
        await expect(chart.locator('canvas').first()).toBeVisible();
    }
    const heat = page.getByRole('region', { name: 'Distribution of response times', exact: true }).first();
    await expect(heat.locator('.latency-cells').first()).toBeAttached();
    await fits(page);
    if (info.project.name !== 'desktop') return;

    const plot = page.getByRole('region', { name: 'Memory', exact: true }).locator('.u-over');
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    const answered = page.waitForResponse(/\/api\/v1\/hosts\/host-002\/history\?/);
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    await expect(page).toHaveURL(/\?from=.+&to=.+/);
    const { searchParams } = new URL(page.url());
    const [from, to] = ['from', 'to'].map((end) => Date.parse(searchParams.get(end)!));
    expect((to - from) / DAY_MS).toBeGreaterThan(8);
    expect((to - from) / DAY_MS).toBeLessThan(10);
    expect((Date.now() - from) / DAY_MS).toBeLessThan(DAYS);
    // Nine days are shown by the minute.
    expect((await (await answered).json()).resolution_seconds).toBe(60);
    await expect.poll(async () => (await drawn(cpu))[0], 'where the curve begins').toBeLessThan(0.02);
    await page.goBack();
    await expect(page).toHaveURL(/\?range=90d$/);
});

test('the samples of a host continue its history without a gap', async ({ page, request }) => {
    await met(request);
    const unknown = async () => {
        const [from, to] = [600_000, 15_000].map((ago) => new Date(Date.now() - ago).toISOString());
        const query = `from=${from}&to=${to}&width=600&metrics=cpu.busy_ratio,host.running`;
        const answer = await request.get(`/api/v1/hosts/${HOST}/history?${query}`);
        const { metrics } = (await answer.json()) as { metrics: Record<string, { mean: (number | null)[] }> };
        return ['cpu.busy_ratio', 'host.running'].map((metric) => metrics[metric].mean.filter((mean) => mean === null).length);
    };
    await expect.poll(unknown, { timeout: 30_000 }).toEqual([0, 0]);
    await page.goto(`/hosts/${HOST}?range=15m`);
    await alive(page);
    await expect(page.locator('.span-state')).toHaveText('Live');
    await expect(page.getByRole('region', { name: 'CPU', exact: true }).locator('.chart-line')).toContainText('Busy');
});
