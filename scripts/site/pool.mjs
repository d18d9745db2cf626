// Pool of worker threads: optimizing and compressing the site's files is pure computation.
import { createWriteStream, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** More would each need hundreds of megabytes, and wait for the largest file. */
const MAX_WORKERS = 4;

export class Pool {
    #workers = [];
    #size;
    #log;

    /** `log` is the file for what the libraries print. */
    constructor(log, size = Math.min(availableParallelism(), MAX_WORKERS)) {
        this.#size = size;
        this.#log = createWriteStream(log);
    }

    /**
     * Runs a task of worker.mjs for each file, the largest first, and calls `finished` with the number of finished files
     * after each. Returns a map from file to the task's result.
     */
    async run(task, files, finished = () => {}) {
        const sized = files.map((file) => ({ file, size: statSync(file).size }));
        const queue = sized.sort((a, b) => b.size - a.size).map(({ file }) => file);
        const results = new Map();
        while (this.#workers.length < Math.min(this.#size, queue.length)) this.#workers.push(this.#start());
        await Promise.all(
            this.#workers.map(async (worker) => {
                for (let file = queue.shift(); file; file = queue.shift()) {
                    results.set(file, await ask(worker, { task, file }));
                    finished(results.size);
                }
            }),
        );
        return results;
    }

    #start() {
        const worker = new Worker(new URL('worker.mjs', import.meta.url), { stdout: true, stderr: true });
        worker.stdout.pipe(this.#log, { end: false });
        worker.stderr.pipe(this.#log, { end: false });
        return worker;
    }

    async close() {
        await Promise.all(this.#workers.map((worker) => worker.terminate()));
        this.#workers = [];
        this.#log.end();
    }
}

/** Sends one task to a worker and waits for its end. */
function ask(worker, message) {
    return new Promise((resolve, reject) => {
        const answered = ({ file, result, error }) => {
            worker.off('error', failed);
            if (error) reject(new Error(`${message.task} ${file}: ${error}`));
            else resolve(result);
        };
        const failed = (error) => {
            worker.off('message', answered);
            reject(new Error(`${message.task} ${message.file}: ${error.stack ?? error}`));
        };
        worker.once('message', answered);
        worker.once('error', failed);
        worker.postMessage(message);
    });
}
