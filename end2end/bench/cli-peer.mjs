// The same commands of Prefect's command line, with its server on the same machine, for end2end/bench/cli.mjs. PREFECT is
// the path of its program, such as .venv/bin/prefect after `pip install prefect` in a virtual environment.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { freePort, pause } from './stage.mjs';

/** Longest start of its server, which prepares its database first. */
const START_MS = 120_000;

/** Measures commands of the peer; `stored` flow runs exist. */
export async function peer({ program, folder, run, measure, times, stored }) {
    const home = path.join(folder, 'prefect');
    mkdirSync(home);
    const port = await freePort();
    const api = `http://127.0.0.1:${port}/api`;
    const settings = { PREFECT_HOME: home, PREFECT_SERVER_ANALYTICS_ENABLED: 'false', DO_NOT_TRACK: '1' };
    // The server inherits the environment of this process.
    Object.assign(process.env, settings);
    // Its log is long and would hide the figures.
    const quiet = ['-c', 'exec "$0" "$@" 2>/dev/null', program];
    run('sh', [...quiet, 'server', 'start', '--host', '127.0.0.1', '--port', String(port)]).stdout.resume();
    for (const until = performance.now() + START_MS; ; await pause(200)) {
        if (await fetch(`${api}/health`).then((answer) => answer.ok, () => false)) break;
        if (performance.now() > until) throw new Error('the server of the peer does not answer');
    }
    const post = async (where, body, tries = 50) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`${api}${where}`, { method: 'POST', headers, body: JSON.stringify(body) });
        // Its database is locked while one of its services writes.
        if (answer.status === 503 && tries > 0) {
            await pause(200);
            return post(where, body, tries - 1);
        }
        if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
        return answer.json();
    };
    const flow = await post('/flows/', { name: 'bench' });
    const start = () => post('/flow_runs/', { flow_id: flow.id, state: { type: 'PENDING' } });
    for (let n = 0; n < stored; n += 1) await start();
    const shown = await start();
    const env = { ...process.env, ...settings, PREFECT_API_URL: api };
    const command = (args) => {
        const began = performance.now();
        const done = spawnSync(program, args, { env, encoding: 'utf8' });
        const taken = performance.now() - began;
        if (done.status !== 0) throw new Error(`${args.join(' ')}: ${done.status} ${done.stderr}${done.stdout}`);
        return taken;
    };
    const version = command(['version']);
    console.log(`Prefect's first command took ${Math.round(version)} ms; its server has ${stored + 1} flow runs\n`);
    measure('Prefect: version', () => command(['version']), times);
    measure('Prefect: flow-run ls', () => command(['flow-run', 'ls', '--limit', '50']), times);
    measure('Prefect: flow-run inspect', () => command(['flow-run', 'inspect', shown.id]), times);
}
