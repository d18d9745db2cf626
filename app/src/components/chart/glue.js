// Between the page's chart component and uPlot: loads the library when the first chart comes into sight, turns
// our columns into its data, shares cursor and zoom between charts, reads values out, makes pictures.

const LIBRARY = "/vendor/uplot-1.6.32.js";
const STYLES = "/vendor/uplot-1.6.32.css";
const DASHES = [[6, 3], [2, 3], [8, 3, 2, 3], [10, 4], [4, 2, 1, 2]];
const MARKS = ["long entry", "short entry", "exit with a gain", "exit with a loss"];

let library;
function load() {
  library ??= new Promise((done, failed) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = STYLES;
    link.onload = done;
    link.onerror = failed;
    document.head.append(link);
  })
    .then(() => import(LIBRARY))
    .then((module) => module.default)
    .catch((error) => {
      library = undefined;
      throw error;
    });
  return library;
}

/** Hands something to the person as a file. */
function save(file, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
export function saveText(file, type, text) {
  save(file, new Blob([text], { type: `${type};charset=utf-8` }));
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
function figure(n) {
  if (n == null || Number.isNaN(n)) return "–";
  return Math.abs(n) >= 1000 ? grouped.format(n) : String(Number(n.toPrecision(6)));
}
function compact(n) {
  const size = Math.abs(n);
  for (const [above, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= above) return `${Number((n / above).toPrecision(4))}${letter}`;
  }
  return `${Number(n.toPrecision(6))}`;
}
/** As in `dials.rs`. */
const dashOf = (style) => (style < 3 ? [] : DASHES[((style % 8) + 2 + Math.floor(style / 8) * 2) % 5]);
const inPercent = (n) => `${Number((n * 100).toPrecision(5))} %`;
const two = (n) => String(n).padStart(2, "0");
function timeText(seconds) {
  const d = new Date(seconds * 1000);
  const day = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
  const clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  return clock === "00:00" ? day : `${day} ${clock} UTC`;
}

// From wide to narrow: how a tick reads, and what is added where the year or the day turns.
const YEAR = "\n{YYYY}";
const DAY = "\n{D} {MMM} {YYYY}";
const TIME_TICKS = [
  [31536000, "{YYYY}", null, null, null, null, null, null, 1],
  [2419200, "{MMM}", YEAR, null, null, null, null, null, 1],
  [86400, "{D} {MMM}", YEAR, null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", DAY, null, "\n{D} {MMM}", null, null, null, 1],
  [60, "{HH}:{mm}", DAY, null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", DAY, null, "\n{D} {MMM}", null, null, null, 1],
];

const withGaps = (column) => Array.from(column, (n) => (Number.isNaN(n) ? null : n));

/** Charts whose x counts the same, by what it counts. */
const kin = new Map();

export class Plot {
  constructor(element, spec, paint, hands, onRange, onTrouble) {
    this.element = element;
    this.spec = JSON.parse(spec);
    this.paint = paint;
    this.hands = hands;
    this.onRange = onRange;
    this.onTrouble = onTrouble;
    this.candles = this.spec.shape === "candles";
    this.percent = this.spec.unit === "share";
    this.key = this.spec.time ? "time" : this.spec.x;
    this.zoomed = false;
    this.hidden = 0;
    this.log = false;
    this.onKey = (event) => this.pressed(event);
    element.addEventListener("keydown", this.onKey);
    this.seen = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        this.seen.disconnect();
        this.begin();
      }
    }, { rootMargin: "200px" });
    this.seen.observe(element);
  }

  async begin() {
    try {
      this.uPlot = await load();
    } catch {
      if (!this.gone) {
        this.onTrouble("The chart's drawing code could not be loaded. The table below has the same figures; reload the page to try again.");
      }
      return;
    }
    if (this.gone) return;
    this.paint.join(this);
    if (!kin.has(this.key)) kin.set(this.key, new Set());
    kin.get(this.key).add(this);
    this.line = document.createElement("p");
    this.line.className = "chart-line";
    this.element.prepend(this.line);
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(this.element);
    this.draw();
  }

  set(x, columns, raw, bands, marks, flat, fit) {
    const refit = this.pending === undefined || this.pending.fit !== fit;
    const behind = [];
    for (let i = 0; i < flat.length; i += 5) {
      const [column, at, low, middle, high] = flat.slice(i, i + 5);
      behind.push({ column, x: at, low, middle, high });
    }
    this.pending = { x, columns, raw, bands, marks, behind, fit };
    // A finer answer holds only what is zoomed to: where all of it ends is known from before.
    if (refit || !this.zoomed) this.held = endsOf(x);
    if (refit) this.refit = true;
    this.soon();
  }

  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  look(hidden, log) {
    if (hidden === this.hidden && log === this.log) return;
    const anew = log !== this.log;
    Object.assign(this, { hidden, log });
    if (!this.plot) return;
    if (anew) this.again();
    else this.showColumns();
    this.readLine();
  }

  /** In which style a column is drawn. */
  style(i) {
    return this.spec.styles[i] ?? i;
  }

  // A scale is of one kind for the life of a plot: another kind is another plot, at the same place.
  again() {
    this.plot.destroy();
    this.plot = undefined;
    this.draw();
    if (this.zoomed) this.plot?.setScale("x", this.view);
  }

  // Lines are there twice: as they came, faint behind the smoothed; and as they are read.
  data() {
    const { x, columns, raw } = this.pending;
    const lines = columns.map(withGaps);
    if (this.candles) return [x, ...lines];
    return [x, ...(raw.length ? raw.map(withGaps) : lines), ...lines];
  }

  draw() {
    if (!this.uPlot || this.gone || !this.pending) return;
    const data = this.data();
    if (!this.plot) {
      if (this.pending.x.length === 0 || this.element.clientWidth === 0) return;
      this.plot = new this.uPlot(this.options(), data, this.element);
      this.hands(this);
    } else {
      // A zoom stays where it is while data comes in, unless all of it is asked for.
      if (this.refit) this.zoomed = false;
      this.plot.setData(data, !this.zoomed);
      if (this.zoomed) this.plot.setScale("x", this.view);
    }
    if (this.refit) this.zoomed = false;
    this.refit = false;
    this.stretch();
    this.showColumns();
    this.readLine();
  }

  showColumns() {
    if (this.candles) return;
    const n = this.spec.names.length;
    for (let i = 0; i < n; i++) {
      const show = !(this.hidden & (1 << i));
      const faint = show && this.pending.raw.length > 0;
      if (this.plot.series[1 + i].show !== faint) this.plot.setSeries(1 + i, { show: faint });
      if (this.plot.series[1 + n + i].show !== show) this.plot.setSeries(1 + n + i, { show });
    }
  }

  redraw() {
    if (!this.plot) return;
    this.plot.redraw(true, true);
    this.readLine();
  }

  resize() {
    const width = this.element.clientWidth;
    if (!this.plot) this.draw();
    else if (width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.spec.height });
  }

  relatives() {
    return [...(kin.get(this.key) ?? [])].filter((plot) => plot.plot);
  }

  // The whole of it, here and in all charts that share the zoom.
  whole() {
    for (const plot of this.relatives()) {
      plot.zoomed = false;
      plot.onRange(NaN, NaN);
      plot.plot.setData(plot.data(), true);
      plot.stretch();
    }
  }

  zoomTo(min, max) {
    if (!(max > min)) return;
    for (const plot of this.relatives()) {
      plot.zoomed = true;
      plot.view = { min, max };
      plot.plot.setScale("x", plot.view);
      plot.onRange(min, max);
    }
  }

  /** By a share of what is in sight, as far as there is anything. */
  panBy(share) {
    if (!this.zoomed) return;
    const { min, max } = this.view;
    const [low, high] = this.ends();
    const width = max - min;
    const from = Math.max(low, Math.min(high - width, min + share * width));
    if (from !== min && width < high - low) this.zoomTo(from, from + width);
  }

  /** So many times as much in sight; what is at that share of the width stays there. */
  zoomAround(share, times) {
    const { min, max } = this.plot.scales.x;
    const [low, high] = this.ends();
    const at = min + (max - min) * Math.max(0, Math.min(1, share));
    const [from, to] = [at - (at - min) * times, at + (max - at) * times];
    if (times > 1 && from <= low && to >= high) this.whole();
    else this.zoomTo(Math.max(low, from), Math.min(high, to));
  }

  /** Reads the values at that share of the width, here and in all charts that share the cursor. */
  readAt(share) {
    const { over } = this.plot;
    const left = Math.max(0, Math.min(1, share)) * over.clientWidth;
    this.plot.setCursor({ left, top: over.clientHeight / 2 }, true, true);
  }

  /** The bands of earlier runs whose curves are shown. */
  behind() {
    return this.pending.behind.filter((band) => !(this.hidden & (1 << band.column)));
  }

  // Where the whole of it ends, which is not what there is while it is zoomed. It is as wide as the band: that shows
  // where earlier runs went from here.
  ends() {
    const { x, behind } = this.pending;
    const all = [this.held, endsOf(x), ...behind.map((band) => endsOf(band.x))];
    return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
  }

  stretch() {
    if (this.zoomed || !this.plot) return;
    const { x } = this.pending;
    const [min, max] = this.ends();
    if (min < x[0] || max > x[x.length - 1]) this.plot.setScale("x", { min, max });
  }

  // From the lowest to the highest in sight, with the bands.
  reach(low, high) {
    const { min, max } = this.zoomed ? this.view : { min: -Infinity, max: Infinity };
    for (const band of this.behind()) {
      for (let i = 0; i < band.x.length; i++) {
        if (band.x[i] < min || band.x[i] > max || Number.isNaN(band.middle[i])) continue;
        if (!this.log || band.low[i] > 0) low = Math.min(low ?? Infinity, band.low[i]);
        if (!this.log || band.high[i] > 0) high = Math.max(high ?? -Infinity, band.high[i]);
      }
    }
    return [low, high];
  }

  destroy() {
    this.gone = true;
    this.seen.disconnect();
    this.sized?.disconnect();
    this.element.removeEventListener("keydown", this.onKey);
    if (this.frame) cancelAnimationFrame(this.frame);
    this.paint.leave(this);
    kin.get(this.key)?.delete(this);
    this.plot?.destroy();
    this.line?.remove();
  }

  options() {
    const { spec, uPlot, paint } = this;
    const theme = () => paint.theme();
    const font = theme().font;
    const axis = { stroke: () => theme().muted, font, labelFont: font, labelSize: 16,
      grid: { stroke: () => theme().grid, width: 1 }, ticks: { stroke: () => theme().grid, width: 1, size: 4 } };
    const colour = (i) => theme().series[this.style(i) % 8];
    const curve = { scale: "y", spanGaps: spec.joined };
    const points = { show: (u) => u.data[0].length < 2, size: 5 };
    const fill = (i) => (spec.fill && i === 0 ? { fill: () => `${colour(0)}26`, fillTo: () => 0 } : {});
    const series = this.candles
      // Drawn by the painter; here they only hold the values.
      ? spec.names.map((label, i) => ({ label, scale: i === 4 ? "v" : "y", paths: () => null, points: { show: false } }))
      : [
        ...spec.names.map((_, i) => ({ ...curve, width: 1, stroke: () => `${colour(i)}59`, show: false, points: { show: false } })),
        ...spec.names.map((label, i) => ({ ...curve, ...fill(i), label, width: 1.5, stroke: () => colour(i), dash: dashOf(this.style(i)), points })),
      ];
    const scales = { x: { time: spec.time }, y: this.yScale() };
    if (this.candles) scales.v = { range: (_, __, high) => [0, (high || 1) * 4.5] };
    const plain = this.percent ? inPercent : compact;
    // Where the axis begins between two powers of ten its first tick is any number.
    const written = this.log ? (n) => plain(Number(n.toPrecision(2))) : plain;
    return {
      width: this.element.clientWidth,
      height: spec.height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales,
      series: [{}, ...series],
      axes: [
        { ...axis, label: spec.time ? "UTC" : spec.x, size: spec.time ? 36 : 26, ...(spec.time ? { values: TIME_TICKS } : {}) },
        { ...axis, scale: "y", size: 60, values: (_, ticks) => ticks.map((n) => (n == null ? "" : written(n))) },
      ],
      cursor: {
        y: false,
        points: { size: 6, show: !this.candles },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => { this.whole(); return null; } },
        // Others follow the pointer, and not what it drags.
        sync: { key: this.key, scales: ["x", null], filters: { pub: (type) => type === "mousemove", sub: () => true } },
      },
      hooks: {
        setCursor: [() => this.readLine()],
        setSelect: [(u) => this.selected(u)],
        drawClear: [
          (u) => paint.drawBands(u, this.pending.bands),
          (u) => paint.drawBehind(u, this.behind(), (column) => theme().series[this.style(column) % 8]),
        ],
        draw: this.candles
          ? [(u) => paint.drawCandles(u), (u) => paint.drawMarks(u, this.pending.marks)]
          : [(u) => paint.drawMarks(u, this.pending.marks)],
      },
    };
  }

  yScale() {
    if (this.candles) return { range: priceRange };
    // As far as the values reach: whole powers of ten would leave most of the chart empty.
    const range = (of) => ({ range: (_, low, high) => of(...this.reach(low, high)) });
    if (this.log) return { distr: 3, log: 10, ...range((low, high) => (low > 0 ? [low / 1.15, high * 1.15] : [0.1, 1])) };
    if (!this.spec.zero) return range((low, high) => this.uPlot.rangeNum(low ?? 0, high ?? 1, 0.08, true));
    return {
      ...range((low, high) => {
        const ends = [Math.min(0, (low ?? 0) * 1.08), Math.max(0, (high ?? 0) * 1.08)];
        return ends[0] === ends[1] ? [0, 1] : ends;
      }),
    };
  }

  selected(u) {
    const { left, width } = u.select;
    if (width < 3) return;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoomTo(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }

  // Arrows read values, one point at a time or ten; plus and minus zoom around the cursor, Page Up and Page Down move
  // what is in sight, 0 shows the whole.
  pressed(event) {
    const u = this.plot;
    if (!u || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = u.data[0].length - 1;
    const [first, end] = [u.valToIdx(u.scales.x.min), u.valToIdx(u.scales.x.max)];
    const at = u.cursor.idx ?? end;
    const step = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: u.cursor.idx == null ? end : at - step, ArrowRight: u.cursor.idx == null ? first : at + step, Home: first, End: end }[event.key];
    if (to !== undefined && last >= 0) {
      const i = Math.max(0, Math.min(last, to));
      const { min, max } = u.scales.x;
      const x = u.data[0][i];
      // What is read comes into sight.
      if (x < min) this.panBy((x - min) / (max - min));
      if (x > max) this.panBy((x - max) / (max - min));
      // uPlot takes a new range at the end of this turn.
      queueMicrotask(() => {
        this.readAt(u.valToPos(x, "x") / u.over.clientWidth);
        const spoken = this.element.parentElement?.querySelector("[data-spoken]");
        if (spoken) spoken.textContent = Array.from(this.line.children, (part) => part.textContent).join(", ");
      });
    } else if (event.key === "+" || event.key === "-") {
      const { min, max } = u.scales.x;
      const centre = u.cursor.idx == null ? (min + max) / 2 : u.data[0][at];
      this.zoomAround((centre - min) / (max - min), event.key === "+" ? 0.5 : 2);
    } else if (this.zoomed && (event.key === "PageUp" || event.key === "PageDown")) {
      this.panBy(event.key === "PageUp" ? -0.5 : 0.5);
    } else if (event.key === "0") {
      this.whole();
    } else {
      return;
    }
    event.preventDefault();
  }

  // The values under the cursor, or the newest, at the top left.
  readLine() {
    const u = this.plot;
    if (!u || u.data[0].length === 0) return;
    const { spec, percent } = this;
    const i = u.cursor.idx ?? u.data[0].length - 1;
    const x = u.data[0][i];
    const n = spec.names.length;
    const smoothed = !this.candles && this.pending.raw.length > 0;
    const written = (value) => (percent && value != null ? inPercent(value) : figure(value));
    this.line.replaceChildren(span(spec.time ? timeText(x) : `${spec.x} ${figure(x)}`));
    spec.names.forEach((name, k) => {
      if (this.hidden & (1 << k)) return;
      const value = this.at(u.data[1 + k + (this.candles ? 0 : n)], i);
      const text = this.candles && k === 4 && value != null ? compact(value) : written(value);
      const behind = smoothed && value != null ? ` (${written(this.at(u.data[1 + k], i))})` : "";
      const reading = span(`${name} ${text}${behind}`);
      if (!this.candles && n > 1) reading.prepend(swatch(this.paint.theme().series[this.style(k) % 8]));
      this.line.append(reading);
      const band = this.pending.behind.find((band) => band.column === k);
      const ends = band && ["low", "high"].map((end) => along(band.x, band[end], x));
      if (ends?.every((end) => end != null)) this.line.append(span(`earlier runs ${written(ends[0])} to ${written(ends[1])}`));
    });
    this.marksAt(u, i).forEach((text) => this.line.append(span(text)));
  }

  // Curves that do not share their x have no value at every one: then the last before it, as long as the curve
  // goes on behind it.
  at(column, i) {
    if (!this.spec.joined || column[i] != null) return column[i];
    let [before, after] = [i, i];
    while (before >= 0 && column[before] == null) before--;
    while (after < column.length && column[after] == null) after++;
    return after < column.length ? column[before] : null;
  }

  // What happened between this candle and the next, the first few of it.
  marksAt(u, i) {
    const marks = this.pending.marks;
    if (u.cursor.idx == null || !marks.length) return [];
    const [from, to] = [u.data[0][i], u.data[0][i + 1] ?? Infinity];
    const found = [];
    for (let m = 0; m < marks.length && found.length < 3; m += 3) {
      if (marks[m] >= from && marks[m] < to) found.push(`${MARKS[marks[m + 2]]} ${figure(marks[m + 1])}`);
    }
    return found;
  }

  // The chart as it stands, with its title and the names of its curves above it.
  picture(file) {
    if (!this.plot) return;
    const source = this.plot.ctx.canvas;
    const { surface, ink, muted, series, family } = this.paint.theme();
    const dot = devicePixelRatio;
    const head = 48 * dot;
    const canvas = document.createElement("canvas");
    canvas.width = source.width;
    canvas.height = source.height + head;
    const ctx = canvas.getContext("2d");
    ctx.fillStyle = surface;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.fillStyle = ink;
    ctx.font = `600 ${14 * dot}px ${family}`;
    ctx.fillText(this.spec.title, 8 * dot, 18 * dot);
    ctx.font = `${11 * dot}px ${family}`;
    let left = 8 * dot;
    this.spec.names.forEach((name, k) => {
      if (this.candles || this.hidden & (1 << k)) return;
      ctx.fillStyle = series[this.style(k) % 8];
      ctx.fillRect(left, 33 * dot, 14 * dot, 2 * dot);
      ctx.fillStyle = muted;
      ctx.fillText(name, left + 18 * dot, 38 * dot);
      left += ctx.measureText(name).width + 34 * dot;
    });
    if (this.behind().length > 0) ctx.fillText("filled: p10 to p90 of earlier runs", left, 38 * dot);
    ctx.drawImage(source, 0, head);
    canvas.toBlob((blob) => blob && save(file, blob));
  }
}

/** Its first and its last, rising; of nothing what widens nothing. */
function endsOf(x) {
  return x.length > 0 ? [x[0], x[x.length - 1]] : [Infinity, -Infinity];
}

// Of what is in sight; with room below for the volume.
function priceRange(_, low, high) {
  if (low == null || high == null) return [0, 1];
  const span = high - low || Math.abs(high) || 1;
  return [low - span * 0.3, high + span * 0.06];
}

// On the straight line between the places next to it; null where there is none.
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
