// Server with 100,000 stored operations: time until the first page is served, idle memory, and the latency of pages,
// searches and the snapshot for a client in Rust. Linux only.
//
//   scripts/bench.sh stored             [STORED=100000] [SAMPLES=2000] [MLFLOW=program] [PEER_STORED=2000]
import path from 'node:path';
import { firstLine, machine, onStage, pause, program, residentMebibytes, row, summaryRow } from './stage.mjs';
import { peer } from './stored-peer.mjs';

const stored = Number(process.env.STORED ?? 100_000);
const samples = Number(process.env.SAMPLES ?? 2_000);
const peerStored = Number(process.env.PEER_STORED ?? 2_000);
/** Fewer than of our queries, because each takes longer. */
const PEER_SAMPLES = 200;
let filled;

const before = async ({ data, run }) => {
    const filling = run(program('fill-store'), [path.join(data, 'signalbox.db'), String(stored)]);
    filled = JSON.parse(await firstLine(filling));
};

await onStage(async ({ url, run, server, firstPage, folder }) => {
    await pause(3000);
    const memory = residentMebibytes(server.pid);
    const queries = JSON.parse(await firstLine(run(program('query-server'), [url, String(samples), String(stored)])));
    console.log(machine());
    console.log(`${stored.toLocaleString('en')} stored operations, ${filled.events.toLocaleString('en')} events\n`);
    console.log(`Server start → first page served: ${Math.round(firstPage)} ms. Idle memory: ${memory.toFixed(0)} MiB.`);
    console.log(`Written to the store: ${Math.round(filled.events_per_second).toLocaleString('en')} events per second, in batches of 64 operations, each with its states, progress and result.\n`);
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    for (const { query, latencies } of queries) console.log(summaryRow(query, latencies));
    if (process.env.MLFLOW) {
        const lines = await peer({ program: process.env.MLFLOW, folder, run, row, stored: peerStored, samples: PEER_SAMPLES });
        for (const line of lines) console.log(line);
    }
}, before);
