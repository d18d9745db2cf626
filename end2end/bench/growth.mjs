// How queries of the store grow with the number of stored operations: pages, searches, counts, and the write rate. Runs
// without a server. Compares with the last committed run, and prints what moved by more than 15 %.
//
//   scripts/bench.sh growth             [SIZES=1000,10000,100000,1000000] [SAMPLES=2000] [SAVE=1]
//
// SAVE=1 writes the figures to bench/growth.json, and the picture docs/growth.svg.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { moved, picture } from './growth-report.mjs';
import { machine, program } from './stage.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const RECORD = path.join(root, 'bench/growth.json');
const PICTURE = path.join(root, 'docs/growth.svg');
const sizes = (process.env.SIZES ?? '1000,10000,100000,1000000').split(',').map(Number);
const samples = process.env.SAMPLES ?? '2000';

const json = (name, ...args) => JSON.parse(execFileSync(program(name), args, { encoding: 'utf8' }));

function measure(operations) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'signalbox-growth-'));
    try {
        const database = path.join(folder, 'signalbox.db');
        const filled = json('fill-store', database, String(operations));
        const { queries } = json('query-store', database, samples);
        const bytes = statSync(database).size / operations;
        return { operations, written: filled.operations_per_second, bytes, queries };
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

const runs = sizes.map(measure);
const number = (n) => n.toLocaleString('en', { maximumFractionDigits: 0 });
const cells = (list) => `| ${list.join(' | ')} |`;
console.log(machine());
console.log(`${Number(samples).toLocaleString('en')} samples each; p50 and p99 in ms.\n`);
console.log(cells(['query', ...runs.map((run) => `${number(run.operations)} stored`)]));
console.log(cells(['---', ...runs.map(() => '---')]));
runs[0].queries.forEach(({ query }, n) => {
    console.log(cells([query, ...runs.map(({ queries }) => `${queries[n].p50.toFixed(2)}, ${queries[n].p99.toFixed(2)}`)]));
});
console.log(cells(['operations written per second', ...runs.map((run) => number(run.written))]));
console.log(cells(['bytes per operation in the database', ...runs.map((run) => number(run.bytes))]));

if (existsSync(RECORD)) {
    const recorded = JSON.parse(readFileSync(RECORD, 'utf8'));
    const lines = moved(recorded.runs, runs);
    console.log(`\nCompared with ${recorded.date} on ${recorded.machine}:`);
    console.log(lines.length > 0 ? lines.join('\n') : 'Nothing moved by more than 15 %.');
}
if (process.env.SAVE) {
    const record = { date: new Date().toISOString().slice(0, 10), machine: machine(), samples: Number(samples), runs };
    writeFileSync(RECORD, `${JSON.stringify(record, null, 1)}\n`);
    writeFileSync(PICTURE, picture(runs));
    console.log('\nWritten: bench/growth.json, docs/growth.svg');
}
