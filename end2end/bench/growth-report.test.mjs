import assert from 'node:assert/strict';
import test from 'node:test';
import { moved } from './growth-report.mjs';

const run = (operations, p50) => ({ operations, queries: [{ query: 'page', p50, p99: 9 }] });

test('only changes of more than 15 % are reported, faster or slower', () => {
    assert.deepEqual(moved([run(1000, 1)], [run(1000, 1.14)]), []);
    assert.deepEqual(moved([run(1000, 1)], [run(1000, 1.2)]), ['  1,000 stored, page: p50 1.00 → 1.20 ms, ratio 1.20']);
    assert.deepEqual(moved([run(1000, 1)], [run(1000, 0.5)]), ['  1,000 stored, page: p50 1.00 → 0.50 ms, ratio 0.50']);
});

test('differences below the resolution of the clock are not reported', () => {
    assert.deepEqual(moved([run(1000, 0.02)], [run(1000, 0.06)]), []);
});

test('sizes and queries that only one run has are not compared', () => {
    assert.deepEqual(moved([run(1000, 1)], [run(10_000, 9)]), []);
    assert.deepEqual(moved([{ operations: 1000, queries: [] }], [run(1000, 9)]), []);
});
