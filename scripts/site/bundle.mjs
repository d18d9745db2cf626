// Bundles: all parts of a page in one file, for its first visit. Parts resemble each other, so one compressed file is a
// fifth to a third smaller than some sixty, and it is one request.
//
// A bundle contains modules one after the other. When another page is opened later, only its missing parts are requested
// (loader.mjs).
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Name of the file that says which parts a page needs, as the splitter writes it. */
export const MANIFEST = '__wasm_split_manifest.json';

/** File name of a page's bundle, without its ending. */
export const bundleOf = (page) => `bundle_${page}`;

/** Dialogs have no bundles: most of their parts are loaded before them. */
export const isPage = (name) => name.startsWith('__');

/**
 * Writes the bundle of each page to `pkg`, and names it in the manifest instead of its parts, because the server lets
 * browsers preload the files in the manifest. Returns a map from page to `[part, bytes]`, in the order of the bundle.
 */
export function writeBundles(pkg) {
    const manifest = path.join(pkg, MANIFEST);
    const needed = Object.entries(JSON.parse(readFileSync(manifest, 'utf8')));
    const bundles = new Map();
    for (const [page, parts] of needed.filter(([name]) => isPage(name))) {
        const modules = parts.map((part) => readFileSync(path.join(pkg, `${part}.wasm`)));
        writeFileSync(path.join(pkg, `${bundleOf(page)}.wasm`), Buffer.concat(modules));
        bundles.set(page, parts.map((part, i) => [part, modules[i].length]));
    }
    const files = needed.map(([name, parts]) => [name, bundles.has(name) ? [bundleOf(name)] : parts]);
    writeFileSync(manifest, JSON.stringify(Object.fromEntries(files), null, 2));
    return bundles;
}
