// Packs what the browser downloads once, at its best, instead of at each request: FILE.br and FILE.gz beside FILE.
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

pack(process.argv[2]);
const kib = (bytes) => `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
console.log(`The site is ${kib(before)}, ${kib(after)} as it travels.`);
