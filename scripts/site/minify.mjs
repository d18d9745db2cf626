// Minifies JavaScript modules.
import { readFileSync, writeFileSync } from 'node:fs';
import { minify as terser } from 'terser';

/** Minifies a JavaScript module in place. Exported names stay. */
export async function minify(file) {
    const { code } = await terser(readFileSync(file, 'utf8'), { module: true, ecma: 2020 });
    writeFileSync(file, code);
}
