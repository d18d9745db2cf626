// Gestures beyond uPlot's own drag: Shift and drag, a horizontal wheel or one finger pans; two fingers, or Ctrl and
// wheel as sent by touchpads, zoom. A plain wheel scrolls the page.

/** Doublings of the visible width per unit of the wheel. */
const WHEEL_ZOOM = 0.004;

/** Registers the listeners on the plot's element; removed with it. */
function listen(plot) {
  const over = plot.plot.over;
  const width = () => over.clientWidth || 1;
  const left = () => over.getBoundingClientRect().left;
  over.addEventListener("mouseenter", () => (plot.kinship.source = plot));
  // Vertical panning scrolls the page.
  over.style.touchAction = "pan-y";

  over.addEventListener("wheel", (event) => {
    if (event.ctrlKey) {
      plot.zoomAround((event.clientX - left()) / width(), 2 ** (event.deltaY * WHEEL_ZOOM), "wheel");
    } else {
      const by = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
      if (!plot.zoomed || Math.abs(by) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
      plot.panBy(by / width(), "wheel");
    }
    event.preventDefault();
  }, { passive: false });

  // Runs before uPlot, which would start a zoom selection.
  over.addEventListener("mousedown", (event) => {
    if (event.button !== 0 || !event.shiftKey || !plot.zoomed) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    let at = event.clientX;
    over.style.cursor = "grabbing";
    const moved = (event) => {
      plot.panBy((at - event.clientX) / width(), "drag");
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

  // A pressed mark leads to its trade, a pressed gap is zoomed to. The strip of gaps is outside of the plot's own element.
  const { root } = plot.plot;
  const at = (event) => {
    const box = over.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const isPressable = () => plot.pending.marks.length > 0 || plot.spec.strip;
  let pressed = [0, 0];
  root.addEventListener("pointerdown", (event) => (pressed = [event.clientX, event.clientY]));
  root.addEventListener("mousemove", (event) => {
    if (!isPressable()) return;
    const found = plot.marks.at(plot, ...at(event)) ?? plot.paint.bandAt(plot, ...at(event));
    root.classList.toggle("chart-pressable", found !== undefined);
  });
  root.addEventListener("mouseleave", () => root.classList.remove("chart-pressable"));
  root.addEventListener("click", (event) => {
    // What was dragged is not pressed.
    if (Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4 || !isPressable()) return;
    const trade = plot.marks.at(plot, ...at(event));
    const band = plot.paint.bandAt(plot, ...at(event));
    if (trade !== undefined) plot.onMark(trade);
    else if (band !== undefined) plot.showBand(band);
  });

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
      plot.zoomAround(share((event.clientX + other) / 2), from / to, "pinch");
    } else if (plot.zoomed) {
      plot.panBy((before - event.clientX) / width(), "touch");
    } else {
      plot.readAt(share(event.clientX));
    }
  });
  const gone = (event) => fingers.delete(event.pointerId);
  over.addEventListener("pointerup", gone);
  over.addEventListener("pointercancel", gone);
}

/** Factory of a chart's gestures. */
export function hands() {
  return listen;
}
