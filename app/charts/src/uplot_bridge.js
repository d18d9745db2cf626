// Bridge between the chart component and uPlot: converts columns to its data, and shares cursor and zoom between
// charts. `figures` (Rust) formats numbers and computes ranges; `library.js` loads uPlot, `axes.js` draws the axes,
// `reading.js` shows values, `paint.js` draws the rest, `gestures.js` handles gestures.

const DASHES = [[6, 3], [2, 3], [8, 3, 2, 3], [10, 4], [4, 2, 1, 2]];
/** Largest value drawn. */
const FURTHEST = Number.MAX_VALUE / 8;

/** Must match `dials.rs`. */
const dashOf = (style) => (style < 3 ? [] : DASHES[((style % 8) + 2 + Math.floor(style / 8) * 2) % 5]);

// Anything but a number is a gap; infinity is `ABSENT` in `data.rs`: the curve continues over it.
const withGaps = (column) => Array.from(column, (n) => (n === Infinity ? undefined : Number.isFinite(n) ? n : null));

/** Charts by the name of their x: they share cursor and zoom. */
const kin = new Map();

export class Plot {
  constructor(element, spec, parts, figures, onRange, onTrouble) {
    this.element = element;
    this.spec = JSON.parse(spec);
    Object.assign(this, parts);
    this.figures = figures;
    this.onRange = onRange;
    this.onTrouble = onTrouble;
    this.candles = this.spec.shape === "candles";
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
      this.uPlot = await this.library.load();
    } catch {
      if (!this.gone) {
        this.onTrouble("The chart library could not be loaded. The table below has the same values. Reload the page to try again.");
      }
      return;
    }
    if (this.gone) return;
    this.paint.join(this);
    this.axes = this.axesOf(this);
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
    // While zoomed, an answer holds the zoomed range only: the full range is kept from before.
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
    const again = log !== this.log;
    Object.assign(this, { hidden, log });
    if (!this.plot) return;
    if (again) this.again();
    else this.showColumns();
    this.readLine();
  }

  /** Style of a column. */
  style(i) {
    return this.spec.styles[i] ?? i;
  }

  // A uPlot scale can't change its type, so the plot is recreated.
  again() {
    this.plot.destroy();
    this.plot = undefined;
    this.draw();
    if (this.zoomed) this.plot?.setScale("x", this.view);
  }

  // Each line is drawn twice: raw and faint, and smoothed on top of it.
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
      this.axes.needed = undefined;
      this.plot = new this.uPlot(this.options(), data, this.element);
      this.hands(this);
    } else {
      // The zoom stays while data arrives, unless a reset is requested.
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

  // Resets the zoom here and in related charts.
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

  /** Pans by a share of the visible width, within the data. */
  panBy(share) {
    if (!this.zoomed) return;
    const { min, max } = this.view;
    const [low, high] = this.ends();
    const width = max - min;
    const from = Math.max(low, Math.min(high - width, min + share * width));
    if (from !== min && width < high - low) this.zoomTo(from, from + width);
  }

  /** Scales the visible width by `times`; the point at `share` of the width keeps its position. */
  zoomAround(share, times) {
    const { min, max } = this.plot.scales.x;
    const [low, high] = this.ends();
    const at = min + (max - min) * Math.max(0, Math.min(1, share));
    const [from, to] = [at - (at - min) * times, at + (max - at) * times];
    if (times > 1 && from <= low && to >= high) this.whole();
    else this.zoomTo(Math.max(low, from), Math.min(high, to));
  }

  /** Moves the cursor to `share` of the width, here and in related charts. */
  readAt(share) {
    const { over } = this.plot;
    const left = Math.max(0, Math.min(1, share)) * over.clientWidth;
    this.plot.setCursor({ left, top: over.clientHeight / 2 }, true, true);
  }

  /** Baselines of the visible curves. */
  behind() {
    return this.pending.behind.filter((band) => !(this.hidden & (1 << band.column)));
  }

  // Full range of x. Includes the baselines, which show where past runs went.
  ends() {
    const { x, behind } = this.pending;
    const all = [this.held, endsOf(x), ...behind.map((band) => endsOf(band.x))];
    return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
  }

  stretch() {
    if (this.zoomed || !this.plot) return;
    const [min, max] = this.figures.xRange(...this.ends());
    this.plot.setScale("x", { min, max });
  }

  // Range of y in view, baselines included.
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
    const { spec, paint, axes } = this;
    const theme = () => paint.theme();
    const colour = (i) => theme().series[this.style(i) % 8];
    // A single point between two gaps has no line, so it is drawn as a dot.
    const points = { show: (u) => u.data[0].length < 2, filter: (u, i, show) => (show ? null : alone(u.data[i])), size: 5 };
    const fill = (i) => (spec.fill && i === 0 ? { fill: () => `${colour(0)}26`, fillTo: () => 0 } : {});
    const series = this.candles
      // `paint.js` draws the candles; the series only hold values.
      ? spec.names.map((label, i) => ({ label, scale: i === 4 ? "v" : "y", paths: () => null, points: { show: false } }))
      : [
        ...spec.names.map((_, i) => ({ scale: "y", width: 1, stroke: () => `${colour(i)}59`, show: false, points: { show: false } })),
        ...spec.names.map((label, i) => ({ scale: "y", ...fill(i), label, width: 1.5, stroke: () => colour(i), dash: dashOf(this.style(i)), points })),
      ];
    const scales = { x: { time: false, range: (_, min, max) => this.figures.xRange(min ?? NaN, max ?? NaN) }, y: this.yScale() };
    if (this.candles) scales.v = { range: (_, __, high) => [0, Math.min((high || 1) * 4.5, FURTHEST)] };
    return {
      width: this.element.clientWidth,
      height: spec.height,
      padding: axes.padding(),
      legend: { show: false },
      scales,
      series: [{}, ...series],
      axes: [{ show: false }, { show: false }],
      cursor: {
        y: false,
        points: { size: 6, show: !this.candles },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => { this.whole(); return null; } },
        // Related charts follow the cursor, but not a drag.
        sync: { key: this.key, scales: ["x", null], filters: { pub: (type) => type === "mousemove", sub: () => true } },
      },
      hooks: {
        setCursor: [() => this.readLine()],
        setScale: [(_, key) => key === "x" && this.readLine()],
        setSelect: [(u) => this.selected(u)],
        drawClear: [
          (u) => paint.drawBands(u, this.pending.bands),
          (u) => paint.drawBehind(u, this.behind(), (column) => theme().series[this.style(column) % 8]),
        ],
        drawAxes: [(u) => axes.draw(u)],
        draw: this.candles
          ? [(u) => paint.drawCandles(u), (u) => paint.drawMarks(u, this.pending.marks)]
          : [(u) => paint.drawMarks(u, this.pending.marks)],
      },
    };
  }

  yScale() {
    const range = (_, low, high) => {
      const [from, to] = this.candles ? [low, high] : this.reach(low, high);
      return this.figures.yRange(from ?? NaN, to ?? NaN, this.log);
    };
    return this.log ? { distr: 3, log: 10, range } : { range };
  }

  selected(u) {
    const { left, width } = u.select;
    if (width < 3) return;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoomTo(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }

  // Arrow keys read values, one or ten points at a time; plus and minus zoom around the cursor, Page Up and Page Down
  // pan, 0 resets the zoom.
  pressed(event) {
    const u = this.plot;
    if (!u || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = u.data[0].length - 1;
    const [first, end] = [u.valToIdx(u.scales.x.min), u.valToIdx(u.scales.x.max)];
    const read = u.cursor.left >= 0;
    const at = read ? this.reader.indexOf(u) : end;
    const step = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: read ? at - step : end, ArrowRight: read ? at + step : first, Home: first, End: end }[event.key];
    if (to !== undefined && last >= 0) {
      const i = Math.max(0, Math.min(last, to));
      const { min, max } = u.scales.x;
      const x = u.data[0][i];
      // Pans until the value is in view.
      if (x < min) this.panBy((x - min) / (max - min));
      if (x > max) this.panBy((x - max) / (max - min));
      // uPlot applies a new range at the end of this turn.
      queueMicrotask(() => {
        this.readAt(u.valToPos(x, "x") / u.over.clientWidth);
        const spoken = this.element.parentElement?.querySelector("[data-spoken]");
        if (spoken) spoken.textContent = Array.from(this.line.children, (part) => part.textContent).join(", ");
      });
    } else if (event.key === "+" || event.key === "-") {
      const { min, max } = u.scales.x;
      const centre = read ? u.data[0][at] : (min + max) / 2;
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

  readLine() {
    this.reader.read(this);
  }

  // Saves the chart as PNG, with its title and a legend.
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
    if (this.behind().length > 0) ctx.fillText("Shaded: P10 to P90 of past runs", left, 38 * dot);
    ctx.drawImage(source, 0, head);
    canvas.toBlob((blob) => blob && this.library.save(file, blob));
  }
}

/** First and last value of a sorted list; an empty range for an empty list. */
function endsOf(x) {
  return x.length > 0 ? [x[0], x[x.length - 1]] : [Infinity, -Infinity];
}

/** Indices of points between two gaps; null when there are none. */
function alone(column) {
  const found = [];
  column.forEach((y, i) => {
    if (y == null) return;
    let [before, after] = [i - 1, i + 1];
    while (column[before] === undefined && before >= 0) before--;
    while (column[after] === undefined && after < column.length) after++;
    if (column[before] == null && column[after] == null) found.push(i);
  });
  return found.length > 0 ? found : null;
}
