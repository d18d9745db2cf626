// Lets the page request the parts of its program in bundles, and again if the connection fails.
import { bundleOf } from './bundle.mjs';

/** Name of the loader that the splitter writes. */
export const LOADER = '__wasm_split.______________________.js';

/** Request of a part, as the splitter writes it. */
const REQUEST =
    /const src = fetch\(new URL\((?<file>"[^"]+"), import\.meta\.url\)\);\s*return async \(imports\) => \(WebAssembly\.instantiateStreaming\(src, imports\)\);/gu;

/** Loading of a page or dialog with all its parts, as the splitter writes it. */
const ENTRY = /(?<head>export const __wasm_split_load_(?<page>\w+) = wrapAsyncCb\()(?<load>makeLoad\([^]*?\]\))\);/gu;

/**
 * Requests a file at once. The returned function passes the response to `use`, and requests the file again up to three
 * times if that fails; it waits while the browser is offline. A missing file (404) belongs to a version that the server
 * no longer has, so it is not requested again.
 */
function requestFile(file) {
    const url = new URL(file, import.meta.url);
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
function requestPart(file) {
    seen.add(file);
    const bytes = bundled.get(file);
    if (bytes) {
        // If the bundle fails, the part is requested alone the next time.
        bundled.delete(file);
        return async (imports) => WebAssembly.instantiate(await bytes, imports);
    }
    const part = requestFile(file);
    return (imports) => part((source) => WebAssembly.instantiateStreaming(source, imports));
}

/**
 * Makes `load`, which requests the parts of a page, use its bundle if at least three quarters of the bytes are missing: a
 * bundle is about a quarter smaller than its parts. `parts` are `[file, bytes]`, in the order of the bundle.
 */
function withBundle(bundle, parts, load) {
    const sum = (some) => some.reduce((total, [, size]) => total + size, 0);
    return () => {
        if (sum(parts.filter(([file]) => !seen.has(file))) >= 0.75 * sum(parts)) {
            const whole = requestFile(bundle)(async (source) => (await source).arrayBuffer());
            let end = 0;
            for (const [file, size] of parts) {
                const start = end;
                end += size;
                if (seen.has(file)) continue;
                const bytes = whole.then((buffer) => new Uint8Array(buffer, start, size));
                // The error is handled once the part is needed.
                bytes.catch(() => undefined);
                bundled.set(file, bytes);
            }
        }
        return load();
    };
}

/** Loader of the splitter, with bundles and repeated requests. `bundles` is the result of `writeBundles`. */
export function improved(loader, bundles) {
    const parts = loader.replaceAll(REQUEST, (...match) => `return requestPart(${match.at(-1).file});`);
    if (parts === loader || parts.includes('instantiateStreaming')) throw unexpected('REQUEST');
    let found = 0;
    const pages = parts.replaceAll(ENTRY, (text, ...match) => {
        const { head, page, load } = match.at(-1);
        if (!bundles.has(page)) return text;
        found += 1;
        const files = bundles.get(page).map(([part, size]) => [`./${part}.wasm`, size]);
        return `${head}withBundle("./${bundleOf(page)}.wasm", ${JSON.stringify(files)}, ${load}));`;
    });
    if (found !== bundles.size) throw unexpected('ENTRY');
    const state = 'const seen = new Set();\nconst bundled = new Map();';
    return [pages, state, requestFile, requestPart, withBundle].join('\n');
}

function unexpected(pattern) {
    return new Error(`the loader of parts has an unexpected form; adapt ${pattern} in scripts/site/loader.mjs`);
}
