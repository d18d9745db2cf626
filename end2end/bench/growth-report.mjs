// Report of the benchmark `growth`: what moved since the last run, and the picture.

/** Change of a p50 that is reported, as a share. */
const REPORTED = 0.15;
/** Smaller differences are noise of the clock, in ms. */
const NOISE_MS = 0.05;

/** Lines about the p50 values that moved by more than 15 % between two runs, of the sizes that both have. */
export function moved(before, after) {
    const lines = [];
    for (const run of after) {
        const old = before.find(({ operations }) => operations === run.operations);
        for (const now of run.queries) {
            const then = old?.queries.find(({ query }) => query === now.query);
            if (!then || Math.abs(now.p50 - then.p50) < NOISE_MS) continue;
            const ratio = now.p50 / then.p50;
            if (Math.abs(ratio - 1) <= REPORTED) continue;
            lines.push(`  ${run.operations.toLocaleString('en')} stored, ${now.query}: p50 ${then.p50.toFixed(2)} → ${now.p50.toFixed(2)} ms, ratio ${ratio.toFixed(2)}`);
        }
    }
    return lines;
}

/** Queries that the picture shows, with their names in it. */
const SHOWN = [
    ['page, newest first, consecutive', 'page of 50'],
    ['search: rare word', 'search, rare word'],
    ['search: no match', 'search, no match'],
    ['parameter: one of 1,000 values', 'one of 1,000 parameter values'],
    ['search: every operation matches', 'search, all match'],
];
const WIDTH = 720;
const HEIGHT = 360;
const BOX = { left: 64, right: 500, top: 24, bottom: 310 };

/** p99 against the number of stored operations, both logarithmic, as SVG. */
export function picture(runs) {
    const log = Math.log10;
    const [first, last] = [runs[0].operations, runs.at(-1).operations];
    const lines = SHOWN.map(([query, name]) => ({ name, points: runs.map((run) => [run.operations, run.queries.find((one) => one.query === query).p99]) }));
    const all = lines.flatMap(({ points }) => points.map(([, ms]) => ms));
    const [low, high] = [Math.floor(log(Math.min(...all))), Math.ceil(log(Math.max(...all)))];
    const x = (n) => BOX.left + ((log(n) - log(first)) / (log(last) - log(first))) * (BOX.right - BOX.left);
    const y = (ms) => BOX.bottom - ((log(ms) - low) / (high - low)) * (BOX.bottom - BOX.top);
    const at = (n) => n.toFixed(1);
    const parts = [];
    for (let power = low; power <= high; power += 1) {
        const ms = 10 ** power;
        parts.push(`<line class="grid" x1="${BOX.left}" x2="${BOX.right}" y1="${at(y(ms))}" y2="${at(y(ms))}"/>`);
        parts.push(`<text x="${BOX.left - 8}" y="${at(y(ms) + 4)}" text-anchor="end">${Number(ms.toPrecision(1))} ms</text>`);
    }
    for (const { operations } of runs) {
        parts.push(`<text x="${at(x(operations))}" y="${BOX.bottom + 20}" text-anchor="middle">${operations.toLocaleString('en')}</text>`);
    }
    parts.push(`<text x="${(BOX.left + BOX.right) / 2}" y="${BOX.bottom + 40}" text-anchor="middle">stored operations</text>`);
    // Labels from the top, each with room for its text.
    const labels = lines.map((line, n) => ({ n, y: y(line.points.at(-1)[1]) })).sort((a, b) => a.y - b.y);
    labels.forEach((label, i) => { if (i > 0) label.y = Math.max(label.y, labels[i - 1].y + 16); });
    for (const { n, y: labelY } of labels) {
        const { name, points } = lines[n];
        parts.push(`<polyline class="l${n}" points="${points.map(([ops, ms]) => `${at(x(ops))},${at(y(ms))}`).join(' ')}"/>`);
        parts.push(...points.map(([ops, ms]) => `<circle class="d${n}" cx="${at(x(ops))}" cy="${at(y(ms))}" r="3"/>`));
        parts.push(`<text class="t${n}" x="${BOX.right + 12}" y="${at(labelY + 4)}">${name}</text>`);
    }
    const colours = [['#2563eb', '#7aa7ff'], ['#b45309', '#f0a35e'], ['#047857', '#4fd1a5'], ['#7c3aed', '#b79cff'], ['#be123c', '#ff8fa3']];
    const style = (dark) => colours.map((pair, n) => `.l${n}{stroke:${pair[dark]}}.d${n},.t${n}{fill:${pair[dark]}}`).join('');
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="p99 of queries against the number of stored operations">
<style>text{font:12px system-ui,sans-serif;fill:#444}.grid{stroke:#ccc}polyline{fill:none;stroke-width:2}${style(0)}
@media (prefers-color-scheme:dark){text{fill:#bbb}.grid{stroke:#444}${style(1)}}</style>
${parts.join('\n')}
</svg>
`;
}
