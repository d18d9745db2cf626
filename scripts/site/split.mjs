// Splits the compiled frontend into parts.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { sectionsOf } from './sections.mjs';
import { shortNames } from './slim.mjs';

/** Number of a module's section with data. */
const DATA = 11;
/** A part without data has some bytes in that section. */
const MIN_DATA_BYTES = 100;

/** Writes the parts of `module` and their JavaScript to the folder `pkg`. */
export async function split(splitter, module, name, pkg) {
    await promisify(execFile)(splitter, [module, name, pkg]);
    const parts = readdirSync(pkg).filter((file) => /^(?:chunk|split)_.*\.wasm$/u.test(file));
    if (!parts.some((part) => dataBytes(readFileSync(path.join(pkg, part))) > MIN_DATA_BYTES)) {
        throw new Error('the data of all parts is in the shared part; enlarge CONSTANTS in frontend/src/reserve.rs');
    }
    const [shared, script] = [path.join(pkg, `${name}.wasm`), path.join(pkg, `${name}.js`)];
    const renamed = shortNames(readFileSync(shared), readFileSync(script, 'utf8'));
    writeFileSync(shared, renamed.module);
    writeFileSync(script, renamed.script);
}

/** Size of a module's data. */
export const dataBytes = (module) => sectionsOf(module).find(({ id }) => id === DATA)?.content.length ?? 0;
