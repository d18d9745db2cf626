// Between the page's chart component and uPlot: loads the library when the first chart comes into sight,
// turns our columns into its data, draws candles, bands and the line of values, follows theme and width.

const LIBRARY = "/vendor/uplot-1.6.32.js";
const STYLES = "/vendor/uplot-1.6.32.css";
const DASHES = [[], [], [], [6, 3], [2, 3], [8, 3, 2, 3], [10, 4], [4, 2, 1, 2]];

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

// Colours are the page's own, read again when the theme changes.
let theme;
const plots = new Set();
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  theme = {
    ink: token("--ink"),
    muted: token("--muted"),
    grid: token("--grid"),
    surface: token("--surface"),
    up: token("--candle-up"),
    down: token("--candle-down"),
    volume: token("--volume"),
    gap: token("--gap"),
    series: Array.from({ length: 8 }, (_, i) => token(`--series-${i + 1}`)),
    font: `11px ${style.fontFamily || "system-ui"}`,
  };
}
function themeChanged() {
  readTheme();
  for (const plot of plots) plot.redraw();
}
let watching = false;
function watchTheme() {
  if (watching) return;
  watching = true;
  readTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
  new MutationObserver(themeChanged).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
function figure(n) {
  if (n == null || Number.isNaN(n)) return "–";
  const size = Math.abs(n);
  if (size >= 10000) return grouped.format(n);
  if (size >= 1 || n === 0) return n.toFixed(2).replace(/\.00$/, "");
  return n.toPrecision(4);
}
function compact(n) {
  const size = Math.abs(n);
  for (const [above, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= above) return `${Number((n / above).toPrecision(3))}${letter}`;
  }
  return `${Number(n.toPrecision(6))}`;
}
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

export class Plot {
  constructor(element, spec, onRange, onTrouble) {
    this.element = element;
    this.spec = JSON.parse(spec);
    this.onRange = onRange;
    this.onTrouble = onTrouble;
    this.candles = this.spec.shape === "candles";
    this.zoomed = false;
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
    watchTheme();
    plots.add(this);
    this.line = document.createElement("p");
    this.line.className = "chart-line";
    this.element.prepend(this.line);
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(this.element);
    this.draw();
  }

  set(x, columns, bands, fit) {
    const refit = this.pending === undefined || this.pending.fit !== fit;
    this.pending = { x, columns, bands, fit };
    if (refit) this.refit = true;
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = undefined;
        this.draw();
      });
    }
  }

  data() {
    return [this.pending.x, ...this.pending.columns.map(withGaps)];
  }

  draw() {
    if (!this.uPlot || this.gone || !this.pending) return;
    this.bands = this.pending.bands;
    const data = this.data();
    if (!this.plot) {
      if (this.pending.x.length === 0 || this.element.clientWidth === 0) return;
      this.plot = new this.uPlot(this.options(), data, this.element);
    } else {
      // A zoom stays where it is while data comes in, unless all of it is asked for.
      this.plot.setData(data, this.refit || !this.zoomed);
      if (!this.refit && this.zoomed) this.plot.redraw();
    }
    this.refit = false;
    this.readLine();
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

  whole() {
    this.zoomed = false;
    this.onRange(NaN, NaN);
    if (this.plot) this.plot.setData(this.data(), true);
  }

  destroy() {
    this.gone = true;
    this.seen.disconnect();
    this.sized?.disconnect();
    if (this.frame) cancelAnimationFrame(this.frame);
    plots.delete(this);
    this.plot?.destroy();
    this.line?.remove();
  }

  options() {
    const { spec, uPlot } = this;
    const axis = { stroke: () => theme.muted, font: theme.font, labelFont: theme.font, labelSize: 16,
      grid: { stroke: () => theme.grid, width: 1 }, ticks: { stroke: () => theme.grid, width: 1, size: 4 } };
    const xLabel = spec.time ? "UTC" : spec.x;
    const yRange = this.candles ? priceRange : spec.zero
      ? (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.08 : 1]
      : (_, low, high) => uPlot.rangeNum(low ?? 0, high ?? 1, 0.08, true);
    const series = this.candles
      // Drawn by our own hook; here they only hold the values.
      ? spec.names.map((label, i) => ({ label, scale: i === 4 ? "v" : "y", paths: () => null, points: { show: false } }))
      : spec.names.map((label, i) => ({
        label, scale: "y", width: 1.5, stroke: () => theme.series[i % 8], dash: DASHES[i % 8],
        spanGaps: spec.joined, points: { show: (u) => u.data[0].length < 2, size: 5 },
      }));
    const scales = { x: { time: spec.time }, y: { range: yRange } };
    if (this.candles) scales.v = { range: (_, __, high) => [0, (high || 1) * 4.5] };
    return {
      width: this.element.clientWidth,
      height: spec.height,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales,
      series: [{}, ...series],
      axes: [
        { ...axis, label: xLabel, size: spec.time ? 36 : 26, ...(spec.time ? { values: TIME_TICKS } : {}) },
        { ...axis, scale: "y", size: 56, values: (_, ticks) => ticks.map((n) => (n == null ? "" : compact(n))) },
      ],
      cursor: {
        y: false,
        points: { size: 6, show: !this.candles },
        drag: { x: true, y: false, setScale: true },
        bind: { dblclick: () => () => { this.whole(); return null; } },
      },
      hooks: {
        setCursor: [() => this.readLine()],
        setSelect: [(u) => this.selected(u)],
        drawClear: [(u) => this.drawBands(u)],
        draw: this.candles ? [(u) => this.drawCandles(u)] : [],
      },
    };
  }

  selected(u) {
    if (u.select.width < 3) return;
    this.zoomed = true;
    this.onRange(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
  }

  // The values under the cursor, or the newest, at the top left.
  readLine() {
    const u = this.plot;
    if (!u || u.data[0].length === 0) return;
    const i = u.cursor.idx ?? u.data[0].length - 1;
    const x = u.data[0][i];
    const at = this.spec.time ? timeText(x) : `${this.spec.x} ${figure(x)}`;
    this.line.replaceChildren(span(at, ""));
    this.spec.names.forEach((name, n) => {
      const value = u.data[n + 1][i];
      const text = this.candles && n === 4 ? compact(value ?? 0) : figure(value);
      this.line.append(span(`${name} ${text}`, this.candles || this.spec.names.length === 1 ? "" : theme.series[n % 8]));
    });
  }

  drawBands(u) {
    if (!this.bands?.length) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = theme.gap;
    for (let i = 0; i < this.bands.length; i += 2) {
      const from = u.valToPos(this.bands[i], "x", true);
      const to = u.valToPos(this.bands[i + 1], "x", true);
      if (to < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.fillRect(from, bbox.top, Math.max(to - from, devicePixelRatio), bbox.height);
    }
    ctx.restore();
  }

  drawCandles(u) {
    const { ctx, bbox } = u;
    const [x, open, high, low, close, volume] = u.data;
    const [first, last] = this.visible(u);
    if (first > last) return;
    // As wide as the closest two stand apart: nights and weekends stay empty.
    let apart = Infinity;
    for (let i = Math.max(first, 1); i <= last; i++) apart = Math.min(apart, x[i] - x[i - 1]);
    const step = apart === Infinity ? bbox.width / 4 : Math.abs(u.valToPos(x[first] + apart, "x", true) - u.valToPos(x[first], "x", true));
    const dot = devicePixelRatio;
    const width = Math.max(dot, Math.min(Math.floor(step * 0.7), 14 * dot));
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const floor = u.valToPos(0, "v", true);
    ctx.fillStyle = theme.volume;
    for (let i = first; i <= last; i++) {
      if (!volume[i]) continue;
      const top = u.valToPos(volume[i], "v", true);
      ctx.fillRect(u.valToPos(x[i], "x", true) - width / 2, top, width, floor - top);
    }
    ctx.lineWidth = dot;
    for (let i = first; i <= last; i++) {
      if (open[i] == null) continue;
      const centre = Math.round(u.valToPos(x[i], "x", true)) + 0.5;
      const rises = close[i] >= open[i];
      const colour = rises ? theme.up : theme.down;
      const [a, b] = [u.valToPos(open[i], "y", true), u.valToPos(close[i], "y", true)];
      const [top, bottom] = [Math.min(a, b), Math.max(a, b)];
      ctx.strokeStyle = colour;
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.moveTo(centre, u.valToPos(high[i], "y", true));
      ctx.lineTo(centre, top);
      ctx.moveTo(centre, bottom);
      ctx.lineTo(centre, u.valToPos(low[i], "y", true));
      ctx.stroke();
      const height = Math.max(bottom - top, dot);
      // Told apart by shape as well: what rises is hollow, what falls is full.
      if (rises && width >= 4 * dot) ctx.strokeRect(centre - width / 2, top, width, height);
      else ctx.fillRect(centre - width / 2, top, width, height);
    }
    ctx.restore();
  }

  visible(u) {
    const x = u.data[0];
    const { min, max } = u.scales.x;
    let first = 0;
    let last = x.length - 1;
    while (first <= last && x[first] < min) first++;
    while (last >= first && x[last] > max) last--;
    // One more on each side, cut off by the frame.
    return [Math.max(0, first - 1), Math.min(x.length - 1, last + 1)];
  }
}

// Of what is in sight; with room below for the volume.
function priceRange(_, low, high) {
  if (low == null || high == null) return [0, 1];
  const span = high - low || Math.abs(high) || 1;
  return [low - span * 0.3, high + span * 0.06];
}

function span(text, colour) {
  const element = document.createElement("span");
  element.textContent = text;
  if (colour) element.style.color = colour;
  return element;
}
