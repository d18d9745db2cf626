// WebDriver servers of the browser engines, and the sessions that they open. Profiles, caches and logs are in a
// temporary folder; a proxy setting keeps the browsers from any address but this machine's.
import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver';
import { freePort } from '../port';

export type EngineName = 'chromium' | 'firefox' | 'webkit';

const START_TIMEOUT = 30_000;
const STOP_TIMEOUT = 10_000;
/** A browser opens within seconds, even on a busy machine. */
const SESSION_TIMEOUT = 20_000;
const WINDOW = { width: 1440, height: 900 };
/** Port of the discard service, where nothing listens. */
const NOWHERE = '127.0.0.1:9';

interface Programs {
    driver: string;
    browser: string;
}

/** Programs of an engine, as found by scripts/engines.sh. */
function programs(engine: EngineName): Programs {
    const script = path.resolve(__dirname, '../../scripts/engines.sh');
    const lines = execFileSync(script, { encoding: 'utf8' }).trim().split('\n');
    const found = lines.map((line) => line.split('\t')).find(([name]) => name === engine);
    if (!found || found[1] === '-') throw new Error(`${engine} can't be tested: ${found?.[2]}. Run make setup.`);
    return { driver: found[1], browser: found[2] };
}

/** WebDriver server of one engine. */
export class Driver {
    private readonly programs: Programs;
    private readonly folder = mkdtempSync(path.join(tmpdir(), 'signalbox-engine-'));
    private readonly log = path.join(this.folder, 'driver.log');
    private readonly started: ChildProcess[] = [];
    private url = '';

    constructor(readonly engine: EngineName) {
        this.programs = programs(engine);
    }

    async start(): Promise<void> {
        const env = this.env();
        if (this.engine === 'webkit') {
            env.DISPLAY = await this.screen(env);
            env.LOCPATH = this.locale();
        }
        const port = await freePort();
        const args = {
            chromium: [`--port=${port}`],
            // Its ports for Marionette and BiDi have fixed defaults.
            firefox: ['--port', `${port}`, '--marionette-port', `${await freePort()}`, '--websocket-port', `${await freePort()}`],
            webkit: [`--port=${port}`],
        };
        this.run(this.programs.driver, args[this.engine], env);
        this.url = `http://127.0.0.1:${port}`;
        const until = Date.now() + START_TIMEOUT;
        while (!(await this.isReady())) {
            if (Date.now() > until) throw new Error(`${this.programs.driver} did not start.\n${this.output()}`);
            await new Promise((next) => setTimeout(next, 50));
        }
    }

    /** Opens a browser with a new profile. */
    async session(): Promise<WebDriver> {
        const capabilities = new Capabilities({
            proxy: { proxyType: 'manual', httpProxy: NOWHERE, sslProxy: NOWHERE, noProxy: ['127.0.0.1'] },
            ...this.capabilities(),
        });
        const open = async () => new Builder().usingServer(this.url).withCapabilities(capabilities).build();
        // About once in 75 times, WebKitWebDriver gets no connection to its browser, and never responds.
        let session = await within(SESSION_TIMEOUT, open());
        if (!session) {
            console.warn(`${this.engine} did not open a browser in ${SESSION_TIMEOUT / 1000} s; its driver is restarted.\n${this.output()}`);
            await this.end();
            await this.start();
            session = await within(SESSION_TIMEOUT, open());
        }
        if (!session) throw new Error(`${this.engine} opened no browser.\n${this.output()}`);
        if (this.engine !== 'webkit') await session.manage().window().setRect({ x: 0, y: 0, ...WINDOW });
        return session;
    }

    /** The end of its log. */
    output(): string {
        return existsSync(this.log) ? readFileSync(this.log, 'utf8').slice(-4_000) : '';
    }

    /** Ends the server with its browsers, and deletes everything that they stored. */
    async stop(): Promise<void> {
        await this.end();
        rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }

    private async end(): Promise<void> {
        for (const child of this.started.splice(0).reverse()) await end(child);
    }

    private capabilities(): object {
        const binary = this.programs.browser;
        switch (this.engine) {
            case 'chromium': {
                // Root has no sandbox.
                const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
                const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'];
                const args = ['--headless=new', '--no-first-run', '--disable-gpu', '--lang=en-US', ...quiet, ...sandbox];
                return { browserName: 'chrome', 'goog:chromeOptions': { binary, args } };
            }
            case 'firefox':
                return { browserName: 'firefox', 'moz:firefoxOptions': { binary, args: ['-headless'] } };
            case 'webkit': {
                const args = ['--automation', `--geometry=${WINDOW.width}x${WINDOW.height}`];
                return { browserName: 'MiniBrowser', 'webkitgtk:browserOptions': { binary, args } };
            }
        }
    }

    /** Environment in which a browser stores nothing outside of the folder. */
    private env(): NodeJS.ProcessEnv {
        const folders = { HOME: 'home', TMPDIR: 'tmp', XDG_RUNTIME_DIR: 'runtime', XDG_CACHE_HOME: 'cache', XDG_CONFIG_HOME: 'config', XDG_DATA_HOME: 'data' };
        const env: NodeJS.ProcessEnv = { ...process.env, TZ: 'UTC', LANG: 'en_US.UTF-8', GSETTINGS_BACKEND: 'memory', NO_AT_BRIDGE: '1' };
        for (const [name, folder] of Object.entries(folders)) {
            env[name] = path.join(this.folder, folder);
            mkdirSync(env[name], { mode: 0o700, recursive: true });
        }
        // They would override LANG, and a session of the desktop is none of the test's.
        for (const name of ['LC_ALL', 'LANGUAGE', 'DISPLAY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS']) delete env[name];
        return env;
    }

    /** Starts a virtual screen, and returns its display. */
    private async screen(env: NodeJS.ProcessEnv): Promise<string> {
        // A reset after each browser would refuse the next one for a moment.
        const size = `${WINDOW.width}x${WINDOW.height}x24`;
        const child = this.run('Xvfb', ['-displayfd', '3', '-screen', '0', size, '-nolisten', 'tcp', '-noreset'], env);
        const [number] = await once(child.stdio[3] as Readable, 'data', { signal: AbortSignal.timeout(START_TIMEOUT) });
        return `:${String(number).trim()}`;
    }

    /** Compiles the locale, because WebKit formats dates by it and few systems have it. */
    private locale(): string {
        const folder = path.join(this.folder, 'locale');
        mkdirSync(folder, { recursive: true });
        // Warnings about the locale's source give it a status other than 0.
        const compiled = path.join(folder, 'en_US.UTF-8');
        try {
            execFileSync('localedef', ['-i', 'en_US', '-f', 'UTF-8', compiled], { stdio: 'ignore' });
        } catch (error) {
            if (!existsSync(path.join(compiled, 'LC_TIME'))) throw new Error(`The locale en_US could not be compiled. Install the package locales.`, { cause: error });
        }
        return folder;
    }

    private run(program: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
        // A process group, so that its browsers end with it.
        const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env });
        const log = createWriteStream(this.log, { flags: 'a' });
        child.stdout?.pipe(log, { end: false });
        child.stderr?.pipe(log, { end: false });
        child.on('error', (error) => log.write(`${program}: ${error}\n`));
        this.started.push(child);
        return child;
    }

    private async isReady(): Promise<boolean> {
        const response = await fetch(`${this.url}/status`).catch(() => undefined);
        const status = (await response?.json().catch(() => undefined)) as { value?: { ready?: boolean } } | undefined;
        return status?.value?.ready === true;
    }
}

/** Ends a process and its group. */
async function end(child: ChildProcess): Promise<void> {
    if (child.pid === undefined) return;
    signal(child.pid, 'SIGTERM');
    const until = Date.now() + STOP_TIMEOUT;
    while (signal(child.pid, 0)) {
        if (Date.now() > until) signal(child.pid, 'SIGKILL');
        await new Promise((next) => setTimeout(next, 20));
    }
}

/** Signals a process group; false if it has no process. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
    try {
        return process.kill(-group, name);
    } catch {
        return false;
    }
}

/** Result of `promise`, or undefined if it takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), milliseconds)));
    try {
        return await Promise.race([promise, late]);
    } finally {
        clearTimeout(timer);
        // Its failure is of no interest any more.
        promise.catch(() => {});
    }
}
