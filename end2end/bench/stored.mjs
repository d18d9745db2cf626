// A server with 100,000 operations in its store: how soon it serves its first page, what it holds in memory when
// idle, how long a page of 50 of them takes. Linux only.
//
//   scripts/bench.sh stored             [STORED=100000]
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { firstLine, machine, onStage, pause, program, row } from './stage.mjs';

const stored = Number(process.env.STORED ?? 100_000);
let filled;

const before = async ({ data, run }) => {
    const filling = run(program('fill-store'), [path.join(data, 'signalbox.db'), String(stored)]);
    filled = JSON.parse(await firstLine(filling));
};

await onStage(async ({ api, server, firstPage }) => {
    await pause(3000);
    const memory = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;
    // Of the list every page there is; the first ones, which find nothing warm, are among them.
    const pagesInAll = Math.ceil(stored / 50);
    const time = async (what, where, times) => {
        const taken = [];
        let after;
        for (let n = 0; n < times; n += 1) {
            const began = performance.now();
            const page = await api('GET', where(after));
            taken.push(performance.now() - began);
            after = page.next;
        }
        return row(what, taken);
    };
    const pages = [
        await time('a page of 50, newest first, page after page', (after) => `/api/v1/operations?limit=50${after ? `&after=${after}` : ''}`, pagesInAll),
        await time('a page of 50 that failed', (after) => `/api/v1/operations?limit=50&state=failed${after ? `&after=${after}` : ''}`, pagesInAll),
        await time('a page of 50 by a text that few have', () => `/api/v1/operations?limit=50&q=${stored - 7}`, 30),
        await time('the snapshot', () => '/api/v1/snapshot', 100),
    ];
    console.log(machine());
    console.log(`${stored.toLocaleString('en')} operations stored, ${filled.events.toLocaleString('en')} events\n`);
    console.log(`Server start → first page served: ${Math.round(firstPage)} ms. Idle memory: ${memory.toFixed(0)} MiB.`);
    console.log(`The store took ${Math.round(filled.events_per_second).toLocaleString('en')} events a second in batches of 64 operations, each with its states, progress and result.\n`);
    console.log('| what | samples | p50 | p99 | most |\n|---|---|---|---|---|');
    for (const page of pages) console.log(page);
}, before);
