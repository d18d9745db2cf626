// Program that the benchmarks run as an operation: reports the curves of a training as JSON lines. Fast until the step
// `--fill`, then at `--rate` steps per second.
import { parseArgs } from 'node:util';

/** Steps reported at once; the limit of the host is a burst of 20,000 points. */
const BURST_POINTS = 19_000;
/** Points per second while filling; the limit of the host is 1,000. */
const FILL_POINTS = 950;
const PARTS = ['train', 'val'];

const { values } = parseArgs({
    options: { curves: { type: 'string' }, fill: { type: 'string' }, rate: { type: 'string' }, steps: { type: 'string' }, seed: { type: 'string' } },
});
const number = (name) => Number(values[name]);
const [curves, fill, rate, steps] = ['curves', 'fill', 'rate', 'steps'].map(number);

let state = number('seed') * 7_919 + 1;
/** Next random number between 0 and 1. */
const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;

// A single curve is the loss, several are metrics on two parts of the data, which share a chart.
const names = Array.from({ length: curves }, (_, n) => (curves === 1 ? 'val_loss' : `${PARTS[n % 2]}_metric_${1 + Math.floor(n / 2)}`));

function report(step) {
    const line = { done: step, total: steps, unit: 'steps', step };
    names.forEach((name, n) => {
        line[name] = (1 + n / 4) * Math.exp(-step / (900 + 90 * n)) + 0.08 * random();
    });
    process.stdout.write(`${JSON.stringify(line)}\n`);
}

let step = 0;
const atOnce = Math.min(fill, Math.floor(BURST_POINTS / curves));
while (step < atOnce) report((step += 1));
let last = performance.now();
let due = 0;
setInterval(() => {
    const now = performance.now();
    due += ((now - last) / 1_000) * (step < fill ? FILL_POINTS / curves : rate);
    last = now;
    for (; due >= 1 && step < steps; due -= 1) report((step += 1));
    if (step >= steps) process.exit(0);
}, Math.min(100, 1_000 / rate));
