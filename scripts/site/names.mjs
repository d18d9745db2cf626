// Names the files of the page's program by a hash of their content, so that browsers may keep them for ever.
//
// Module, JavaScript, parts and their loader name each other, so a change of one changes the content of all. Therefore
// all of them have the same hash. Scripts in `snippets/` keep their names; the server has them revalidated.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Placeholder of the hash in the names that the splitter writes; of the same length as a hash. */
export const PLACEHOLDER = '______________________';

/** First 128 bits of SHA-256, as 22 characters that are safe in URLs. */
export function hashOf(...contents) {
    const hash = createHash('sha256');
    // With the length, so that no other division of the same bytes has the same hash.
    for (const content of contents) hash.update(`${content.length}\n`).update(content);
    return hash.digest().subarray(0, 16).toString('base64url');
}

/**
 * Renames the files of `pkg`, updates their references to each other, and returns the text of `hash.txt`, from which
 * the server knows the names.
 */
export function nameByHash(pkg, name) {
    const files = readdirSync(pkg, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name);
    const content = new Map(files.sort().map((file) => [file, readFileSync(path.join(pkg, file))]));
    const style = `${name}.css`;
    const styleHash = hashOf(content.get(style));
    const program = hashOf(...[...content].filter(([file]) => file !== style).flatMap(([file, bytes]) => [file, bytes]));
    const renamed = (file) => {
        if (file.includes(PLACEHOLDER)) return file.replace(PLACEHOLDER, program);
        const { name: stem, ext } = path.parse(file);
        return `${stem}.${file === style ? styleHash : program}${ext}`;
    };
    for (const [file, bytes] of content) {
        const to = path.join(pkg, renamed(file));
        renameSync(path.join(pkg, file), to);
        if (file !== style) writeFileSync(to, withNewNames(file, bytes, files, renamed, program));
    }
    return `js: ${program}\nwasm: ${program}\ncss: ${styleHash}\nmanifest: ${program}\nsplit: ${program}\n`;
}

function withNewNames(file, bytes, files, renamed, program) {
    // Text or binary: each byte is one character.
    const text = bytes.toString('latin1').replaceAll(PLACEHOLDER, program);
    const replaced = file.endsWith('.js')
        ? files.reduce((code, other) => code.replaceAll(`"./${other}"`, `"./${renamed(other)}"`), text)
        : file.endsWith('.json')
          ? text.replace(/"(?:bundle|chunk|split)_\w+"(?=\s*[,\]])/gu, (stem) => `${stem.slice(0, -1)}.${program}"`)
          : text;
    return Buffer.from(replaced, 'latin1');
}
