// Worker thread of the site's build: runs the tasks of pool.mjs. A task reads and writes files, so that only names pass
// between threads.
import { parentPort } from 'node:worker_threads';
import { compress } from './compress.mjs';
import { minify } from './minify.mjs';
import { optimize } from './optimize.mjs';

const TASKS = { compress, minify, optimize };

parentPort.on('message', async ({ task, file }) => {
    try {
        parentPort.postMessage({ file, result: await TASKS[task](file) });
    } catch (error) {
        parentPort.postMessage({ file, error: error.stack ?? String(error) });
    }
});
