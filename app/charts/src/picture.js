// Saves a chart as PNG, with its title, a legend and the labels of x.

async function savePicture(plot, file) {
  if (!plot.spec.upper) {
    save(plot, file);
    return;
  }
  // An upper panel of a pane has no labels of x of its own.
  plot.spec.upper = false;
  plot.plot.redraw(true, true);
  // uPlot draws at the end of this turn.
  await Promise.resolve();
  save(plot, file);
  plot.spec.upper = true;
  plot.redraw();
}

function save(plot, file) {
  const source = plot.plot.ctx.canvas;
  const { surface, ink, muted, series, family } = plot.paint.theme();
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
  ctx.fillText(plot.spec.title, 8 * dot, 18 * dot);
  ctx.font = `${11 * dot}px ${family}`;
  let left = 8 * dot;
  plot.spec.names.forEach((name, k) => {
    if (plot.candles || plot.hidden & (1 << k)) return;
    ctx.fillStyle = series[plot.style(k) % 8];
    ctx.fillRect(left, 33 * dot, 14 * dot, 2 * dot);
    ctx.fillStyle = muted;
    ctx.fillText(name, left + 18 * dot, 38 * dot);
    left += ctx.measureText(name).width + 34 * dot;
  });
  if (plot.behind().length > 0) ctx.fillText("Shaded: P10 to P90 of past runs", left, 38 * dot);
  ctx.drawImage(source, 0, head);
  canvas.toBlob((blob) => blob && plot.library.save(file, blob));
}

/** Function passed to a chart. */
export function picture() {
  return savePicture;
}
