// Counts allocations and instructions of the hot paths, and compares them with bench/counts.json. Called by
// scripts/counts.sh with the path of the program `hot-paths`, and --accept to record the counts.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { compare } from './compare.mjs';

/** Repeats under callgrind, which takes about fifty times as long. */
const REPEATS = 64;
/** Valgrind processes at the same time. */
const AT_ONCE = 2;
const RECORD = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bench/counts.json');

const [program, ...options] = process.argv.slice(2);
const accept = options.includes('--accept');
const run = promisify(execFile);

/** Output of a program, or undefined if it is not installed. */
function output(name, ...args) {
    try {
        return execFileSync(name, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch (error) {
        if (error.code === 'ENOENT') return undefined;
        throw error;
    }
}

/** Instructions of one repeat of a path. */
async function instructions({ path }) {
    const flags = ['--tool=callgrind', '--toggle-collect=*hot_paths*counted*', '--callgrind-out-file=/dev/null'];
    const { stderr } = await run('valgrind', [...flags, program, path, String(REPEATS)]);
    const collected = Number(/Collected *: *(\d+)/.exec(stderr)?.[1] ?? 0);
    if (collected === 0) throw new Error(`callgrind counted no instruction of ${path}:\n${stderr}`);
    return Math.round(collected / REPEATS);
}

/** Sets the instructions of all paths, some at a time. */
async function countInstructions(paths) {
    const waiting = [...paths];
    const worker = async () => {
        for (let one = waiting.shift(); one; one = waiting.shift()) one.instructions = await instructions(one);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function describe(counted) {
    const cell = (n) => (n == null ? 'not counted' : n.toLocaleString('en', { maximumFractionDigits: 2 }));
    const rows = counted.map((one) => `| ${one.path}: ${one.repeat} | ${cell(one.allocations)} | ${cell(one.bytes)} | ${cell(one.instructions)} |`);
    return ['| hot path: one repeat | allocations | bytes allocated | instructions |', '|---|---|---|---|', ...rows].join('\n');
}

const counted = JSON.parse(execFileSync(program, { encoding: 'utf8' }));
const compiler = `${output('rustc', '--version').split(' ')[1]} on ${process.platform} ${process.arch}`;
if (output('valgrind', '--version')) {
    await countInstructions(counted);
} else {
    console.log('valgrind is not installed, so instructions were NOT counted.');
}
console.log(describe(counted));

if (accept) {
    if (counted.some((one) => one.instructions == null)) {
        console.error('Instructions were not counted, so nothing was recorded. Install valgrind, then accept again.');
        process.exit(1);
    }
    writeFileSync(RECORD, `${JSON.stringify({ compiler, paths: counted }, null, 2)}\n`);
    console.log('\nRecorded in bench/counts.json.');
    process.exit();
}
const recorded = JSON.parse(readFileSync(RECORD, 'utf8'));
if (recorded.compiler !== compiler) {
    console.log(`\nInstructions are not compared: they were recorded with Rust ${recorded.compiler}, this is ${compiler}.`);
    for (const one of recorded.paths) delete one.instructions;
}
const { grown, fallen, unknown } = compare(recorded.paths, counted);
for (const message of fallen) console.log(`\nFewer than recorded; run scripts/counts.sh --accept to record the new counts: ${message}`);
if (grown.length + unknown.length > 0) {
    console.error(`\n${[...grown, ...unknown].join('\n')}`);
    console.error(
        'docs/performance.md describes how to find the cause. If the growth is intended, run scripts/counts.sh --accept,\n' +
            'commit bench/counts.json, and state the reason in the commit.',
    );
    process.exit(1);
}
