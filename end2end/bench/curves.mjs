// Operations with long curves: a bundled host that runs `curve-program.mjs` as a command.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { need, pause } from './stage.mjs';

const PROGRAM = fileURLToPath(new URL('curve-program.mjs', import.meta.url));
const KIND = 'exec.curves';
const SLOTS = 40;

const COMMAND = `
[exec.curves]
title = "Report curves"
summary = "{curves} curves, seed {seed}"
command = [${[process.execPath, PROGRAM].map((text) => JSON.stringify(text)).join(', ')}, "--curves={curves}", "--fill={fill}", "--rate={rate}", "--steps={steps}", "--seed={seed}"]
max_parallel = ${SLOTS}

[exec.curves.params]
curves = { type = "integer", default = 20, min = 1, max = 64 }
fill = { type = "integer", default = 0, min = 0 }
rate = { type = "number", default = 10, min = 0.1, max = 1000 }
steps = { type = "integer", default = 100, min = 1 }
seed = { type = "integer", default = 1, min = 1 }
`;

/** Starts the host; returns its table for the configuration of the server. */
export async function curvesHost({ folder, run }) {
    const data = path.join(folder, 'curves');
    mkdirSync(data);
    const [exec, ready] = [path.join(folder, 'curves.toml'), path.join(folder, 'curves-ready')];
    writeFileSync(exec, COMMAND);
    const args = ['host', '--listen', '127.0.0.1:0', '--data', data, '--exec', exec, '--capacity', String(SLOTS)];
    run(need('SIGNALBOX_SERVER'), [...args, '--ready-file', ready]).stdout.resume();
    while (!existsSync(ready)) await pause(20);
    return `[[host]]\nname = "curves"\nurl = "${readFileSync(ready, 'utf8').trim()}"\n`;
}

/** Starts an operation with curves; returns its ID. */
export async function startCurves(api, params) {
    const isKnown = async () => JSON.stringify(await api('GET', '/api/v1/kinds')).includes(`"${KIND}"`);
    while (!(await isKnown())) await pause(50);
    return (await api('POST', '/api/v1/operations', { kind: KIND, params })).id;
}

/** Waits until an operation has reported a number of steps. */
export async function reaches(api, id, steps) {
    for (;;) {
        const { operation } = await api('GET', `/api/v1/operations/${id}`);
        if (operation.state === 'failed') throw new Error(`The operation failed: ${JSON.stringify(operation.failure)}`);
        if ((operation.progress?.done ?? 0) >= steps || operation.state === 'succeeded') return;
        await pause(250);
    }
}
