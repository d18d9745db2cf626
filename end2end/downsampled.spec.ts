// Curves with more points than a chart shows: it says that some were left out, and the CSV has all of them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { choose } from './charts';
import { until } from './pages';
import { alive, expect, start, test as base } from './signalbox';

/** Tells so many points of a loss. */
const SCRIPT = `awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{\\"step\\": %d, \\"loss\\": %d}\\n", i, (i * 7919) % 1009 }'
`;

const test = base.extend({
    server: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const script = path.join(server.folder, 'curve.sh');
        writeFileSync(script, SCRIPT);
        const kind = `[exec.curve]
title = "Curve"
summary = "a curve"
command = ["sh", "${script}", "{points}"]
params.points = { type = "integer", default = 3000 }
series.loss = { title = "Loss", x = "step" }
`;
        writeFileSync(path.join(data, 'exec.toml'), kind);
        await server.start();
        await use(server);
    },
});

async function curve(request: APIRequestContext, points: number): Promise<string> {
    const id = await start(request, 'exec.curve', { points });
    await until(request, id, 'succeeded');
    return id;
}

const chart = (page: Page) => page.getByRole('main').getByRole('figure', { name: 'Loss' });

/** The CSV of a chart: its name, and how many rows of figures it has. */
async function csv(page: Page, of: Locator): Promise<{ name: string; rows: number }> {
    const coming = page.waitForEvent('download');
    await choose(of, 'CSV of Loss');
    const file = await coming;
    const rows = readFileSync(await file.path(), 'utf8').trimEnd().split('\n').length - 1;
    return { name: file.suggestedFilename(), rows };
}

test('a downsampled curve says so, and its CSV has every point', async ({ page, request }) => {
    const id = await curve(request, 3_000);
    await page.goto(`/operations/${id}`);
    await alive(page);
    const note = chart(page).locator('.chart-held');
    await expect(note).toHaveText(/^Downsampled to 1,200 points \(min\/max per bucket\)\. The downloaded CSV has all points\.$/);
    await choose(chart(page), 'Show as table');
    await expect(chart(page).locator('.twin')).toContainText('Newest 200 of 1,200 rows');
    const file = await csv(page, chart(page));
    expect(file.rows).toBe(3_000);
    expect(file.name).toMatch(/-loss\.csv$/);

    // So it is where curves are compared.
    const other = await curve(request, 3_000);
    await page.goto(`/compare?ids=${id},${other}`);
    await alive(page);
    await expect(note).toContainText('The downloaded CSV has all points.');
    expect((await csv(page, chart(page))).rows).toBe(3_000);
});

test('a complete curve has no note', async ({ page, request }) => {
    await page.goto(`/operations/${await curve(request, 600)}`);
    await alive(page);
    await expect(chart(page)).toBeVisible();
    await expect(chart(page).locator('.chart-held')).toHaveCount(0);
    expect((await csv(page, chart(page))).rows).toBe(600);
});

test('a curve larger than one response gives a CSV that says so', async ({ page, request }) => {
    await page.goto(`/operations/${await curve(request, 30_000)}`);
    await alive(page);
    const file = await csv(page, chart(page));
    expect(file.rows).toBe(20_000);
    expect(file.name).toMatch(/-loss\.part\.csv$/);
    await expect(page.locator('.toasts')).toContainText('The CSV of Loss is incomplete. Downsampled to 20,000 points');
});
