// Setup shared by the benchmarks: a host that reports progress, a real server connected to it, and table rows.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** Value of an environment variable that scripts/bench.sh sets. */
export function need(name) {
    const value = process.env[name];
    if (!value) throw new Error(`${name} is not set. Run this script through scripts/bench.sh.`);
    return value;
}

/** Path of a program of bench/. */
export const program = (name) => path.join(need('BENCH_BIN'), name);

/** Flags of Chromium, which disable network access of its own. */
export const CHROME_ARGS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export const pause = (ms) => new Promise((next) => setTimeout(next, ms));

/**
 * Runs `work` with a host and a server, and stops all processes afterwards, even on failure. Calls `before` with the
 * data folder before the server starts; it may return more lines for the configuration.
 */
export async function onStage(work, before = async () => {}) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'signalbox-bench-'));
    const started = [];
    const run = (command, args, input = 'ignore') => {
        const child = spawn(command, args, { stdio: [input, 'pipe', 'inherit'] });
        started.push(child);
        return child;
    };
    try {
        const host = run(program('ticking-host'), ['127.0.0.1:0']);
        const hostUrl = await firstLine(host);
        const ready = path.join(folder, 'ready');
        const data = path.join(folder, 'data');
        mkdirSync(data);
        const more = (await before({ data, folder, run })) ?? '';
        const config = path.join(folder, 'bench.toml');
        writeFileSync(config, `[[host]]\nname = "ticking"\nurl = "${hostUrl}"\n${more}`);
        const args = ['serve', '--listen', '127.0.0.1:0', '--data', data];
        args.push('--site', need('SIGNALBOX_SITE'), '--config', config, '--ready-file', ready);
        const spawned = performance.now();
        const server = run(need('SIGNALBOX_SERVER'), args);
        server.stdout.resume();
        while (!existsSync(ready)) await pause(5);
        const url = readFileSync(ready, 'utf8').trim();
        const first = await fetch(`${url}/operations`);
        await first.text();
        const firstPage = performance.now() - spawned;
        if (!first.ok) throw new Error(`GET /operations: ${first.status}`);
        const api = async (method, where, body) => {
            const headers = { 'content-type': 'application/json' };
            const answer = await fetch(url + where, { method, headers, body: body && JSON.stringify(body) });
            if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${await answer.text()}`);
            return answer.json();
        };
        while ((await api('GET', '/api/v1/kinds')).kinds.length === 0) await pause(20);
        const tick = (everyMs, reports) =>
            api('POST', '/api/v1/operations', { kind: 'bench.tick', params: { every_ms: everyMs, reports } });
        await work({ url, server, host, run, api, tick, folder, firstPage });
    } finally {
        for (const child of started.reverse()) {
            if (child.exitCode !== null || child.signalCode !== null) continue;
            const gone = once(child, 'exit');
            child.kill('SIGINT');
            const late = setTimeout(() => child.kill('SIGKILL'), 8000);
            await gone;
            clearTimeout(late);
        }
        rmSync(folder, { recursive: true, force: true });
    }
}

/** First line of a program's output. */
export async function firstLine(child) {
    let text = '';
    for await (const chunk of child.stdout) {
        text += chunk;
        if (text.includes('\n')) break;
    }
    return text.split('\n')[0].trim();
}

export function machine() {
    const cpus = os.cpus();
    return `${cpus.length} cores (${cpus[0].model}), ${Math.round(os.totalmem() / 2 ** 30)} GiB, all processes on the same machine`;
}

/** Clock ticks per second of the CPU times in /proc (man 5 proc; 100 on every current Linux). */
const TICKS = 100;

/** CPU time of a process so far, user and system, in seconds. */
export function cpuSeconds(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** A size in /proc/PID/status, in MiB. */
const mebibytes = (pid, field) => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Resident memory of a process. */
export const residentMebibytes = (pid) => mebibytes(pid, 'VmRSS');

/** Largest resident memory of a process so far. */
export const peakMebibytes = (pid) => mebibytes(pid, 'VmHWM');

/** Port on which nobody listens. */
export async function freePort() {
    const probe = net.createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address();
    probe.close();
    await once(probe, 'close');
    return port;
}

/** Table row of latencies that a program has summarized, in milliseconds. */
export function summaryRow(what, { samples, p50, p99, max }) {
    const millis = [p50, p99, max].map((n) => `${n.toFixed(1)} ms`);
    return `| ${[what, samples.toLocaleString('en'), ...millis].join(' | ')} |`;
}

/** Table row: number of samples, p50, p99, maximum. */
export function row(what, values, unit = 'ms') {
    if (values.length === 0) throw new Error(`no samples for: ${what}`);
    const sorted = [...values].sort((a, b) => a - b);
    const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))].toFixed(1);
    return `| ${what} | ${sorted.length.toLocaleString('en')} | ${at(0.5)} ${unit} | ${at(0.99)} ${unit} | ${at(1)} ${unit} |`;
}
