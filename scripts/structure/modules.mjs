// Top-level modules of a crate: which uses which, and the circles among them.
//
// The parser knows as much Rust as paths need: comments and strings, `use` trees, inline modules, `#[cfg(test)]`.
// Names that the root re-exports (`pub use store::Store`) lead to the module that has them.
import { split } from '../words.mjs';

const TOKEN = /[A-Za-z_]\w*|::|[^\s\w]/gu;
const ROOTS = new Set(['lib', 'main']);

/** Tokens of a Rust source, without comments, strings and items of tests: `[{ word, line }]`. */
export function tokens(source) {
    const all = [];
    for (const [at, line] of split(source, 'rust').code.split('\n').entries()) {
        for (const [word] of line.matchAll(TOKEN)) all.push({ word, line: at + 1 });
    }
    return withoutTests(all);
}

/** Index after the bracket that closes the one at `from`. */
function closing(all, from) {
    let depth = 0;
    for (let i = from; i < all.length; i++) {
        if ('([{'.includes(all[i].word)) depth += 1;
        if (')]}'.includes(all[i].word)) depth -= 1;
        if (depth === 0) return i + 1;
    }
    return all.length;
}

/** Index after the item at `from`, which ends with `;` or `}`. */
function itemEnd(all, from) {
    let i = from;
    while (i < all.length) {
        if (all[i].word === ';' || all[i].word === ',') return i + 1;
        if (all[i].word === '}') return i;
        if (all[i].word === '{') {
            const end = closing(all, i);
            // `use a::{b, c};`
            return all[end]?.word === ';' ? end + 1 : end;
        }
        i = '(['.includes(all[i].word) ? closing(all, i) : i + 1;
    }
    return i;
}

/** Leaves out items under `#[cfg(test)]`, except that `mod name;` stays as `#test name`, so that its file is known. */
function withoutTests(all) {
    const kept = [];
    let i = 0;
    while (i < all.length) {
        if (all[i].word !== '#' || all[i + 1]?.word !== '[') {
            kept.push(all[i]);
            i += 1;
            continue;
        }
        const end = closing(all, i + 1);
        const words = all.slice(i + 2, end - 1).map((token) => token.word);
        const test = words[0] === 'cfg' && words.includes('test') && !words.includes('not');
        if (!test) {
            kept.push(...all.slice(i, end));
            i = end;
            continue;
        }
        let item = end;
        while (all[item]?.word === '#') item = closing(all, item + 1);
        const after = itemEnd(all, item);
        const mod = all.slice(item, after).findIndex((token) => token.word === 'mod');
        if (mod >= 0 && all[item + mod + 2]?.word === ';') kept.push({ word: '#test', line: 0 }, all[item + mod + 1]);
        i = after;
    }
    return kept;
}

/** Paths of the `use` tree or of the path at `from`: `[{ path, name }]`, and the index after it. */
function tree(all, from, prefix = []) {
    const path = [...prefix];
    const paths = [];
    let i = from;
    while (i < all.length) {
        const { word } = all[i];
        if (word === '{') {
            i += 1;
            while (i < all.length && all[i].word !== '}') {
                const inner = tree(all, i, path);
                paths.push(...inner.paths);
                i = inner.next;
                if (all[i]?.word === ',') i += 1;
            }
            return { paths, next: i + 1 };
        }
        if (!/^(?:[A-Za-z_]\w*|\*)$/u.test(word)) break;
        path.push(word);
        i += 1;
        if (all[i]?.word !== '::') break;
        i += 1;
    }
    // `a::{self}` is `a`.
    if (path.length > 1 && path.at(-1) === 'self') path.pop();
    let name = path.at(-1);
    if (all[i]?.word === 'as') {
        name = all[i + 1].word;
        i += 2;
    }
    if (i === from) i += 1;
    return { paths: [{ path, name }], next: i };
}

/** Module of a file below `src`: `a/b/mod.rs` is `[a, b]`. */
function modulePath(file) {
    const parts = file.replace(/\.rs$/u, '').split('/');
    if (parts.at(-1) === 'mod' || (parts.length === 1 && ROOTS.has(parts[0]))) parts.pop();
    return parts;
}

/** Paths in one file that begin at the root of the crate, and its modules for tests. */
function readFile(file, source) {
    const own = modulePath(file);
    const paths = [];
    const tests = [];
    const all = tokens(source);
    const stack = [];
    let depth = 0;
    let i = 0;
    const here = () => [...own, ...stack.map((mod) => mod.name)];
    const absolute = (path) => {
        if (path[0] === 'crate') return path.slice(1);
        if (path[0] !== 'super' && path[0] !== 'self') return undefined;
        const base = here();
        let at = 0;
        for (; path[at] === 'super' || path[at] === 'self'; at++) if (path[at] === 'super') base.pop();
        return [...base, ...path.slice(at)];
    };
    while (i < all.length) {
        const { word, line } = all[i];
        const before = all[i - 1]?.word;
        if (word === '#test') {
            tests.push([...here(), all[i + 1].word].join('/'));
            i += 2;
        } else if (word === 'mod' && all[i + 2]?.word === '{') {
            stack.push({ name: all[i + 1].word, depth });
            depth += 1;
            i += 3;
        } else if (word === '{' || word === '}') {
            depth += word === '{' ? 1 : -1;
            if (word === '}' && stack.at(-1)?.depth === depth) stack.pop();
            i += 1;
        } else if (word === 'use' || (/^(?:crate|super|self)$/u.test(word) && all[i + 1]?.word === '::' && before !== '::')) {
            const isUse = word === 'use';
            const found = isUse ? tree(all, all[i + 1]?.word === '::' ? i + 2 : i + 1) : tree(all, i);
            for (const { path, name } of found.paths) {
                // In the root, a path of `use` may begin with one of its modules.
                const atRoot = isUse && here().length === 0 && !/^(?:crate|super|self)$/u.test(path[0]);
                const to = atRoot ? path : absolute(path);
                if (to?.length > 0) paths.push({ from: here()[0], to, name: isUse ? name : undefined, file, line });
            }
            i = found.next;
        } else {
            i += 1;
        }
    }
    return { paths, tests };
}

/**
 * Uses among the top-level modules of a crate. `files` is a map from a path below `src` to its source.
 * Returns a map from module to a map from used module to `[{ file, line }]`.
 */
export function moduleGraph(files) {
    const read = [...files].map(([file, source]) => ({ file, ...readFile(file, source) }));
    const tests = read.flatMap((one) => one.tests);
    const isTest = (file) => {
        const module = modulePath(file).join('/');
        return tests.some((test) => module === test || module.startsWith(`${test}/`));
    };
    const kept = read.filter(({ file }) => !isTest(file));
    const tops = new Set(kept.map(({ file }) => modulePath(file)[0]).filter((top) => top && top !== 'bin'));
    const exported = new Map();
    for (const { from, to, name } of kept.flatMap((one) => one.paths)) {
        if (from === undefined && name && tops.has(to[0]) && !tops.has(name)) exported.set(name, to[0]);
    }
    const graph = new Map([...tops].map((top) => [top, new Map()]));
    for (const { from, to, file, line } of kept.flatMap((one) => one.paths)) {
        const target = tops.has(to[0]) ? to[0] : exported.get(to[0]);
        if (!graph.has(from) || !target || target === from) continue;
        const uses = graph.get(from);
        if (!uses.has(target)) uses.set(target, []);
        const last = uses.get(target).at(-1);
        if (last?.file !== file || last.line !== line) uses.get(target).push({ file, line });
    }
    return graph;
}

/** Shortest circle through `start`, as `[start, …, start]`, or undefined. */
function circleThrough(graph, start) {
    const cameFrom = new Map();
    const queue = [start];
    while (queue.length > 0) {
        const at = queue.shift();
        for (const next of graph.get(at).keys()) {
            if (next === start) {
                const way = [start];
                for (let step = at; step !== start; step = cameFrom.get(step)) way.unshift(step);
                return [start, ...way];
            }
            if (!cameFrom.has(next)) {
                cameFrom.set(next, at);
                queue.push(next);
            }
        }
    }
    return undefined;
}

/** Shortest circles of a graph, such that each module that is in any circle is in one of them. */
export function circles(graph) {
    const found = [];
    const covered = new Set();
    const all = [...graph.keys()].map((start) => circleThrough(graph, start)).filter(Boolean);
    for (const circle of all.sort((a, b) => a.length - b.length)) {
        if (circle.every((module) => covered.has(module))) continue;
        for (const module of circle) covered.add(module);
        found.push(circle);
    }
    return found;
}
