// Latency of progress call to reader of the feed, without a browser: 100 and 1,000 operations with ten reports per
// second each. Also measures start to running, and cancel to released, on an idle server and with 1,000 operations; and
// the rate of starts.
//
//   scripts/bench.sh stream             [SECONDS_MEASURED=15] [OPERATIONS=2000]
import { firstLine, machine, onStage, pause, program, row, summaryRow } from './stage.mjs';

const seconds = Number(process.env.SECONDS_MEASURED ?? 15);
const operations = Number(process.env.OPERATIONS ?? 2_000);
const micros = (text) => Date.parse(text.slice(0, 19) + 'Z') * 1000 + Number(text.slice(20, 26));
const span = (from, to) => (micros(to) - micros(from)) / 1000;

await onStage(async ({ url, api, tick, run }) => {
    const until = async (id, state) => {
        for (;;) {
            const { operation } = await api('GET', `/api/v1/operations/${id}`);
            if (operation.state === state) return operation;
            await pause(1);
        }
    };
    const noneActive = async () => {
        while ((await api('GET', '/api/v1/operations?state=queued,starting,running,cancelling&limit=1')).operations.length > 0) await pause(20);
    };
    const startAndCancel = async () => JSON.parse(await firstLine(run(program('start-cancel'), [url, String(operations)])));
    const idle = await startAndCancel();

    const starts = JSON.parse(await firstLine(run(program('start-rate'), [url, '4000', '8'])));
    await api('POST', '/api/v1/operations/cancel', { filter: '' });
    await noneActive();

    const started = [];
    for (let n = 0; n < 1000; n += 1) started.push((await tick(100, 1_000_000)).id);
    for (const id of started) await until(id, 'running');

    const busy = await startAndCancel();
    const measure = async () => JSON.parse(await firstLine(run(program('feed-latency'), [url, String(seconds)])));
    const thousand = await measure();
    await api('POST', '/api/v1/operations/cancel', { ids: started.slice(100) });
    for (const id of started.slice(100)) await until(id, 'cancelled');
    const hundred = await measure();
    const all = performance.now();
    await api('POST', '/api/v1/operations/cancel', { filter: '' });
    const ended = [];
    for (const id of started.slice(0, 100)) ended.push(await until(id, 'cancelled'));
    const cancelAll = performance.now() - all;

    console.log(machine());
    console.log('\n| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    console.log(summaryRow('idle server: start accepted → running', idle.started));
    console.log(summaryRow('idle server: cancel requested → released', idle.released));
    console.log(summaryRow('1,000 operations × 10/s: start accepted → running', busy.started));
    console.log(summaryRow('1,000 operations × 10/s: cancel requested → released', busy.released));
    console.log(summaryRow('start request → response, eight in parallel', starts.latencies));
    console.log(summaryRow("progress call → reader of the feed, 100 operations × 10/s", hundred));
    console.log(summaryRow("progress call → reader of the feed, 1,000 operations × 10/s", thousand));
    console.log(row('100 running, all cancelled by one request: requested → released', ended.map((o) => span(o.receipt.requested, o.receipt.released))));
    const perSecond = (n) => Math.round(n).toLocaleString('en');
    console.log(`\n${perSecond(starts.accepted_per_second)} starts accepted and ${perSecond(starts.running_per_second)} running per second (${starts.operations.toLocaleString('en')}, eight in parallel).`);
    console.log(`All 100 operations were cancelled within ${Math.round(cancelAll)} ms of the request.`);
    console.log(`Reports dropped for a slow reader: ${hundred.skipped} of 100 × 10/s, ${thousand.skipped} of 1,000 × 10/s.`);
});
