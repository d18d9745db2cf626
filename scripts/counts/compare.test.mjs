import assert from 'node:assert/strict';
import test from 'node:test';
import { compare } from './compare.mjs';

const recorded = [{ path: 'feed', repeat: 'encodes an event', allocations: 10, bytes: 1000, instructions: 5000 }];
const counted = (changes) => [{ ...recorded[0], ...changes }];

test('counts within the tolerance pass', () => {
    const same = { grown: [], fallen: [], unknown: [] };
    assert.deepEqual(compare(recorded, recorded), same);
    assert.deepEqual(compare(recorded, counted({ allocations: 10.2, bytes: 1050, instructions: 5500 })), same);
});

test('growth names the path, what grew, and by how much', () => {
    const { grown } = compare(recorded, counted({ allocations: 11, instructions: 6000 }));
    assert.deepEqual(grown, [
        'feed: 11 allocations for each repeat (encodes an event), 10 recorded: +10.0 %; tolerance 2 %.',
        'feed: 6,000 instructions for each repeat (encodes an event), 5,000 recorded: +20.0 %; tolerance 10 %.',
    ]);
});

test('the first allocation of a path without allocations is growth', () => {
    const without = [{ ...recorded[0], allocations: 0 }];
    assert.equal(compare(without, without).grown.length, 0);
    assert.match(compare(without, counted({ allocations: 0.01 })).grown[0], /0\.01 allocations .* none before/);
});

test('a count that fell is reported, so that it can be recorded', () => {
    const { grown, fallen } = compare(recorded, counted({ instructions: 4000 }));
    assert.equal(grown.length, 0);
    assert.match(fallen[0], /−20\.0 %/);
});

test('instructions that were not counted are not compared', () => {
    assert.equal(compare(recorded, counted({ instructions: undefined })).grown.length, 0);
});

test('paths must be the recorded ones', () => {
    const { unknown } = compare(recorded, counted({ path: 'search' }));
    assert.deepEqual(unknown, ['search is not recorded.', 'feed is recorded, but no longer counted.']);
});
