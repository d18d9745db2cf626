// The real server on a free port, with a data folder and market data of its own, for one test.
import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '..');
const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target');
/** The program under test. */
export const program = process.env.SIGNALBOX_SERVER ?? path.join(target, 'release/signalbox');
const site = process.env.SIGNALBOX_SITE ?? path.join(target, 'site');

/** How long the server may take to listen, and to stop, milliseconds. */
const START_LIMIT = 20_000;
const STOP_LIMIT = 15_000;

/** Configuration without alerts about the state of this machine, such as a nearly full disk. */
export const CALM = ['disk-full-soon', 'disk-space-low', 'memory-pressure']
    .map((name) => `[[alerts.rule]]\nname = "${name}"\nenabled = false\n`)
    .join('\n');

/** A running server. */
export class Server {
    /** Where it answers: `http://127.0.0.1:40123`. */
    url = '';
    /** Everything it and its hosts keep. */
    readonly folder = mkdtempSync(path.join(tmpdir(), 'signalbox-'));
    readonly csv = path.join(this.folder, 'csv');
    readonly log = path.join(this.folder, 'server.log');
    private process?: ChildProcess;
    private token = '';

    constructor() {
        mkdirSync(this.csv);
    }

    /** Starts it, on the same data as before if it ran before. */
    async start(...more: string[]): Promise<void> {
        if (!existsSync(program)) {
            throw new Error(`There is no server at ${program}. Run scripts/test.sh build first.`);
        }
        const ready = path.join(this.folder, 'address');
        rmSync(ready, { force: true });
        this.token = more.includes('--token') ? (more[more.indexOf('--token') + 1] ?? '') : '';
        const address = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host;
        const args = ['serve', '--listen', address, '--data', path.join(this.folder, 'data')];
        args.push('--csv', this.csv, '--site', site, '--ready-file', ready, ...more);
        const configuration = path.join(this.folder, 'data', 'signalbox.toml');
        if (!existsSync(configuration)) {
            mkdirSync(path.dirname(configuration), { recursive: true });
            writeFileSync(configuration, CALM);
        }
        // A group of its own, so that nothing it started outlives the test.
        const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: this.env() });
        this.process = child;
        const log = createWriteStream(this.log, { flags: 'a' });
        child.stdout?.pipe(log, { end: false });
        child.stderr?.pipe(log, { end: false });
        let failure = '';
        child.on('error', (error) => (failure = String(error)));
        child.on('exit', (code, signal) => (failure ||= `it ended at once (${signal ?? code})`));

        const until = Date.now() + START_LIMIT;
        while (!existsSync(ready)) {
            if (failure !== '' || Date.now() > until) {
                await this.kill();
                const why = failure || `it did not listen within ${START_LIMIT / 1000} s`;
                throw new Error(`The server did not start: ${why}.\n${this.output()}`);
            }
            await new Promise((next) => setTimeout(next, 10));
        }
        this.url = readFileSync(ready, 'utf8').trim();
        while (!(await this.hasHosts())) {
            if (failure !== '' || Date.now() > until) {
                const why = failure && `: ${failure}`;
                await this.kill();
                throw new Error(`The server met no host that loads data${why}.\n${this.output()}`);
            }
            await new Promise((next) => setTimeout(next, 20));
        }
    }

    /** Its hosts are there, so that operations start at once. */
    private async hasHosts(): Promise<boolean> {
        const headers: Record<string, string> = this.token === '' ? {} : { authorization: `Bearer ${this.token}` };
        const answer = await fetch(`${this.url}/api/v1/kinds`, { headers }).catch(() => undefined);
        if (answer?.status !== 200) return false;
        const { kinds } = (await answer.json()) as { kinds: { spec: { name: string }; available: boolean }[] };
        return kinds.some((kind) => kind.spec.name === 'data.load' && kind.available);
    }

    /** The processes of its hosts: they hold its folder in their arguments. */
    hosts(): number[] {
        const lines = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
        const hosts = lines.filter((line) => line.includes(this.folder) && / host /.test(line));
        return hosts.map((line) => Number(line.trim().split(' ')[0]));
    }

    /** While `act` runs, no host says a word: their processes stand still. */
    async silenced(act: () => Promise<void>): Promise<void> {
        const hosts = this.hosts();
        if (hosts.length === 0) throw new Error('There is no host to be silenced.');
        for (const pid of hosts) process.kill(pid, 'SIGSTOP');
        try {
            await act();
        } finally {
            for (const pid of hosts) process.kill(pid, 'SIGCONT');
        }
    }

    /** Asks it to stop, as Ctrl C does, and waits until it has. */
    async stop(): Promise<void> {
        const child = this.process;
        if (child?.pid === undefined || ended(child)) return;
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        const late = setTimeout(() => this.killGroup(), STOP_LIMIT);
        await gone;
        clearTimeout(late);
        if (child.signalCode === 'SIGKILL') {
            throw new Error(`The server did not stop within ${STOP_LIMIT / 1000} s.\n${this.output()}`);
        }
    }

    /** Ends it and all that it started, without a chance to tidy up. */
    async kill(): Promise<void> {
        const child = this.process;
        if (child?.pid === undefined) return;
        const gone = ended(child) ? undefined : once(child, 'exit');
        this.killGroup();
        await gone;
        // Hosts that were left running, and commands in sessions of their own.
        const until = Date.now() + STOP_LIMIT;
        for (let left = this.left(); left.length > 0 && Date.now() < until; left = this.left()) {
            for (const pid of left) {
                try {
                    process.kill(pid, 'SIGKILL');
                } catch {
                    // It has ended meanwhile.
                }
            }
            await new Promise((next) => setTimeout(next, 10));
        }
    }

    /** Processes that have its folder in their arguments, or are in it. */
    private left(): number[] {
        const there = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
        return there.map(Number).filter((pid) => {
            try {
                const at = readlinkSync(`/proc/${pid}/cwd`);
                return at.startsWith(this.folder) || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(this.folder);
            } catch {
                // It has ended meanwhile, or is none of ours.
                return false;
            }
        });
    }

    /** The end of what it wrote. */
    output(): string {
        return existsSync(this.log) ? readFileSync(this.log, 'utf8').slice(-4_000) : '';
    }

    /** Removes everything it kept. */
    forget(): void {
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }

    private killGroup(): void {
        try {
            if (this.process?.pid !== undefined) process.kill(-this.process.pid, 'SIGKILL');
        } catch {
            // Nothing of the group is left.
        }
    }

    /** The environment without settings of a user who runs the tests. */
    private env(): NodeJS.ProcessEnv {
        const kept = Object.entries(process.env).filter(([name]) => !/^(SIGNALBOX_|LEPTOS_)/.test(name));
        return { ...Object.fromEntries(kept), SIGNALBOX_LOG: 'info', NO_COLOR: '1' };
    }
}

function ended(child: ChildProcess): boolean {
    return child.exitCode !== null || child.signalCode !== null;
}
