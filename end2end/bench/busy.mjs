// Cost of the Operations page under load: 100,000 stored operations, 1,000 progress reports per second. Measures frame
// intervals, long tasks, memory over time and elements. Linux only.
//
//   scripts/bench.sh busy               [MINUTES=2] [STORED=100000] [RUNNING=100] [EVERY_MS=100]
import path from 'node:path';
import { chromium } from 'playwright-core';
import { CHROME_ARGS, firstLine, machine, need, onStage, pause, program, residentMebibytes, row } from './stage.mjs';

const minutes = Number(process.env.MINUTES ?? 2);
const stored = Number(process.env.STORED ?? 100_000);
const running = Number(process.env.RUNNING ?? 100);
const everyMs = Number(process.env.EVERY_MS ?? 100);

const before = async ({ data, run }) => {
    const filling = run(program('fill-store'), [path.join(data, 'signalbox.db'), String(stored)]);
    await firstLine(filling);
};

await onStage(async ({ url, tick }) => {
    const chrome = await chromium.launch({ executablePath: need('CHROMIUM'), args: CHROME_ARGS });
    const page = await chrome.newPage({ viewport: { width: 1440, height: 900 } });
    const session = await page.context().newCDPSession(page);
    const whole = await chrome.newBrowserCDPSession();
    const reports = Math.ceil((minutes * 60 + 300) * 1000 / everyMs);
    for (let n = 0; n < running; n += 1) await tick(everyMs, reports);
    await page.goto(`${url}/operations`);
    await page.waitForFunction(() => /Live/.test(document.querySelector('.badge')?.textContent ?? ''));

    await page.evaluate(() => {
        const seen = { frames: [], tasks: [], changes: 0 };
        window.seen = seen;
        let last = performance.now();
        const frame = (now) => {
            seen.frames.push(now - last);
            last = now;
            requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
        new PerformanceObserver((list) => {
            for (const task of list.getEntries()) seen.tasks.push(task.duration);
        }).observe({ type: 'longtask' });
        new MutationObserver((changes) => (seen.changes += changes.length)).observe(document.body, {
            subtree: true, childList: true, characterData: true, attributes: true,
        });
    });

    const renderers = async () => {
        const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
        return processInfo.filter((process) => process.type === 'renderer').map((process) => process.id);
    };
    const look = async (after) => {
        await session.send('HeapProfiler.enable');
        await session.send('HeapProfiler.collectGarbage');
        const heap = await session.send('Runtime.getHeapUsage');
        const { nodes } = await session.send('Memory.getDOMCounters');
        const elements = await page.evaluate(() => document.getElementsByTagName('*').length);
        const pids = await renderers();
        // The heap excludes WebAssembly's linear memory; the process includes both.
        const rss = Math.max(...pids.map(resident));
        return { after, heap: heap.usedSize / 2 ** 20, rss, nodes, elements };
    };

    // Excludes the page load, which `load` measures.
    await pause(5_000);
    await page.evaluate(() => Object.assign(window.seen, { frames: [], tasks: [], changes: 0 }));
    const looks = [await look(0)];
    // The garbage collection of `look` blocks the page and is excluded.
    await page.evaluate(() => Object.assign(window.seen, { frames: [], tasks: [], changes: 0 }));
    const began = Date.now();
    while (Date.now() - began < minutes * 60_000) await pause(1_000);
    const seen = await page.evaluate(() => window.seen);
    looks.push(await look((Date.now() - began) / 60_000));

    console.log(machine());
    console.log(`${stored.toLocaleString('en')} stored operations, ${running} running, a report every ${everyMs} ms each, Operations page open for ${minutes} min, Chromium without a GPU\n`);
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    console.log(row('frame interval', seen.frames));
    const over = seen.tasks.filter((task) => task > 50);
    console.log(over.length > 0 ? row('tasks over 50 ms', over) : '| tasks over 50 ms | 0 | | | |');
    console.log(`\nThe document changed ${Math.round(seen.changes / (minutes * 60)).toLocaleString('en')} times per second.\n`);
    console.log('| after | JavaScript heap | process | elements | nodes |\n|---|---|---|---|---|');
    for (const { after, heap, rss, elements, nodes } of looks) {
        console.log(`| ${after.toFixed(1)} min | ${heap.toFixed(1)} MiB | ${rss.toFixed(0)} MiB | ${elements.toLocaleString('en')} | ${nodes.toLocaleString('en')} |`);
    }
    await chrome.close();
}, before);
