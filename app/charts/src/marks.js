// Marks of trades: fewer where they are dense; found under the pointer.

/** Minimum distance of drawn marks, and the width of a bar of the density, in pixels. */
const APART = 13;
const BIN = 4;
/** Maximum height of the density. */
const MAX_DENSITY = 16;

/** Mark at an index of the flattened list. */
function markOf(marks, i) {
  return { time: marks[i], price: marks[i + 1], kind: marks[i + 2], trade: marks[i + 3] };
}

/** Marks of the highlighted trade, its entry first. */
function ofChosen(plot) {
  const { marks, chosen } = plot.pending;
  const found = [];
  if (chosen < 0) return found;
  for (let i = 0; i < marks.length; i += 4) if (marks[i + 3] === chosen) found.push(markOf(marks, i));
  return found;
}

/** Trade of the first mark of a row, for the keyboard. */
function ofRow(plot, row) {
  const { marks, x } = plot.pending;
  for (let i = 0; i < marks.length; i += 4) {
    if (marks[i] >= x[row] && !(marks[i] >= x[row + 1])) return marks[i + 3];
  }
  return undefined;
}

/** Marks in view, each with its place; those too close to one drawn before are only counted. */
function inView(plot, u) {
  const { marks, chosen } = plot.pending;
  const { min, max } = u.scales.x;
  const dot = devicePixelRatio;
  const [drawn, hidden] = [[], []];
  let free = -Infinity;
  for (let i = 0; i < marks.length; i += 4) {
    const place = plot.toScale(marks[i]);
    if (place < min || place > max) continue;
    const mark = { ...markOf(marks, i), x: u.valToPos(place, "x", true), y: u.valToPos(marks[i + 1], "y", true) };
    if (mark.trade === chosen) {
      drawn.push(mark);
    } else if (mark.x < free) {
      hidden.push(mark);
    } else {
      drawn.push(mark);
      free = mark.x + APART * dot;
    }
  }
  // With few hidden ones all are drawn: they overlap, but nothing is missing.
  if (hidden.length <= drawn.length / 4) return { drawn: [...drawn, ...hidden], hidden: [] };
  return { drawn, hidden };
}

/** Draws bars at the top of the plot that show how many marks are where. */
function drawDensity(ctx, bbox, colour, marks) {
  const dot = devicePixelRatio;
  const counts = new Map();
  for (const { x } of marks) {
    const bin = Math.floor((x - bbox.left) / (BIN * dot));
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const most = Math.max(...counts.values());
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.55;
  for (const [bin, count] of counts) {
    const height = Math.max(2, (count / most) * MAX_DENSITY) * dot;
    ctx.fillRect(bbox.left + bin * BIN * dot, bbox.top, (BIN - 1) * dot, height);
  }
  ctx.globalAlpha = 1;
}

/** Trade of the mark under a position in the plot, in CSS pixels; only drawn ones can be pressed. */
function at(plot, left, top) {
  const u = plot.plot;
  if (plot.pending.marks.length === 0) return undefined;
  const dot = devicePixelRatio;
  const [x, y] = [u.bbox.left + left * dot, u.bbox.top + top * dot];
  const away = (mark) => Math.hypot(mark.x - x, mark.y - y);
  const nearest = inView(plot, u).drawn.sort((a, b) => away(a) - away(b))[0];
  return nearest && away(nearest) < 12 * dot ? nearest.trade : undefined;
}

/** Draws entries as triangles (up: long, down: short), exits as squares (filled: gain, hollow: loss). */
function draw(plot, u) {
  if (plot.pending.marks.length === 0) return;
  const { drawn, hidden } = inView(plot, u);
  const dot = devicePixelRatio;
  const theme = plot.paint.theme();
  plot.paint.framed(u, (ctx, bbox) => {
    if (hidden.length > 0) drawDensity(ctx, bbox, theme.accent, [...drawn, ...hidden]);
    ctx.lineJoin = "round";
    for (const { kind, x, y, trade } of drawn) {
      const size = (trade === plot.pending.chosen ? 7 : 5) * dot;
      const colour = kind < 2 ? theme.accent : kind === 2 ? theme.good : theme.bad;
      ctx.beginPath();
      if (kind < 2) {
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

/** Functions passed to a chart. */
export function marks() {
  return { ofChosen, ofRow, at, draw };
}
