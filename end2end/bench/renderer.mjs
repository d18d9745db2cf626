// Cost of animation: CPU time of the browser and layouts per second while operations run and the page gets no input.
// Each page with full and, for comparison, reduced motion. Linux only.
//
//   scripts/bench.sh renderer           [RUNNING=20] [EVERY_MS=100] [SECONDS=20]
import { chromium } from 'playwright-core';
import { CHROME_ARGS, cpuSeconds, machine, need, onStage, pause } from './stage.mjs';

const running = Number(process.env.RUNNING ?? 20);
const everyMs = Number(process.env.EVERY_MS ?? 100);
const seconds = Number(process.env.SECONDS ?? 20);
/** Excluded from the measurement: loading of the page. */
const SETTLE_MS = 4_000;

async function measure(url, path, reducedMotion) {
    const chrome = await chromium.launch({ executablePath: need('CHROMIUM'), args: CHROME_ARGS });
    try {
        const page = await chrome.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion });
        const session = await page.context().newCDPSession(page);
        const whole = await chrome.newBrowserCDPSession();
        await session.send('Performance.enable');
        await page.goto(url + path);
        await page.waitForFunction(() => /Live/.test(document.querySelector('.badge')?.textContent ?? ''));
        await pause(SETTLE_MS);
        const look = async () => {
            const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
            const of = (type) => processInfo.filter((p) => p.type === type).reduce((sum, p) => sum + cpuSeconds(p.id), 0);
            const { metrics } = await session.send('Performance.getMetrics');
            const metric = (name) => metrics.find((m) => m.name === name).value;
            const layouts = metric('LayoutCount');
            return { at: performance.now(), renderer: of('renderer'), gpu: of('GPU'), layouts };
        };
        const before = await look();
        await pause(seconds * 1_000);
        const after = await look();
        const took = (after.at - before.at) / 1_000;
        const share = (name) => `${(((after[name] - before[name]) / took) * 100).toFixed(1)} %`;
        const layouts = ((after.layouts - before.layouts) / took).toFixed(1);
        return `| \`${path}\` | ${reducedMotion === 'reduce' ? 'reduced' : 'full'} | ${share('renderer')} | ${share('gpu')} | ${layouts} |`;
    } finally {
        await chrome.close();
    }
}

await onStage(async ({ url, tick }) => {
    const reports = Math.ceil((6 * (seconds + 30) * 1_000) / everyMs);
    for (let n = 0; n < running; n += 1) await tick(everyMs, reports);
    console.log(machine());
    console.log(`${running} running operations, a report every ${everyMs} ms each, ${seconds} s per row, Chromium without a GPU\n`);
    console.log('| page | motion | renderer, of one core | compositor, of one core | layouts per second |\n|---|---|---|---|---|');
    for (const path of ['/', '/operations']) {
        for (const motion of ['no-preference', 'reduce']) console.log(await measure(url, path, motion));
    }
});
