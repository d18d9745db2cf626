// Cost of charts per frame: 20 curves with 100,000 points in total, while points arrive, and while a user points at a
// chart, zooms and pans. CPU time of the page's main thread in script, layout and paint per frame, from a trace.
//
//   scripts/bench.sh frames             [CURVES=20] [POINTS=100000] [RATE=10] [SECONDS=10] [ONLY=compare] [PROFILE=1]
//
// The points are reported by real operations, and the page is open from their first point on, so that it holds all.
// ONLY=operation or ONLY=compare measures one of the pages. PROFILE=1 also prints the functions that take most of the time.
import { chromium } from 'playwright-core';
import { curvesHost, reaches, startCurves } from './curves.mjs';
import { CHROME_ARGS, machine, need, onStage, pause } from './stage.mjs';
import { framesWhile, profileWhile } from './trace.mjs';

const curves = Number(process.env.CURVES ?? 20);
const points = Number(process.env.POINTS ?? 100_000);
const rate = Number(process.env.RATE ?? 10);
const seconds = Number(process.env.SECONDS ?? 10);
const only = process.env.ONLY?.split(',');
const steps = Math.ceil(points / curves);
/** More steps than are reported while the benchmark runs. */
const MAX_STEPS = 100_000;
const BUDGET_MS = 8;
const MOVE_MS = 16;

const during = async (act) => {
    const end = Date.now() + seconds * 1_000;
    for (let n = 0; Date.now() < end; n += 1) await act(n);
};

/** What a user does at a chart; each repeats for the time of a measurement. */
function gestures(page, { x, y, width, height }) {
    const middle = y + height / 2;
    const at = (share) => x + share * width;
    /** From 0 to 1 and back, in 120 steps. */
    const swing = (n) => Math.abs(1 - ((n / 60) % 2));
    const step = async (act) => {
        await act();
        await pause(MOVE_MS);
    };
    return {
        live: () => pause(seconds * 1_000),
        pointing: () => during((n) => step(() => page.mouse.move(at(0.05 + 0.9 * swing(n)), middle + 40 * swing(3 * n)))),
        zooming: async () => {
            await page.mouse.move(at(0.5), middle);
            await page.keyboard.down('Control');
            await during((n) => step(() => page.mouse.wheel(0, n % 60 < 30 ? -30 : 30)));
            await page.keyboard.up('Control');
        },
        panning: async () => {
            await page.mouse.move(at(0.5), middle);
            await page.keyboard.down('Control');
            for (let n = 0; n < 12; n += 1) await page.mouse.wheel(0, -60);
            await page.keyboard.up('Control');
            await during((n) => step(() => page.mouse.wheel(n % 80 < 40 ? 40 : -40, 0)));
        },
    };
}

function quantiles(values) {
    const sorted = [...values].sort((a, b) => a - b);
    return [0.5, 0.95, 0.99].map((q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
}

const three = (values) => quantiles(values).map((ms) => ms.toFixed(1)).join(', ');

function print(scene, act, frames) {
    if (frames.length === 0) return console.log(`| ${scene} | ${act} | 0 | | | |`);
    const code = frames.map((frame) => frame.script + frame.layout);
    const whole = frames.map((frame) => frame.all);
    const met = quantiles(code)[1] <= BUDGET_MS ? 'met' : '**missed**';
    console.log(`| ${scene} | ${act} | ${frames.length} | ${three(code)} | ${three(whole)} | ${met} |`);
}

const profiles = [];

async function measure(chrome, page, scene, acts) {
    const charts = page.locator('.u-over');
    await charts.first().waitFor();
    await charts.first().scrollIntoViewIfNeeded();
    await pause(1_000);
    const todo = gestures(page, await charts.first().boundingBox());
    for (const act of acts) {
        print(scene, act, await framesWhile(chrome, page, todo[act]));
        if (process.env.PROFILE) {
            const session = await page.context().newCDPSession(page);
            profiles.push([`${scene}: ${act}`, await profileWhile(session, todo[act])]);
            await session.detach();
        }
        await page.mouse.move(5, 5);
    }
}

/** Opens a page and scrolls through it, so that all of its charts are drawn. */
async function open(page, url) {
    await page.goto(url);
    await page.waitForFunction(() => document.querySelector('.badge')?.getAttribute('data-link') === 'live');
}

async function scrollThrough(page) {
    const height = await page.evaluate(() => document.body.scrollHeight);
    for (let y = 0; y < height; y += 500) {
        await page.evaluate((to) => scrollTo(0, to), y);
        await pause(150);
    }
    await page.evaluate(() => scrollTo(0, 0));
}

const ALL = ['live', 'pointing', 'zooming', 'panning'];
const isWanted = (scene) => !only || only.includes(scene);

await onStage(async ({ url, api }) => {
    const chrome = await chromium.launch({ executablePath: need('CHROMIUM'), args: CHROME_ARGS });
    const page = await chrome.newPage({ viewport: { width: 1440, height: 900 } });
    console.log(machine());
    console.log(`${curves} curves, ${points.toLocaleString('en')} points, ${seconds} s per row, Chromium without a GPU\n`);
    console.log('CPU time of the main thread per frame, in ms: p50, p95, p99\n');
    console.log('| page | | frames | script and layout | and paint | p95 of script and layout ≤ 8 ms |\n|---|---|---|---|---|---|');

    if (isWanted('operation')) {
        const id = await startCurves(api, { curves, fill: steps, rate, steps: MAX_STEPS });
        await open(page, `${url}/operations/${id}`);
        await reaches(api, id, 100);
        await scrollThrough(page);
        await reaches(api, id, steps);
        await measure(chrome, page, `One operation, ${rate} reports/s`, ALL);
        await open(page, `${url}/operations/${id}`);
        await scrollThrough(page);
        await measure(chrome, page, 'One operation, opened later', ALL);
        await api('POST', '/api/v1/operations/cancel', { filter: 'state=running' });
    }
    if (isWanted('compare')) {
        // Each compared run reports once a second.
        const run = (seed) => startCurves(api, { curves: 1, fill: steps, rate: 1, steps: MAX_STEPS, seed });
        const ids = [];
        for (let n = 1; n <= curves; n += 1) ids.push(await run(n));
        await open(page, `${url}/compare?ids=${ids.join(',')}`);
        for (const id of ids) await reaches(api, id, steps);
        await measure(chrome, page, 'Compare, 20 runs', ALL);
    }
    for (const [what, { busy, functions }] of profiles) {
        console.log(`\n${what}: ${(busy / seconds / 10).toFixed(0)} % of a core in script and the page's own code\n`);
        for (const [name, ms] of functions.slice(0, 18)) console.log(`  ${((ms / busy) * 100).toFixed(1).padStart(5)} %  ${name}`);
    }
    await chrome.close();
}, curvesHost);
