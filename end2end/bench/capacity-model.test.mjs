// The simulation of a server against formulas of queueing theory.
import assert from 'node:assert/strict';
import test from 'node:test';
import { capacity, simulate } from './capacity-model.mjs';

test('a single queue waits as long as the formula of Pollaczek and Khinchine says', () => {
    const report = 0.001;
    for (const used of [0.3, 0.6, 0.8]) {
        const load = { reports: used / report, readers: 0, cores: 1, costs: { report, delivery: 0 }, samples: 400_000 };
        const wait = (used * report) / (2 * (1 - used));
        const { mean } = simulate(load);
        assert.ok(Math.abs(mean - report - wait) < 0.05 * wait, `${used}: ${mean - report} instead of ${wait}`);
    }
});

test('deliveries take CPU time for each reader', () => {
    const costs = { report: 0.000_02, delivery: 0.000_008 };
    const { used, p99 } = simulate({ reports: 100, readers: 100, cores: 2, costs });
    assert.equal(used.toFixed(4), '0.0410');
    assert.ok(p99 >= costs.report + 50 * costs.delivery);
});

test('the capacity is where the limit is just kept, and does not shrink with more cores', () => {
    const load = { readers: 10, costs: { report: 0.000_02, delivery: 0.000_008 }, limit: 0.1 };
    const [one, two] = [1, 2].map((cores) => capacity({ ...load, cores }));
    const { used, p99 } = simulate({ ...load, reports: one, cores: 1 });
    assert.ok(used <= 0.8 && p99 <= 0.1);
    assert.ok(simulate({ ...load, reports: 1.03 * one, cores: 1 }).used > 0.8);
    assert.ok(two > one, `${one} ${two}`);
});
