// Charts as a user handles them: their menu, and what it offers.
import type { Locator } from '@playwright/test';

/** Presses an entry of a chart's menu: `Show as table`, `CSV of Loss`. */
export async function choose(chart: Locator, entry: string | RegExp): Promise<void> {
    await chart.getByLabel('Chart menu', { exact: true }).click();
    await chart.getByRole('button', { name: entry }).click();
}
