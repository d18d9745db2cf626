// Bundles: the parts of a page in one file, for its first visit, and those of each of its sections. Parts resemble each
// other, so one compressed file is a fifth to a third smaller than many, and it is one request.
//
// A bundle contains modules one after the other. No part is in two bundles of one page. If some parts of a bundle are
// loaded already, only the missing ones are requested (loader.mjs).
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Name of the file that says which parts a page or section needs, as the splitter writes it. */
export const MANIFEST = '__wasm_split_manifest.json';

/** Parts that several sections of a page share are in the page's bundle, if they have fewer bytes together. */
const SMALL = 12_000;

/** Name of a page in the manifest, such as `__operation_view_385574359813078099`. */
const PAGE = /^__(?<page>\w+)_view_\d+$/u;

/** Name of the page of a view as in `PAGE`; sections begin with it: `operation_log`. */
export const pageOf = (name) => PAGE.exec(name)?.groups.page;

/**
 * Bundles of the pages and of their sections: a map from name to `[bundle, parts]` of each bundle that it needs.
 * `needed` has the parts of each name, `bytesOf` gives the size of a part. Dialogs have no bundles: most of their parts
 * are loaded before them.
 */
export function plan(needed, bytesOf) {
    const bundles = new Map();
    for (const [view, parts] of needed.filter(([name]) => pageOf(name))) {
        const page = pageOf(view);
        const sections = needed.filter(([name]) => name.startsWith(`${page}_`));
        const ofPage = [...parts];
        // Parts by the sections that need them.
        const groups = new Map();
        for (const part of new Set(sections.flatMap(([, list]) => list))) {
            if (parts.includes(part)) continue;
            const names = sections.filter(([, list]) => list.includes(part)).map(([name]) => name);
            const group = groups.get(names.join()) ?? { names, parts: [] };
            group.parts.push(part);
            groups.set(names.join(), group);
        }
        for (const [name] of sections) bundles.set(name, []);
        let shared = 0;
        for (const group of groups.values()) {
            const bytes = group.parts.reduce((sum, part) => sum + bytesOf(part), 0);
            if (group.names.length > 1 && bytes < SMALL) {
                ofPage.push(...group.parts);
                continue;
            }
            const name = group.names.length > 1 ? `${page}_shared_${(shared += 1)}` : group.names[0];
            for (const section of group.names) bundles.get(section).push([`bundle_${name}`, group.parts]);
        }
        bundles.set(view, [[`bundle_${view}`, ofPage]]);
    }
    return bundles;
}

/**
 * Writes the bundles to `pkg`, and names them in the manifest instead of their parts, because the server lets browsers
 * preload the files in the manifest. Returns a map from page or section to `[bundle, [part, bytes]…]`, in the order of
 * the bundle.
 */
export function writeBundles(pkg) {
    const manifest = path.join(pkg, MANIFEST);
    const fileOf = (name) => path.join(pkg, `${name}.wasm`);
    const bytesOf = (part) => statSync(fileOf(part)).size;
    const needed = Object.entries(JSON.parse(readFileSync(manifest, 'utf8')));
    const bundles = plan(needed, bytesOf);
    const written = new Map();
    for (const [name, parts] of [...bundles.values()].flat()) {
        writeFileSync(fileOf(name), Buffer.concat(parts.map((part) => readFileSync(fileOf(part)))));
        written.set(name, parts.map((part) => [part, bytesOf(part)]));
    }
    const files = needed.map(([name, parts]) => [name, bundles.get(name)?.map(([bundle]) => bundle) ?? parts]);
    writeFileSync(manifest, JSON.stringify(Object.fromEntries(files), null, 2));
    return new Map([...bundles].map(([name, list]) => [name, list.map(([bundle]) => [bundle, written.get(bundle)])]));
}
