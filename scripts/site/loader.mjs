// Lets the page request a part of its program again if the connection fails.

/** Name of the loader that the splitter writes. */
export const LOADER = '__wasm_split.______________________.js';

/** Request of a part, as the splitter writes it. */
const REQUEST =
    /const src = fetch\(new URL\((?<file>"[^"]+"), import\.meta\.url\)\);\s*return async \(imports\) => \(WebAssembly\.instantiateStreaming\(src, imports\)\);/gu;

/**
 * Requests a part at once; the returned function instantiates it. Repeats a failed request three times, and waits while
 * the browser is offline. A missing part (404) belongs to a version that the server no longer has, so it is not
 * requested again.
 */
function requestPart(file) {
    const url = new URL(file, import.meta.url);
    const request = async () => {
        const response = await fetch(url);
        if (!response.ok) throw Object.assign(new Error(`${url}: ${response.status}`), { status: response.status });
        return response;
    };
    let source = request();
    // The error is handled once the part is needed.
    source.catch(() => undefined);
    return async (imports) => {
        for (const pause of [300, 1_000, 3_000]) {
            try {
                return await WebAssembly.instantiateStreaming(source, imports);
            } catch (error) {
                if (error.status === 404) throw error;
                await new Promise((resolve) => {
                    if (navigator.onLine) setTimeout(resolve, pause);
                    else addEventListener('online', resolve, { once: true });
                });
                source = request();
            }
        }
        return WebAssembly.instantiateStreaming(source, imports);
    };
}

/** Loader of the splitter, with repeated requests. */
export function withRetries(loader) {
    const replaced = loader.replaceAll(REQUEST, (...match) => `return requestPart(${match.at(-1).file});`);
    if (replaced === loader || replaced.includes('instantiateStreaming')) {
        throw new Error('the loader of parts has an unexpected form; adapt REQUEST in scripts/site/loader.mjs');
    }
    return `${replaced}\n${requestPart}\n`;
}
