// A real nginx in front of the server, below a path: the configuration that docs/configuration.md gives.
import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './port';

/** Where nginx is; Debian keeps it out of the PATH of people. Nothing where it is not installed. */
export const nginx = [process.env.NGINX ?? '', '/usr/sbin/nginx', '/usr/bin/nginx', '/opt/homebrew/bin/nginx'].find(
    (at) => at !== '' && existsSync(at),
);

/** Why tests that need it are skipped. */
export const NO_NGINX = 'nginx is not installed; scripts/setup.sh test installs it (Debian package nginx-light)';

/** How long it may take to listen, milliseconds. */
const START_LIMIT = 10_000;

/** What it does with the path in front of what it passes on. */
export type Prefix = 'removed' | 'kept';

/** An nginx of one test. */
export class Nginx {
    /** Where it serves the page: `http://127.0.0.1:40125/signalbox`. */
    url = '';
    private readonly folder = mkdtempSync(path.join(tmpdir(), 'signalbox-nginx-'));
    private process?: ChildProcess;

    /** Passes what is below `base` on to `server`. */
    async start(server: string, base: string, prefix: Prefix): Promise<void> {
        const port = await freePort();
        const configuration = path.join(this.folder, 'nginx.conf');
        writeFileSync(configuration, this.configuration(port, new URL(server).host, base, prefix));
        const child = spawn(nginx ?? '', ['-p', this.folder, '-c', configuration, '-e', path.join(this.folder, 'error.log')], {
            stdio: 'ignore',
        });
        this.process = child;
        let failure = '';
        child.on('error', (error) => (failure = String(error)));
        const until = Date.now() + START_LIMIT;
        while (!(await listens(port))) {
            if (failure !== '' || child.exitCode !== null || Date.now() > until) {
                throw new Error(`nginx did not start: ${failure}\n${this.output()}`);
            }
            await new Promise((next) => setTimeout(next, 10));
        }
        this.url = `http://127.0.0.1:${port}${base}`;
    }

    /** Ends it, and removes everything it kept. */
    async stop(): Promise<void> {
        const child = this.process;
        if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
            const gone = once(child, 'exit');
            child.kill('SIGKILL');
            await gone;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }

    private output(): string {
        const log = path.join(this.folder, 'error.log');
        return existsSync(log) ? readFileSync(log, 'utf8').slice(-4_000) : '';
    }

    private configuration(port: number, server: string, base: string, prefix: Prefix): string {
        const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
        return `
            daemon off;
            master_process off;
            pid ${this.folder}/pid;
            events { worker_connections 256; }
            http {
                access_log off;
                ${kinds.map((kind) => `${kind}_temp_path ${this.folder}/${kind};`).join('\n')}
                server {
                    listen 127.0.0.1:${port};
                    location ${base}/ {
                        proxy_pass http://${server}${prefix === 'removed' ? '/' : ''};
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $http_host;
                        proxy_buffering off;
                        proxy_read_timeout 1h;
                    }
                    location / { return 404; }
                }
            }`;
    }
}


async function listens(port: number): Promise<boolean> {
    const socket = connect(port, '127.0.0.1');
    return new Promise((done) => {
        socket.once('connect', () => done(true)).once('error', () => done(false));
    }).then((there) => {
        socket.destroy();
        return there as boolean;
    });
}
