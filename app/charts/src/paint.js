// Drawing beyond uPlot's lines: candles with volume, gaps, baselines, trade marks. Theme colours are read again when
// the theme changes.

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

/** Draws gaps; `bands` holds pairs. */
function drawBands(u, bands) {
  if (!bands?.length) return;
  framed(u, (ctx, bbox) => {
    ctx.fillStyle = theme.gap;
    for (let i = 0; i < bands.length; i += 2) {
      const from = u.valToPos(bands[i], "x", true);
      const to = u.valToPos(bands[i + 1], "x", true);
      if (to < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.fillRect(from, bbox.top, Math.max(to - from, devicePixelRatio), bbox.height);
    }
  });
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
  // Candle width follows the smallest distance, so that nights and weekends stay empty.
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

/** Above this number of visible marks each is a dot: shapes would overlap. */
const MAX_SHAPES = 160;

/** Draws entries as triangles (up: long, down: short), exits as squares (filled: gain, hollow: loss). */
function drawMarks(u, marks) {
  if (!marks?.length) return;
  const { min, max } = u.scales.x;
  const seen = [];
  for (let i = 0; i < marks.length; i += 3) {
    if (marks[i] >= min && marks[i] <= max) seen.push(i);
  }
  const dot = devicePixelRatio;
  const crowded = seen.length > MAX_SHAPES;
  const size = (crowded ? 1.6 : 5) * dot;
  framed(u, (ctx) => {
    ctx.lineWidth = 1.5 * dot;
    ctx.lineJoin = "round";
    for (const i of seen) {
      const kind = marks[i + 2];
      const x = u.valToPos(marks[i], "x", true);
      const y = u.valToPos(marks[i + 1], "y", true);
      const colour = kind < 2 ? theme.accent : kind === 2 ? theme.good : theme.bad;
      ctx.beginPath();
      if (crowded) {
        ctx.fillStyle = colour;
        ctx.arc(x, y, size, 0, 7);
        ctx.fill();
        continue;
      } else if (kind < 2) {
        // The tip marks the price.
        const down = kind === 0 ? 1 : -1;
        ctx.moveTo(x, y);
        ctx.lineTo(x - size, y + down * 1.7 * size);
        ctx.lineTo(x + size, y + down * 1.7 * size);
        ctx.closePath();
      } else {
        ctx.rect(x - size * 0.75, y - size * 0.75, size * 1.5, size * 1.5);
      }
      // An outline in the background colour separates it from candles.
      ctx.strokeStyle = theme.surface;
      ctx.lineWidth = 3 * dot;
      ctx.stroke();
      ctx.lineWidth = 1.5 * dot;
      ctx.strokeStyle = colour;
      ctx.fillStyle = kind === 3 ? theme.surface : colour;
      ctx.fill();
      ctx.stroke();
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
    leave: (plot) => changed.delete(plot),
    drawBands,
    drawBehind,
    drawCandles,
    drawMarks,
  };
}
