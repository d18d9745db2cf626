// The main pages as pictures, held against those in end2end/visual: a change of their look that nobody meant fails
// here. What differs from run to run is made alike first: every number becomes 8, and what is drawn from moments is
// hidden. Pictures differ by fonts and by the browser's version, too; where those are not the ones that the kept
// pictures were drawn with, these tests are skipped and say so.
//
//   scripts/visual.sh       draws the kept pictures again, after a change that was meant
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { APIRequestContext, Page } from '@playwright/test';
import { type Shown, open, until } from './pages';
import { expect, start, SYMBOL, test } from './signalbox';

const folder = path.join(__dirname, 'visual');
const drawnWith = path.join(folder, 'drawn-with.json');

/** What the kept pictures depend on beside the page: the browser, and how wide its fonts draw a line. */
async function hand(page: Page): Promise<{ chromium: string; widths: number[] }> {
    const chromium = page.context().browser()?.version().split('.')[0] ?? '';
    const widths = await page.evaluate(() => {
        const pen = document.createElement('canvas').getContext('2d')!;
        const style = getComputedStyle(document.body);
        const mono = getComputedStyle(document.documentElement).getPropertyValue('--mono');
        return [style.fontFamily, mono || 'monospace'].map((family) => {
            pen.font = `16px ${family}`;
            return Math.round(pen.measureText('The quick brown fox: 0123456789').width * 10) / 10;
        });
    });
    return { chromium, widths };
}

/** Makes alike what differs from run to run, now and whenever the page writes it again. */
async function alike(page: Page): Promise<void> {
    // The content security policy allows no style elements.
    await page.evaluate((css) => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(css);
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    }, readFileSync(path.join(folder, 'alike.css'), 'utf8'));
    await page.evaluate(() => {
        const time = /\d[\d\u202f.,:]*\s?(µs|ms|s|m|h|d)\b(\s\d+\s?(ms|s|m|h)\b)*/g;
        // The test's own folder lies where the system keeps its temporary ones, which is another place on another machine.
        const folder = /\/\S*\/signalbox-\w{6}\b/g;
        // Ids, checksums and names that bear them; of a shortened id the end may be letters alone.
        const ends = /…[\da-f]{4}\b/g;
        const hex = /\b(?=[a-f]*\d)[\da-f]{3,}\b/g;
        const number = /\d[\d\u202f.,:]*/g;
        const eight = (text: string) =>
            text
                .replace(folder, '/tmp/signalbox-8')
                .replace(/\b(just )?now\b/g, '8 s ago')
                .replace(time, '8 s')
                .replace(ends, '…8')
                .replace(hex, '8')
                .replace(number, '8')
                .replace(/8 [KMG]iB/g, '8 B');
        const mend = (node: Node) => {
            const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
            for (let text: Node | null = node; text; text = walker.nextNode()) {
                if (text.nodeType !== Node.TEXT_NODE || text.parentElement?.closest('option, textarea')) continue;
                const wanted = eight(text.nodeValue ?? '');
                if (wanted !== text.nodeValue) text.nodeValue = wanted;
            }
        };
        mend(document.body);
        // A short run may have read nothing, or something; a new host has no figures before its first minute has ended.
        for (const figure of document.querySelectorAll('[aria-labelledby="facts-cost"] dd, .host-trend dd')) {
            figure.textContent = '8';
            figure.removeAttribute('data-unknown');
        }
        for (const ident of document.querySelectorAll('.ident code')) ident.textContent = '8';
        for (const figure of document.querySelectorAll('figure.chart')) {
            const paced = /per second/.test(figure.querySelector('.chart-title')?.textContent ?? '');
            figure.classList.toggle('varies', paced);
        }
        new MutationObserver((changes) => {
            for (const change of changes) {
                if (change.type === 'characterData') mend(change.target);
                for (const node of change.addedNodes) mend(node);
            }
        }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
}

async function ends(request: APIRequestContext, kind: string, params: object, state: string): Promise<string> {
    const id = await start(request, kind, params);
    await until(request, id, state);
    return id;
}

/** One after the other, so that they always stand in the same order. */
async function pages(request: APIRequestContext): Promise<Shown[]> {
    const load = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };
    const loaded = await ends(request, 'data.load', load, 'succeeded');
    await ends(request, 'data.load', { ...load, symbol: 'NOSUCH' }, 'failed');
    const training = { symbols: SYMBOL, timeframe: '1h', epochs: 12, patience: 0, seed: 7 };
    const trained = await ends(request, 'training.run', training, 'succeeded');
    const other = await ends(request, 'training.run', { ...training, learning_rate: 0.002 }, 'succeeded');
    return [
        { name: 'overview', path: '/' },
        { name: 'operations', path: '/operations' },
        { name: 'new', path: '/new?kind=training.run' },
        { name: 'load', path: `/operations/${loaded}` },
        { name: 'training', path: `/operations/${trained}` },
        { name: 'compare', path: `/compare?ids=${trained},${other}` },
        { name: 'hosts', path: '/hosts' },
    ];
}

for (const colorScheme of ['light', 'dark'] as const) {
    test(`the main pages look unchanged, ${colorScheme}`, async ({ page, request }, info) => {
        test.skip(info.project.name === 'phone' && colorScheme === 'dark', 'the dark colours are those of the desktop');
        test.setTimeout(120_000);
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.goto('/hosts');
        const here = await hand(page);
        if (info.config.updateSnapshots === 'all') {
            mkdirSync(folder, { recursive: true });
            writeFileSync(drawnWith, `${JSON.stringify(here)}\n`);
        }
        const kept = existsSync(drawnWith) ? readFileSync(drawnWith, 'utf8').trim() : 'nothing';
        test.skip(
            kept !== JSON.stringify(here),
            `The pictures were drawn with ${kept}, and this is ${JSON.stringify(here)}.`,
        );
        for (const shown of await pages(request)) {
            await test.step(shown.name, async () => {
                await open(page, shown);
                await alike(page);
                await expect.soft(page).toHaveScreenshot(`${shown.name}-${info.project.name}-${colorScheme}.png`, {
                    fullPage: true,
                    scale: 'css',
                    maxDiffPixels: 150,
                    timeout: 20_000,
                });
            });
        }
    });
}
