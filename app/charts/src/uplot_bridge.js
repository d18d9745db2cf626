// Bridge between the chart component and uPlot: converts columns to its data. `figures` (Rust) formats numbers and
// computes ranges; `library.js` loads uPlot, `kin.js` shares cursor and zoom, `axes.js` draws the axes, `ends.js` the
// values at line ends, `paint.js` the rest, `reading.js` shows values, `gestures.js` handles gestures.

const DASHES = [[6, 3], [2, 3], [8, 3, 2, 3], [10, 4], [4, 2, 1, 2]];
/** Largest value drawn. */
const FURTHEST = Number.MAX_VALUE / 8;

/** Must match `controls.rs`. */
const DOTTED = [1.5, 3];
const dashOf = (style) => (style < 3 ? [] : DASHES[((style % 8) + 2 + Math.floor(style / 8) * 2) % 5]);

// Anything but a number is a gap; infinity is `ABSENT` in `data.rs`: the curve continues over it.
function withGaps(column) {
  const list = new Array(column.length);
  for (let i = 0; i < column.length; i++) {
    const n = column[i];
    list[i] = n - n === 0 ? n : n === Infinity ? undefined : null;
  }
  return list;
}

/** Value at x of a rising line through these points; beyond them it rises as on average. Must match `sessions.rs`. */
function along(xs, ys, x) {
  const last = xs.length - 1;
  const mean = last > 0 ? (ys[last] - ys[0]) / (xs[last] - xs[0]) : 1;
  if (x <= xs[0]) return ys[0] + (x - xs[0]) * mean;
  if (x >= xs[last]) return ys[last] + (x - xs[last]) * mean;
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  return ys[low] + ((x - xs[low]) / (xs[high] - xs[low])) * (ys[high] - ys[low]);
}

/** Minimum number of bars shown on each side of a trade or gap. */
const MIN_AROUND = 20;
/** Share of a width that is a rounding error. */
const TINY = 1e-9;

/** Opacity of the curves beside a highlighted one. */
const DIMMED = 0.2;

export class Plot {
  constructor(element, spec, parts, figures, onRange, onTrouble, onMark) {
    this.element = element;
    this.spec = JSON.parse(spec);
    Object.assign(this, parts);
    this.figures = figures;
    this.onRange = onRange;
    this.onTrouble = onTrouble;
    this.onMark = onMark;
    this.candles = this.spec.shape === "candles";
    this.key = this.spec.time ? "time" : this.spec.x;
    this.zoomed = false;
    this.hidden = 0;
    this.log = false;
    this.highlighted = -1;
    this.near = -1;
    this.kinship = this.kin(this.key);
    this.onKey = (event) => this.pressed(event);
    element.addEventListener("keydown", this.onKey);
    this.onBlur = () => this.reader.hide(this);
    element.addEventListener("blur", this.onBlur);
    this.visible = false;
    this.seen = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      if (this.visible && !this.begun) this.begin();
      else if (this.visible && this.stale) this.soon();
    }, { rootMargin: "200px" });
    this.seen.observe(element);
  }

  async begin() {
    this.begun = true;
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
    this.kinship.join(this);
    this.line = document.createElement("p");
    this.line.className = "chart-line";
    this.element.prepend(this.line);
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(this.element);
    this.draw();
  }

  set(data) {
    const { x, flat, fit } = data;
    const refit = this.pending === undefined || this.pending.fit !== fit;
    const behind = [];
    for (let i = 0; i < flat.length; i += 5) {
      const [column, at, low, middle, high] = flat.slice(i, i + 5);
      behind.push({ column, x: at, low, middle, high });
    }
    this.pending = { ...data, behind };
    // While zoomed, an answer holds the zoomed range only: the full range is kept from before.
    if (refit || !this.zoomed) this.held = endsOf(x);
    if (refit) this.refit = true;
    this.soon();
  }

  // A chart out of sight is drawn when it comes into view.
  soon() {
    if (this.plot && !this.visible) this.stale = true;
    else this.paint.drawSoon(this);
  }

  look(hidden, log, highlighted) {
    const again = log !== this.log;
    const shown = hidden !== this.hidden;
    const lit = highlighted !== this.highlighted;
    if (!again && !shown && !lit) return;
    Object.assign(this, { hidden, log, highlighted });
    if (!this.plot) return;
    if (again) this.again();
    else if (shown) this.showColumns();
    if (lit) this.dim();
    this.readLine();
  }

  /** Whether a column is not dimmed beside a highlighted one. */
  isLit(column) {
    const style = this.highlighted >= 0 ? this.highlighted : this.near;
    return style < 0 || this.style(column) === style;
  }

  // Dims all curves but the highlighted one.
  dim() {
    if (this.candles || !this.plot) return;
    const n = this.spec.names.length;
    for (let i = 0; i < n; i++) {
      const alpha = this.isLit(i) ? 1 : DIMMED;
      this.plot.series[1 + i].alpha = alpha;
      this.plot.series[1 + n + i].alpha = alpha;
    }
    this.plot.redraw(false, false);
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
    if (this.zoomed && this.plot) this.scaleView();
  }

  // Each line is drawn twice: raw and faint, and smoothed on top of it.
  data() {
    this.taken = this.pending;
    const { at: x, columns, raw } = this.pending;
    const lines = columns.map(withGaps);
    if (this.candles) return [x, ...lines];
    return [x, ...(raw.length ? raw.map(withGaps) : lines), ...lines];
  }

  draw() {
    if (!this.uPlot || this.gone || !this.pending) return;
    this.stale = false;
    if (!this.plot) {
      if (this.pending.x.length === 0 || this.element.clientWidth === 0) return;
      const data = this.data();
      this.axes.needed = undefined;
      const { view } = this.kinship;
      this.plot = new this.uPlot(this.options(), data, this.element);
      this.hands(this);
      this.dim();
      // A chart that comes later, as in full screen, takes the zoom of the others.
      if (view && !this.zoomed) {
        const other = this.relatives().find((plot) => plot !== this && plot.held);
        this.held = other ? other.held : this.held;
        this.refit = false;
        this.showRange(view, true);
      }
      this.fitted();
    } else {
      // Drawn at once, so that the time it takes is known.
      this.plot.batch(() => {
        // The zoom stays while data arrives, unless a reset is requested.
        if (this.refit) this.zoomed = false;
        if (!this.zoomed || this.taken !== this.pending) this.plot.setData(this.data(), !this.zoomed);
        if (this.zoomed) this.scaleView();
        this.fitted();
      });
    }
    this.readLine();
  }

  // After new data: resets the zoom if requested.
  fitted() {
    if (this.refit) {
      this.zoomed = false;
      this.kinship.refitted();
    }
    this.refit = false;
    this.stretch();
    this.showColumns();
  }

  /** Takes data that a chart out of sight has not drawn, to read it. */
  takeData() {
    if (this.taken !== this.pending) this.plot.setData(this.data(), false);
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
    else if (width > 0 && (width !== this.plot.width || this.height() !== this.plot.height)) {
      this.plot.setSize({ width, height: this.height() });
    }
  }

  height() {
    return this.spec.tall ? Math.max(this.element.clientHeight, 160) : this.spec.height;
  }

  relatives() {
    return this.kinship.drawn();
  }

  /** Charts of the same group that share the x, itself included. */
  group() {
    const group = this.element.closest("dialog, .chart-group");
    return group ? this.relatives().filter((plot) => plot.element.closest("dialog, .chart-group") === group) : [this];
  }

  /** Whether x is trading time. */
  get traded() {
    return this.pending.times.length > 0;
  }

  /** Position of an x on uPlot's scale: its place in trading time, otherwise x itself. */
  toScale(x) {
    const { times, places } = this.pending;
    return this.traded ? along(times, places, x) : x;
  }

  fromScale(value) {
    const { times, places } = this.pending;
    return this.traded ? along(places, times, value) : value;
  }

  scaleView() {
    const { min, max } = this.view;
    this.plot.setScale("x", { min: this.toScale(min), max: this.toScale(max) });
  }

  // Resets the zoom here and in related charts.
  whole() {
    this.kinship.whole();
  }

  back(request) {
    this.kinship.back(request);
  }

  showAll() {
    this.zoomed = false;
    this.onRange(NaN, NaN);
    this.soon();
  }

  /** Shows a range of x; `quiet` if the data is there already. */
  showRange(view, quiet) {
    this.zoomed = true;
    this.view = view;
    // The others take turns.
    if (quiet || this.kinship.source === this) this.scaleView();
    else this.soon();
    if (!quiet) this.onRange(view.min, view.max);
  }

  zoomTo(min, max, gesture) {
    this.kinship.zoomTo(min, max, gesture);
  }

  /** Zooms to a range of positions. */
  zoomToScale(from, to, gesture) {
    this.zoomTo(this.fromScale(from), this.fromScale(to), gesture);
  }

  /** Shows a range of x, `around` with its surroundings, and scrolls to the bars. */
  show(number, from, to, around) {
    if (this.candles && number !== undefined) this.element.scrollIntoView({ block: "center" });
    if (!this.plot || (number !== undefined && !this.kinship.isNew(number))) return;
    const [low, high] = this.ends();
    const [first, last] = [this.toScale(from), this.toScale(to)];
    const least = this.traded ? MIN_AROUND : 0;
    const half = around ? Math.max((last - first) * 0.75, least) : 0.5;
    this.zoomToScale(Math.max(low, first - half), Math.min(high, last + half));
  }

  /** Shows a gap with its surroundings. */
  showBand(i) {
    const { bands } = this.pending;
    this.show(undefined, bands[2 * i], bands[2 * i + 1], true);
  }

  /** Pans by a share of the visible width, within the data. */
  panBy(share, gesture) {
    if (!this.zoomed) return;
    const [min, max] = [this.toScale(this.view.min), this.toScale(this.view.max)];
    const [low, high] = this.ends();
    const width = max - min;
    const from = Math.max(low, Math.min(high - width, min + share * width));
    if (Math.abs(from - min) > width * TINY && width < high - low) this.zoomToScale(from, from + width, gesture);
  }

  /** Scales the visible width by `times`; the point at `share` of the width keeps its position. */
  zoomAround(share, times, gesture) {
    const { min, max } = this.plot.scales.x;
    const [low, high] = this.ends();
    const at = min + (max - min) * Math.max(0, Math.min(1, share));
    const [from, to] = [at - (at - min) * times, at + (max - at) * times];
    const near = (high - low) * TINY;
    if (times > 1 && from <= low + near && to >= high - near) this.whole();
    else this.zoomToScale(Math.max(low, from), Math.min(high, to), gesture);
  }

  /** Moves the cursor to `share` of the width, here and in related charts. */
  readAt(share) {
    const { over } = this.plot;
    const left = Math.max(0, Math.min(1, share)) * over.clientWidth;
    this.kinship.source = this;
    this.plot.setCursor({ left, top: over.clientHeight / 2 }, true, false);
  }

  /** Moves the cursor to an x that is read in another chart; null removes it. */
  follow(x) {
    // From the plot, since asking the element would cause a layout.
    const { width, height } = this.plot.bbox;
    const left = x === null ? -10 : this.plot.valToPos(this.toScale(x), "x");
    const inside = left >= 0 && left <= width / devicePixelRatio;
    this.follows = true;
    this.plot.setCursor(inside ? { left, top: height / devicePixelRatio / 2 } : { left: -10, top: -10 }, true, false);
    this.follows = false;
  }

  /** After the cursor has moved: the other charts follow, and one readout shows the values of all. */
  moved() {
    this.readLine();
    // uPlot tells of new data, too; only the chart under the pointer or the keys leads.
    if (this.follows || !this.plot || this.kinship.source !== this) return;
    const { left } = this.plot.cursor;
    const x = left >= 0 ? this.fromScale(this.plot.posToVal(left, "x")) : null;
    this.kinship.point(this, x);
    this.element.closest(".pane")?.style.setProperty("--cursor", `${left}px`);
    this.reader.lead(this);
    this.findNear();
  }

  // Highlights the curve under the pointer, in all charts of the group.
  findNear() {
    const style = this.reader.nearest(this);
    // Only where all charts draw the same runs does a style mean the same everywhere.
    for (const plot of this.spec.ends.length > 0 ? this.group() : [this]) {
      if (plot.near === style) continue;
      plot.near = style;
      plot.dim();
    }
  }

  /** Baselines of the visible curves. */
  behind() {
    return this.pending.behind.filter((band) => !(this.hidden & (1 << band.column)));
  }

  // Full range of positions: in trading time that of all bars, with half a bar on each side. Otherwise it includes the
  // baselines, which show where past runs went.
  ends() {
    const { x, behind, whole } = this.pending;
    if (this.traded) return [whole[0] - 0.5, whole[1] + 0.5];
    const all = [this.held, endsOf(x), ...behind.map((band) => endsOf(band.x))];
    return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
  }

  stretch() {
    if (this.zoomed || !this.plot) return;
    const [min, max] = this.traded ? this.ends() : this.figures.xRange(...this.ends());
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
    this.element.removeEventListener("blur", this.onBlur);
    this.paint.leave(this);
    this.kinship.leave(this);
    this.reader.hide(this);
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
        ...spec.names.map((label, i) => ({ scale: "y", ...fill(i), label, width: 1.5, stroke: () => colour(i), dash: spec.faint[i] ? DOTTED : dashOf(this.style(i)), points })),
      ];
    const scales = { x: { time: false, range: (_, min, max) => this.figures.xRange(min ?? NaN, max ?? NaN) }, y: this.yScale() };
    if (this.candles) scales.v = { range: (_, __, high) => [0, Math.min((high || 1) * 4.5, FURTHEST)] };
    return {
      width: this.element.clientWidth,
      height: this.height(),
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
      },
      hooks: {
        setCursor: [() => this.moved()],
        setScale: [(_, key) => key === "x" && this.readLine()],
        setSelect: [(u) => this.selected(u)],
        drawClear: [
          (u) => paint.drawBands(this, u),
          (u) => paint.drawBehind(u, this.behind(), (column) => theme().series[this.style(column) % 8]),
        ],
        drawAxes: [(u) => axes.draw(u), (u) => this.lineEnds.drawEvents(this, u)],
        draw: [
          ...(this.candles ? [(u) => paint.drawCandles(u)] : []),
          (u) => this.marks.draw(this, u),
          (u) => this.lineEnds.draw(this, u),
        ],
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
    this.zoomToScale(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }

  // Arrow keys read values, one or ten points at a time; plus and minus zoom around the cursor, Page Up and Page Down
  // pan, Backspace goes back to the previous zoom, 0 resets it.
  pressed(event) {
    const u = this.plot;
    if (!u || event.ctrlKey || event.metaKey || event.altKey) return;
    this.kinship.source = this;
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
      if (x < min) this.panBy((x - min) / (max - min), "read");
      if (x > max) this.panBy((x - max) / (max - min), "read");
      // uPlot applies a new range at the end of this turn.
      queueMicrotask(() => {
        this.readAt(u.valToPos(x, "x") / u.over.clientWidth);
        this.writeValues();
        const spoken = this.element.parentElement?.querySelector("[data-spoken]");
        if (spoken) spoken.textContent = Array.from(this.line.children, (part) => part.textContent).join(", ");
      });
    } else if (event.key === "+" || event.key === "-") {
      const { min, max } = u.scales.x;
      const centre = read ? u.data[0][at] : (min + max) / 2;
      this.zoomAround((centre - min) / (max - min), event.key === "+" ? 0.5 : 2);
    } else if (this.zoomed && (event.key === "PageUp" || event.key === "PageDown")) {
      this.panBy(event.key === "PageUp" ? -0.5 : 0.5, undefined);
    } else if (event.key === "Enter" && read && this.marks.ofRow(this, at) !== undefined) {
      this.onMark(this.marks.ofRow(this, at));
    } else if (this.zoomed && event.key === "Backspace") {
      this.back();
    } else if (event.key === "0") {
      this.whole();
    } else {
      return;
    }
    event.preventDefault();
  }

  readLine() {
    this.paint.readSoon(this);
  }

  writeValues() {
    this.reader.read(this);
  }

  picture(file) {
    if (this.plot) this.savePicture(this, file);
  }
}

/** First and last value of a sorted list; an empty range for an empty list. */
function endsOf(x) {
  return x.length > 0 ? [x[0], x[x.length - 1]] : [Infinity, -Infinity];
}

/** Indices of points between two gaps; null when there are none. */
function alone(column) {
  const found = [];
  // The values beside the one in the middle; missing points are skipped.
  let [before, middle, at] = [null, null, -1];
  for (let i = 0; i <= column.length; i++) {
    const y = i < column.length ? column[i] : null;
    if (y === undefined) continue;
    if (middle !== null && before === null && y === null) found.push(at);
    [before, middle, at] = [middle, y, i];
  }
  return found.length > 0 ? found : null;
}
