// Tests of the structure check: node --test scripts/structure/structure.test.mjs
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLayers, readDrawing } from './layers.mjs';
import { circles, moduleGraph } from './modules.mjs';

const DRAWING = `
# Modules

\`\`\`layers
app/           the page → protocol/words
─────
engine         operations,
               and more of them → store
store          durable state
─────
protocol/wire  types
\`\`\`
`;

/** Messages for crates with these dependencies. */
const layers = (crates) =>
    checkLayers(
        readDrawing(DRAWING.replace(' → protocol/words', '')),
        Object.entries(crates).map(([folder, dependencies]) => ({ folder, dependencies })),
    );

/** Uses among modules, as `{ module: [modules] }`. */
const uses = (files) =>
    Object.fromEntries([...moduleGraph(new Map(Object.entries(files)))].map(([from, to]) => [from, [...to.keys()].sort()]));

test('a drawing has folders, layers, and the uses within a layer', () => {
    assert.deepEqual(
        [...readDrawing(DRAWING)],
        [
            ['app', { layer: 0, uses: ['protocol/words'] }],
            ['engine', { layer: 1, uses: ['store'] }],
            ['store', { layer: 1, uses: [] }],
            ['protocol/wire', { layer: 2, uses: [] }],
        ],
    );
    assert.throws(() => readDrawing('# No drawing'), /no code block/u);
});

test('crates that follow the drawing pass', () => {
    const crates = { app: ['engine', 'protocol/wire'], engine: ['store'], store: ['protocol/wire'], 'protocol/wire': [] };
    assert.deepEqual(layers(crates), []);
});

test('each difference from the drawing is reported', () => {
    const found = layers({ engine: [], store: ['engine', 'app'], app: [], client: [] }).join('\n');
    assert.match(found, /protocol\/wire is drawn, but is no crate/u);
    assert.match(found, /engine is drawn with "→ store", but does not depend on it/u);
    assert.match(found, /store depends on engine, which is in the same layer/u);
    assert.match(found, /store depends on app, which is in a higher layer/u);
    assert.match(found, /client is not drawn/u);
});

test('paths of every form lead to their top-level module', () => {
    const found = uses({
        'lib.rs': 'mod a; mod b; mod c; mod d; mod e;',
        'a.rs': 'use crate::{b::{self, Thing}, c::*}; fn f() { crate::d::g(); super::e::h(); }',
        'b/mod.rs': 'use super::c;',
        'b/deep.rs': 'use super::super::d; use super::other; mod inner { use super::super::own; use super::super::super::e; }',
        'b/other.rs': 'pub(in crate::b) fn f(x: &\'static str) -> char { \'"\' }',
        'c.rs': '// crate::a\n/* crate::a */ const TEXT: &str = "crate::a"; const RAW: &str = r#"crate::a"#;',
        'd.rs': 'macro_rules! m { () => { $crate::e::f() } }',
        'e.rs': 'use std::crate_like::a; use other::crate_name;',
    });
    assert.deepEqual(found, { a: ['b', 'c', 'd', 'e'], b: ['c', 'd', 'e'], c: [], d: ['e'], e: [] });
});

test('names that the root re-exports lead to the module that has them', () => {
    const files = {
        'lib.rs': 'mod a; mod b; pub use b::{Thing, Other as Renamed}; pub use outside::Name;',
        'a.rs': 'use crate::Renamed;',
        'b.rs': 'use crate::Name;',
    };
    assert.deepEqual(uses(files), { a: ['b'], b: [] });
});

test('tests and the root do not count', () => {
    const found = uses({
        'lib.rs': 'mod a; mod b; use a::A; fn f() { crate::b::g(); } #[cfg(test)] mod fixtures;',
        'fixtures.rs': 'use crate::a::A;',
        'a.rs': `
            use crate::b;
            #[cfg(test)]
            #[path = "a/cases.rs"]
            mod tests;
            #[cfg(test)]
            use crate::fixtures;
            #[cfg(not(test))]
            use crate::c;`,
        'a/tests.rs': 'use crate::c;',
        'b.rs': '#[cfg(all(test, unix))] mod tests { use crate::a::{A, B}; fn f() { if x { crate::a::g() } } }',
        'c.rs': 'struct S { #[cfg(test)] seen: crate::a::Seen, own: u8 } impl S { #[cfg(test)] fn f() { crate::a::g() } }',
        'bin/tool.rs': 'use crate::a;',
    });
    assert.deepEqual(found, { a: ['b', 'c'], b: [], c: [] });
});

test('the shortest circles cover every module that is in one', () => {
    const graph = (edges) => new Map(Object.entries(edges).map(([from, to]) => [from, new Map(to.map((one) => [one, []]))]));
    assert.deepEqual(circles(graph({ a: ['b'], b: ['c'], c: [] })), []);
    assert.deepEqual(circles(graph({ a: ['b'], b: ['c', 'a'], c: ['d'], d: ['b'], e: ['a'] })), [
        ['a', 'b', 'a'],
        ['c', 'd', 'b', 'c'],
    ]);
});
