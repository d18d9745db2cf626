// Compresses the files of the site once, at the highest level, instead of per request: writes FILE.br and FILE.gz
// beside FILE, and prints what the first visit of each page transfers.
//   node scripts/compress.mjs SITE
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const packable = /\.(wasm|js|mjs|css|svg|json|txt|html)$/;
let before = 0;
let after = 0;

function pack(folder) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory()) pack(file);
        else if (packable.test(entry.name)) {
            const bytes = readFileSync(file);
            const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
            writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: quality }));
            writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
            before += bytes.length;
            after += statSync(`${file}.br`).size;
        }
    }
}

const site = process.argv[2];
pack(site);
const kib = (bytes) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
console.log(`Site: ${kib(before)}, ${kib(after)} compressed. A first visit transfers a part of it:`);

// First visit of each page, without its HTML and without the chart code.
const pkg = path.join(site, 'pkg');
const files = readdirSync(pkg);
const travels = (name) => statSync(path.join(pkg, `${name}.br`)).size;
const core = files.filter((name) => /^(signalbox\..*\.(wasm|js|css)|__wasm_split\..*\.js)$/.test(name));
const shared = core.reduce((sum, name) => sum + travels(name), 0);
console.log(`  shared by all pages ${kib(shared)}`);
const manifest = files.find((name) => /^__wasm_split_manifest\..*json$/.test(name));
const parts = manifest ? JSON.parse(readFileSync(path.join(pkg, manifest), 'utf8')) : {};
for (const [view, chunks] of Object.entries(parts)) {
    const page = /^__(.*)_view/.exec(view)?.[1] ?? view;
    const more = chunks.reduce((sum, chunk) => sum + travels(`${chunk}.wasm`), 0);
    console.log(`  ${page.padEnd(12)} ${kib(more).padStart(8)} in addition`);
}
