// How the cost of one operation grows with the length of its curve and of its log: requests of its page, memory of the
// server, size on disk. Without a browser. Linux only.
//
//   scripts/bench.sh long-runs          [LENGTHS=1000,10000,100000,1000000,10000000] [SAMPLES=100] [SAVE=1]
//
// SAVE=1 writes the pictures docs/scale-points.svg and docs/scale-lines.svg.
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.mjs';
import { firstLine, machine, onStage, peakMebibytes, program } from './stage.mjs';

const docs = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../docs');
const lengths = (process.env.LENGTHS ?? '1000,10000,100000,1000000,10000000').split(',').map(Number);
const samples = process.env.SAMPLES ?? '100';

/** Requests of an operation with so many points or lines. */
async function measure(points, lines) {
    let filled, result;
    const before = async ({ data, run }) => {
        const database = path.join(data, 'signalbox.db');
        filled = JSON.parse(await firstLine(run(program('fill-run'), [database, String(points), String(lines)])));
        // With the write-ahead log, which has the newest rows.
        filled.bytes = readdirSync(data).reduce((sum, name) => sum + statSync(path.join(data, name)).size, 0);
    };
    await onStage(async ({ server, run, url }) => {
        const query = [url, samples, filled.id, String(points), String(lines)];
        result = { ...filled, queries: JSON.parse(await firstLine(run(program('query-run'), query))), memory: peakMebibytes(server.pid) };
    }, before);
    return result;
}

const number = (n, digits = 0) => n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const cells = (list) => `| ${list.join(' | ')} |`;

/** Table of runs whose lengths differ. */
function table(what, runs, perSecond) {
    console.log(`\n${cells([`p50 and p99 in ms, ${samples} samples`, ...runs.map((run) => `${number(run.length)} ${what}`)])}`);
    console.log(cells(['---', ...runs.map(() => '---')]));
    runs[0].queries.forEach(({ query }, n) => {
        const of = ({ queries }) => `${number(queries[n].latencies.p50, 1)}, ${number(queries[n].latencies.p99, 1)}`;
        console.log(cells([query, ...runs.map(of)]));
    });
    console.log(cells(['peak memory of the server', ...runs.map(({ memory }) => `${number(memory)} MiB`)]));
    console.log(cells([`bytes on disk for each of the ${what}`, ...runs.map((run) => number(run.bytes / run.length))]));
    console.log(cells([`${what} stored per second`, ...runs.map((run) => number(run[perSecond]))]));
}

const [points, lines] = [[], []];
for (const length of lengths) points.push({ length, ...(await measure(length, 0)) });
for (const length of lengths) lines.push({ length, ...(await measure(0, length)) });
console.log(machine());
table('points', points, 'points_per_second');
table('lines', lines, 'lines_per_second');

if (process.env.SAVE) {
    const save = (name, title, x, runs) => {
        const of = ({ query }, n) => ({ name: query, points: runs.map((run) => [run.length, Math.max(run.queries[n].latencies.p50, 0.1)]) });
        writeFileSync(path.join(docs, name), chart({ title, x, unit: 'ms', lines: runs[0].queries.map(of) }));
    };
    save('scale-points.svg', 'Latency against the length of a curve', 'points of a curve', points);
    save('scale-lines.svg', 'Latency against the length of a log', 'lines of a log', lines);
    console.log('\nWritten: docs/scale-points.svg, docs/scale-lines.svg');
}
