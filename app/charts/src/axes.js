// Axes of a chart: size, grid, ticks and labels. `figures` computes ticks and labels, in UTC and with our digits;
// uPlot's own axes follow the browser's time zone and language, and fail beyond 17 digits.

const TICK = 4;
const GAP = 5;
/** Height of the strip of gaps under the plot, with its margin. */
const STRIP = 9;
const LINE = 13;
const TITLE = 16;
/** Minimum width left of the plot, so that the charts of one card align. */
const LEFT = 44;
const RIGHT = 8;
const TOP = 8;
/** Minimum pixels between ticks; narrow charts have them closer, as far as the labels fit. */
const X_STEP = 64;
const NARROW_X_STEP = 36;
const NARROW = 480;
const Y_STEP = 28;
/** Minimum pixels between x labels. */
const APART = 10;
const NARROW_APART = 6;

const ruler = document.createElement("canvas").getContext("2d");
const linesOf = (label) => label.split("\n");
const widthOf = (label) => Math.max(...linesOf(label).map((line) => ruler.measureText(line).width));

class Axes {
  constructor(plot) {
    this.plot = plot;
    this.x = { ticks: [], labels: [] };
    this.y = { ticks: [], labels: [] };
    this.left = LEFT;
    this.right = RIGHT;
  }

  /** Space below the plot. */
  get bottom() {
    const { spec } = this.plot;
    if (spec.upper) return TICK + 2;
    return this.strip() + TICK + GAP + LINE * (spec.time ? 2 : 1) + TITLE + 3;
  }

  /** Height of the strip of gaps. */
  strip() {
    const { spec, pending } = this.plot;
    return spec.strip && pending.bands.length > 0 ? STRIP : 0;
  }

  /** Padding callbacks for uPlot: top, right, bottom, left. */
  padding() {
    return [
      (u) => {
        this.layOut(u);
        return TOP;
      },
      () => this.right,
      () => this.bottom,
      () => this.left,
    ];
  }

  layOut(u) {
    const { x, y } = u.scales ?? {};
    if (x?.min == null || y?.min == null) return;
    const { figures, log } = this.plot;
    ruler.font = this.plot.paint.theme().font;
    const high = u.height - TOP - this.bottom;
    const most = Math.max(2, Math.floor(high / Y_STEP));
    const ticks = figures.yTicks(y.min, y.max, most, log);
    this.y = { ticks, labels: figures.yLabels(ticks, log) };
    this.needed = Math.max(LEFT, ...this.y.labels.map((label) => Math.ceil(widthOf(label)) + TICK + GAP + 2));
    const right = Math.max(RIGHT, this.plot.lineEnds.layOut(this.plot, u, ruler));
    // Grows at once, and shrinks by a clear step only: a live plot keeps its width.
    if (!(this.ends >= right && this.ends <= right + 24)) this.ends = right;
    const others = this.others();
    this.left = Math.max(this.needed, ...others.map((other) => other.axes.needed ?? LEFT));
    this.right = Math.max(this.ends, ...others.map((other) => other.axes.ends ?? RIGHT));
    this.layOutX(u, x);
    // The last label may extend beyond the plot.
    const wide = u.width - this.left - this.right;
    const last = this.x.ticks.length - 1;
    const beyond = last < 0 ? 0 : this.place(x, this.x.ticks[last], wide) + widthOf(this.x.labels[last]) / 2 - wide;
    if (beyond > this.right && !this.plot.spec.upper) {
      this.right = this.ends = Math.min(Math.ceil(beyond), 80);
      this.layOutX(u, x);
    }
    this.tell();
    const unaligned = others.filter(({ axes }) => axes.left !== this.left || axes.right !== this.right);
    for (const other of unaligned) queueMicrotask(() => other.redraw());
  }

  // What the page draws below the charts of a pane stands on the same axis.
  tell() {
    const pane = this.plot.element.closest(".pane");
    pane?.style.setProperty("--plot-left", `${this.left}px`);
    pane?.style.setProperty("--plot-right", `${this.right}px`);
  }

  place(scale, value, wide) {
    return ((value - scale.min) / (scale.max - scale.min)) * wide;
  }

  // The largest number of ticks whose labels fit.
  layOutX(u, scale) {
    const { figures } = this.plot;
    const wide = u.width - this.left - this.right;
    const [step, apart] = wide < NARROW ? [NARROW_X_STEP, NARROW_APART] : [X_STEP, APART];
    for (let most = Math.max(2, Math.floor(wide / step)); most > 0; most--) {
      const ticks = figures.xTicks(scale.min, scale.max, most);
      const labels = figures.xLabels(ticks);
      this.x = { ticks, labels };
      // Each line on its own: the second one, with the day or year, has few labels.
      const ends = [-this.left, -this.left];
      const fits = labels.every((label, i) => {
        const centre = this.place(scale, ticks[i], wide);
        return linesOf(label).every((line, n) => {
          const half = ruler.measureText(line).width / 2;
          const free = centre - half >= ends[n];
          ends[n] = centre + half + apart;
          return free;
        });
      });
      if (fits) return;
    }
  }

  /** Charts that share a card and an x axis: they have equal margins. Full screen is apart. */
  others() {
    const around = (plot) => plot.element.closest("dialog, .pane, .card");
    const own = around(this.plot);
    return this.plot.relatives().filter((other) => other !== this.plot && own && around(other) === own);
  }

  /** Draws the axes below the curves. */
  draw(u) {
    const { ctx, bbox } = u;
    const { muted, grid, family } = this.plot.paint.theme();
    const dot = devicePixelRatio;
    const [low, right] = [bbox.top + bbox.height, bbox.left + bbox.width];
    const x = this.x.ticks.map((value) => Math.round(u.valToPos(value, "x", true)));
    const y = this.y.ticks.map((value) => Math.round(u.valToPos(value, "y", true)));
    ctx.save();
    ctx.strokeStyle = grid;
    ctx.lineWidth = Math.max(1, Math.round(dot));
    ctx.setLineDash([]);
    const shift = (ctx.lineWidth % 2) / 2;
    ctx.beginPath();
    for (const at of x) {
      ctx.moveTo(at + shift, bbox.top);
      ctx.lineTo(at + shift, low + TICK * dot);
    }
    for (const at of y) {
      ctx.moveTo(bbox.left - TICK * dot, at + shift);
      ctx.lineTo(right, at + shift);
    }
    ctx.stroke();
    ctx.fillStyle = muted;
    ctx.font = `${11 * dot}px ${family}`;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    this.y.labels.forEach((label, i) => ctx.fillText(label, bbox.left - (TICK + GAP) * dot, y[i]));
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    if (this.plot.spec.upper) {
      ctx.restore();
      return;
    }
    const below = low + (this.strip() + TICK + GAP - 1) * dot;
    this.x.labels.forEach((label, i) => {
      linesOf(label).forEach((line, n) => ctx.fillText(line, x[i], below + n * LINE * dot));
    });
    ctx.textBaseline = "bottom";
    ctx.fillText(this.plot.spec.time ? "UTC" : this.plot.spec.x, bbox.left + bbox.width / 2, ctx.canvas.height - dot);
    ctx.restore();
  }
}

/** Factory of a chart's axes. */
export function axes() {
  return (plot) => new Axes(plot);
}
