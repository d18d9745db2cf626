// Makes the files of the site from the compiled frontend: parts of the WebAssembly, JavaScript, styles, static files.
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MANIFEST, writeBundles } from './bundle.mjs';
import { isCompressible } from './compress.mjs';
import { LOADER, improved } from './loader.mjs';
import { hashOf, nameByHash } from './names.mjs';
import { sizesOf } from './sizes.mjs';
import { split } from './split.mjs';

const NAME = 'signalbox';
const STYLE = 'style/main.scss';
/** What a site is made from, besides WebAssembly and splitter. */
const SOURCES = ['style', 'public', 'scripts/site', 'package-lock.json'];

/** Paths of all files below a folder. */
function filesBelow(folder) {
    if (statSync(folder).isFile()) return [folder];
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** Hash of everything that a site is made from. */
export function inputsOf(module, splitter) {
    const sources = SOURCES.flatMap(filesBelow).filter((file) => !file.endsWith('.test.mjs'));
    const files = [module, splitter, ...sources.sort()];
    return hashOf(...files.flatMap((file) => [Buffer.from(path.basename(file)), readFileSync(file)]));
}

/**
 * Makes a site in the new folder `site`, and calls `progress(finished, all)` after each file. Returns lines of text
 * about its size.
 */
export async function makePage({ module, splitter, site, pool, progress }) {
    const pkg = path.join(site, 'pkg');
    mkdirSync(pkg, { recursive: true });
    await split(splitter, module, NAME, pkg);
    const { compile } = await import('sass');
    writeFileSync(path.join(pkg, `${NAME}.css`), compile(STYLE, { style: 'compressed' }).css);
    cpSync('public', site, { recursive: true });

    const made = filesBelow(pkg);
    const modules = made.filter((file) => file.endsWith('.wasm'));
    const scripts = made.filter((file) => file.endsWith('.js'));
    // About one for each page and each section.
    const bundles = Object.keys(JSON.parse(readFileSync(path.join(pkg, MANIFEST), 'utf8'))).length;
    const compressible = filesBelow(site).filter((file) => isCompressible(file)).length + bundles;
    const all = modules.length + scripts.length + compressible;
    await pool.run('optimize', modules, (finished) => progress(finished, all));
    const loader = path.join(pkg, LOADER);
    writeFileSync(loader, improved(readFileSync(loader, 'utf8'), writeBundles(pkg)));
    await pool.run('minify', scripts, (finished) => progress(modules.length + finished, all));
    const hashes = nameByHash(pkg, NAME);
    const files = filesBelow(site).filter((file) => isCompressible(file));
    const sizes = await pool.run('compress', files, (finished) => progress(modules.length + scripts.length + finished, all));
    // Last, and not compressed: the server reads it.
    writeFileSync(path.join(site, 'hash.txt'), hashes);
    return sizesOf(site, sizes);
}
