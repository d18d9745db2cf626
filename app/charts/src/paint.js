// Drawing beyond uPlot's lines: candles with volume, gaps, baselines; and which frame draws which chart. Theme colours are
// read again when the theme changes.

let theme;
let changed = new Set();
function read() {
  const style = getComputedStyle(document.documentElement);
  const token = (name) => style.getPropertyValue(name).trim();
  theme = {
    ink: token("--ink"),
    muted: token("--muted"),
    grid: token("--grid"),
    surface: token("--surface"),
    accent: token("--accent"),
    good: token("--good"),
    bad: token("--bad"),
    up: token("--candle-up"),
    down: token("--candle-down"),
    volume: token("--volume"),
    gap: token("--gap"),
    warn: token("--warn"),
    series: Array.from({ length: 8 }, (_, i) => token(`--series-${i + 1}`)),
    family: style.fontFamily || "system-ui",
    font: `11px ${style.fontFamily || "system-ui"}`,
  };
}
function themeChanged() {
  read();
  for (const plot of changed) plot.redraw();
}
let watching = false;
function watch() {
  if (watching) return;
  watching = true;
  read();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themeChanged);
  new MutationObserver(themeChanged).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

/** Time after which a frame draws no further chart; the next frame goes on. Without a GPU, the browser paints a chart for
 *  twice as long as its drawing takes. */
const MAX_DRAWING_MS = 1.5;

/** How much longer than its drawing took, a chart waits for the next one: many long curves must not take all frames. */
const REST = 15;

/** Charts that wait to be drawn, and charts whose values are to be read afterwards. */
const [waiting, unread] = [new Set(), new Set()];
let frame;

/** Draws waiting charts, and writes values after the last drawing, because each text set before would cause a layout. */
function drawWaiting() {
  const began = performance.now();
  let now = began;
  for (const plot of waiting) {
    if (now - began > MAX_DRAWING_MS) break;
    if (plot.restsUntil > now) continue;
    waiting.delete(plot);
    plot.draw();
    const before = now;
    now = performance.now();
    plot.restsUntil = now + REST * (now - before);
  }
  const written = [...unread];
  unread.clear();
  for (const plot of written) plot.writeValues();
  frame = undefined;
  if (waiting.size > 0) nextFrame();
}

function nextFrame() {
  frame ??= requestAnimationFrame(drawWaiting);
}

/** Draws a chart in one of the next frames. */
function drawSoon(plot) {
  waiting.add(plot);
  nextFrame();
}

/** Writes the values of a chart in this frame, or in the next one. */
function readSoon(plot) {
  unread.add(plot);
  nextFrame();
}

/** Draws within the plot's frame and restores the context. */
function framed(u, draw) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx, bbox);
  ctx.restore();
}

/** First and last visible index, plus one on each side. */
function visible(u) {
  const x = u.data[0];
  const { min, max } = u.scales.x;
  let first = 0;
  let last = x.length - 1;
  while (first <= last && x[first] < min) first++;
  while (last >= first && x[last] > max) last--;
  return [Math.max(0, first - 1), Math.min(x.length - 1, last + 1)];
}

/** Distance of the strip from the plot, its height, and the least width of a tick in it, in pixels. */
const STRIP = { top: 3, height: 5, tick: 3 };

/** Opacity of shaded ranges: candles and curves are in front of them. */
const SHADE = 0.5;

/** Ends of the bands in view, in pixels of the canvas, with their numbers. In trading time a band has whole bars. */
function bandsOf(plot, u) {
  const { bands } = plot.pending;
  const beside = plot.traded ? 0.5 : 0;
  const { left, width } = u.bbox;
  const found = [];
  for (let i = 0; i < bands.length; i += 2) {
    const from = u.valToPos(plot.toScale(bands[i]) - beside, "x", true);
    const to = u.valToPos(plot.toScale(bands[i + 1]) + beside, "x", true);
    if (to >= left && from <= left + width) found.push({ from, to, i: i / 2 });
  }
  return found;
}

/** Draws the bands of a chart as shaded ranges, and as ticks in a strip under the plot; and the highlighted trade. */
function drawBands(plot, u) {
  const dot = devicePixelRatio;
  const found = bandsOf(plot, u);
  const { ctx, bbox } = u;
  framed(u, () => {
    ctx.fillStyle = theme.gap;
    ctx.globalAlpha = SHADE;
    for (const { from, to } of found) ctx.fillRect(from, bbox.top, Math.max(to - from, dot), bbox.height);
    ctx.globalAlpha = 1;
    const chosen = plot.marks.ofChosen(plot);
    if (chosen.length < 2) return;
    const at = (mark) => u.valToPos(plot.toScale(mark.time), "x", true);
    const [from, to] = [at(chosen[0]) - 3 * dot, at(chosen[1]) + 3 * dot];
    ctx.fillStyle = `${theme.accent}24`;
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
  });
  if (!plot.spec.strip || found.length === 0) return;
  ctx.save();
  ctx.fillStyle = theme.warn;
  const [left, right] = [bbox.left, bbox.left + bbox.width];
  for (const { from, to } of found) {
    const width = Math.max(to - from, STRIP.tick * dot);
    const start = Math.max(left, Math.min((from + to - width) / 2, right - width));
    const y = bbox.top + bbox.height + STRIP.top * dot;
    ctx.fillRect(start, y, Math.min(start + width, right) - start, STRIP.height * dot);
  }
  ctx.restore();
}

/** Band at a position, in CSS pixels from the plot's corner: one in the strip, or null. */
function bandAt(plot, left, top) {
  const u = plot.plot;
  const dot = devicePixelRatio;
  const under = top - u.bbox.height / dot;
  if (!plot.spec.strip || under < 0 || under > STRIP.top + STRIP.height + 6) return undefined;
  const x = u.bbox.left + left * dot;
  const away = ({ from, to }) => Math.max(0, from - x, x - to);
  const nearest = bandsOf(plot, u).sort((a, b) => away(a) - away(b))[0];
  return nearest && away(nearest) <= 8 * dot ? nearest.i : undefined;
}

/** Draws baselines: p10 to p90 filled with an outline, the median as a thin line. */
function drawBehind(u, bands, colourOf) {
  const dot = devicePixelRatio;
  const floor = u.scales.y.distr === 3 ? u.scales.y.min : -Infinity;
  framed(u, (ctx) => {
    ctx.lineWidth = dot;
    for (const band of bands) {
      const colour = colourOf(band.column);
      const to = (figures, i) => ctx.lineTo(u.valToPos(band.x[i], "x", true), u.valToPos(Math.max(figures[i], floor), "y", true));
      for (let from = 0; from < band.x.length; from++) {
        if (Number.isNaN(band.middle[from])) continue;
        let end = from;
        while (end + 1 < band.x.length && !Number.isNaN(band.middle[end + 1])) end++;
        ctx.beginPath();
        for (let i = from; i <= end; i++) to(band.high, i);
        for (let i = end; i >= from; i--) to(band.low, i);
        ctx.closePath();
        ctx.fillStyle = `${colour}24`;
        ctx.fill();
        // The median is dashed to differ from curves of this run.
        for (const [figures, alpha, dash] of [[band.low, "70", []], [band.high, "70", []], [band.middle, "b0", [4 * dot, 3 * dot]]]) {
          ctx.setLineDash(dash);
          ctx.beginPath();
          for (let i = from; i <= end; i++) to(figures, i);
          ctx.strokeStyle = `${colour}${alpha}`;
          ctx.stroke();
        }
        from = end;
      }
    }
  });
}

function drawCandles(u) {
  const [x, open, high, low, close, volume] = u.data;
  const [first, last] = visible(u);
  if (first > last) return;
  // Candle width follows the smallest distance, so that what is missing stays empty.
  let apart = Infinity;
  for (let i = Math.max(first, 1); i <= last; i++) apart = Math.min(apart, x[i] - x[i - 1]);
  const at = (n) => u.valToPos(n, "x", true);
  const step = apart === Infinity ? u.bbox.width / 4 : Math.abs(at(x[first] + apart) - at(x[first]));
  const dot = devicePixelRatio;
  const width = Math.max(dot, Math.min(Math.floor(step * 0.7), 14 * dot));
  framed(u, (ctx) => {
    const floor = u.valToPos(0, "v", true);
    ctx.fillStyle = theme.volume;
    for (let i = first; i <= last; i++) {
      if (!volume[i]) continue;
      const top = u.valToPos(volume[i], "v", true);
      ctx.fillRect(at(x[i]) - width / 2, top, width, floor - top);
    }
    ctx.lineWidth = dot;
    for (let i = first; i <= last; i++) {
      if (open[i] == null) continue;
      const centre = Math.round(at(x[i])) + 0.5;
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
      // Shape tells them apart, too: rising candles are hollow, falling ones filled.
      if (rises && width >= 4 * dot) ctx.strokeRect(centre - width / 2, top, width, height);
      else ctx.fillRect(centre - width / 2, top, width, height);
    }
  });
}

/** Painter shared by all charts; reads the theme when the first chart joins. */
export function painter() {
  return {
    theme: () => theme,
    join(plot) {
      watch();
      changed.add(plot);
    },
    leave(plot) {
      for (const plots of [changed, waiting, unread]) plots.delete(plot);
    },
    drawSoon,
    readSoon,
    drawBands,
    drawBehind,
    drawCandles,
    bandAt,
    framed,
  };
}
