// Tests of the site's build: node --test scripts/site/site.test.mjs
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { MANIFEST, bundleOf, plan, writeBundles } from './bundle.mjs';
import { CargoOutput } from './cargo.mjs';
import { Estimate } from './estimate.mjs';
import { LOADER, improved } from './loader.mjs';
import { hashOf, nameByHash } from './names.mjs';
import { Progress, timeLeft } from './progress.mjs';
import { moduleOf, sectionsOf, toLeb } from './sections.mjs';
import { shortNames, slim } from './slim.mjs';
import { dataBytes } from './split.mjs';

const FILES = {
    'signalbox.js': `import * as a from "./${LOADER}";const b={"./signalbox_bg.js":1}`,
    'signalbox.wasm': Buffer.from([0, 255, ...Buffer.from(`./${LOADER}`), 128]),
    'signalbox.css': 'a{color:red}',
    'chunk_1.wasm': 'one',
    'chunk_10.wasm': 'ten',
    'split___new_view_1.wasm': 'view',
    'bundle___new_view_1.wasm': 'onetenview',
    [LOADER]: 'import{initSync}from"./signalbox.js";fetch(new URL("./chunk_1.wasm",u));fetch(new URL("./chunk_10.wasm",u))',
    '__wasm_split_manifest.json': '{"__new_view_1":["bundle___new_view_1"],"later":["chunk_1","chunk_10"]}',
};

/** Names files by their hashes, and returns `{ hashes, files }`: the text of hash.txt, and content by new name. */
function named(context, changes = {}) {
    const pkg = mkdtempSync(path.join(tmpdir(), 'signalbox-names-'));
    context.after(() => rmSync(pkg, { recursive: true }));
    for (const [file, content] of Object.entries({ ...FILES, ...changes })) writeFileSync(path.join(pkg, file), content);
    const text = nameByHash(pkg, 'signalbox');
    const hashes = Object.fromEntries(text.trim().split('\n').map((line) => line.split(': ')));
    return { hashes, files: new Map(readdirSync(pkg).map((file) => [file, readFileSync(path.join(pkg, file))])) };
}

test('files of the program refer to each other by their new names', (context) => {
    const { hashes, files } = named(context);
    const { js: hash, css } = hashes;
    assert.match(hash, /^[\w-]{22}$/u);
    assert.deepEqual(hashes, { js: hash, wasm: hash, css, manifest: hash, split: hash });
    const loader = `__wasm_split.${hash}.js`;
    assert.deepEqual([...files.keys()].sort(), [
        `__wasm_split_manifest.${hash}.json`, loader, `bundle___new_view_1.${hash}.wasm`, `chunk_1.${hash}.wasm`, `chunk_10.${hash}.wasm`,
        `signalbox.${css}.css`, `signalbox.${hash}.js`, `signalbox.${hash}.wasm`, `split___new_view_1.${hash}.wasm`,
    ].sort());
    assert.equal(String(files.get(`signalbox.${hash}.js`)), `import * as a from "./${loader}";const b={"./signalbox_bg.js":1}`);
    assert.equal(
        String(files.get(loader)),
        `import{initSync}from"./signalbox.${hash}.js";` +
            `fetch(new URL("./chunk_1.${hash}.wasm",u));fetch(new URL("./chunk_10.${hash}.wasm",u))`,
    );
    assert.deepEqual(JSON.parse(files.get(`__wasm_split_manifest.${hash}.json`)), {
        __new_view_1: [`bundle___new_view_1.${hash}`],
        later: [`chunk_1.${hash}`, `chunk_10.${hash}`],
    });
    assert.deepEqual(files.get(`signalbox.${hash}.wasm`), Buffer.from([0, 255, ...Buffer.from(`./${loader}`), 128]));
});

test('a change of any part renames all files that refer to it, and no styles', (context) => {
    const before = named(context).hashes;
    const part = named(context, { 'chunk_10.wasm': 'TEN' }).hashes;
    assert.notEqual(part.js, before.js);
    assert.equal(part.css, before.css);
    const style = named(context, { 'signalbox.css': 'a{color:tan}' }).hashes;
    assert.equal(style.js, before.js);
    assert.notEqual(style.css, before.css);
});

test('a hash depends on where one content ends and the next begins', () => {
    assert.notEqual(hashOf('ab', 'c'), hashOf('a', 'bc'));
    assert.equal(hashOf('ab', 'c'), hashOf('ab', 'c'));
});

test('output of cargo is divided into progress, lines, and what the compiler says', () => {
    const seen = [];
    const output = new CargoOutput((finished, all) => seen.push([finished, all]));
    const lines = [
        '   Compiling serde v1.0.229\n    Building [=>      ] 12/35: serde, syn(bu…\r',
        'warning: unused variable: `x`\n --> app/src/lib.rs:3:5\n\n    Buil',
        'ding [====>   ] 34/35: app   \r   Compiling signalbox v0.1.0 (/src)\n',
        '    Finished `release` profile [optimized] target(s) in 0.33s\n',
    ].flatMap((text) => output.push(text));
    assert.deepEqual(seen, [[12, 35], [34, 35]]);
    assert.deepEqual(lines, [
        '   Compiling serde v1.0.229',
        'warning: unused variable: `x`',
        ' --> app/src/lib.rs:3:5',
        '   Compiling signalbox v0.1.0 (/src)',
        '    Finished `release` profile [optimized] target(s) in 0.33s',
    ]);
    assert.equal(output.diagnostics(), 'warning: unused variable: `x`\n --> app/src/lib.rs:3:5');
});

const PARTS = { page: { work: 200, curve: [[0, 0], [0.5, 0.2], [1, 1]] }, server: { work: 600, curve: [[0, 0], [1, 1]] } };

test('the time left follows the work, and the speed of the machine', () => {
    const estimate = new Estimate(PARTS, 2);
    assert.equal(estimate.left(0), 400);
    estimate.set('page', 0.25);
    // 20 of 800 seconds of one core are done: too little to know the speed.
    assert.equal(estimate.left(100), 390);
    assert.equal(estimate.done(['page']), 0.1);
    estimate.set('page', 1);
    estimate.set('server', 0.5);
    // 250 of the predicted 400 s took 500 s.
    assert.equal(estimate.left(500), 300);
});

test('steps that cargo skips, because they were built before, tell nothing about the speed', () => {
    const estimate = new Estimate(PARTS, 2);
    estimate.set('page', 1);
    estimate.set('server', 0.5);
    assert.equal(estimate.left(1), 150);
    estimate.set('server', 0.75);
    // The half of 150 s took 37.5 s.
    assert.equal(estimate.left(38.5), 37.5);
});

/** A progress line on an output that keeps what is written. */
function line(isTTY) {
    const clock = { seconds: 0 };
    const written = [];
    const out = { isTTY, columns: 60, write: (text) => written.push(text) };
    return { clock, written, progress: new Progress({ before: 1, parts: 3, out, now: () => clock.seconds }) };
}

test('on a terminal, one line is rewritten', () => {
    const { clock, written, progress } = line(true);
    progress.begin('Compiling');
    progress.update('11 %', 600);
    clock.seconds = 65;
    progress.update('', 20);
    progress.end();
    assert.deepEqual(written, [
        '\r\u001B[K[2/3] Compiling · 11 % · about 10 min left',
        '\r\u001B[K[2/3] Compiling · less than a minute left',
        '\r\u001B[K[2/3] Compiling · done in 1 min 05 s\n',
    ]);
});

test('without a terminal, a line is printed once a minute', () => {
    const { clock, written, progress } = line(false);
    progress.begin('Compiling');
    for (clock.seconds = 0; clock.seconds < 90; clock.seconds += 30) progress.update(`${clock.seconds}`, 100);
    progress.end();
    assert.deepEqual(written, [
        '[2/3] Compiling · 0 · about 2 min left\n',
        '[2/3] Compiling · 60 · about 2 min left\n',
        '[2/3] Compiling · done in 1 min 30 s\n',
    ]);
});

test('the time left is rounded to minutes', () => {
    assert.deepEqual([44, 45, 89, 90, 600].map(timeLeft), [
        'less than a minute left', 'about 1 min left', 'about 1 min left', 'about 2 min left', 'about 10 min left',
    ]);
});

/** Smallest module. */
const EMPTY = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
/** Definition of a part, as the splitter writes it. */
const part = (file) =>
    `makeLoad(() => {\n    const src = fetch(new URL("./${file}.wasm", import.meta.url));\n` +
    '    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));\n}\n';
/** Loader of a page with a part of its own and a shared one, and of a dialog with the shared part. */
const WRITTEN = `const wrapAsyncCb = (load) => load;
function makeLoad(request, needed) {
    let loaded;
    return () => (loaded ??= Promise.all([...needed.map((load) => load()), request()({})]).catch((error) => {
        loaded = undefined;
        throw error;
    }));
}
const __chunk_1 = ${part('chunk_1')}, []);
export const __wasm_split_load___new_view_1 = wrapAsyncCb(${part('split___new_view_1')}, [__chunk_1]));
export const __wasm_split_load_later = wrapAsyncCb(${part('split_later')}, [__chunk_1]));
`;
const NEEDED = [['__new_view_1', ['chunk_1', 'split___new_view_1']], ['later', ['chunk_1', 'split_later']]];
const PARTS_OF_LOADER = {
    needed: NEEDED,
    sizes: new Map([['chunk_1', 1], ['split___new_view_1', 1], ['split_later', 1]]),
};

/** Imports the loader. `responses` are the outcomes of its requests: the status, if there is a response. */
async function loader(context, responses, modules = [EMPTY, EMPTY]) {
    const folder = mkdtempSync(path.join(tmpdir(), 'signalbox-loader-'));
    context.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'loader.mjs');
    writeFileSync(file, improved(WRITTEN, PARTS_OF_LOADER));
    const requested = [];
    context.mock.method(globalThis, 'fetch', async (url) => {
        const [name] = path.basename(url.pathname, '.wasm').split('.');
        requested.push(name);
        const status = responses.shift();
        if (status === undefined) throw new TypeError('Failed to fetch');
        const body = name.startsWith('bundle') ? bundleOf(modules) : EMPTY;
        return new Response(status === 200 ? body : null, { status, headers: { 'content-type': 'application/wasm' } });
    });
    const instantiated = [];
    context.mock.method(WebAssembly, 'instantiate', async (module) => instantiated.push(module));
    context.mock.method(globalThis, 'setTimeout', (run) => queueMicrotask(run));
    Object.defineProperty(globalThis, 'navigator', { value: { onLine: true }, configurable: true });
    const { __wasm_split_load___new_view_1: page, __wasm_split_load_later: dialog } = await import(file);
    const outcome = (load) => load().then(() => 'loaded', (error) => error.message);
    return { requested, instantiated, page: () => outcome(page), dialog: () => outcome(dialog) };
}

test('the parts of the first page come in one bundle', async (context) => {
    const { requested, page } = await loader(context, [200]);
    assert.equal(await page(), 'loaded');
    assert.deepEqual(requested, ['bundle___new_view_1']);
});

test('if many parts are loaded already, only missing ones are requested', async (context) => {
    const { requested, page, dialog } = await loader(context, [200, 200, 200]);
    assert.equal(await dialog(), 'loaded');
    assert.equal(await page(), 'loaded');
    assert.deepEqual(requested, ['bundle_later_new', 'chunk_1', 'split___new_view_1']);
});

test('a dialog comes in one bundle, without the parts of the page', async (context) => {
    const { requested, page, dialog } = await loader(context, [200, 200]);
    assert.equal(await page(), 'loaded');
    assert.equal(await dialog(), 'loaded');
    assert.deepEqual(requested, ['bundle___new_view_1', 'bundle_later_new']);
});

test('a bundle is requested again after failures of the connection', async (context) => {
    const { requested, page } = await loader(context, [undefined, 502, 200]);
    assert.equal(await page(), 'loaded');
    assert.deepEqual(requested, Array(3).fill('bundle___new_view_1'));
});

test('parts are requested alone after their bundle has failed', async (context) => {
    const { requested, page } = await loader(context, [undefined, undefined, undefined, undefined, 200, 200]);
    assert.equal(await page(), 'Failed to fetch');
    assert.equal(await page(), 'loaded');
    assert.deepEqual(requested.slice(4), ['chunk_1', 'split___new_view_1']);
});

test('a missing file is requested once', async (context) => {
    const { requested, page } = await loader(context, [404, 200]);
    assert.match(await page(), /404$/u);
    assert.equal(requested.length, 1);
});

test('a loader of an unexpected form fails the build', () => {
    assert.throws(() => improved('fetch(x)', PARTS_OF_LOADER), /unexpected form/u);
    assert.throws(() => improved(WRITTEN.replaceAll('__new_view_1', '__old_view_1'), PARTS_OF_LOADER), /unexpected form/u);
});

/** Modules with sections of the kinds 1, 3, 10 and 1, 10, and one without any. */
const MODULES = [
    moduleOf(Buffer.from(EMPTY), [
        { id: 1, content: Buffer.from([1, 0x60, 0, 0]) },
        { id: 3, content: Buffer.from([1, 0]) },
        { id: 10, content: Buffer.from([1, 130, 1, 0, ...Array(128).fill(1), 0x0b]) },
    ]),
    moduleOf(Buffer.from(EMPTY), [{ id: 1, content: Buffer.from([0]) }, { id: 10, content: Buffer.from([0]) }]),
    Buffer.from(EMPTY),
];

test('a page instantiates the modules of its bundle', async (context) => {
    const { page, instantiated } = await loader(context, [200], MODULES.slice(0, 2));
    assert.equal(await page(), 'loaded');
    assert.deepEqual(instantiated.map((module) => Buffer.from(module)), MODULES.slice(0, 2));
});

test('a bundle has the sections of all modules, one kind after the other', () => {
    const bundle = bundleOf(MODULES);
    const [first, second] = MODULES.map(sectionsOf);
    const kinds = [1, 3, 10, 0, 1, 10, 0, 0];
    const sorted = [first[0], second[0], first[1], first[2], second[1]].flatMap(({ size, content }) => [...size, ...content]);
    assert.deepEqual([...bundle], [...kinds, ...sorted]);
});

test('a bundle contains the parts of a page, and browsers preload it instead of them', (context) => {
    const pkg = mkdtempSync(path.join(tmpdir(), 'signalbox-bundles-'));
    context.after(() => rmSync(pkg, { recursive: true }));
    const needed = { later: ['chunk_1', 'split_later'], __new_view_1: ['chunk_1', 'split___new_view_1'] };
    const [one, later, view] = MODULES;
    for (const [name, module] of Object.entries({ chunk_1: one, split_later: later, split___new_view_1: view })) {
        writeFileSync(path.join(pkg, `${name}.wasm`), module);
    }
    writeFileSync(path.join(pkg, MANIFEST), JSON.stringify(needed));
    const written = writeBundles(pkg);
    assert.deepEqual(written.needed, [['__new_view_1', needed.__new_view_1], ['later', needed.later]]);
    assert.deepEqual([...written.sizes], [['chunk_1', 3], ['split___new_view_1', 1], ['split_later', 1]]);
    assert.deepEqual(readFileSync(path.join(pkg, 'bundle___new_view_1.wasm')), bundleOf([one, view]));
    assert.deepEqual(readFileSync(path.join(pkg, 'bundle_later_new.wasm')), bundleOf([later]));
    assert.deepEqual(JSON.parse(readFileSync(path.join(pkg, MANIFEST))), { ...needed, __new_view_1: ['bundle___new_view_1'] });
});

test('a dialog has a bundle for each page, and the one that fits is loaded', () => {
    const needed = [['__a_view_1', ['x', 'y']], ['__b_view_2', ['y']], ['later', ['x', 'y', 'own']]];
    assert.deepEqual(plan(needed, () => 1).get('later'), [
        ['bundle_later_a', ['own']],
        ['bundle_later_b', ['x', 'own']],
    ]);
});

test('bundles of sections have no part of their page, and none twice', () => {
    const needed = [
        ['__new_view_1', ['page']],
        ['new_form', ['page', 'form', 'large', 'small']],
        ['new_sweep', ['page', 'sweep', 'large']],
        ['new_range', ['small']],
        ['newer_form', ['other']],
    ];
    const sizeOf = (part) => (part === 'large' ? 1_000_000 : 1);
    assert.deepEqual([...plan(needed, sizeOf)], [
        ['new_form', [['bundle_new_form', ['form']], ['bundle_new_shared_1', ['large']]]],
        ['new_sweep', [['bundle_new_shared_1', ['large']], ['bundle_new_sweep', ['sweep']]]],
        ['new_range', []],
        // Sharing little is not worth a file.
        ['__new_view_1', [['bundle___new_view_1', ['page', 'small']]]],
        // A dialog, not a section of the page.
        ['newer_form', [['bundle_newer_form_new', ['other']]]],
    ]);
});

test('the size of the data is read from a module', () => {
    const [type, data] = [[1, 4, 1, 0x60, 0, 0], [11, 0x83, 0x01, ...Array(131).fill(0)]];
    assert.equal(dataBytes(Buffer.from([...EMPTY, ...type])), 0);
    assert.equal(dataBytes(Buffer.from([...EMPTY, ...type, ...data])), 131);
});

/** An import of a function of type 0. */
const imported = (from, name) => [from.length, ...Buffer.from(from), name.length, ...Buffer.from(name), 0, 0];
const exported = (name) => [name.length, ...Buffer.from(name), 0, 2];
const CLOSURE = '_ZN12wasm_bindgen7convert8closures1_6invoke17h0E';

test('the shared module and its JavaScript know each other by short names', () => {
    const names = ['__wbg_get_1f', '__wbg_set_2e'];
    const module = moduleOf(Buffer.from(EMPTY), [
        { id: 1, content: Buffer.from([1, 0x60, 0, 0]) },
        { id: 2, content: Buffer.from([3, ...imported('./signalbox_bg.js', names[0]), ...imported('./other.js', 'f'), ...imported('./signalbox_bg.js', names[1])]) },
        { id: 7, content: Buffer.from([2, ...exported('hydrate'), ...exported(CLOSURE)]) },
    ]);
    const script = (get, set, closure) =>
        `    const import0 = {\n        ${get}: function(arg0) {\n        },\n        ${set}: function() { wasm.${closure}(); },\n    };\n`;
    const renamed = shortNames(module, script(...names, CLOSURE));
    assert.equal(renamed.script, script('"0"', '"1"', 'c0'));
    const compiled = new WebAssembly.Module(renamed.module);
    assert.deepEqual(WebAssembly.Module.imports(compiled), [
        { module: './signalbox_bg.js', name: '0', kind: 'function' },
        { module: './other.js', name: 'f', kind: 'function' },
        { module: './signalbox_bg.js', name: '1', kind: 'function' },
    ]);
    assert.deepEqual(WebAssembly.Module.exports(compiled).map(({ name }) => name), ['hydrate', 'c0']);
    assert.throws(() => shortNames(module, script('get', names[1], CLOSURE)), /1 of 2 imports/u);
});

test('custom sections and null elements are left out', () => {
    const table = { id: 4, content: Buffer.from([1, 0x70, 0, 8]) };
    const functions = [0, 0x41, 1, 0x0b, 1, 0];
    const nulls = [4, 0x41, 2, 0x0b, 2, 0xd0, 0x70, 0x0b, 0xd0, 0x70, 0x0b];
    const some = [4, 0x41, 6, 0x0b, 2, 0xd0, 0x70, 0x0b, 0xd2, 0, 0x0b];
    const before = [{ id: 1, content: Buffer.from([1, 0x60, 0, 0]) }, { id: 3, content: Buffer.from([1, 0]) }, table];
    const code = { id: 10, content: Buffer.from([1, 2, 0, 0x0b]) };
    const withElements = (...segments) =>
        moduleOf(Buffer.from(EMPTY), [...before, { id: 9, content: Buffer.concat([toLeb(segments.length), ...segments.map((segment) => Buffer.from(segment))]) }, code]);
    const custom = Buffer.from([0, 5, 4, ...Buffer.from('name')]);
    const out = slim(Buffer.concat([withElements(functions, nulls, some, nulls), custom]));
    assert.deepEqual(out, withElements(functions, some));
    assert.ok(WebAssembly.validate(out));
});
