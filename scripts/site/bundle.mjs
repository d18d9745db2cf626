// Bundles: the parts of a page in one file, for its first visit, those of each of its sections, and those of dialogs. Parts resemble each
// other, so one compressed file is a fifth to a third smaller than many, and it is one request.
//
// In a bundle, sections of the same kind follow each other: they resemble each other more than the sections of one part.
// No part is in two bundles of one page. If some parts of a bundle are loaded already, only the missing ones are
// requested (loader.mjs).
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sectionsOf } from './sections.mjs';

/** Name of the file that says which parts a page or section needs, as the splitter writes it. */
export const MANIFEST = '__wasm_split_manifest.json';

/** Bytes of a unit of size; the loader knows the sizes of parts in such units. */
const UNIT = 64;
/** Parts that several sections of a page share are in the page's bundle, if they have fewer units together. */
export const SMALL = 187;

/** Name of a page in the manifest, such as `__operation_view_385574359813078099`. */
export const PAGE = /^__(?<page>\w+)_view_\d+$/u;

/** Name of the page of a view as in `PAGE`; sections begin with it: `operation_log`. */
export const pageOf = (name) => PAGE.exec(name)?.groups.page;

/**
 * Bundles of pages, sections and dialogs: a map from name to `[bundle, parts]` of each bundle that it needs. `needed` has
 * the parts of each name, `sizeOf` gives the size of a part in units. The loader contains this function.
 *
 * Dialogs open on any page, and share parts with all. They have a bundle for each page, without the parts of that page;
 * the loader chooses one of these.
 */
export function plan(needed, sizeOf) {
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
            const size = group.parts.reduce((sum, part) => sum + sizeOf(part), 0);
            if (group.names.length > 1 && size < SMALL) {
                ofPage.push(...group.parts);
                continue;
            }
            const name = group.names.length > 1 ? `${page}_shared_${(shared += 1)}` : group.names[0];
            for (const section of group.names) bundles.get(section).push([`bundle_${name}`, group.parts]);
        }
        bundles.set(view, [[`bundle_${view}`, ofPage]]);
    }
    const ofPages = [...bundles].filter(([name]) => pageOf(name));
    for (const [name, parts] of needed.filter(([other]) => !bundles.has(other))) {
        const without = ([view, [[, ofPage]]]) => [
            `bundle_${name}_${pageOf(view)}`,
            parts.filter((part) => !ofPage.includes(part)),
        ];
        bundles.set(name, ofPages.map(without));
    }
    return bundles;
}

/**
 * A bundle of modules: for each module, the kinds of its sections and a zero; then, kind by kind, the sections of all
 * modules with their sizes.
 */
export function bundleOf(modules) {
    const all = modules.map(sectionsOf);
    const kinds = all.map((sections) => Buffer.from([...sections.map(({ id }) => id), 0]));
    const ids = [...new Set(all.flat().map(({ id }) => id))].sort((a, b) => a - b);
    const sorted = ids.flatMap((id) => all.flat().filter((section) => section.id === id));
    return Buffer.concat([...kinds, ...sorted.flatMap(({ size, content }) => [size, content])]);
}

/**
 * Writes the bundles to `pkg`, and names them in the manifest instead of their parts, because the server lets browsers
 * preload the files in the manifest. Returns what the loader is made from: the parts that each page, section or dialog
 * needs, and the size of each part in units.
 */
export function writeBundles(pkg) {
    const manifest = path.join(pkg, MANIFEST);
    const fileOf = (name) => path.join(pkg, `${name}.wasm`);
    const needed = Object.entries(JSON.parse(readFileSync(manifest, 'utf8')));
    needed.sort(([a], [b]) => (a < b ? -1 : 1));
    const parts = new Set(needed.flatMap(([, list]) => list));
    const sizes = new Map([...parts].map((part) => [part, Math.ceil(statSync(fileOf(part)).size / UNIT)]));
    const bundles = plan(needed, (part) => sizes.get(part));
    for (const [name, list] of [...bundles.values()].flat()) {
        writeFileSync(fileOf(name), bundleOf(list.map((part) => readFileSync(fileOf(part)))));
    }
    const pages = needed.flatMap(([name]) => pageOf(name) ?? []);
    // A browser loads only one of the bundles of a dialog.
    const isDialog = (name) => !pageOf(name) && !pages.some((page) => name.startsWith(`${page}_`));
    const files = needed.map(([name, list]) => [name, isDialog(name) ? list : bundles.get(name).map(([bundle]) => bundle)]);
    writeFileSync(manifest, JSON.stringify(Object.fromEntries(files), null, 2));
    return { needed, sizes };
}
