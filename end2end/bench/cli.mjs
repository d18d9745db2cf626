// Commands of the command line, from process start to exit: with the agent warm, with the agent started by each command
// (cold), and without it. 100,000 operations are stored. The delaying proxy stands for a line with 20 ms each way.
//
//   scripts/bench.sh cli                [STORED=100000] [TIMES=200] [DELAYED_TIMES=50] [DELAY_MS=20]
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { firstLine, machine, need, onStage, pause, program, row } from './stage.mjs';

const stored = Number(process.env.STORED ?? 100_000);
const times = Number(process.env.TIMES ?? 200);
const delayedTimes = Number(process.env.DELAYED_TIMES ?? 50);
const delayMs = Number(process.env.DELAY_MS ?? 20);

const before = async ({ data, run }) => {
    await firstLine(run(program('fill-store'), [path.join(data, 'signalbox.db'), String(stored)]));
};

/** Proxy that passes bytes on after a delay; in a thread of its own, because commands block this one. */
const PROXY = `
    const net = require('node:net');
    const { parentPort, workerData } = require('node:worker_threads');
    const { port, delay } = workerData;
    const server = net.createServer((near) => {
        const far = net.connect(port, '127.0.0.1');
        for (const [from, to] of [[near, far], [far, near]]) {
            from.setNoDelay(true);
            from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), delay));
            from.on('close', () => setTimeout(() => to.destroy(), delay));
            from.on('error', () => to.destroy());
        }
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

async function delaying(url) {
    const workerData = { port: Number(new URL(url).port), delay: delayMs };
    const worker = new Worker(PROXY, { eval: true, workerData });
    const port = await new Promise((done) => worker.once('message', done));
    return { url: `http://127.0.0.1:${port}`, close: () => worker.terminate() };
}

await onStage(async ({ url, folder, tick }) => {
    const runtime = path.join(folder, 'run');
    mkdirSync(runtime);
    chmodSync(runtime, 0o700);
    const { CI: _, ...inherited } = process.env;
    const environment = {
        ...inherited,
        XDG_RUNTIME_DIR: runtime,
        XDG_STATE_HOME: path.join(folder, 'state'),
        XDG_CONFIG_HOME: path.join(folder, 'config'),
    };
    const command = (server, args) => {
        const env = { ...environment, SIGNALBOX_SERVER_URL: server };
        const began = performance.now();
        const done = spawnSync(need('SIGNALBOX_SERVER'), args, { env, encoding: 'utf8' });
        const taken = performance.now() - began;
        if (done.status !== 0) throw new Error(`${args.join(' ')}: ${done.status} ${done.stderr}`);
        return { taken, out: done.stdout.trim() };
    };
    const agents = () => JSON.parse(command(url, ['agent', 'status', '-o', 'json']).out);
    const stop = () => command(url, ['agent', 'stop']);
    const warm = async (server) => {
        command(server, ['list']);
        while (!agents().some((agent) => agent.connected)) await pause(20);
        // Until older operations are loaded, too.
        for (let size = -1; size !== agents()[0].operations; ) {
            size = agents()[0].operations;
            await pause(500);
        }
    };
    const shown = await tick(1_000, 3_600);
    const verbs = (server, extra) => ({
        list: () => command(server, ['list', ...extra]).taken,
        show: () => command(server, ['show', shown.id, ...extra]).taken,
        start: () => command(server, ['start', 'bench.tick', 'every_ms=1000', 'reports=3600', ...extra]).taken,
        // What is cancelled is started first, which does not count.
        cancel: () => {
            const { out } = command(server, ['start', 'bench.tick', 'every_ms=1000', 'reports=3600', ...extra]);
            return command(server, ['cancel', out, ...extra]).taken;
        },
    });
    const rows = [];
    const p50s = new Map();
    const measure = (name, one, count) => {
        const values = Array.from({ length: count }, one);
        rows.push(row(name, values));
        p50s.set(name, [...values].sort((a, b) => a - b)[Math.floor(count / 2)]);
    };
    console.log(machine());
    console.log(`${stored.toLocaleString('en')} stored operations; process start to exit\n`);

    measure('--version', () => command(url, ['--version']).taken, times);
    for (const [verb, one] of Object.entries(verbs(url, ['--no-agent']))) measure(`${verb}, agent off`, one, times);
    for (const [verb, one] of Object.entries(verbs(url, []))) {
        measure(`${verb}, agent cold`, () => {
            stop();
            return one();
        }, times);
    }
    stop();
    await warm(url);
    for (const [verb, one] of Object.entries(verbs(url, []))) measure(`${verb}, agent warm`, one, times);
    const [agent] = agents();
    const memory = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${agent.pid}/status`, 'utf8'))[1]) / 1024;
    stop();

    const line = await delaying(url);
    for (const [verb, one] of Object.entries(verbs(line.url, ['--no-agent']))) measure(`${verb}, ${delayMs} ms, agent off`, one, delayedTimes);
    await warm(line.url);
    for (const [verb, one] of Object.entries(verbs(line.url, []))) measure(`${verb}, ${delayMs} ms, agent warm`, one, delayedTimes);
    stop();
    await line.close();

    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    for (const one of rows) console.log(one);
    console.log(`\nAgent: ${agent.operations.toLocaleString('en')} operations in the copy, ${memory.toFixed(1)} MiB, ` +
        `${agent.opened} connections opened, ${agent.reused} requests on open ones`);
    for (const verb of ['list', 'show', 'start', 'cancel']) {
        const share = p50s.get(`${verb}, ${delayMs} ms, agent warm`) / p50s.get(`${verb}, ${delayMs} ms, agent off`);
        console.log(`${verb} with ${delayMs} ms each way: ${share.toFixed(2)} of the time without an agent`);
    }
}, before);
