// Takes the pictures of docs/screenshots again, from a running server with MSFT_1h.csv and NVDA_1h.csv in its CSV folder:
//
//   make serve ARGS="--csv FOLDER --data $(mktemp -d)"
//   node scripts/screenshots.mjs http://127.0.0.1:7200
//
// With a folder, it takes pictures of more pages into that folder, 1,440 and 390 pixels wide, for a review:
//
//   node scripts/screenshots.mjs http://127.0.0.1:7200 FOLDER
//
// It starts operations there; use a data folder that is empty. CHROMIUM names the browser (scripts/browser.sh finds it).
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const base = process.argv[2]?.replace(/\/$/, '');
if (!base) {
    console.error('Usage: node scripts/screenshots.mjs http://127.0.0.1:7200');
    process.exit(2);
}
const review = process.argv[3];
const folder = review ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '../docs/screenshots');

async function api(method, where, body) {
    const response = await fetch(`${base}/api/v1${where}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${await response.text()}`);
    return response.json();
}

const start = async (kind, params) => (await api('POST', '/operations', { kind, params })).id;

async function ended(id) {
    for (;;) {
        const { operation, result } = await api('GET', `/operations/${id}`);
        if (['succeeded', 'failed', 'cancelled'].includes(operation.state)) return { operation, result };
        await new Promise((wait) => setTimeout(wait, 200));
    }
}

const done = async (kind, params) => {
    const id = await start(kind, params);
    return { id, ...(await ended(id)) };
};

const load = { timeframe: '1h', source: 'csv' };
const loaded = await done('data.load', { ...load, symbol: 'MSFT' });
await done('data.load', { ...load, symbol: 'NVDA' });
const failed = await done('data.load', { ...load, symbol: 'NOSUCH' });
const training = { symbols: 'MSFT', timeframe: '1h', epochs: 50, patience: 0, seed: 7 };
const trained = await done('training.run', training);
const other = await done('training.run', { ...training, learning_rate: 0.003 });
const { model } = trained.result.document;
const from = trained.result.document.test.from;
const backtest = await done('backtest.run', { symbol: 'MSFT', timeframe: '1h', strategy: 'model', model, start: from });
await done('backtest.run', { symbol: 'MSFT', timeframe: '1h', strategy: 'sma_cross', fast: 20, slow: 100 });
const sweep = await done('analysis.sweep', {
    run: 'backtest.run',
    fixed: 'symbol=MSFT; timeframe=1h; strategy=sma_cross',
    vary: 'fast=5,10,20; slow=50..200:50',
});
// Six past runs of one title make a baseline for the seventh.
const usual = { ...training, hidden: '16', epochs: 40 };
for (const seed of [1, 2, 3, 4, 5, 6]) await done('training.run', { ...usual, seed });
const compared = await done('training.run', { ...usual, seed: 11 });
const cancelled = await start('data.load', { ...load, symbol: 'MSFT', rows_per_second: 500 });
await new Promise((wait) => setTimeout(wait, 1_500));
await api('POST', `/operations/${cancelled}/cancel`, {});
await ended(cancelled);
const running = await start('training.run', { ...training, epochs: 10000, learning_rate: 0.0005 });
await start('data.load', { ...load, symbol: 'NVDA', rows_per_second: 25 });
await new Promise((wait) => setTimeout(wait, 12_000));

const pages = [
    ['overview', '/'],
    ['operations', '/operations'],
    ['new', '/new?kind=training.run'],
    ['running', `/operations/${running}`],
    ['training', `/operations/${trained.id}`],
    ['backtest', `/operations/${backtest.id}`],
    ['compare', `/compare?ids=${trained.id},${other.id}`],
    ['hosts', '/hosts'],
    ['baseline', `/operations/${compared.id}?band=train_loss`],
];
if (review) {
    pages.push(
        ['load', `/operations/${loaded.id}`],
        ['failed', `/operations/${failed.id}`],
        ['cancelled', `/operations/${cancelled}`],
        ['sweep', `/operations/${sweep.id}`],
        ['host', '/hosts/local?range=15m'],
    );
}
// The alert on several failures of a kind is taken last: it would be on the other pictures, too.
pages.push(['alerts', '/alerts']);
const [desktop, phone] = [{ width: 1440, height: 900 }, { width: 390, height: 844 }];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });

async function take(name, where, viewport, colorScheme) {
    const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce', isMobile: viewport === phone });
    // The pictures show no first visit.
    await page.addInitScript(() => {
        if (location.protocol !== 'about:') localStorage.setItem('signalbox.hints', 'overview operations operation new compare hosts alerts');
    });
    await page.goto(base + where);
    await page.locator('.badge', { hasText: 'Live' }).waitFor({ timeout: 60_000 });
    // Charts are drawn when they come into sight.
    const height = await page.evaluate(() => document.body.scrollHeight);
    for (let y = 0; y < height; y += 600) {
        await page.evaluate((to) => scrollTo(0, to), y);
        await page.waitForTimeout(100);
    }
    await page.evaluate(() => scrollTo(0, 0));
    // As high as the page, so that the sidebar is, too. On a phone, bars stay at the edges of the screen.
    if (viewport === desktop) await page.setViewportSize({ ...desktop, height: Math.max(height, desktop.height) });
    await page.waitForTimeout(1_500);
    const file = `${name}${viewport === phone ? '-phone' : ''}-${colorScheme}.png`;
    await page.screenshot({ path: path.join(folder, file), fullPage: viewport === desktop, scale: 'css' });
    await page.close();
    console.log(file);
}

for (const [name, where] of pages) {
    if (name === 'alerts') {
        for (const symbol of ['NOSUCH', 'NOWHERE', 'NOTHING']) await done('data.load', { ...load, symbol });
        while (!(await api('GET', '/alerts')).alerts.some(({ state }) => state === 'firing')) await new Promise((wait) => setTimeout(wait, 1_000));
    }
    for (const colorScheme of ['light', 'dark']) {
        await take(name, where, desktop, colorScheme);
        if (review) await take(name, where, phone, colorScheme);
    }
}
await browser.close();
await api('POST', '/operations/cancel', { filter: 'state=running' });
