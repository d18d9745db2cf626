// What visitors download: the sizes of the site, and of the first visit of each page.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const kib = (bytes) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;

/** Lines of text about a site whose files were compressed to `sizes`, a map from file to `{ before, after }`. */
export function sizesOf(site, sizes) {
    const sum = (key) => [...sizes.values()].reduce((total, size) => total + size[key], 0);
    const lines = [`Site: ${kib(sum('before'))}, ${kib(sum('after'))} compressed. A first visit transfers a part of it:`];
    // First visit of each page, without its HTML and without the chart code.
    const pkg = path.join(site, 'pkg');
    const files = readdirSync(pkg);
    const compressed = (name) => statSync(path.join(pkg, `${name}.br`)).size;
    const core = files.filter((name) => /^(?:signalbox\..*\.(?:wasm|js|css)|__wasm_split\..*\.js)$/u.test(name));
    lines.push(`  shared by all pages ${kib(core.reduce((total, name) => total + compressed(name), 0))}`);
    const manifest = files.find((name) => /^__wasm_split_manifest\..*json$/u.test(name));
    for (const [view, parts] of Object.entries(JSON.parse(readFileSync(path.join(pkg, manifest), 'utf8')))) {
        const page = /^__(.*)_view/u.exec(view)?.[1] ?? view;
        // One of the bundles of a dialog, by the page where it is opened first.
        const ofDialog = files.filter((name) => new RegExp(`^bundle_${view}_\\w+\\.[\\w-]+\\.wasm$`, 'u').test(name));
        if (parts.some((part) => part.startsWith('split_')) && ofDialog.length > 0) {
            const all = ofDialog.map(compressed).sort((a, b) => a - b);
            lines.push(`  ${page.padEnd(12)} ${kib(all[0])} to ${kib(all.at(-1))} in addition, once`);
            continue;
        }
        const own = parts.reduce((total, part) => total + compressed(`${part}.wasm`), 0);
        lines.push(`  ${page.padEnd(12)} ${kib(own).padStart(8)} in addition`);
    }
    return lines;
}
