// Value line above a chart: values under the cursor, or else the newest visible ones.

const MARKS = ["long entry", "short entry", "exit with profit", "exit with loss"];
/** Maximum number of marks shown for one candle. */
const MAX_MARKS = 3;

/** Index under the cursor. uPlot's own index refers to the old data until the pointer moves. */
function indexOf(u) {
  const x = u.data[0];
  if (u.cursor.left >= 0) return u.valToIdx(u.posToVal(u.cursor.left, "x"));
  const { max } = u.scales.x;
  let last = x.length - 1;
  while (last > 0 && x[last] > max) last--;
  return last;
}

function read(plot) {
  const u = plot.plot;
  if (!u || u.data[0].length === 0) return;
  const { spec, figures, candles } = plot;
  const i = indexOf(u);
  const x = u.data[0][i];
  const n = spec.names.length;
  const smoothed = !candles && plot.pending.raw.length > 0;
  const written = (column, value) => figures.y(column, value ?? NaN);
  const parts = [span(spec.time ? figures.x(x) : `${spec.x} ${figures.x(x)}`)];
  spec.names.forEach((name, k) => {
    if (plot.hidden & (1 << k)) return;
    const value = at(u.data[1 + k + (candles ? 0 : n)], i);
    const behind = smoothed && value != null ? ` (${written(k, at(u.data[1 + k], i))})` : "";
    const reading = span(`${name} ${written(k, value)}${behind}`);
    if (!candles && n > 1) reading.prepend(swatch(plot.paint.theme().series[plot.style(k) % 8]));
    parts.push(reading);
    const band = plot.pending.behind.find((band) => band.column === k);
    const ends = band && ["low", "high"].map((end) => along(band.x, band[end], x));
    if (ends?.every((end) => end != null)) {
      parts.push(span(`past runs ${written(k, ends[0])} to ${written(k, ends[1])}`));
    }
  });
  parts.push(...marksAt(plot, u, i).map(span));
  plot.line.replaceChildren(...parts);
}

// A curve without a point at this x keeps its previous value, as long as it continues later.
function at(column, i) {
  if (column[i] !== undefined) return column[i];
  let [before, after] = [i, i];
  while (before >= 0 && column[before] === undefined) before--;
  while (after < column.length && column[after] === undefined) after++;
  return after < column.length ? column[before] : null;
}

// Marks between this candle and the next, at most `MAX_MARKS`.
function marksAt(plot, u, i) {
  const { marks } = plot.pending;
  if (!(u.cursor.left >= 0) || !marks.length) return [];
  const [from, to] = [u.data[0][i], u.data[0][i + 1] ?? Infinity];
  const found = [];
  for (let m = 0; m < marks.length && found.length < MAX_MARKS; m += 3) {
    if (marks[m] >= from && marks[m] < to) found.push(`${MARKS[marks[m + 2]]} ${plot.figures.y(0, marks[m + 1])}`);
  }
  return found;
}

// Linear interpolation at x; null outside the data and in gaps.
function along(xs, ys, x) {
  let next = 0;
  while (next < xs.length && xs[next] < x) next++;
  if (xs[next] === x) return Number.isNaN(ys[next]) ? null : ys[next];
  if (next === 0 || next === xs.length) return null;
  const share = (x - xs[next - 1]) / (xs[next] - xs[next - 1]);
  const y = ys[next - 1] + (ys[next] - ys[next - 1]) * share;
  return Number.isNaN(y) ? null : y;
}

function span(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

function swatch(colour) {
  const element = document.createElement("i");
  element.style.background = colour;
  return element;
}

/** Functions passed to a chart. */
export function reader() {
  return { read, indexOf };
}
