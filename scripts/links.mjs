// Checks the relative links and anchors of all Markdown files; exit code 1 when one leads nowhere.
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

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });
let links = 0;
const broken = [];
for (const file of files.split('\n').filter((file) => file && existsSync(path.join(root, file)))) {
    const text = prose(readFileSync(path.join(root, file), 'utf8'));
    for (const hit of text.matchAll(/\]\(([^()\s]+)\)/gu)) {
        const [target, anchor] = hit[1].split('#');
        if (/^[a-z]+:/iu.test(target)) continue;
        links += 1;
        const line = text.slice(0, hit.index).split('\n').length;
        const to = target ? path.join(root, path.dirname(file), decodeURIComponent(target)) : path.join(root, file);
        if (!existsSync(to)) broken.push(`${file}:${line}: ${hit[1]} does not exist`);
        else if (anchor && statSync(to).isFile() && !anchors(to).has(anchor)) {
            broken.push(`${file}:${line}: ${hit[1]} has no such heading`);
        }
    }
}
for (const one of broken) console.log(one);
if (broken.length > 0) process.exit(1);
console.log(`${links} links of the docs lead somewhere.`);
