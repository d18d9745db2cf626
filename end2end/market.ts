// Small market data, the same at each run: hourly bars of trading days, in the form of real files.
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** How a file should be. */
export interface Market {
    symbol: string;
    /** First year of the data. */
    from?: number;
    years?: number;
    /** Real files have `timestamp`, or nothing, as the name of their first column. */
    timeColumn?: string;
}

/** Seven bars a trading day, Monday to Friday, from 14:00 to 20:00 UTC. Returns how many rows were written. */
export function writeHourly(folder: string, market: Market): number {
    const { symbol, from = 2021, years = 3, timeColumn = 'timestamp' } = market;
    const lines = [`${timeColumn},open,high,low,close,volume`];
    let seed = 42;
    const chance = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    let close = 100;
    for (let day = Date.UTC(from, 0, 1); day < Date.UTC(from + years, 0, 1); day += 86_400_000) {
        if ([0, 6].includes(new Date(day).getUTCDay())) continue;
        for (let hour = 14; hour <= 20; hour++) {
            const time = new Date(day + hour * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
            const open = close;
            close = Math.max(1, open * (1 + (chance() - 0.5) / 50));
            const high = Math.max(open, close) * (1 + chance() / 200);
            const low = Math.min(open, close) * (1 - chance() / 200);
            const prices = [open, high, low, close].map((price) => price.toFixed(4));
            lines.push(`${time}+00:00,${prices.join(',')},${Math.floor(chance() * 100_000)}.0`);
        }
    }
    writeFileSync(path.join(folder, `${symbol}_1h.csv`), lines.join('\n') + '\n');
    return lines.length - 1;
}
