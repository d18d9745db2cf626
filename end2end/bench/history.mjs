// Metrics history of 100 simulated hosts over 90 days, while the server collects their samples: size of the database, and
// the time of the requests of the pages of hosts. Linux only.
//
//   scripts/bench.sh history             [HOSTS=100] [DAYS=90]
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { cpuSeconds, firstLine, machine, onStage, pause, program, row } from './stage.mjs';

const hosts = Number(process.env.HOSTS ?? 100);
const days = Number(process.env.DAYS ?? 90);
const DAY_SECONDS = 86_400;
/** Metrics, buckets and columns that the page of a host requests. */
const METRICS = [
    'cpu.busy_ratio', 'cpu.iowait_ratio', 'cpu.steal_ratio', 'cpu.system_ratio', 'cpu.user_ratio', 'disk.*.busy_ratio',
    'disk.*.read_bytes_per_second', 'disk.*.written_bytes_per_second', 'host.event_loop_delay_seconds', 'host.free_slots', 'host.running',
    'limit.cpu_cores', 'limit.memory_bytes', 'limit.memory_used_bytes', 'memory.total_bytes', 'memory.used_bytes',
    'network.*.received_bytes_per_second', 'network.*.sent_bytes_per_second', 'pressure.cpu.some_ratio', 'pressure.io.full_ratio',
    'pressure.io.some_ratio', 'pressure.memory.full_ratio', 'pressure.memory.some_ratio', 'process.cpu_cores',
    'requests.*.failures_per_second', 'requests.failures_per_second', 'requests.latency_max_seconds', 'requests.latency_p50_seconds',
    'requests.latency_p95_seconds', 'requests.latency_p99_seconds', 'requests.per_second', 'served.cancellations_per_second',
    'served.failures_per_second', 'served.latency_max_seconds', 'served.latency_p50_seconds', 'served.latency_p95_seconds',
    'served.latency_p99_seconds', 'served.per_second', 'served.refusals_per_second', 'swap.used_bytes',
].join(',');
const BUCKETS = 600;
const HEAT_COLUMNS = 180;
/** Time in which all hosts are connected and their samples collected for a while. */
const SETTLE_MS = 20_000;

let filled;
let database;

const before = async ({ data, run }) => {
    database = path.join(data, 'history.db');
    const filling = run(program('simulated-hosts'), [database, String(hosts), String(days)], 'pipe');
    filled = JSON.parse(await firstLine(filling));
    // It keeps serving the hosts.
    filling.stdout.resume();
    return filled.hosts.map(({ name, url }) => `[[host]]\nname = "${name}"\nurl = "${url}"\n`).join('');
};

await onStage(async ({ api, server }) => {
    await pause(SETTLE_MS);
    const time = async (what, where, names) => {
        const taken = [];
        for (const name of names) {
            const began = performance.now();
            await api('GET', where(name));
            taken.push(performance.now() - began);
        }
        return row(what, taken);
    };
    const names = filled.hosts.map((host) => host.name);
    const since = (seconds) => `from=${new Date(Date.now() - seconds * 1000).toISOString()}`;
    const history = (seconds) => (name) => `/api/v1/hosts/${name}/history?${since(seconds)}&width=${BUCKETS}&metrics=${METRICS}`;
    const rows = [
        await time('charts of a host, 90 days', history(90 * DAY_SECONDS), names),
        await time('charts of a host, 7 days', history(7 * DAY_SECONDS), names),
        await time('charts of a host, 24 hours', history(DAY_SECONDS), names),
        await time('charts of a host, 1 hour', history(3_600), names),
        await time('heat map of a host, 90 days', (name) => `/api/v1/hosts/${name}/latency?${since(90 * DAY_SECONDS)}&width=${HEAT_COLUMNS}`, names),
        await time('trends of all hosts, last hour', () => '/api/v1/hosts/trends', names.slice(0, 20)),
    ];
    const [used, began] = [cpuSeconds(server.pid), performance.now()];
    await pause(SETTLE_MS);
    const cores = (cpuSeconds(server.pid) - used) / ((performance.now() - began) / 1000);
    const wal = `${database}-wal`;
    const bytes = statSync(database).size + (existsSync(wal) ? statSync(wal).size : 0);
    console.log(machine());
    console.log(`${hosts} hosts, ${days} days: ${(bytes / 2 ** 20 / hosts).toFixed(1)} MiB per host, filled in ${filled.fill_seconds.toFixed(1)} s.`);
    console.log(`The server used ${(cores * 100).toFixed(1)} % of a core for connections to all hosts and their samples.\n`);
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    for (const line of rows) console.log(line);
}, before);
