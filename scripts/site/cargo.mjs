// Runs cargo, with its output in a file, and reports its progress.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { setPriority } from 'node:os';

/** Cargo failed. `diagnostics` is what the compiler said. */
export class CargoError extends Error {
    constructor(name, diagnostics) {
        super(`cargo could not build ${name}.`);
        this.diagnostics = diagnostics;
    }
}

/** Running cargo processes, to be ended if another one fails. */
const running = new Set();

export function endCargo() {
    for (const child of running) child.kill('SIGTERM');
}

/**
 * Runs `cargo build` and calls `progress(finished, all)` after each step. Resolves to the compiler's warnings and errors;
 * rejects with `CargoError`.
 *
 * `background` gives the other processes precedence on the processor.
 */
export function cargoBuild(name, { args, env = {}, log, progress, background = false }) {
    return new Promise((resolve, reject) => {
        const child = spawn('cargo', ['build', '--locked', ...args], {
            stdio: ['ignore', 'inherit', 'pipe'],
            env: {
                ...process.env,
                CARGO_TERM_COLOR: 'never',
                CARGO_TERM_PROGRESS_WHEN: 'always',
                CARGO_TERM_PROGRESS_WIDTH: '80',
                ...env,
            },
        });
        running.add(child);
        if (background) lowerPriority(child.pid);
        const reader = new CargoOutput(progress);
        const file = createWriteStream(log);
        child.stderr.setEncoding('utf8').on('data', (text) => {
            for (const line of reader.push(text)) file.write(`${line}\n`);
        });
        child.once('error', reject);
        child.once('close', (code) => {
            running.delete(child);
            file.end();
            if (code === 0) resolve(reader.diagnostics());
            else reject(new CargoError(name, reader.diagnostics()));
        });
    });
}

function lowerPriority(pid) {
    try {
        setPriority(pid, 5);
    } catch {
        // Only the order of the work depends on it.
    }
}

/** Lines about cargo's own steps, such as "   Compiling serde v1.0.228". */
const STATUS = /^ *(?:Blocking|Building|Compiling|Downloaded|Downloading|Finished|Fresh|Locking|Running|Updating|Waiting) /u;

/** Divides cargo's output into lines, its progress bar, and what the compiler says. */
export class CargoOutput {
    #rest = '';
    #messages = [];
    #progress;

    constructor(progress = () => {}) {
        this.#progress = progress;
    }

    /** Adds output as it arrives, and returns the finished lines without the progress bar. */
    push(text) {
        const pieces = (this.#rest + text).split(/[\r\n]/u);
        this.#rest = pieces.pop();
        const bar = /^ *Building \[[=> ]*\] (\d+)\/(\d+)/u;
        const lines = [];
        for (const piece of pieces) {
            const found = bar.exec(piece);
            if (found) this.#progress(Number(found[1]), Number(found[2]));
            else if (piece.trim()) lines.push(piece.trimEnd());
        }
        // A bar has no end of its own: the next one overwrites it.
        const last = bar.exec(this.#rest);
        if (last) this.#progress(Number(last[1]), Number(last[2]));
        this.#messages.push(...lines.filter((line) => !STATUS.test(line)));
        return lines;
    }

    /** Warnings and errors so far. */
    diagnostics() {
        return this.#messages.join('\n').trim();
    }
}
