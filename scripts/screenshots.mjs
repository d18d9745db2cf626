// Takes the pictures of docs/screenshots again, from a running server with MSFT_1h.csv and NVDA_1h.csv in its CSV folder:
//
//   make serve ARGS="--csv FOLDER --data $(mktemp -d)"
//   node scripts/screenshots.mjs http://127.0.0.1:7200
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
const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../docs/screenshots');

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
await done('data.load', { ...load, symbol: 'MSFT' });
await done('data.load', { ...load, symbol: 'NVDA' });
await done('data.load', { ...load, symbol: 'NOSUCH' });
const training = { symbols: 'MSFT', timeframe: '1h', epochs: 50, patience: 0, seed: 7 };
const trained = await done('training.run', training);
const other = await done('training.run', { ...training, learning_rate: 0.003 });
const { model } = trained.result.document;
const from = trained.result.document.test.from;
const backtest = await done('backtest.run', { symbol: 'MSFT', timeframe: '1h', strategy: 'model', model, start: from });
await done('backtest.run', { symbol: 'MSFT', timeframe: '1h', strategy: 'sma_cross', fast: 20, slow: 100 });
await done('analysis.sweep', {
    run: 'backtest.run',
    fixed: 'symbol=MSFT; timeframe=1h; strategy=sma_cross',
    vary: 'fast=5,10,20; slow=50..200:50',
    rank_by: 'sharpe',
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
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM });
for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme, reducedMotion: 'reduce' });
    // The pictures show no first visit.
    await page.addInitScript(() => {
        if (location.protocol !== 'about:') localStorage.setItem('signalbox.hints', 'overview operations operation new compare hosts alerts');
    });
    for (const [name, where] of pages) {
        await page.goto(base + where);
        await page.locator('.badge', { hasText: 'Live' }).waitFor({ timeout: 60_000 });
        // Charts are drawn when they come into sight.
        const height = await page.evaluate(() => document.body.scrollHeight);
        for (let y = 0; y < height; y += 600) await page.evaluate((to) => scrollTo(0, to), y);
        await page.evaluate(() => scrollTo(0, 0));
        await page.waitForTimeout(1_500);
        await page.screenshot({ path: path.join(folder, `${name}-${colorScheme}.png`), fullPage: true, scale: 'css' });
        console.log(`${name}-${colorScheme}.png`);
    }
    await page.close();
}
await browser.close();
await api('POST', '/operations/cancel', { filter: 'state=running' });
