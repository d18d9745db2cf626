// What charts with the same x share: cursor, zoom, and the history of the zoom.

/** Zooms of one gesture, such as the turns of a wheel, count as one in the history. */
const SAME_GESTURE_MS = 600;

class Kin {
  constructor() {
    this.plots = new Set();
    this.forget();
  }

  forget() {
    this.view = undefined;
    this.past = [];
    this.last = {};
  }

  drawn() {
    return [...this.plots].filter((plot) => plot.plot);
  }

  join(plot) {
    this.plots.add(plot);
  }

  leave(plot) {
    this.plots.delete(plot);
    if (this.source === plot) this.source = undefined;
    if (this.plots.size === 0) this.forget();
  }

  /** Zooms all charts. `gesture` names a gesture of many small steps. */
  zoomTo(min, max, gesture) {
    if (!(max > min)) return;
    const now = performance.now();
    const goesOn = gesture && gesture === this.last.gesture && now - this.last.at < SAME_GESTURE_MS;
    // Reading by keys pans until the value is in view, which is no step of the history.
    if (!goesOn && gesture !== "read") this.past.push(this.view);
    this.last = { gesture, at: now };
    this.apply({ min, max });
  }

  apply(view) {
    this.view = view;
    for (const plot of this.drawn()) plot.showRange(view);
  }

  /** Whether a request of the page is new: it reaches all charts of a group, and counts once. */
  isNew(number) {
    const isNew = number !== this.shown;
    this.shown = number;
    return isNew;
  }

  /** Shows everything in all charts. */
  whole() {
    const zoomed = this.view || this.drawn().some((plot) => plot.zoomed);
    this.forget();
    if (zoomed) for (const plot of this.drawn()) plot.showAll();
  }

  /** Shows the previous zoom. The charts of a group pass on the same request, which counts once. */
  back(request) {
    if (request !== undefined && request === this.request) return;
    this.request = request;
    const view = this.past.pop();
    this.last = {};
    if (view) this.apply(view);
    else this.whole();
  }

  /** After new data of one chart has reset its zoom. */
  refitted() {
    if (this.drawn().every((plot) => !plot.zoomed)) this.forget();
  }

  /** Moves the cursor of the other charts to the x of this one; null removes it. */
  point(from, x) {
    for (const plot of this.drawn()) if (plot !== from) plot.follow(x);
  }
}

const all = new Map();

/** Function that finds what the charts of an x share. */
export function kin() {
  return (key) => {
    if (!all.has(key)) all.set(key, new Kin());
    return all.get(key);
  };
}
