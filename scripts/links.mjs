// Checks that the docs lead somewhere; exit code 1 when something does not exist:
// - relative links and anchors of all Markdown files;
// - names of files and folders of the project in `backticks`. `tabs/frame.rs` may stand for `app/live/src/tabs/frame.rs`;
// - docs and scripts that comments in the code name.
//
//   node scripts/links.mjs
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Markdown without code, with its lines in place. */
function prose(text) {
    const blank = (found) => found.replace(/[^\n]/gu, ' ');
    return text.replace(/^```[\s\S]*?^```/gmu, blank).replace(/^(?: {4}|\t).*$/gmu, blank).replace(/`[^`\n]*`/gu, blank);
}

/** Anchors of a file, as GitHub makes them from headings. */
function anchors(file) {
    const seen = new Map();
    const found = new Set();
    for (const [, title] of readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```/gmu, '').matchAll(/^#{1,6}\s+(.*)$/gmu)) {
        const text = title.replace(/\[([^\]]*)\]\([^)]*\)/gu, '$1').toLowerCase();
        const slug = text.replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/gu, '-');
        const count = seen.get(slug) ?? 0;
        seen.set(slug, count + 1);
        found.add(count === 0 ? slug : `${slug}-${count}`);
    }
    return found;
}

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
const tracked = git('ls-files', '-co', '--exclude-standard').filter((file) => existsSync(path.join(root, file)));

/** Every file and folder, and every end of its path. */
const places = new Set();
for (const file of tracked) {
    const parts = file.split('/');
    for (let end = 1; end <= parts.length; end++) {
        for (let begin = 0; begin < end; begin++) places.add(parts.slice(begin, end).join('/'));
    }
}
const tops = new Set(tracked.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));

/** `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`. */
function alternatives(name) {
    const braces = /^(.*?)\{([^{}]*)\}(.*)$/u.exec(name);
    return braces ? braces[2].split(',').flatMap((one) => alternatives(braces[1] + one + braces[3])) : [name];
}

/** Names of files and folders of the project in code spans: `[name, index]`. */
function* namedPlaces(markdown) {
    const text = markdown.replace(/^```[\s\S]*?^```/gmu, (found) => found.replace(/[^\n]/gu, ' '));
    for (const span of text.matchAll(/`([^`\n]+)`/gu)) {
        for (const name of alternatives(span[1].replace(/\/$/u, ''))) {
            const plain = /^[\w.-]+(?:\/[\w.-]+)*$/u.test(name) && !name.includes('NNNN');
            const source = /\.(?:rs|mjs|ts|sh|scss)$/u.test(name);
            const below = name.includes('/') && tops.has(name.split('/')[0]);
            if (plain && (source || below)) yield [name, span.index];
        }
    }
}

/** Whether git ignores it, such as build output. */
function ignored(name) {
    try {
        execFileSync('git', ['check-ignore', '-q', name], { cwd: root });
        return true;
    } catch {
        return false;
    }
}

const counts = { links: 0, places: 0 };
const broken = [];
for (const file of tracked.filter((file) => file.endsWith('.md'))) {
    const markdown = readFileSync(path.join(root, file), 'utf8');
    const text = prose(markdown);
    const lineOf = (index) => text.slice(0, index).split('\n').length;
    for (const hit of text.matchAll(/\]\(([^()\s]+)\)/gu)) {
        const [target, anchor] = hit[1].split('#');
        if (/^[a-z]+:/iu.test(target)) continue;
        counts.links += 1;
        const to = target ? path.join(root, path.dirname(file), decodeURIComponent(target)) : path.join(root, file);
        if (!existsSync(to)) broken.push(`${file}:${lineOf(hit.index)}: ${hit[1]} does not exist`);
        else if (anchor && statSync(to).isFile() && !anchors(to).has(anchor)) {
            broken.push(`${file}:${lineOf(hit.index)}: ${hit[1]} has no such heading`);
        }
    }
    // The change log names files of its time.
    if (file === 'CHANGELOG.md') continue;
    for (const [name, index] of namedPlaces(markdown)) {
        counts.places += 1;
        if (!places.has(name) && !ignored(name)) broken.push(`${file}:${lineOf(index)}: \`${name}\` does not exist`);
    }
}
for (const file of tracked.filter((file) => /\.(?:rs|ts|mjs|js|sh|toml|scss|py)$/u.test(file))) {
    const text = readFileSync(path.join(root, file), 'utf8');
    for (const hit of text.matchAll(/(?<![\w/-])(?:docs|scripts)\/[\w/-]+\.(?:md|sh|mjs|py|txt|json)\b/gu)) {
        counts.places += 1;
        if (!places.has(hit[0])) {
            broken.push(`${file}:${text.slice(0, hit.index).split('\n').length}: ${hit[0]} does not exist`);
        }
    }
}
for (const one of broken) console.log(one);
if (broken.length > 0) process.exit(1);
console.log(`All ${counts.links} links and ${counts.places} file names have a target.`);
