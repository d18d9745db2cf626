// A page of runs from MLflow's tracking server on the same machine, for end2end/bench/stored.mjs. MLFLOW is the path of
// its program, such as .venv/bin/mlflow after `pip install mlflow` in a virtual environment.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { freePort, pause } from './stage.mjs';

/** Longest start of its server, which prepares its database first. */
const START_MS = 120_000;
/** Runs created in parallel. */
const CLIENTS = 4;

/** Fills the peer with ended runs (two parameters, one metric each), and measures pages of 50, newest first. */
export async function peer({ program, folder, run, row, stored, samples }) {
    const home = path.join(folder, 'mlflow');
    mkdirSync(home);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const script = `cd '${home}' && exec "$0" server --host 127.0.0.1 --port ${port} --workers 1 --backend-store-uri 'sqlite:///${home}/runs.db' --artifacts-destination '${home}/artifacts' >'${home}/log' 2>&1`;
    process.env.MLFLOW_DISABLE_TELEMETRY = 'true';
    process.env.DO_NOT_TRACK = 'true';
    run('sh', ['-c', script, program]).stdout.resume();
    for (const until = performance.now() + START_MS; ; await pause(200)) {
        if (await fetch(`${url}/health`).then((answer) => answer.ok, () => false)) break;
        if (performance.now() > until) throw new Error('the server of the peer does not answer');
    }
    const post = async (where, body) => {
        const answer = await fetch(`${url}/api/2.0/mlflow/${where}`, {
            method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
        });
        if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
        return answer.json();
    };
    const { experiment_id } = await post('experiments/create', { name: 'bench' });
    let left = stored;
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
        while (left > 0) {
            left -= 1;
            const now = Date.now();
            const { run: created } = await post('runs/create', { experiment_id, start_time: now, run_name: `run ${left}` });
            const { run_id } = created.info;
            await post('runs/log-batch', {
                run_id,
                params: [{ key: 'every_ms', value: String(left % 1_000) }, { key: 'reports', value: '3' }],
                metrics: [{ key: 'reports', value: 3, timestamp: now, step: 0 }],
            });
            await post('runs/update', { run_id, status: 'FINISHED', end_time: now });
        }
    }));
    const search = async (more) => {
        const began = performance.now();
        const page = await post('runs/search', { experiment_ids: [experiment_id], max_results: 50, order_by: ['attributes.start_time DESC'], ...more });
        return { taken: performance.now() - began, page };
    };
    const pages = [];
    let token;
    while (pages.length < samples) {
        const { taken, page } = await search(token ? { page_token: token } : {});
        pages.push(taken);
        token = page.next_page_token;
    }
    const byParam = [];
    for (let n = 0; n < samples; n += 1) byParam.push((await search({ filter: `params.every_ms = '${n % 1_000}'` })).taken);
    const of = `MLflow, ${stored.toLocaleString('en')} runs`;
    return [row(`${of}: page of 50, newest first, consecutive pages`, pages), row(`${of}: page of 50, one value of a parameter`, byParam)];
}
