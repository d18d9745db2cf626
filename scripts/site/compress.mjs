// Compresses a file of the site once, at the highest level, instead of per request: writes FILE.br and FILE.gz beside
// FILE.
import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Whether a file of this name is compressed. Images are compressed already. */
export const isCompressible = (name) => /\.(?:wasm|js|mjs|css|svg|json|txt|html)$/u.test(name);

/** Compresses a file. Returns its sizes in bytes. */
export function compress(file) {
    const bytes = readFileSync(file);
    const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    const brotli = brotliCompressSync(bytes, { params: quality });
    writeFileSync(`${file}.br`, brotli);
    writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
    return { before: bytes.length, after: brotli.length };
}
