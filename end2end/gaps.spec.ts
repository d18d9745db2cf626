// Missing bars of a load: they take room in the chart, and strip, table and calendar lead to them.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { writeHourly } from './market';
import { until } from './pages';
import { alive, expect, start, test } from './signalbox';

/** Two weeks of June are missing. */
const isGone = (line: string) => line >= '2024-06-03' && line < '2024-06-17';

const reset = (page: Page) => page.getByRole('region', { name: 'Bars' }).getByRole('button', { name: 'Reset zoom' });

test('a gap takes room in the chart, and strip, table and calendar zoom to it', async ({ page, request, server }, info) => {
    writeHourly(server.csv, { symbol: 'HOLED', from: 2024, years: 1 });
    const file = path.join(server.csv, 'HOLED_1h.csv');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    writeFileSync(file, lines.filter((line) => !isGone(line)).join('\n') + '\n');
    const id = await start(request, 'data.load', { symbol: 'HOLED', timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const chart: Locator = page.getByRole('figure', { name: 'HOLED 1h' });
    await chart.scrollIntoViewIfNeeded();
    await expect(chart.locator('.chart-line')).toContainText(/\d/);

    const zoomed = async (act: () => Promise<void>) => {
        const answered = page.waitForResponse((answer) => /\/artifacts\/bars\?.*from=\d/.test(answer.url()));
        await act();
        const { searchParams } = new URL((await answered).url());
        await expect(reset(page)).toBeVisible();
        return ['from', 'to'].map((name) => new Date(Number(searchParams.get(name)) * 1_000).toISOString());
    };
    const [from, to] = await zoomed(() => page.getByRole('button', { name: /^Show the gap from 2024-06-03/ }).click());
    expect(from < '2024-06-03' && to > '2024-06-17', `${from} ${to}`).toBe(true);
    expect(from > '2024-05' && to < '2024-07-20', `${from} ${to}`).toBe(true);
    await reset(page).click();
    await expect(reset(page)).toHaveCount(0);

    const [first, last] = await zoomed(() => page.getByRole('button', { name: /2024-04: .*Show in the chart$/ }).click());
    expect(first.slice(0, 7)).toMatch(/2024-0[34]/);
    expect(last.slice(0, 7)).toMatch(/2024-0[45]/);
    await reset(page).click();
    await expect(reset(page)).toHaveCount(0);

    if (info.project.name === 'phone') return;
    // Moves the pointer to a share of the plot's width, `below` pixels below its lower edge. The plot may still move while
    // the bars of a reset zoom arrive, so it is located for each move, and a frame is awaited.
    const moveTo = async (share: number, below: number) => {
        await chart.scrollIntoViewIfNeeded();
        const box = await chart.locator('.u-over').boundingBox();
        if (!box) throw new Error('the chart is not drawn');
        const at = [box.x + share * box.width, box.y + box.height + below] as const;
        await page.mouse.move(...at);
        await page.evaluate(() => new Promise(requestAnimationFrame));
        return at;
    };
    const pressable = chart.locator('.chart-pressable');
    // The strip is right below the plot. Its part that can be pressed is a little wider than the gap.
    let middle = 0;
    await expect(async () => {
        const shares = [];
        for (let share = 0.3; share < 0.6; share += 0.01) {
            await moveTo(share, 5);
            if ((await pressable.count()) > 0) shares.push(share);
        }
        expect(shares, 'a gap in the strip below the plot').not.toHaveLength(0);
        middle = (shares[0] + shares[shares.length - 1]) / 2;
    }).toPass({ timeout: 30_000 });
    await moveTo(middle, -40);
    await expect(chart.locator('.chart-line')).toContainText('70 bars missing');
    const at = await moveTo(middle, 5);
    await expect(pressable).not.toHaveCount(0);
    const [strip] = await zoomed(() => page.mouse.click(...at));
    expect(strip > '2024-05' && strip < '2024-06-03', strip).toBe(true);
});
