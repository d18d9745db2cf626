// Values under the cursor, or else the newest visible ones: as a line for screen readers, and beside the cursor as one
// readout for all charts of a group.

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

/** What a chart reads at an index: a row for each visible curve. */
function rowsOf(plot, i) {
  const u = plot.plot;
  const { spec, figures, candles } = plot;
  const x = plot.pending.x[i];
  const n = spec.names.length;
  const smoothed = !candles && plot.pending.raw.length > 0;
  const written = (column, value) => figures.y(column, value ?? NaN);
  const rows = [];
  spec.names.forEach((name, k) => {
    if (plot.hidden & (1 << k)) return;
    const value = at(u.data[1 + k + (candles ? 0 : n)], i);
    const behind = smoothed && value != null ? ` (${written(k, at(u.data[1 + k], i))})` : "";
    rows.push({ column: k, name, text: `${written(k, value)}${behind}`, value });
    const band = plot.pending.behind.find((band) => band.column === k);
    const ends = band && ["low", "high"].map((end) => along(band.x, band[end], x));
    if (ends?.every((end) => end != null)) {
      rows.push({ name: "past runs", text: `${written(k, ends[0])} to ${written(k, ends[1])}` });
    }
  });
  return rows;
}

/** The x as text: a time, or a number with its name. */
function xOf(plot, i) {
  const text = plot.figures.x(plot.pending.x[i]);
  return plot.spec.time ? text : `${plot.spec.x} ${text}`;
}

function swatched(plot, row) {
  return !plot.candles && plot.spec.names.length > 1 && row.column !== undefined
    ? [swatch(plot.paint.theme().series[plot.style(row.column) % 8])]
    : [];
}

/** Writes the value line of a chart, which screen readers and tests read. */
function read(plot) {
  const u = plot.plot;
  if (!u) return;
  if (u.data[0].length === 0) return hide(plot);
  const i = indexOf(u);
  const parts = [span(xOf(plot, i))];
  for (const row of rowsOf(plot, i)) parts.push(span(`${row.name} ${row.text}`, ...swatched(plot, row)));
  parts.push(...marksAt(plot, u, i).map((text) => span(text)));
  plot.line.replaceChildren(...parts);
  if (reading === plot) show(plot);
}

/** Chart under the pointer or the keys. */
let reading;
const box = document.createElement("div");
box.className = "chart-reading";
box.setAttribute("aria-hidden", "true");

/** Maximum number of rows in the readout; of more curves, the nearest ones. */
const MAX_ROWS = 14;

/** Place of that chart in its figure. */
let place;

/** Makes a chart the one beside whose cursor the readout is. */
function lead(plot) {
  if (reading !== plot) {
    // Once, since it causes a layout.
    place = { left: plot.element.offsetLeft, top: plot.element.offsetTop };
    reading = plot;
  }
  plot.readLine();
}

/** One readout beside the cursor, with the values of all charts of the group. */
function show(plot) {
  const u = plot.plot;
  if (!(u?.cursor.left >= 0) || u.data[0].length === 0) return hide(plot);
  const i = indexOf(u);
  const parts = [headed("chart-reading-x", xOf(plot, i))];
  const own = rowsOf(plot, i);
  const before = (a, b) => (a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1);
  const others = plot.group().filter((other) => other !== plot && other.plot.data[0].length > 0).sort(before);
  for (const other of others) other.takeData();
  const all = [[plot, own], ...others.map((other) => [other, other.plot.cursor.left >= 0 ? rowsOf(other, indexOf(other.plot)) : []])];
  const total = all.reduce((sum, [, rows]) => sum + rows.length, 0);
  const shown = total <= MAX_ROWS ? all.filter(([, rows]) => rows.length > 0) : [[plot, nearestRows(plot, own)]];
  for (const [of, rows] of shown) {
    // A single curve may bear the name of its chart.
    const named = rows.length === 1 && rows[0].name === of.spec.title;
    if (shown.length > 1 && !named) parts.push(headed("chart-reading-of", of.spec.title));
    for (const row of rows) {
      const line = document.createElement("div");
      line.append(...swatched(of, row), span(row.name), headed("num", row.text));
      parts.push(line);
    }
  }
  if (shown.length === 1 && shown[0][1].length < own.length) {
    parts.push(headed("chart-reading-of", `${own.length - shown[0][1].length} more`));
  }
  for (const text of marksAt(plot, u, i)) parts.push(headed("chart-reading-of", text));
  box.replaceChildren(...parts);
  const host = plot.element.parentElement;
  if (box.parentElement !== host) host.append(box);
  // The place of the plot in the chart is known to uPlot; that of the chart is asked for when it leads.
  const flips = u.cursor.left > u.bbox.width / devicePixelRatio / 2;
  box.style.left = `${place.left + u.bbox.left / devicePixelRatio + u.cursor.left}px`;
  box.style.top = `${place.top + 8}px`;
  box.style.transform = flips ? "translateX(calc(-100% - 12px))" : "translateX(12px)";
}

function hide(plot) {
  if (reading !== plot) return;
  reading = undefined;
  box.remove();
}

/** Rows of the curves nearest to the pointer, in their order. */
function nearestRows(plot, rows) {
  if (rows.length <= MAX_ROWS) return rows;
  const { plot: u } = plot;
  const away = (row) => (row.value == null ? Infinity : Math.abs(u.valToPos(row.value, "y") - u.cursor.top));
  const near = new Set([...rows].sort((a, b) => away(a) - away(b)).slice(0, MAX_ROWS - 2));
  return rows.filter((row) => near.has(row));
}

/** Maximum distance between the pointer and a curve that it highlights, in pixels. */
const NEAR = 10;

/** Style of the curve under the pointer, or -1. */
function nearest(plot) {
  const { spec, plot: u } = plot;
  const { left, top } = u.cursor;
  if (plot.candles || (spec.ends.length < 2 && spec.names.length < 4) || !(left >= 0)) return -1;
  const i = indexOf(u);
  let [found, least] = [-1, NEAR];
  spec.names.forEach((_, k) => {
    const value = plot.hidden & (1 << k) ? null : at(u.data[1 + k + spec.names.length], i);
    if (value == null) return;
    const away = Math.abs(u.valToPos(value, "y") - top);
    if (away < least) [found, least] = [plot.style(k), away];
  });
  return found;
}

// A curve without a point at this x keeps its previous value, as long as it continues later.
function at(column, i) {
  if (column[i] !== undefined) return column[i];
  let [before, after] = [i, i];
  while (before >= 0 && column[before] === undefined) before--;
  while (after < column.length && column[after] === undefined) after++;
  return after < column.length ? column[before] : null;
}

// Events, marks between this row and the next (at most `MAX_MARKS`), and the shaded ranges under the cursor.
function marksAt(plot, u, i) {
  const { marks, events, labels, x: xs, bands, bandTexts } = plot.pending;
  if (!(u.cursor.left >= 0)) return [];
  const [from, to] = [xs[i], xs[i + 1] ?? Infinity].map((x) => plot.toScale(x));
  const found = labels.filter((_, n) => plot.toScale(events[n]) >= from && plot.toScale(events[n]) < to);
  for (let m = 0; m < marks.length && found.length < MAX_MARKS; m += 4) {
    const x = plot.toScale(marks[m]);
    const text = () => `trade ${marks[m + 3] + 1}: ${MARKS[marks[m + 2]]} ${plot.figures.y(0, marks[m + 1])}`;
    if (x >= from && x < to) found.push(text());
  }
  const cursor = u.posToVal(u.cursor.left, "x");
  const beside = plot.traded ? 0.5 : 0;
  const isIn = (n) => cursor >= plot.toScale(bands[2 * n]) - beside && cursor <= plot.toScale(bands[2 * n + 1]) + beside;
  for (let n = 0; n < bandTexts.length && found.length < MAX_MARKS; n++) if (isIn(n)) found.push(bandTexts[n]);
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

function span(text, ...before) {
  const element = document.createElement("span");
  element.append(...before, text);
  return element;
}

function headed(className, text) {
  const element = span(text);
  element.className = className;
  return element;
}

function swatch(colour) {
  const element = document.createElement("i");
  element.style.background = colour;
  return element;
}

/** Functions passed to a chart. */
export function reader() {
  return { read, lead, hide, nearest, indexOf };
}
