// Builds the server and the site: compiles the page (WebAssembly) and the server at the same time, and makes the site
// while the server is still being compiled. scripts/build.sh calls it.
//   node scripts/site/build.mjs SITE LOG_FOLDER
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { CargoError, cargoBuild, endCargo } from './cargo.mjs';
import { Estimate } from './estimate.mjs';
import { inputsOf, makePage } from './page.mjs';
import { Pool } from './pool.mjs';
import { Progress } from './progress.mjs';

const [site, logs] = process.argv.slice(2);
const target = process.env.CARGO_TARGET_DIR;
const front = path.join(target, 'front');
const MODULE = path.join(front, 'wasm32-unknown-unknown/wasm-release/signalbox_frontend.wasm');
const SPLITTER = path.join(target, 'tools/signalbox-wasm-split');
/** Hash of what the site was made from. */
const INPUTS = path.join(target, 'signalbox-site.inputs');

/** Views have few types with it: less code, compiled faster (docs/architecture.md). */
const ERASE = ['--cfg', 'erase_components'];
/** With relocations, the splitter knows which function uses which. */
const RELOCATIONS = '-Clink-args=--emit-relocs';
/** Everyone can read the module, so it has no paths of the machine that built it. */
const REMAP = `--remap-path-prefix=${path.join(process.env.CARGO_HOME ?? path.join(homedir(), '.cargo'), 'registry/src')}=crates`;

/** Flags are separated by a character that no path has. */
function rustflags(...flags) {
    const given = process.env.RUSTFLAGS?.split(' ').filter(Boolean) ?? [];
    return { CARGO_ENCODED_RUSTFLAGS: [...given, ...flags].join('\x1f') };
}

mkdirSync(logs, { recursive: true });
const seconds = () => performance.now() / 1000;
const started = seconds();
const estimate = new Estimate();
const progress = new Progress({
    before: Number(process.env.SIGNALBOX_PARTS_DONE ?? 0),
    parts: Number(process.env.SIGNALBOX_PARTS ?? 2),
});
const pool = new Pool(path.join(logs, 'site.log'));
/** Folder of this build only; the site in it has the usual permissions, unlike the folder itself. */
const staging = mkdtempSync(path.join(target, 'signalbox-site-next.'));
/** Parts whose progress is shown. */
let shown = ['tool', 'page', 'server'];

function show() {
    progress.update(`${Math.floor(100 * estimate.done(shown))} %`, estimate.left(seconds() - started));
}

/** Called with the finished steps of a part. */
const at = (part) => (finished, all) => estimate.set(part, all > 0 ? finished / all : 1);

async function compile(part, name, args, options = {}) {
    const diagnostics = await cargoBuild(name, { args, log: path.join(logs, `compile-${part}.log`), progress: at(part), ...options });
    estimate.set(part, 1);
    if (diagnostics) {
        progress.clear();
        console.error(diagnostics);
    }
}

const compilePage = () =>
    compile('page', 'the page', [
        '--package=signalbox-frontend', '--lib', '--profile=wasm-release',
        '--target=wasm32-unknown-unknown', `--target-dir=${front}`,
    ], { env: rustflags(RELOCATIONS, REMAP, ...ERASE) });

// The page is the longer way, because much is done with it afterwards; so it has precedence.
const compileServer = () =>
    compile('server', 'the server', ['--package=signalbox', '--bins', '--release'], {
        env: rustflags(...ERASE),
        background: true,
    });

const compileSplitter = () => compile('tool', 'the splitter', ['--package=signalbox-wasm-split', '--profile=tools']);

/** Start of `finish`, which runs while the server is still compiled. */
let finishing;

/** Makes the site, unless it was made from the same before. Returns lines about its size. */
async function finish() {
    finishing = seconds();
    const inputs = inputsOf(MODULE, SPLITTER);
    const before = existsSync(INPUTS) && readFileSync(INPUTS, 'utf8');
    if (inputs === before && existsSync(path.join(site, 'hash.txt'))) {
        at('finish')(1, 1);
        return [];
    }
    const next = path.join(staging, 'site');
    const lines = await makePage({ module: MODULE, splitter: SPLITTER, site: next, pool, progress: at('finish') });
    rmSync(INPUTS, { force: true });
    // A running server misses its files for an instant at most.
    if (existsSync(site)) renameSync(site, path.join(staging, 'old'));
    renameSync(next, site);
    writeFileSync(INPUTS, inputs);
    return lines;
}

function cleanUp() {
    endCargo();
    // Workers may still write to it.
    rmSync(staging, { recursive: true, force: true, maxRetries: 10 });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
        try {
            cleanUp();
        } finally {
            process.exit(1);
        }
    });
}

progress.begin('Compiling the page and the server');
const timer = setInterval(show, 500);
try {
    const splitter = compileSplitter();
    const page = compilePage();
    const server = splitter.then(compileServer);
    const finished = Promise.all([splitter, page]).then(finish);
    // Awaited together: the first failure ends the build.
    const compiled = Promise.all([page, server]).then(() => {
        progress.end();
        progress.begin('Optimizing and compressing the page', finishing);
        shown = ['finish'];
    });
    const [lines] = await Promise.all([finished, compiled]);
    progress.end();
    for (const line of lines) console.log(line);
    process.exitCode = 0;
} catch (error) {
    progress.clear();
    console.error(error instanceof CargoError ? `${error.diagnostics}\n\n${error.message}` : error.stack ?? String(error));
    console.error(`The whole output of cargo is in ${logs}.`);
    process.exitCode = 1;
} finally {
    clearInterval(timer);
    cleanUp();
    await pool.close();
}
