// Latency of progress call to changed page, start to running, and cancel to released: 100 operations with ten reports
// per second each, real server, real Chromium. Prints a table.
//
//   scripts/bench.sh latency            [OPERATIONS=100] [EVERY_MS=100] [SECONDS_MEASURED=20] [SAMPLES=2000]
import { chromium } from 'playwright-core';
import { CHROME_ARGS, firstLine, machine, need, onStage, pause, program, row, summaryRow } from './stage.mjs';

const operations = Number(process.env.OPERATIONS ?? 100);
const everyMs = Number(process.env.EVERY_MS ?? 100);
const seconds = Number(process.env.SECONDS_MEASURED ?? 20);
const samples = Number(process.env.SAMPLES ?? 2_000);

await onStage(async ({ url, api, tick, run }) => {
    const chrome = await chromium.launch({ executablePath: need('CHROMIUM'), args: CHROME_ARGS });
    const page = await chrome.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${url}/operations`);
    await page.waitForFunction(() => /Live/.test(document.querySelector('.badge')?.textContent ?? ''));

    const reports = Math.ceil(((seconds + 60) * 1000) / everyMs);
    const begun = [];
    for (let n = 0; n < operations; n += 1) begun.push(await tick(everyMs, reports));
    // A long list has only the rows near the viewport in the document; wait until each shows progress.
    await page.waitForFunction(() => {
        const rows = [...document.querySelectorAll('tr.row')];
        return rows.length > 20 && rows.every((row) => row.textContent.includes('called@'));
    });

    // Each report holds the time of the host's call; the page counts as changed after the next frame.
    const latencies = await page.evaluate(async (ms) => {
        const seen = [];
        let waiting = [];
        const now = () => performance.timeOrigin + performance.now();
        const called = /called@(\d+)/;
        const last = new Map();
        const observer = new MutationObserver((changes) => {
            for (const change of changes) {
                const element = change.target.nodeType === 3 ? change.target.parentElement : change.target;
                const found = called.exec(element?.textContent ?? '');
                if (!found || last.get(element) === found[1]) continue;
                last.set(element, found[1]);
                waiting.push(Number(found[1]) / 1000);
            }
            if (waiting.length === 0) return;
            const these = waiting;
            waiting = [];
            requestAnimationFrame(() => {
                const channel = new MessageChannel();
                // Runs after the frame's style, layout and paint.
                channel.port1.onmessage = () => { const at = now(); for (const call of these) seen.push(at - call); };
                channel.port2.postMessage(0);
            });
        });
        observer.observe(document.body, { subtree: true, characterData: true, childList: true });
        await new Promise((done) => setTimeout(done, ms));
        observer.disconnect();
        return seen;
    }, seconds * 1000);

    // The page shows each of these operations, too.
    const others = JSON.parse(await firstLine(run(program('start-cancel'), [url, String(samples)])));

    // Cancel all through the API, like the page's button; the receipts hold the times.
    const cancelled = [];
    for (const { id } of begun) {
        await api('POST', `/api/v1/operations/${id}/cancel`, {});
        for (;;) {
            const { operation } = await api('GET', `/api/v1/operations/${id}`);
            if (operation.state === 'cancelled') { cancelled.push(operation); break; }
            await pause(2);
        }
    }
    const micros = (text) => Date.parse(text.slice(0, 19) + 'Z') * 1000 + Number(text.slice(20, 26));
    const span = (from, to) => (micros(to) - micros(from)) / 1000;

    console.log(machine());
    console.log(`${operations} operations, a report every ${everyMs} ms each, for ${seconds} s\n`);
    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    console.log(row("host's progress call → changed page", latencies));
    console.log(summaryRow('start accepted → running on the host', others.started));
    console.log(summaryRow('cancel requested → released', others.released));
    console.log(row('start accepted → running on the host, the shown operations at the beginning', cancelled.map((o) => span(o.created_at, o.started_at))));
    console.log(row('cancel requested → released, the shown operations one after the other', cancelled.map((o) => span(o.receipt.requested, o.receipt.released))));
    await chrome.close();
});
