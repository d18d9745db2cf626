// Lets the page request the parts of its program in bundles, and again if the connection fails.

import { PAGE, SMALL, pageOf, plan } from './bundle.mjs';
import { PLACEHOLDER } from './names.mjs';

/** Name of the loader that the splitter writes. */
export const LOADER = `__wasm_split.${PLACEHOLDER}.js`;

/** Request of a part, as the splitter writes it. */
const REQUEST = /fetch\(new URL\("\.\/(?<part>\w+)\.wasm", import\.meta\.url\)\)/gu;
/** First definition of a part, as the splitter writes it. */
const FIRST = /^(?:\/\* |const __chunk_\d+ = |export const __wasm_split_load_)/mu;
/** Loading of a page, section or dialog, as the splitter writes it. */
const ENTRY = /^export const __wasm_split_load_(?<name>\w+) = wrapAsyncCb\(makeLoad\(/gmu;

/**
 * Requests a file at once. The returned function passes the response to `use`, and requests the file again up to three
 * times if that fails; it waits while the browser is offline. A missing file (404) belongs to a version that the server
 * no longer has, so it is not requested again.
 */
function requestFile(name) {
    const url = new URL(`./${name}.${HASH}.wasm`, import.meta.url);
    const request = async () => {
        const response = await fetch(url);
        if (!response.ok) throw Object.assign(new Error(`${url}: ${response.status}`), { status: response.status });
        return response;
    };
    let source = request();
    // The error is handled once the file is needed.
    source.catch(() => undefined);
    return async (use) => {
        for (const pause of [300, 1_000, 3_000]) {
            try {
                return await use(source);
            } catch (error) {
                if (error.status === 404) throw error;
                await new Promise((resolve) => {
                    if (navigator.onLine) setTimeout(resolve, pause);
                    else addEventListener('online', resolve, { once: true });
                });
                source = request();
            }
        }
        return use(source);
    };
}

/** Parts that were requested, alone or in a bundle. */
const seen = new Set();
/** By part: its bytes, on their way in a bundle. */
const bundled = new Map();

/** Requests a part at once, unless it comes in a bundle; the returned function instantiates it. */
function requestPart(part) {
    seen.add(part);
    const bytes = bundled.get(part);
    if (bytes) {
        // If the bundle fails, the part is requested alone the next time.
        bundled.delete(part);
        return async (imports) => WebAssembly.instantiate(await bytes, imports);
    }
    const file = requestFile(part);
    return (imports) => file((source) => WebAssembly.instantiateStreaming(source, imports));
}

/** The modules of a bundle (`bundleOf`), of which there are `count`. */
function modulesOf(bundle, count) {
    let at = 0;
    const kinds = Array.from({ length: count }, () => {
        const start = at;
        at = bundle.indexOf(0, at) + 1;
        return [...bundle.subarray(start, at - 1)];
    });
    const modules = kinds.map(() => []);
    for (let kind = 1; kind < 16; kind += 1) {
        modules.forEach((sections, module) => {
            if (!kinds[module].includes(kind)) return;
            const start = at;
            let size = 0;
            for (let shift = 0, byte = 128; byte > 127; shift += 7) {
                byte = bundle[at++];
                size += (byte & 127) * 2 ** shift;
            }
            at += size;
            sections[kind] = bundle.subarray(start, at);
        });
    }
    return modules.map((sections, module) => {
        const parts = kinds[module].flatMap((kind) => [[kind], sections[kind]]);
        const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 8));
        // Magic number and version.
        bytes.set([0, 97, 115, 109, 1]);
        let end = 8;
        for (const part of parts) {
            bytes.set(part, end);
            end += part.length;
        }
        return bytes;
    });
}

/**
 * Makes `load`, which requests the parts of a page or section, use each of its bundles of which at least three quarters
 * of the bytes are missing: a bundle is about a quarter smaller than its parts. `bundles` are `[name, parts]`, with parts
 * in the order of the bundle. The bundle that fits best is requested first; then the others of a dialog have nothing that
 * is missing.
 */
function withBundles(bundles, load) {
    const sum = (some) => some.reduce((total, part) => total + sizes.get(part), 0);
    const isMissing = (part) => !seen.has(part) && !bundled.has(part);
    const request = ([bundle, parts]) => {
        if (sum(parts.filter(isMissing)) < 0.75 * sum(parts)) return;
        const modules = requestFile(bundle)(async (source) =>
            modulesOf(new Uint8Array(await (await source).arrayBuffer()), parts.length),
        );
        parts.forEach((part, at) => {
            if (seen.has(part)) return;
            const bytes = modules.then((all) => all[at]);
            // The error is handled once the part is needed.
            bytes.catch(() => undefined);
            bundled.set(part, bytes);
        });
    };
    const fit = ([, parts]) => 2 * sum(parts.filter(isMissing)) - sum(parts);
    return () => {
        [...bundles].sort((a, b) => fit(b) - fit(a)).forEach(request);
        return load();
    };
}

/**
 * Tables that say which parts a page, section or dialog needs, as text: the names of these, and for each part its name,
 * the set of its users as the bits of a number, and its size. Most parts are named `chunk_`, with consecutive numbers.
 */
function tableOf(needed, sizes) {
    const names = needed.map(([name]) => name);
    const users = (part) => needed.reduce((bits, [, parts], at) => bits + (parts.includes(part) ? 2 ** at : 0), 0);
    const rows = [...sizes].map(([part, size]) => [part.startsWith('chunk_') ? Number(part.slice(6)) : part, users(part), size]);
    const numbered = rows.filter(([part]) => typeof part === 'number').sort(([a], [b]) => a - b);
    const others = rows.filter(([part]) => typeof part !== 'number');
    const text = (number) => number.toString(36);
    let next = 0;
    const steps = numbered.map(([number, bits, size]) => {
        const step = number - next;
        next = number + 1;
        return [step ? text(step) : '', text(bits), text(size)];
    });
    const column = (at) => steps.map((row) => row[at]).join();
    return { names, columns: [column(0), column(1), column(2)], others: others.map(([part, bits, size]) => [part, text(bits), text(size)]) };
}

/** The inverse of `tableOf`. */
function readTable({ names, columns, others }) {
    const [steps, bits, sizes] = columns.map((text) => text.split(','));
    const number = (text) => parseInt(text || '0', 36);
    let next = -1;
    const rows = steps.map((step, at) => [`chunk_${(next += 1 + number(step))}`, bits[at], sizes[at]]).concat(others);
    const isUsed = (bits, at) => Math.floor(number(bits) / 2 ** at) % 2 === 1;
    return {
        needed: names.map((name, at) => [name, rows.filter(([, bits]) => isUsed(bits, at)).map(([part]) => part)]),
        sizes: new Map(rows.map(([part, , size]) => [part, number(size)])),
    };
}

/** Loader of a page, section or dialog: loads its part after the parts that it shares with others. */
function entry(name) {
    const own = `split_${name}`;
    const parts = new Map(needed).get(name);
    const shared = parts.filter((part) => part !== own).map((part) => {
        if (!loads.has(part)) loads.set(part, makeLoad(() => requestPart(part), []));
        return loads.get(part);
    });
    const request = parts.includes(own) ? () => requestPart(own) : () => async () => undefined;
    return wrapAsyncCb(withBundles(bundles.get(name) ?? [], makeLoad(request, shared)));
}

/** Loader of the splitter, with bundles and repeated requests. `needed` and `sizes` are those of `writeBundles`. */
export function improved(loader, { needed, sizes }) {
    const first = FIRST.exec(loader)?.index;
    const requested = [...loader.matchAll(REQUEST)].map((match) => match.groups.part);
    const entries = [...loader.matchAll(ENTRY)].map((match) => match.groups.name);
    const same = (a, b) => [...a].sort().join() === [...b].sort().join();
    if (first === undefined || !same(requested, sizes.keys()) || !same(entries, needed.map(([name]) => name))) {
        throw new Error('the loader of parts has an unexpected form; adapt REQUEST, FIRST and ENTRY in scripts/site/loader.mjs');
    }
    return [
        loader.slice(0, first),
        `const HASH = '${PLACEHOLDER}';`,
        `const { needed, sizes } = (${readTable})(${JSON.stringify(tableOf(needed, sizes))});`,
        `const [PAGE, SMALL, pageOf] = [${PAGE}, ${SMALL}, ${pageOf}];`,
        `const bundles = (${plan})(needed, (part) => sizes.get(part));`,
        'const seen = new Set();\nconst bundled = new Map();\nconst loads = new Map();',
        ...[requestFile, requestPart, modulesOf, withBundles, entry],
        ...entries.map((name) => `export const __wasm_split_load_${name} = entry("${name}");`),
    ].join('\n');
}
