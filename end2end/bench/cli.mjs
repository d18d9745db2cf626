// Commands of the command line, from process start to exit: with the agent warm, with the agent started by each command
// (cold), and without it. 100,000 operations are stored. The delaying proxy stands for a line with 20 ms each way.
//
//   scripts/bench.sh cli                [STORED=100000] [TIMES=200] [DELAYED_TIMES=50] [DELAY_MS=20]
//
// FEED_MINUTES=60 also measures the agent's memory under a feed of 1,000 events/s. PREFECT=path/to/prefect measures the
// same commands of Prefect, PEER_TIMES=20 times each.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { peer } from './cli-peer.mjs';
import { firstLine, machine, need, onStage, pause, program, residentMebibytes, row } from './stage.mjs';

const stored = Number(process.env.STORED ?? 100_000);
const times = Number(process.env.TIMES ?? 200);
const delayedTimes = Number(process.env.DELAYED_TIMES ?? 50);
const delayMs = Number(process.env.DELAY_MS ?? 20);
const feedMinutes = Number(process.env.FEED_MINUTES ?? 0);
const peerTimes = Number(process.env.PEER_TIMES ?? 20);

const before = async ({ data, run }) => {
    await firstLine(run(program('fill-store'), [path.join(data, 'signalbox.db'), String(stored)]));
};

/**
 * Proxy that passes bytes on after a delay; in a thread of its own, because commands block this one. The kernel accepts
 * connections at once, so the first bytes of each also wait for the round trip that the handshake takes on such a line.
 */
const PROXY = `
    const net = require('node:net');
    const { parentPort, workerData } = require('node:worker_threads');
    const { port, delay } = workerData;
    const server = net.createServer((near) => {
        const far = net.connect(port, '127.0.0.1');
        const open = performance.now() + 2 * delay;
        for (const [from, to] of [[near, far], [far, near]]) {
            from.setNoDelay(true);
            // One after the other, so that bytes stay in order.
            let sent = Promise.resolve();
            from.on('data', (bytes) => {
                const due = Math.max(performance.now(), open) + delay;
                sent = sent.then(async () => {
                    await new Promise((next) => setTimeout(next, due - performance.now()));
                    if (to.writable) to.write(bytes);
                });
            });
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

await onStage(async ({ url, folder, tick, api, run }) => {
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
    const memory = residentMebibytes(agent.pid);
    const underFeed = [];
    if (feedMinutes > 0) {
        // 100 operations with 10 reports per second each.
        for (let n = 0; n < 100; n += 1) await tick(100, feedMinutes * 600 + 600);
        const head = async () => (await api('GET', '/api/v1/snapshot')).seq;
        const [began, first] = [performance.now(), await head()];
        for (let minute = 0; minute < feedMinutes; minute += 1) {
            await pause(60_000);
            // Without a command, it exits after 10 minutes.
            command(url, ['list']);
            underFeed.push(residentMebibytes(agent.pid));
        }
        const rate = (await head() - first) / ((performance.now() - began) / 1_000);
        const text = underFeed.map((one) => one.toFixed(1)).join(', ');
        console.log(`Agent under ${Math.round(rate)} events/s, MiB after each minute: ${text}\n`);
    }
    stop();

    const line = await delaying(url);
    for (const [verb, one] of Object.entries(verbs(line.url, ['--no-agent']))) measure(`${verb}, ${delayMs} ms, agent off`, one, delayedTimes);
    await warm(line.url);
    for (const [verb, one] of Object.entries(verbs(line.url, []))) measure(`${verb}, ${delayMs} ms, agent warm`, one, delayedTimes);
    stop();
    await line.close();
    if (process.env.PREFECT) {
        // Its failure must not lose the other figures.
        await peer({ program: process.env.PREFECT, folder, run, measure, times: peerTimes, stored: 500 })
            .catch((error) => console.log(`The peer failed: ${error.message}`));
    }

    console.log('| measurement | samples | p50 | p99 | max |\n|---|---|---|---|---|');
    for (const one of rows) console.log(one);
    console.log(`\nAgent: ${agent.operations.toLocaleString('en')} operations in the copy, ${memory.toFixed(1)} MiB, ` +
        `${agent.opened} connections opened, ${agent.reused} requests on open ones`);
    for (const verb of ['list', 'show', 'start', 'cancel']) {
        const share = p50s.get(`${verb}, ${delayMs} ms, agent warm`) / p50s.get(`${verb}, ${delayMs} ms, agent off`);
        console.log(`${verb} with ${delayMs} ms each way: ${share.toFixed(2)} of the time without an agent`);
    }
}, before);
