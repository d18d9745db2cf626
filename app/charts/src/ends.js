// Values at the ends of the lines, with their names where there are several; and events as thin lines with labels.

const LINE = 13;
const GAP = 8;
/** Maximum share of the chart's width, and pixels, for names and values; beyond it there are only values. The legend has
 *  the names as well. */
const MAX_SHARE = 0.26;
const MAX_WIDTH = 140;
/** Widths are rounded up, so that the plot does not move with every digit. */
const STEP = 12;
/** Maximum distance of a label from the end of its line. */
const MAX_SHIFT = 3 * LINE;
/** Distance from the right edge, from which a curve that has ended is labelled at its own end. */
const INSIDE = 24;
/** Column of candles whose last value is shown. */
const CLOSE = 3;

/** Last index in view with a value, or -1. */
function lastOf(x, column, max) {
  let i = x.length - 1;
  while (i >= 0 && (column[i] == null || x[i] > max)) i--;
  return i;
}

/** Ends of the visible curves, in the order of the columns. */
function endsOf(plot, u) {
  const { spec, candles, figures, hidden } = plot;
  const max = u.scales.x?.max ?? Infinity;
  const n = spec.names.length;
  const found = [];
  spec.names.forEach((name, k) => {
    if (candles ? k !== CLOSE : hidden & (1 << k)) return;
    const column = u.data[1 + k + (candles ? 0 : n)];
    const i = column ? lastOf(u.data[0], column, max) : -1;
    if (i < 0) return;
    const short = spec.ends[k] ?? name;
    // Ended: no later value is beyond the view.
    const ended = lastOf(u.data[0], column, Infinity) === i;
    found.push({ ended, column: k, x: u.data[0][i], y: column[i], value: figures.y(k, column[i]), name: candles || n < 2 ? "" : short });
  });
  return found;
}

/** Space that the labels need right of the plot; decides whether names fit. */
function layOut(plot, u, ruler) {
  const ends = endsOf(plot, u);
  if (ends.length === 0) return 0;
  const width = (text) => Math.ceil(ruler.measureText(text).width);
  const whole = (end) => (end.name ? `${end.name} ${end.value}` : end.value);
  const limit = Math.min(u.width * MAX_SHARE, MAX_WIDTH);
  let need = Math.max(...ends.map((end) => width(whole(end))));
  plot.named = need <= limit;
  if (!plot.named) {
    const short = ends.every((end) => end.name.length < 2);
    need = Math.max(...ends.map((end) => width(short ? whole(end) : end.value)));
    plot.named = short && need <= limit;
    if (!plot.named) need = Math.max(...ends.map((end) => width(end.value)));
  }
  return Math.ceil((need + GAP + 4) / STEP) * STEP;
}

/** Places labels below each other; those that would be too far from their line are left out. */
function placed(ends, top, bottom, line) {
  const sorted = ends.sort((a, b) => a.at - b.at);
  const fitting = sorted.filter((end) => end.at >= top - line && end.at <= bottom + line);
  const most = Math.max(1, Math.floor((bottom - top) / line));
  // With more labels than fit, evenly chosen ones stay.
  const every = Math.ceil(fitting.length / most);
  const chosen = fitting.filter((_, i) => i % every === 0);
  let free = top;
  for (const end of chosen) {
    end.to = Math.max(end.at, free + line / 2);
    free = end.to + line / 2;
  }
  let limit = bottom;
  for (const end of [...chosen].reverse()) {
    end.to = Math.min(end.to, limit - line / 2);
    limit = end.to - line / 2;
  }
  return chosen;
}

/** Writes name and value at a point. */
function write(plot, u, end, left, top) {
  const { ctx } = u;
  const { ink, muted, family } = plot.paint.theme();
  ctx.font = `${11 * devicePixelRatio}px ${family}`;
  const name = plot.named && end.name ? `${end.name} ` : "";
  ctx.fillStyle = muted;
  if (name) ctx.fillText(name, left, top);
  const shift = name ? ctx.measureText(name).width : 0;
  ctx.fillStyle = ink;
  ctx.fillText(end.value, left + shift, top);
}

/** Labels of curves that end before the others, each at the end of its own curve; one that finds no room is left out. */
function drawInside(plot, u, ends, colour) {
  const dot = devicePixelRatio;
  const { ctx, bbox } = u;
  const { surface, family } = plot.paint.theme();
  ctx.font = `${11 * dot}px ${family}`;
  const taken = [];
  for (const end of ends.sort((a, b) => a.at - b.at)) {
    const text = plot.named && end.name ? `${end.name} ${end.value}` : end.value;
    const wide = ctx.measureText(text).width + 6 * dot;
    const left = Math.min(end.left + 5 * dot, bbox.left + bbox.width - wide);
    const clashes = (top) => taken.some((box) => Math.abs(box.top - top) < LINE * dot && left < box.left + box.wide && box.left < left + wide);
    let top = Math.min(Math.max(end.at, bbox.top + (LINE / 2) * dot), bbox.top + bbox.height - (LINE / 2) * dot);
    while (clashes(top) && top - end.at <= MAX_SHIFT * dot) top += LINE * dot;
    if (top - end.at > MAX_SHIFT * dot || end.at < bbox.top || end.at > bbox.top + bbox.height) continue;
    taken.push({ left, top, wide });
    ctx.globalAlpha = plot.isLit(end.column) ? 1 : 0.25;
    // A halo, so that the text is read over the other curves, and they are seen.
    ctx.strokeStyle = surface;
    ctx.lineWidth = 3 * dot;
    ctx.lineJoin = "round";
    ctx.strokeText(text, left, top);
    ctx.fillStyle = colour(end);
    ctx.beginPath();
    ctx.arc(end.left, end.at, 2.5 * dot, 0, 2 * Math.PI);
    ctx.fill();
    write(plot, u, end, left, top);
  }
}

function draw(plot, u) {
  const dot = devicePixelRatio;
  const { ctx, bbox } = u;
  const { series, up, down } = plot.paint.theme();
  const right = bbox.left + bbox.width;
  const ends = endsOf(plot, u);
  for (const end of ends) {
    end.at = u.valToPos(end.y, "y", true);
    end.left = u.valToPos(end.x, "x", true);
  }
  const last = u.data[0].length - 1;
  const colour = (end) => (plot.candles ? (u.data[1][last] <= end.y ? up : down) : series[plot.style(end.column) % 8]);
  const isInside = (end) => !plot.candles && end.ended && end.left < right - INSIDE * dot;
  ctx.save();
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.setLineDash([]);
  drawInside(plot, u, ends.filter(isInside), colour);
  for (const end of placed(ends.filter((end) => !isInside(end)), bbox.top, bbox.top + bbox.height, LINE * dot)) {
    if (Math.abs(end.to - end.at) > MAX_SHIFT * dot) continue;
    ctx.globalAlpha = plot.isLit(end.column) ? 1 : 0.25;
    ctx.strokeStyle = colour(end);
    ctx.lineWidth = 1.5 * dot;
    ctx.beginPath();
    ctx.moveTo(right, end.at);
    ctx.lineTo(right + (GAP - 2) * dot, end.to);
    ctx.stroke();
    write(plot, u, end, right + GAP * dot, end.to);
  }
  ctx.restore();
}

/** Draws events below the curves; a label that would overlap the one before it is left out. */
function drawEvents(plot, u) {
  const { events, labels } = plot.pending;
  if (!events?.length) return;
  const dot = devicePixelRatio;
  const { ctx, bbox } = u;
  const { muted, surface, family } = plot.paint.theme();
  const { min, max } = u.scales.x;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${10 * dot}px ${family}`;
  ctx.textBaseline = "top";
  ctx.lineWidth = dot;
  let free = -Infinity;
  events.forEach((x, i) => {
    const at = plot.toScale(x);
    if (at < min || at > max) return;
    const left = Math.round(u.valToPos(at, "x", true)) + 0.5;
    ctx.strokeStyle = muted;
    ctx.setLineDash([2 * dot, 3 * dot]);
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    const width = ctx.measureText(labels[i]).width;
    const beyond = left + width + 6 * dot > bbox.left + bbox.width;
    const from = beyond ? left - width - 4 * dot : left + 4 * dot;
    if (from < free) return;
    free = from + width + 6 * dot;
    ctx.fillStyle = surface;
    ctx.fillRect(from - 2 * dot, bbox.top, width + 4 * dot, 13 * dot);
    ctx.fillStyle = muted;
    ctx.fillText(labels[i], from, bbox.top + dot);
  });
  ctx.restore();
}

/** Functions passed to a chart. */
export function ends() {
  return { layOut, draw, drawEvents };
}
