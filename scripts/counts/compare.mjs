// Compares the counts of hot paths with the recorded ones.

/** What is counted, with the growth in percent that is accepted. Hash maps with random seeds grow at different times. */
export const TOLERANCE = { allocations: 2, bytes: 25, instructions: 10 };

const shown = (n) => (Number.isInteger(n) ? n : Number(n.toFixed(2))).toLocaleString('en');

/**
 * Compares lists of `{ path, repeat, allocations, bytes, instructions }`; a count that is missing on one side is not
 * compared. Returns messages: `grown` and `unknown` are errors, `fallen` are worth recording.
 */
export function compare(recorded, counted) {
    const grown = [];
    const fallen = [];
    const unknown = [];
    for (const path of counted) {
        const before = recorded.find((one) => one.path === path.path);
        if (!before) {
            unknown.push(`${path.path} is not recorded.`);
            continue;
        }
        for (const [what, tolerance] of Object.entries(TOLERANCE)) {
            if (path[what] == null || before[what] == null) continue;
            const change = path[what] - before[what];
            const percent = before[what] === 0 ? (change === 0 ? 0 : Infinity) : (change / before[what]) * 100;
            const sign = percent < 0 ? '−' : '+';
            const by = Number.isFinite(percent) ? `${sign}${Math.abs(percent).toFixed(1)} %` : 'none before';
            const message = `${path.path}: ${shown(path[what])} ${what} for each repeat (${path.repeat}), ${shown(before[what])} recorded: ${by}; tolerance ${tolerance} %.`;
            if (percent > tolerance) grown.push(message);
            else if (percent < -tolerance) fallen.push(message);
        }
    }
    for (const { path } of recorded) {
        if (!counted.some((one) => one.path === path)) unknown.push(`${path} is recorded, but no longer counted.`);
    }
    return { grown, fallen, unknown };
}
