// The one line that shows how far `make serve` is: part, what it does, and the time left.

const UPDATES_PER_MINUTE_WITHOUT_TERMINAL = 1;

/** "42 s" or "3 min 07 s". */
export function duration(seconds) {
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** "about 4 min left". */
export function timeLeft(seconds) {
    return seconds < 45 ? 'less than a minute left' : `about ${Math.round(seconds / 60) || 1} min left`;
}

/**
 * Line of progress. On a terminal it is rewritten; elsewhere, a new line is printed at the start and end of a part, and
 * once a minute.
 */
export class Progress {
    #part;
    #parts;
    #title = '';
    #begun = 0;
    #printed = 0;
    #now;
    #out;

    /** `before` parts of `parts` are done. */
    constructor({ before = 0, parts, out = process.stdout, now = () => performance.now() / 1000 }) {
        this.#part = before;
        this.#parts = parts;
        this.#out = out;
        this.#now = now;
    }

    /** Begins the next part. `begun` is its start in seconds, if it has run in the background before. */
    begin(title, begun = this.#now()) {
        this.#part += 1;
        this.#title = `[${this.#part}/${this.#parts}] ${title}`;
        this.#begun = begun;
        this.#printed = -Infinity;
    }

    /** Shows the state of the part, and the seconds left for all. */
    update(detail, seconds) {
        const line = [this.#title, detail, timeLeft(seconds)].filter(Boolean).join(' · ');
        if (this.#out.isTTY) {
            this.#out.write(`\r\u001B[K${line.slice(0, (this.#out.columns ?? 80) - 1)}`);
        } else if (this.#now() - this.#printed >= 60 / UPDATES_PER_MINUTE_WITHOUT_TERMINAL) {
            this.#out.write(`${line}\n`);
            this.#printed = this.#now();
        }
    }

    /** Ends the part. */
    end() {
        this.#out.write(`${this.#out.isTTY ? '\r\u001B[K' : ''}${this.#title} · done in ${duration(this.#now() - this.#begun)}\n`);
    }

    /** Makes place for other output. */
    clear() {
        if (this.#out.isTTY) this.#out.write('\r\u001B[K');
    }
}
