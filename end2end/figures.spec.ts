// Figures on the page: one figure has one text, and charts of unusual figures can be read, in every zone and language.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { choose } from './charts';
import { until } from './pages';
import { alive, expect, start, test as base } from './signalbox';

/** Tells the losses that it is given, one an epoch; `nan` is none. */
const SCRIPT = `n=0
for loss in $(echo "$1" | tr , ' '); do n=$((n + 1)); echo "{\\"step\\": $n, \\"loss\\": $loss}"; done
`;

/** Hourly bars over the night in which the clocks of New York jump, and those of Berlin do not. */
function writeNight(folder: string): void {
    const lines = ['timestamp,open,high,low,close,volume'];
    for (let hour = 0; hour < 24; hour++) {
        const time = `2026-03-08 ${String(hour).padStart(2, '0')}:00:00+00:00`;
        lines.push(`${time},${100 + hour},${101 + hour},${99 + hour},${100.5 + hour},${1_000 + hour}`);
    }
    writeFileSync(path.join(folder, 'NIGHT_1h.csv'), lines.join('\n') + '\n');
}

const test = base.extend({
    server: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const script = path.join(server.folder, 'losses.sh');
        writeFileSync(script, SCRIPT);
        const kind = `[exec.losses]
title = "Losses"
summary = "losses"
command = ["sh", "${script}", "{losses}"]
params.losses = { type = "text" }
series.loss = { title = "Loss", x = "epoch" }
`;
        writeFileSync(path.join(data, 'exec.toml'), kind);
        writeNight(server.csv);
        await server.start();
        await use(server);
    },
});

async function losses(request: APIRequestContext, ...of: string[]): Promise<string> {
    // An argument may not begin with a dash.
    const id = await start(request, 'exec.losses', { losses: `,${of.join(',')}` });
    await until(request, id, 'succeeded');
    return id;
}

async function night(request: APIRequestContext): Promise<string> {
    const id = await start(request, 'data.load', { symbol: 'NIGHT', timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    return id;
}

/** A text that was drawn: where its middle, or its right end, is, and how much room it takes; CSS pixels. */
interface Drawn {
    text: string;
    x: number;
    y: number;
    left: number;
    right: number;
}

/** From now on the page keeps what its charts write. */
async function keepTexts(page: Page): Promise<void> {
    await page.addInitScript(() => {
        const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
        const kept = new WeakMap<HTMLCanvasElement, Drawn[]>();
        CanvasRenderingContext2D.prototype.clearRect = function (...args) {
            kept.set(this.canvas, []);
            clearRect.apply(this, args);
        };
        CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
            const wide = this.measureText(text).width;
            const left = this.textAlign === 'right' ? x - wide : this.textAlign === 'center' ? x - wide / 2 : x;
            const dot = devicePixelRatio;
            const list = kept.get(this.canvas) ?? [];
            list.push({ text, x: x / dot, y: y / dot, left: left / dot, right: (left + wide) / dot });
            kept.set(this.canvas, list);
            fillText.call(this, text, x, y);
        };
        Object.assign(window, { textsOf: (canvas: HTMLCanvasElement) => kept.get(canvas) ?? [] });
    });
}

/** What stands on the axes of a chart; each text is whole. */
async function axes(chart: Locator): Promise<{ x: Drawn[]; y: Drawn[] }> {
    const canvas = chart.locator('canvas');
    await expect(canvas).toBeVisible();
    const read = () => canvas.evaluate((canvas) => {
        const { textsOf } = window as unknown as { textsOf: (canvas: Element) => Drawn[] };
        const texts = textsOf(canvas);
        return { texts, width: canvas.getBoundingClientRect().width };
    });
    await expect.poll(async () => (await read()).texts.length).toBeGreaterThan(2);
    const { texts, width } = await read();
    const low = Math.max(...texts.map((drawn) => drawn.y));
    for (const drawn of texts) {
        expect(drawn.left, `${drawn.text} begins on the chart`).toBeGreaterThanOrEqual(0);
        expect(drawn.right, `${drawn.text} ends on the chart`).toBeLessThanOrEqual(width);
    }
    // Below the plot stand the ticks of x, and below them what x is; of two lines the second is the day.
    const below = texts.filter((drawn) => drawn.y < low && drawn.y > low - 60 && Math.abs(drawn.left + drawn.right - 2 * drawn.x) < 1);
    const first = Math.min(...below.map((drawn) => drawn.y));
    return { x: below.filter((drawn) => drawn.y === first), y: texts.filter((drawn) => Math.abs(drawn.right - drawn.x) < 0.5) };
}

const figure = (page: Page, name: string) => page.getByRole('main').getByRole('figure', { name });
const line = (chart: Locator) => chart.locator('.chart-line');

async function open(page: Page, id: string, name: string): Promise<Locator> {
    await page.goto(`/operations/${id}`);
    await alive(page);
    const chart = figure(page, name);
    await chart.scrollIntoViewIfNeeded();
    await expect(chart.locator('canvas')).toBeVisible();
    return chart;
}

test('a figure is the same text above its chart and in its table, integers as integers', async ({ page, request }) => {
    const id = await losses(request, '2.5', '1.0380149', '1e308');
    const chart = await open(page, id, 'Loss');
    await expect(line(chart)).toHaveText('epoch 3Loss 1e308');
    await choose(chart, 'Show as table');
    await expect(chart.locator('tbody tr')).toHaveText(['31e308', '21.03801', '12.5']);
});

const unusual: [string, string[], string[]][] = [
    ['huge', ['1e300', '3e300', '2e300'], ['1e300', '2e300', '3e300']],
    ['near-equal', ['1.0000001', '1.0000002', '1.00000015'], ['1.0000001', '1.0000002']],
    ['tiny', ['1e-12', '2e-12', '3e-12'], ['1e-12', '2e-12', '3e-12']],
    ['constant', ['5', '5', '5'], ['5']],
    ['negative', ['-3', '-1', '-2'], ['−3', '−2', '−1']],
];
test('charts of unusual figures fit, with whole and distinct ticks', async ({ page, request }) => {
    test.setTimeout(120_000);
    await keepTexts(page);
    for (const [name, of, expected] of unusual) {
        const chart = await open(page, await losses(request, ...of), 'Loss');
        const { x, y } = await axes(chart);
        const labels = y.map((drawn) => drawn.text);
        expect(labels.length, name).toBeGreaterThan(1);
        expect(new Set(labels).size, `${name}: ${labels}`).toBe(labels.length);
        // Labels of one axis have equally many decimals.
        const trimmed = labels.map((label) => (label.includes('e') ? label : label.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')));
        for (const label of expected) expect(trimmed, name).toContain(label);
        // Epochs have no parts.
        for (const { text } of x) expect(text, name).toMatch(/^\d+$/);
        await expect(line(chart), name).not.toContainText('NaN');
    }
});

test('a single value is a line of text instead of a chart', async ({ page, request }) => {
    await page.goto(`/operations/${await losses(request, '0.25')}`);
    await alive(page);
    await expect(page.getByText('Single value: Loss 0.25', { exact: true })).toBeVisible();
    await expect(figure(page, 'Loss')).toHaveCount(0);
});

test('a non-numeric value is a gap in the curve and an empty cell in the CSV', async ({ page, browser, request, server }) => {
    const id = await losses(request, '3', '2', 'NaN', '1', '0.5');
    const chart = await open(page, id, 'Loss');
    const coming = page.waitForEvent('download');
    await choose(chart, 'CSV of Loss');
    const rows = readFileSync(await (await coming).path(), 'utf8').trimEnd().split('\r\n');
    expect(rows).toEqual(['epoch,Loss', '1,3', '2,2', '3,', '4,1', '5,0.5']);
    await choose(chart, 'Show as table');
    await expect(chart.locator('tbody tr').nth(2)).toHaveText('3–');

    const plain = await browser.newPage({ javaScriptEnabled: false, baseURL: server.url });
    await plain.goto(page.url());
    const drawn = await plain.locator('.still-lines path').getAttribute('d');
    expect(drawn).toMatch(/^M\d+ \d+L\d+ \d+M\d+ \d+L\d+ \d+$/);
    await plain.close();
});

test('charts are drawn in a browser with an invalid language tag', async ({ page, request }) => {
    await page.addInitScript(() => Object.defineProperty(navigator, 'language', { get: () => 'C' }));
    const chart = await open(page, await losses(request, '2', '1'), 'Loss');
    await expect(line(chart)).toHaveText('epoch 2Loss 1');
    await expect(chart.getByRole('alert')).toHaveCount(0);
});

test('zoomed candles show their values before the pointer moves', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no wheel');
    const chart = await open(page, await night(request), 'NIGHT 1h');
    await line(chart).evaluate((line) => {
        const texts: string[] = [];
        new MutationObserver(() => texts.push(line.textContent ?? '')).observe(line, { childList: true });
        Object.assign(window, { texts });
    });
    const over = await chart.locator('.u-over').boundingBox();
    if (!over) throw new Error('the chart is not drawn');
    await page.mouse.move(over.x + over.width * 0.95, over.y + over.height / 2);
    for (let n = 0; n < 4; n++) {
        const answer = page.waitForResponse(/\/bars/);
        await page.keyboard.down('Control');
        await page.mouse.wheel(0, -100);
        await page.keyboard.up('Control');
        await (await answer).finished();
    }
    await expect(chart.getByRole('button', { name: 'Reset zoom' })).toBeVisible();
    const texts = await page.evaluate(() => (window as unknown as { texts: string[] }).texts);
    expect(texts.length).toBeGreaterThan(3);
    for (const text of texts) expect(text).toMatch(/^2026-03-08.*O [\d.]+H [\d.]+L [\d.]+C [\d.]+V [\d,]+$/);
});

for (const timezoneId of ['America/New_York', 'Europe/Berlin', 'UTC']) {
    test.describe(timezoneId, () => {
        test.use({ timezoneId });
        test('across a clock change ticks are even and labelled with the time of their bar', async ({ page, request }, info) => {
            await keepTexts(page);
            const chart = await open(page, await night(request), 'NIGHT 1h');
            const { x } = await axes(chart);
            expect(x.length).toBeGreaterThan(info.project.name === 'phone' ? 2 : 5);
            const apart = x.slice(1).map((drawn, i) => drawn.x - x[i].x);
            for (const step of apart) expect(Math.abs(step - apart[0])).toBeLessThan(2);
            if (info.project.name === 'phone') return;
            const canvas = await chart.locator('canvas').boundingBox();
            if (!canvas) throw new Error('the chart is not drawn');
            // Those at the edges may have no room for a pointer.
            for (const drawn of x.slice(1, -1)) {
                await page.mouse.move(canvas.x + drawn.x, canvas.y + 60);
                const expected = drawn.text === '00:00' ? /^2026-03-08/ : `2026-03-08 ${drawn.text} UTC`;
                await expect(line(chart).locator('span').first()).toHaveText(expected);
            }
        });
    });
}

test('the best of nearly equal figures shows the digits that distinguish it', async ({ page, request }) => {
    const ids = [await losses(request, '1.0000001', '1.0000002'), await losses(request, '1.0000002', '1.0000001')];
    await page.goto(`/compare?ids=${ids.join(',')}`);
    await alive(page);
    const chart = figure(page, 'Loss');
    await chart.scrollIntoViewIfNeeded();
    await expect(line(chart)).toHaveText(/^epoch 2A .*1\.0000002B .*1\.0000001$/);
    // No two figures of a line that read the same, one of which is marked.
    const rows = page.getByRole('region', { name: 'Comparison table' }).locator('tbody[data-part="results"] tr');
    for (const row of await rows.all()) {
        const cells = await row.locator('td').evaluateAll((cells) =>
            cells.map((cell) => ({ best: cell.hasAttribute('data-best'), text: (cell.textContent ?? '').replace('best: ', '') })));
        if (cells.length === 2 && cells[0].text === cells[1].text) expect(cells[0].best).toBe(cells[1].best);
    }
});
