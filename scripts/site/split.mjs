// Splits the compiled frontend into parts.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

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
}

/** Size of a module's data. */
export function dataBytes(module) {
    // After magic number and version; each section begins with its number and its size.
    for (let at = 8; at < module.length; ) {
        const section = module[at++];
        let size = 0;
        for (let shift = 0; ; shift += 7) {
            const byte = module[at++];
            size += (byte & 127) * 2 ** shift;
            if (byte < 128) break;
        }
        if (section === DATA) return size;
        at += size;
    }
    return 0;
}
