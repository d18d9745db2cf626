// Simulation of a server under load, with measured costs: how long a report takes to reach all readers.

/** Random numbers between 0 and 1, the same for the same seed (mulberry32). */
function generator(seed) {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

/**
 * Simulates `reports` per second, with random intervals, for `readers` that each get every report. A report first takes
 * `costs.report` seconds of CPU time on any of the cores, then `costs.delivery` seconds for each reader. The readers are
 * divided among as many tasks as there are cores, and each task writes one report after the other. Returns the share of
 * CPU time that is used, and the mean and the p99 of the times from the arrival of a report to its last delivery, in
 * seconds.
 */
export function simulate({ reports, readers, cores, costs, samples = 20_000, seed = 1 }) {
    const random = generator(seed);
    const free = new Array(cores).fill(0);
    const take = (from, seconds) => {
        const core = free.indexOf(Math.min(...free));
        free[core] = Math.max(from, free[core]) + seconds;
        return free[core];
    };
    const fanOut = readers * costs.delivery;
    const tasks = Math.min(cores, readers);
    const written = new Array(tasks).fill(0);
    const latencies = [];
    let now = 0;
    for (let n = 0; n < samples; n += 1) {
        now -= Math.log(1 - random()) / reports;
        const handled = take(now, costs.report);
        for (let task = 0; task < tasks; task += 1) {
            written[task] = take(Math.max(handled, written[task]), fanOut / tasks);
        }
        latencies.push(Math.max(handled, ...written) - now);
    }
    latencies.sort((a, b) => a - b);
    return {
        used: (reports * (costs.report + fanOut)) / cores,
        mean: latencies.reduce((sum, one) => sum + one, 0) / samples,
        p99: latencies[Math.floor(0.99 * samples)],
    };
}

/** Largest number of reports per second, to 1 %, with which p99 is at most `limit` seconds, and 80 % of the CPU time is used. */
export function capacity({ limit, ...load }) {
    const fits = (reports) => {
        const { used, p99 } = simulate({ ...load, reports });
        return used <= 0.8 && p99 <= limit;
    };
    let [low, high] = [0, 1];
    while (fits(high)) [low, high] = [high, 2 * high];
    while (high - low > 0.01 * high) {
        const middle = (low + high) / 2;
        if (fits(middle)) low = middle;
        else high = middle;
    }
    return low;
}
