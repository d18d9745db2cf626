// What hands do on a chart beside uPlot's own dragging with the mouse: a drag with Shift, a wheel turned sideways or a
// finger moves what is in sight; two fingers, or a wheel with Ctrl as touchpads send it, zoom. The wheel alone scrolls
// the page.

/** Of a turn of the wheel, so much of a doubling of what is in sight. */
const WHEEL_ZOOM = 0.004;

/** Listens on what uPlot draws into; goes with it. */
function listen(plot) {
  const over = plot.plot.over;
  const width = () => over.clientWidth || 1;
  const left = () => over.getBoundingClientRect().left;
  // Up and down stays the page's.
  over.style.touchAction = "pan-y";

  over.addEventListener("wheel", (event) => {
    if (event.ctrlKey) {
      plot.zoomAround((event.clientX - left()) / width(), 2 ** (event.deltaY * WHEEL_ZOOM));
    } else {
      const by = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
      if (!plot.zoomed || Math.abs(by) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
      plot.panBy(by / width());
    }
    event.preventDefault();
  }, { passive: false });

  // Before uPlot, which would take it for the mark of a zoom.
  over.addEventListener("mousedown", (event) => {
    if (event.button !== 0 || !event.shiftKey || !plot.zoomed) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    let at = event.clientX;
    over.style.cursor = "grabbing";
    const moved = (event) => {
      plot.panBy((at - event.clientX) / width());
      at = event.clientX;
    };
    const letGo = () => {
      over.style.cursor = "";
      removeEventListener("mousemove", moved);
      removeEventListener("mouseup", letGo);
    };
    addEventListener("mousemove", moved);
    addEventListener("mouseup", letGo);
  }, { capture: true });

  const fingers = new Map();
  const share = (x) => (x - left()) / width();
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    over.setPointerCapture(event.pointerId);
  });
  over.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, event.clientX);
    if (other !== undefined) {
      const [from, to] = [before, event.clientX].map((x) => Math.max(Math.abs(x - other), 10));
      plot.zoomAround(share((event.clientX + other) / 2), from / to);
    } else if (plot.zoomed) {
      plot.panBy((before - event.clientX) / width());
    } else {
      plot.readAt(share(event.clientX));
    }
  });
  const gone = (event) => fingers.delete(event.pointerId);
  over.addEventListener("pointerup", gone);
  over.addEventListener("pointercancel", gone);
}

/** What a chart is given to listen to hands with. */
export function hands() {
  return listen;
}
