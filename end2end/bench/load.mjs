// First visit of each page with an empty cache: bytes transferred, first contentful paint, time to interactive.
//
//   scripts/bench.sh load               [TIMES=7] [RUNNING=20]
import { chromium } from 'playwright-core';
import { CHROME_ARGS, machine, need, onStage, row } from './stage.mjs';

const times = Number(process.env.TIMES ?? 7);
const running = Number(process.env.RUNNING ?? 20);
const BUDGET_KIB = 250;

await onStage(async ({ url, tick }) => {
    let last;
    for (let n = 0; n < running; n += 1) last = await tick(1_000, 3_600);
    const chrome = await chromium.launch({ executablePath: need('CHROMIUM'), args: CHROME_ARGS });
    const visit = async (where) => {
        // Each context has its own, empty cache.
        const context = await chrome.newContext({ viewport: { width: 1440, height: 900 } });
        const page = await context.newPage();
        const session = await context.newCDPSession(page);
        await session.send('Network.enable');
        const urls = new Map();
        const kinds = new Map();
        session.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
        session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
            const path = new URL(urls.get(requestId) ?? url).pathname;
            const kind = /\.(wasm|js|css|svg)$/.exec(path)?.[1] ?? (path.startsWith('/api/') ? 'api' : 'html');
            kinds.set(kind, (kinds.get(kind) ?? 0) + encodedDataLength);
        });
        await page.goto(url + where);
        const live = await page.waitForFunction(
            () => document.querySelector('.badge')?.getAttribute('data-link') === 'live' && performance.now(),
        );
        const lives = await live.jsonValue();
        await page.waitForLoadState('load');
        const painted = await page.evaluate(
            () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
        );
        await context.close();
        return { painted, lives, kinds };
    };
    const pages = { Overview: '/', Operations: '/operations', 'One operation': `/operations/${last.id}`, New: '/new', Compare: '/compare', Hosts: '/hosts', 'One host': '/hosts/ticking', Alerts: '/alerts' };
    console.log(machine());
    console.log(`${running} running operations; empty cache; responses compressed with brotli if possible\n`);
    const travelled = [];
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    for (const [name, where] of Object.entries(pages)) {
        const visits = [];
        for (let n = 0; n < times; n += 1) visits.push(await visit(where));
        console.log(row(`${name}: first contentful paint`, visits.map((v) => v.painted)));
        console.log(row(`${name}: interactive`, visits.map((v) => v.lives)));
        travelled.push([name, visits[0].kinds]);
    }
    const columns = ['html', 'css', 'js', 'wasm', 'svg', 'api'];
    console.log(`\nKiB transferred on a first visit (budget ${BUDGET_KIB} in total):\n`);
    console.log(`| page | ${columns.join(' | ')} | total |\n|---|${columns.map(() => '---|').join('')}---|`);
    for (const [name, kinds] of travelled) {
        const kib = (bytes) => (bytes / 1024).toFixed(1);
        const all = [...kinds.values()].reduce((sum, bytes) => sum + bytes, 0);
        console.log(`| ${name} | ${columns.map((c) => kib(kinds.get(c) ?? 0)).join(' | ')} | ${kib(all)} |`);
    }
    await chrome.close();
});
