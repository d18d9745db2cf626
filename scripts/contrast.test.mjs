// Contrast of the colours of style/_tokens.scss (WCAG 2.2, 1.4.3 and 1.4.11) in both themes: text has at least 4.5:1 on
// every ground that it stands on, shapes that mean something 3:1.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const TEXT = 4.5;
const SHAPE = 3;

const source = readFileSync(new URL('../style/_tokens.scss', import.meta.url), 'utf8');

/** Colours of a block: the text from its head to the first brace in the first column. */
function colours(head) {
    const from = source.indexOf(head);
    assert.notEqual(from, -1, `${head} is not in the tokens`);
    const block = source.slice(from, source.indexOf('\n}', from));
    return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[\da-f]{6});/g)].map(([, name, value]) => [name, value]));
}

const shared = colours(':root {');
const themes = { light: { ...colours('@mixin light {'), ...shared }, dark: { ...colours('@mixin dark {'), ...shared } };

/** Relative luminance of `#rrggbb`. */
function luminance(hex) {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

function contrast(a, b) {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
}

const range = (from, to, name) => Array.from({ length: to - from + 1 }, (_, i) => `${name}-${from + i}`);
const all = (fronts, backs, least) => fronts.flatMap((front) => backs.map((back) => [front, back, least]));

const GROUNDS = ['ground', 'surface', 'raised', 'hover'];
const STATES = ['running', 'good', 'bad', 'warn', 'queued', 'cancelled'];
const PAIRS = [
    ...all(['ink', 'muted', 'accent', ...STATES], GROUNDS, TEXT),
    ...all(['ink', 'muted', 'bad'], ['bad-tint'], TEXT),
    ...all(['ink', 'muted', 'warn'], ['warn-tint'], TEXT),
    ...all(['ink'], ['mark'], TEXT),
    ...all(['on-accent'], ['accent'], TEXT),
    // Terminal colours: on the log, and on each of their own grounds.
    ...all(range(0, 15, 'ink'), ['surface', ...range(0, 7, 'ground')], TEXT),
    ...range(1, 7, 'heat').map((heat) => [`on-${heat}`, heat, TEXT]),
    ...all(['edge', 'candle-up', 'candle-down', ...range(1, 8, 'series')], ['surface'], SHAPE),
];

for (const [theme, tokens] of Object.entries(themes)) {
    test(`text and shapes of the ${theme} theme have enough contrast`, () => {
        const low = PAIRS.filter(([front, back, least]) => {
            assert.ok(tokens[front] && tokens[back], `no token ${tokens[front] ? back : front} in the ${theme} theme`);
            return contrast(tokens[front], tokens[back]) < least;
        });
        const wording = ([front, back, least]) =>
            `--${front} on --${back}: ${contrast(tokens[front], tokens[back]).toFixed(2)} < ${least}`;
        assert.deepEqual(low.map(wording), []);
    });
}

test('the pages to sign in have the colours of the tokens', () => {
    const sheet = readFileSync(new URL('../server/src/sign_in/style.css', import.meta.url), 'utf8');
    const blocks = [...sheet.matchAll(/color-scheme: (light|dark);([^}]*)\}/g)];
    assert.deepEqual(blocks.map(([, theme]) => theme), ['light', 'dark']);
    for (const [, theme, block] of blocks) {
        const own = Object.fromEntries([...block.matchAll(/--([\w-]+): ([^;]+);/g)].map(([, name, value]) => [name, value]));
        const tokens = Object.fromEntries(Object.keys(own).map((name) => [name, themes[theme][name]]));
        assert.ok(Object.keys(own).length > 5, `the ${theme} theme has colours`);
        assert.deepEqual(own, tokens, `the ${theme} theme`);
    }
});

test('black on white has the greatest contrast, and a colour on itself none', () => {
    assert.equal(contrast('#000000', '#ffffff'), 21);
    assert.equal(contrast('#1f5fd1', '#1f5fd1'), 1);
});
