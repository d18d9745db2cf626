// Estimates how long the build still takes, from the work of its parts: measured, but for the end of the server
// (docs/benchmarks.md).
import { availableParallelism } from 'node:os';

/**
 * Parts of the build. `work`: seconds of one core. `curve`: share of that work that is done when a share of cargo's steps
 * is done; the last crates are the largest.
 */
export const WORK = {
    tool: { work: 60, curve: [[0, 0], [1, 1]] },
    page: { work: 220, curve: [[0, 0], [0.95, 0.5], [1, 1]] },
    server: { work: 900, curve: [[0, 0], [0.5, 0.28], [0.86, 0.68], [1, 1]] },
    finish: { work: 80, curve: [[0, 0], [1, 1]] },
};

/** More cores than this do not help: crates wait for each other. */
const MAX_CORES = 6;
/** Within it, cargo has skipped what was built before; that tells nothing about the speed of the machine. */
const SKIPPING_SECONDS = 3;
/** Least predicted seconds from which the speed of the machine is derived. */
const MEANINGFUL_SECONDS = 20;

/** A machine is not taken for faster than this, because skipped steps may look like it. */
const MIN_RATIO = 0.5;

export class Estimate {
    #shares = new Map();
    #skipped;
    #cores;
    #parts;

    constructor(parts = WORK, cores = availableParallelism()) {
        this.#parts = parts;
        this.#cores = Math.min(cores, MAX_CORES);
    }

    /** Sets the share of a part's steps that are done. */
    set(part, share) {
        this.#shares.set(part, interpolate(this.#parts[part].curve, share));
    }

    /** Share of the work of some parts that is done. */
    done(parts) {
        const sum = (of) => parts.reduce((total, part) => total + of(part), 0);
        const work = (part) => this.#parts[part].work;
        return sum((part) => work(part) * (this.#shares.get(part) ?? 0)) / sum(work);
    }

    /** Seconds left, `elapsed` seconds after the start. */
    left(elapsed) {
        const predicted = this.#predicted();
        if (elapsed < SKIPPING_SECONDS || this.#skipped === undefined) {
            this.#skipped = { predicted, elapsed };
            return predicted;
        }
        const done = this.#skipped.predicted - predicted;
        if (done < MEANINGFUL_SECONDS) return predicted;
        return predicted * Math.max(MIN_RATIO, (elapsed - this.#skipped.elapsed) / done);
    }

    /** Seconds left on the machine of the measurement, with as many cores as this one. */
    #predicted() {
        const work = Object.entries(this.#parts).map(([part, { work }]) => work * (1 - (this.#shares.get(part) ?? 0)));
        return work.reduce((sum, seconds) => sum + seconds, 0) / this.#cores;
    }
}

/** Value at `x` of a line through points. */
function interpolate(points, x) {
    for (let i = 1; i < points.length; i++) {
        const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
        if (x <= x1) return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
    }
    return 1;
}
