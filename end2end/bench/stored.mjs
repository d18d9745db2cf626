// Server with 100,000 stored operations: time until the first page is served, idle memory, and the time for a page of
// 50 operations. Linux only.
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
    // All pages of the list, including the first ones, for which no cache is warm.
    const pagesInAll = Math.ceil(stored / 50);
    const time = async (what, where, times) => {
        const taken = [];
        let after;
        for (let n = 0; n < times; n += 1) {
            const began = performance.now();
            const page = await api('GET', where(after, n));
            taken.push(performance.now() - began);
            after = page.next;
        }
        return row(what, taken);
    };
    const pages = [
        await time('page of 50, newest first, page after page', (after) => `/api/v1/operations?limit=50${after ? `&after=${after}` : ''}`, pagesInAll),
        await time('page of 50 failed operations', (after) => `/api/v1/operations?limit=50&state=failed${after ? `&after=${after}` : ''}`, pagesInAll),
        await time('page of 50 by a rare text', (after, n) => `/api/v1/operations?limit=50&q=${String((n * 7919) % stored).padStart(5, '0')}`, 2000),
        await time('page of 50 by a rare and a common text', (after, n) => `/api/v1/operations?limit=50&q=bench+${String((n * 7919) % stored).padStart(5, '0')}`, 2000),
        await time('page of 50 by a parameter, one of 1,000 values', (after, n) => `/api/v1/operations?limit=50&param.every_ms=${n % 1000}`, 2000),
        await time('snapshot', () => '/api/v1/snapshot', 100),
    ];
    console.log(machine());
    console.log(`${stored.toLocaleString('en')} stored operations, ${filled.events.toLocaleString('en')} events\n`);
    console.log(`Server start → first page served: ${Math.round(firstPage)} ms. Idle memory: ${memory.toFixed(0)} MiB.`);
    console.log(`Written to the store: ${Math.round(filled.events_per_second).toLocaleString('en')} events per second, in batches of 64 operations, each with its states, progress and result.\n`);
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    for (const page of pages) console.log(page);
}, before);
