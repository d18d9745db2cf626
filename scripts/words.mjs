// Searches docs, user-visible strings and identifiers for words that Signalbox does not use, and says what to write
// instead. The list is scripts/words.txt.
//
//   node scripts/words.mjs              searches the project; exit code 1 when something is found
//   node scripts/words.mjs --list       prints the list
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const LIST = 'scripts/words.txt';

/**
 * Lines of `PLACES | regular expression | what to write`. Places: any of `text` and `code`. `code!app/` is code outside
 * of the folder `app/`.
 */
export function readList(text) {
    const rules = [];
    for (const [at, line] of text.split('\n').entries()) {
        if (!line.trim() || line.startsWith('#')) continue;
        const parts = line.split(' | ').map((part) => part.trim());
        const places = parts[0].split(' ').map((place) => {
            const [name, ...except] = place.split('!');
            return { name, except };
        });
        if (parts.length !== 3 || places.some(({ name }) => name !== 'text' && name !== 'code')) {
            throw new Error(`${LIST}:${at + 1} is not "PLACES | regular expression | what to write".`);
        }
        const flags = places.some(({ name }) => name === 'code') ? 'gu' : 'giu';
        rules.push({ places, word: new RegExp(parts[1], flags), instead: parts[2] });
    }
    return rules;
}

/** Splits Rust or TypeScript into code, strings and comments: what is not asked for becomes blanks, so places stay. */
export function split(source, quotes) {
    const code = [...source];
    const text = [...source].map((c) => (c === '\n' ? c : ' '));
    const blank = (from, to, keepInText) => {
        for (let i = from; i < to && i < code.length; i++) {
            if (keepInText) text[i] = code[i];
            if (code[i] !== '\n') code[i] = ' ';
        }
    };
    const all = [...source];
    const at = (i, word) => all.slice(i, i + word.length).join('') === word;
    let i = 0;
    while (i < all.length) {
        const raw = quotes === 'rust' && all[i] === 'r' && /^r#*"/.exec(all.slice(i, i + 8).join(''));
        if (at(i, '//')) {
            let end = all.indexOf('\n', i);
            if (end < 0) end = all.length;
            // Doc comments of wire types and params are published: they are text.
            blank(i, end, true);
            i = end;
        } else if (at(i, '/*')) {
            let end = i + 2;
            while (end < all.length && !at(end, '*/')) end++;
            blank(i, end + 2, true);
            i = end + 2;
        } else if (raw && !/[\w]/.test(all[i - 1] ?? ' ')) {
            const close = `"${'#'.repeat(raw[0].length - 2)}`;
            let end = i + raw[0].length;
            while (end < all.length && !at(end, close)) end++;
            blank(i + raw[0].length, end, true);
            i = end + close.length;
        } else if (all[i] === '"' || (quotes === 'script' && (all[i] === "'" || all[i] === '`'))) {
            const quote = all[i];
            let end = i + 1;
            while (end < all.length && all[end] !== quote) end += all[end] === '\\' ? 2 : 1;
            blank(i + 1, end, true);
            i = end + 1;
        } else if (quotes === 'rust' && all[i] === "'" && (all[i + 1] === '\\' || all[i + 2] === "'")) {
            let end = i + 1;
            while (end < all.length && all[end] !== "'") end += all[end] === '\\' ? 2 : 1;
            blank(i + 1, end, false);
            i = end + 1;
        } else {
            i++;
        }
    }
    return { code: code.join(''), text: text.join('') };
}

/** Markdown without code blocks and code spans. */
function prose(source) {
    const blanks = (found) => found.replace(/[^\n]/gu, ' ');
    return source.replace(/^```[\s\S]*?^```/gmu, blanks).replace(/`[^`\n]*`/gu, blanks);
}

function parts(file, source) {
    if (file.endsWith('.md')) return { text: prose(source), code: '' };
    if (file.endsWith('.rs')) return split(source, 'rust');
    if (/\.(ts|mjs|js)$/u.test(file)) return split(source, 'script');
    return { text: source, code: '' };
}

/** Everything in these files that a rule forbids: `[file, line, word, instead]`. */
export function search(rules, files, read) {
    const found = [];
    for (const file of files) {
        const places = parts(file, read(file));
        for (const { places: where, word, instead } of rules) {
            for (const { name, except } of where) {
                if (except.some((folder) => file.startsWith(folder))) continue;
                for (const hit of places[name].matchAll(word)) {
                    const line = places[name].slice(0, hit.index).split('\n').length;
                    found.push([file, line, hit[0].trim(), instead]);
                }
            }
        }
    }
    return found.sort((a, b) => a[0].localeCompare(b[0]) || a[1] - b[1]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const list = readFileSync(path.join(root, LIST), 'utf8');
    const rules = readList(list);
    if (process.argv.includes('--list')) {
        for (const { word, instead } of rules) console.log(`${word.source}  →  ${instead}`);
        process.exit(0);
    }
    const tracked = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
    const files = tracked
        .split('\n')
        .filter((file) => /\.(md|rs|ts|mjs|js|sh|toml)$/u.test(file))
        .filter((file) => file !== LIST && file !== 'CHANGELOG.md' && !file.startsWith('scripts/words'));
    const found = search(rules, files, (file) => readFileSync(path.join(root, file), 'utf8'));
    for (const [file, line, word, instead] of found) console.log(`${file}:${line}: “${word}”: write ${instead}`);
    if (found.length > 0) {
        console.log(`\nListed words found in ${found.length} places. ${LIST} contains the words and what to write instead.`);
        process.exit(1);
    }
    console.log(`No listed word was found in ${files.length} files.`);
}
