// How many reports per second a server carries: a simulation with the measured costs of bench/costs.json.
//
//   node end2end/bench/capacity.mjs     [LIMIT_MS=100]
//
// LIMIT_MS is the limit for p99 of the times from a report to its last delivery.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capacity, simulate } from './capacity-model.mjs';

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bench/costs.json');
const measured = JSON.parse(readFileSync(file, 'utf8'));
const costs = { report: measured.report_cpu_us / 1e6, delivery: measured.delivery_cpu_us / 1e6 };
const limit = Number(process.env.LIMIT_MS ?? 100) / 1_000;

const number = (n, digits = 0) => n.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const cells = (list) => `| ${list.join(' | ')} |`;

console.log(`Costs of ${measured.date}, ${measured.machine}: ${measured.report_cpu_us} µs per report, ${measured.delivery_cpu_us} µs per delivery.\n`);
console.log(cells(['readers', '1 core', '2 cores', '4 cores', 'p99 on 2 cores', 'CPU time used on 2 cores']));
console.log(cells(['---', '---', '---', '---', '---', '---']));
for (const readers of [1, 10, 100, 1_000]) {
    const load = { readers, costs, limit };
    const most = [1, 2, 4].map((cores) => capacity({ ...load, cores }));
    const { p99, used } = simulate({ ...load, reports: most[1], cores: 2 });
    console.log(cells([number(readers), ...most.map((one) => number(one)), `${number(1_000 * p99, 1)} ms`, `${number(100 * used)} %`]));
}
const mebibytes = (running) => measured.base_mib + (running * measured.running_kib) / 1_024;
console.log(`\nMemory with 1,000, 10,000 and 50,000 running operations: ${[1_000, 10_000, 50_000].map((n) => number(mebibytes(n))).join(', ')} MiB.`);
