// Memory of the page: after opening, after ten minutes' worth of events, and after opening and closing many operations.
//
//   scripts/bench.sh heap               [RUNNING=20] [REPORTS=120000] [VISITS=50]
//
// JavaScript heap after a garbage collection, WebAssembly's linear memory, nodes of all documents including detached
// ones, and event listeners. REPORTS is the number of reports of 20 operations with ten per second in ten minutes; they
// arrive ten times as fast.
import { chromium } from 'playwright-core';
import { curvesHost, reaches, startCurves } from './curves.mjs';
import { CHROME_ARGS, machine, need, onStage, pause } from './stage.mjs';

const running = Number(process.env.RUNNING ?? 20);
const reports = Number(process.env.REPORTS ?? 120_000);
const visits = Number(process.env.VISITS ?? 50);
/** Interval of each operation's reports. */
const EVERY_MS = 10;
/** Operations with curves that are opened and closed in turn. */
const OPENED = 10;
const SETTLE_MS = 1_500;

const isLive = () => document.querySelector('.badge')?.getAttribute('data-link') === 'live';

/** Notes the memories that the page's WebAssembly exports; runs before the page's own scripts. */
function noteMemories() {
    window.memories = new Set();
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const original = WebAssembly[name];
        WebAssembly[name] = async (...args) => {
            const made = await original.apply(WebAssembly, args);
            for (const item of Object.values((made.instance ?? made).exports)) if (item instanceof WebAssembly.Memory) window.memories.add(item);
            return made;
        };
    }
}

async function look({ page, session }, what) {
    await pause(SETTLE_MS);
    await session.send('HeapProfiler.enable');
    // Finalizers of the first collection free what the second one collects.
    for (let n = 0; n < 2; n += 1) {
        await session.send('HeapProfiler.collectGarbage');
        await pause(200);
    }
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    const wasm = await page.evaluate(() => [...window.memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
    const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    const count = (n) => n.toLocaleString('en');
    console.log(`| ${what} | ${mib(usedSize)} | ${mib(wasm)} | ${count(nodes)} | ${count(jsEventListeners)} |`);
}

const head = (title) => console.log(`\n| ${title} | JavaScript heap | WebAssembly memory | nodes | listeners |\n|---|---|---|---|---|`);

await onStage(async ({ url, api, tick }) => {
    const chrome = await chromium.launch({ executablePath: need('CHROMIUM'), args: CHROME_ARGS });
    const fresh = async (where) => {
        const page = await chrome.newPage({ viewport: { width: 1440, height: 900 } });
        await page.addInitScript(noteMemories);
        const session = await page.context().newCDPSession(page);
        await page.goto(url + where);
        await page.waitForFunction(isLive);
        return { page, session };
    };
    const done = async (ids) => {
        let sum = 0;
        for (const id of ids) sum += (await api('GET', `/api/v1/operations/${id}`)).operation.progress?.done ?? 0;
        return sum;
    };
    console.log(machine());

    // Reports of running operations, on the pages that list them.
    for (const [name, where] of [['Overview', '/'], ['Operations', '/operations']]) {
        const ids = [];
        for (let n = 0; n < running; n += 1) ids.push((await tick(EVERY_MS, 1_000_000)).id);
        const opened = await fresh(where);
        head(name);
        await look(opened, 'opened');
        for (const share of [0.5, 1]) {
            while ((await done(ids)) < reports * share) await pause(500);
            await look(opened, `after ${(reports * share).toLocaleString('en')} reports`);
        }
        await api('POST', '/api/v1/operations/cancel', { filter: 'state=running' });
        await opened.page.close();
    }

    // Operations with 20 curves, opened from the list and closed by going back.
    const opened = [];
    for (let n = 1; n <= OPENED; n += 1) opened.push(await startCurves(api, { curves: 20, fill: 400, rate: 2, steps: 100_000, seed: n }));
    for (const id of opened) await reaches(api, id, 300);
    const list = await fresh('/operations');
    const { page } = list;
    const visit = async (n) => {
        await page.locator(`a.title[href$="${opened[n % OPENED]}"]`).first().click();
        await page.locator('.u-over').first().waitFor();
        await page.goBack();
        await page.locator(`a.title[href$="${opened[(n + 1) % OPENED]}"]`).first().waitFor();
    };
    head('Operations with 20 curves');
    await look(list, 'list opened');
    let n = 0;
    for (const times of [10, visits / 2 + 5, visits]) {
        for (; n < times; n += 1) await visit(n);
        await look(list, `after ${n} operations`);
    }
    await page.close();

    // One operation that stays open.
    const one = await fresh(`/operations/${opened[0]}`);
    await one.page.locator('.u-over').first().waitFor();
    head('One operation, 20 live curves');
    await look(one, 'opened');
    for (const minutes of [1, 2]) {
        await pause(60_000);
        await look(one, `after ${minutes} min`);
    }
    await chrome.close();
}, curvesHost);
