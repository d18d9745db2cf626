// Lets the page request the parts of its program in bundles, and again if the connection fails.

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
 * Makes `load`, which requests the parts of a page or section, use each of its bundles of which at least three quarters
 * of the bytes are missing: a bundle is about a quarter smaller than its parts. `bundles` are `[file, parts]`, with parts
 * `[file, bytes]` in the order of the bundle.
 */
function withBundles(bundles, load) {
    const sum = (some) => some.reduce((total, [, size]) => total + size, 0);
    const isMissing = ([file]) => !seen.has(file) && !bundled.has(file);
    const request = ([bundle, parts]) => {
        if (sum(parts.filter(isMissing)) < 0.75 * sum(parts)) return;
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
    };
    return () => {
        bundles.forEach(request);
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
        const fileOf = (name) => `./${name}.wasm`;
        const listed = bundles
            .get(page)
            .map(([bundle, parts]) => [fileOf(bundle), parts.map(([part, size]) => [fileOf(part), size])]);
        return `${head}withBundles(${JSON.stringify(listed)}, ${load}));`;
    });
    if (found !== bundles.size) throw unexpected('ENTRY');
    const state = 'const seen = new Set();\nconst bundled = new Map();';
    return [pages, state, requestFile, requestPart, withBundles].join('\n');
}

function unexpected(pattern) {
    return new Error(`the loader of parts has an unexpected form; adapt ${pattern} in scripts/site/loader.mjs`);
}
