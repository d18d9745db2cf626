// Charts of the benchmarks.

const WIDTH = 720;
const HEIGHT = 360;
const BOX = { left: 64, right: 500, top: 24, bottom: 310 };
/** Light and dark. */
const COLOURS = [['#2563eb', '#7aa7ff'], ['#b45309', '#f0a35e'], ['#047857', '#4fd1a5'], ['#7c3aed', '#b79cff'], ['#be123c', '#ff8fa3']];

/**
 * Lines with two logarithmic axes, as SVG, for light and dark backgrounds. `x` names the values on the x-axis, `unit` is
 * that of the values, and the points of each line are pairs of both, in ascending order; all are greater than 0.
 */
export function chart({ title, x: xName, unit, lines }) {
    const log = Math.log10;
    const ticks = [...new Set(lines.flatMap(({ points }) => points.map(([value]) => value)))].sort((a, b) => a - b);
    const [first, last] = [ticks[0], ticks.at(-1)];
    const all = lines.flatMap(({ points }) => points.map(([, value]) => value));
    const [low, high] = [Math.floor(log(Math.min(...all))), Math.ceil(log(Math.max(...all)))];
    const x = (n) => BOX.left + ((log(n) - log(first)) / (log(last) - log(first))) * (BOX.right - BOX.left);
    const y = (value) => BOX.bottom - ((log(value) - low) / (high - low)) * (BOX.bottom - BOX.top);
    const at = (n) => n.toFixed(1);
    const parts = [];
    for (let power = low; power <= high; power += 1) {
        const value = 10 ** power;
        parts.push(`<line class="grid" x1="${BOX.left}" x2="${BOX.right}" y1="${at(y(value))}" y2="${at(y(value))}"/>`);
        const text = Number(value.toPrecision(1)).toLocaleString('en', { maximumFractionDigits: 6 });
        parts.push(`<text x="${BOX.left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${text} ${unit}</text>`);
    }
    for (const tick of ticks) {
        parts.push(`<text x="${at(x(tick))}" y="${BOX.bottom + 20}" text-anchor="middle">${tick.toLocaleString('en')}</text>`);
    }
    parts.push(`<text x="${(BOX.left + BOX.right) / 2}" y="${BOX.bottom + 40}" text-anchor="middle">${xName}</text>`);
    // Labels from the top, each with room for its text.
    const labels = lines.map((line, n) => ({ n, y: y(line.points.at(-1)[1]) })).sort((a, b) => a.y - b.y);
    labels.forEach((label, i) => { if (i > 0) label.y = Math.max(label.y, labels[i - 1].y + 16); });
    for (const { n, y: labelY } of labels) {
        const { name, points } = lines[n];
        parts.push(`<polyline class="l${n}" points="${points.map(([tick, value]) => `${at(x(tick))},${at(y(value))}`).join(' ')}"/>`);
        parts.push(...points.map(([tick, value]) => `<circle class="d${n}" cx="${at(x(tick))}" cy="${at(y(value))}" r="3"/>`));
        parts.push(`<text class="t${n}" x="${BOX.right + 12}" y="${at(labelY + 4)}">${name}</text>`);
    }
    const style = (dark) => COLOURS.map((pair, n) => `.l${n}{stroke:${pair[dark]}}.d${n},.t${n}{fill:${pair[dark]}}`).join('');
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
<style>text{font:12px system-ui,sans-serif;fill:#444}.grid{stroke:#ccc}polyline{fill:none;stroke-width:2}${style(0)}
@media (prefers-color-scheme:dark){text{fill:#bbb}.grid{stroke:#444}${style(1)}}</style>
${parts.join('\n')}
</svg>
`;
}
