// Report of the benchmark `growth`: what moved since the last run, and the picture.

import { chart } from './chart.mjs';

/** Change of a p50 that is reported, as a share. */
const REPORTED = 0.15;
/** Smaller differences are noise of the clock, in ms. */
const NOISE_MS = 0.05;

/** Lines about the p50 values that moved by more than 15 % between two runs, of the sizes that both have. */
export function moved(before, after) {
    const lines = [];
    for (const run of after) {
        const old = before.find(({ operations }) => operations === run.operations);
        for (const now of run.queries) {
            const then = old?.queries.find(({ query }) => query === now.query);
            if (!then || Math.abs(now.p50 - then.p50) < NOISE_MS) continue;
            const ratio = now.p50 / then.p50;
            if (Math.abs(ratio - 1) <= REPORTED) continue;
            lines.push(`  ${run.operations.toLocaleString('en')} stored, ${now.query}: p50 ${then.p50.toFixed(2)} → ${now.p50.toFixed(2)} ms, ratio ${ratio.toFixed(2)}`);
        }
    }
    return lines;
}

/** Queries that the picture shows, with their names in it. */
const SHOWN = [
    ['page, newest first, consecutive', 'page of 50'],
    ['search: rare word', 'search, rare word'],
    ['search: no match', 'search, no match'],
    ['parameter: one of 1,000 values', 'one of 1,000 parameter values'],
    ['search: every operation matches', 'search, all match'],
];

/** p99 against the number of stored operations, as SVG. */
export const picture = (runs) =>
    chart({
        title: 'p99 of queries against the number of stored operations',
        x: 'stored operations',
        unit: 'ms',
        lines: SHOWN.map(([query, name]) => ({
            name,
            points: runs.map((run) => [run.operations, run.queries.find((one) => one.query === query).p99]),
        })),
    });
