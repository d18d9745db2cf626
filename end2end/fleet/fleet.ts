// A server with 100 simulated hosts and 90 days of metrics, for all tests of a worker: filling the history takes seconds.
import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CALM, program as serverProgram, Server } from '../server';

/** Number of simulated hosts; nothing listens at the URL of every tenth. */
export const HOSTS = 100;
const UNREACHABLE = 10;
export const DAYS = 90;
/** One host of so many is near its limits, as in bench/src/simulated_load.rs. */
const LOADS = 8;
const BUSY_LOAD = 3;
/** Time for filling the history, and for the first connections to all hosts, milliseconds. */
const FILL_LIMIT = 240_000;

const named = (n: number) => `host-${String(n + 1).padStart(3, '0')}`;
const all = [...Array(HOSTS).keys()];

/** Names of the hosts that do not respond, and of those near their limits. */
export const unreachable = all.filter((n) => n % UNREACHABLE === 0).map(named);
export const busy = all.filter((n) => n % UNREACHABLE !== 0 && n % LOADS === BUSY_LOAD).map(named);

interface Announced {
    hosts: { name: string; url: string }[];
    fill_seconds: number;
    bytes: number;
}

/** The server and the program that simulates its hosts. */
export class Fleet {
    readonly server = new Server();
    private hosts?: ChildProcess;

    async start(): Promise<void> {
        const program = path.join(process.env.BENCH_BIN ?? path.dirname(serverProgram), 'simulated-hosts');
        if (!existsSync(program)) throw new Error(`${program} does not exist. Run scripts/test.sh fleet.`);
        const data = path.join(this.server.folder, 'data');
        mkdirSync(data);
        // Ends with its standard input, also if this process is killed.
        this.hosts = spawn(program, [path.join(data, 'history.db'), `${HOSTS}`, `${DAYS}`], { stdio: ['pipe', 'pipe', 'inherit'] });
        const { hosts } = await announced(this.hosts);
        const entries = hosts.map(({ name, url }) => `[[host]]\nname = "${name}"\nurl = "${url}"\n`);
        writeFileSync(path.join(data, 'signalbox.toml'), ['bundled = true\n', CALM, ...entries].join('\n'));
        await this.server.start();
    }

    async stop(): Promise<void> {
        try {
            await this.server.stop();
        } finally {
            await this.server.kill();
            if (this.hosts && this.hosts.exitCode === null && this.hosts.signalCode === null) {
                const gone = once(this.hosts, 'exit');
                this.hosts.stdin?.end();
                await gone;
            }
            this.server.forget();
        }
    }
}

/** The line with which the program says that it serves. */
async function announced(child: ChildProcess): Promise<Announced> {
    let text = '';
    for await (const chunk of child.stdout!) {
        text += chunk;
        if (text.includes('\n')) return JSON.parse(text);
    }
    throw new Error('simulated-hosts ended before it served any host; its error is above.');
}

/** Fixtures: one fleet for all tests of a worker, as their server. */
export const fixtures = {
    fleet: [
        async ({}: object, use: (fleet: Fleet) => Promise<void>) => {
            const fleet = new Fleet();
            try {
                await fleet.start();
                await use(fleet);
            } finally {
                await fleet.stop();
            }
        },
        { scope: 'worker', timeout: FILL_LIMIT },
    ] as const,
    server: async ({ fleet }: { fleet: Fleet }, use: (server: Server) => Promise<void>) => use(fleet.server),
};
