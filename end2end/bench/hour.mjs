// Memory and CPU time of server and host over an hour at 1,000 events per second, while a reader follows the feed.
// Without a browser. Linux only.
//
//   scripts/bench.sh hour               [MINUTES=60] [OPERATIONS=100] [EVERY_MS=100]
import { cpuSeconds, firstLine, machine, onStage, pause, program, residentMebibytes } from './stage.mjs';

const minutes = Number(process.env.MINUTES ?? 60);
const operations = Number(process.env.OPERATIONS ?? 100);
const everyMs = Number(process.env.EVERY_MS ?? 100);
/** Memory still grows to its working size before. */
const WARM_UP_MINUTES = Math.min(10, minutes / 2);
const ROW_MINUTES = Math.max(1, Math.round(minutes / 6));

/** Slope of a line through points, by least squares. */
function slope(points) {
    const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
    const [x, y] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
    return points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0) / points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
}

await onStage(async ({ server, host, run, url, tick }) => {
    const reports = Math.min(10_000_000, Math.ceil((2 * minutes * 60_000) / everyMs));
    for (let n = 0; n < operations; n += 1) await tick(everyMs, reports);
    const reader = run(program('feed-latency'), [url, String(minutes * 60)]);
    const samples = [];
    const sample = (minute) => {
        const of = ({ pid }) => ({ memory: residentMebibytes(pid), cpu: cpuSeconds(pid) });
        samples.push({ minute, server: of(server), host: of(host) });
    };
    sample(0);
    const read = firstLine(reader);
    for (let minute = 1; minute <= minutes; minute += 1) {
        await pause(60_000);
        sample(minute);
    }
    const { per_second, skipped, p50, p99 } = JSON.parse(await read);
    console.log(machine());
    console.log(`${operations} operations, one report each every ${everyMs} ms; ${Math.round(per_second).toLocaleString('en')} reports read per second, ${skipped} skipped; progress call → reader: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`);
    console.log('| minute | memory of the server | CPU time of the server per second | memory of the host |\n|---|---|---|---|');
    for (const one of samples.filter(({ minute }) => minute > 0 && minute % ROW_MINUTES === 0)) {
        const before = samples.find(({ minute }) => minute === one.minute - ROW_MINUTES);
        const cpu = (1_000 * (one.server.cpu - before.server.cpu)) / (60 * ROW_MINUTES);
        console.log(`| ${one.minute} | ${one.server.memory.toFixed(1)} MiB | ${cpu.toFixed(0)} ms | ${one.host.memory.toFixed(1)} MiB |`);
    }
    const warm = samples.filter(({ minute }) => minute >= WARM_UP_MINUTES);
    for (const name of ['server', 'host']) {
        const perHour = 60 * slope(warm.map((one) => [one.minute, one[name].memory]));
        console.log(`\nMemory of the ${name} after ${WARM_UP_MINUTES} minutes: ${perHour.toFixed(2)} MiB more per hour.`);
    }
});
