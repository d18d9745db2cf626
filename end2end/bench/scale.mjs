// How the cost of the server grows: with running operations, with hosts, and with reports per second, until readers of
// the feed no longer get each report. Without a browser. Linux only.
//
//   scripts/bench.sh scale              [SECONDS_MEASURED=10] [SAVE=1]
//
// SAVE=1 writes the pictures docs/scale-running.svg, docs/scale-hosts.svg and docs/scale-reports.svg.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.mjs';
import { cpuSeconds, firstLine, machine, onStage, pause, program, residentMebibytes } from './stage.mjs';

const docs = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../docs');
const seconds = Number(process.env.SECONDS_MEASURED ?? 10);

/** Cost of the server while a reader follows the feed. */
async function measure({ server, run, url }) {
    await pause(3_000);
    const [cpu, began] = [cpuSeconds(server.pid), performance.now()];
    const feed = JSON.parse(await firstLine(run(program('feed-latency'), [url, String(seconds)])));
    const elapsed = (performance.now() - began) / 1_000;
    return { ...feed, cpu: (1_000 * (cpuSeconds(server.pid) - cpu)) / elapsed, memory: residentMebibytes(server.pid) };
}

const start = async ({ run, url }, operations, everyMs) =>
    firstLine(run(program('start-rate'), [url, String(operations), '8', String(everyMs)]));

const steps = async (values, one) => {
    const rows = [];
    for (const value of values) rows.push({ value, ...(await one(value)) });
    return rows;
};

const running = await steps([10, 100, 1_000, 10_000], async (operations) => {
    let result;
    await onStage(async (stage) => {
        await start(stage, operations, 1_000);
        result = await measure(stage);
    });
    return result;
});

const hosts = await steps([1, 10, 100], async (count) => {
    let result;
    const before = async ({ run }) => {
        const more = [];
        // The stage has one.
        for (let n = 1; n < count; n += 1) {
            const url = await firstLine(run(program('ticking-host'), ['127.0.0.1:0']));
            more.push(`[[host]]\nname = "host-${n}"\nurl = "${url}"\n`);
        }
        return more.join('');
    };
    await onStage(async (stage) => {
        const up = async () => (await stage.api('GET', '/api/v1/hosts')).hosts.filter(({ link }) => link === 'up').length;
        while ((await up()) < count) await pause(50);
        await start(stage, 100, 1_000);
        result = await measure(stage);
    }, before);
    return result;
});

const reports = await steps([1_000, 10_000, 20_000, 50_000, 100_000], async (rate) => {
    let result;
    await onStage(async (stage) => {
        await start(stage, 1_000, 1_000_000 / rate);
        result = await measure(stage);
    });
    return result;
});

const number = (n, digits = 0) => n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
function table(name, rows) {
    console.log(`\n| ${name} | CPU time per second | memory | reports read per second | skipped for the reader | progress call → reader, p50 and p99 |`);
    console.log('|---|---|---|---|---|---|');
    for (const { value, cpu, memory, per_second, skipped, p50, p99 } of rows) {
        const cells = [number(value), `${number(cpu)} ms`, `${number(memory)} MiB`, number(per_second), number(skipped), `${number(p50, 1)}, ${number(p99, 1)} ms`];
        console.log(`| ${cells.join(' | ')} |`);
    }
}
console.log(machine());
table('running operations, 1 report per second each', running);
table('hosts, 100 operations in total', hosts);
table('reports per second of 1,000 operations', reports);

if (process.env.SAVE) {
    const save = (name, title, x, rows) => {
        const line = (label, of) => ({ name: label, points: rows.map((row) => [row.value, Math.max(of(row), 0.1)]) });
        const lines = [line('CPU time per second', ({ cpu }) => cpu), line('latency, p50', ({ p50 }) => p50), line('latency, p99', ({ p99 }) => p99)];
        writeFileSync(path.join(docs, name), chart({ title, x, unit: 'ms', lines }));
    };
    save('scale-running.svg', 'Cost against running operations', 'running operations, one report per second each', running);
    save('scale-hosts.svg', 'Cost against hosts', 'hosts, 100 operations in total', hosts);
    save('scale-reports.svg', 'Cost against reports per second', 'reports per second of 1,000 operations', reports);
    console.log('\nWritten: docs/scale-running.svg, docs/scale-hosts.svg, docs/scale-reports.svg');
}
