// A page whose own clock can be set ahead, as a sleep of the machine does it.
import type { Page } from '@playwright/test';

type Ahead = { ahead: number };

/** From its next load on the page's clock can be set ahead. */
export async function giveClock(page: Page): Promise<void> {
    await page.addInitScript(() => {
        const real = Date.now.bind(Date);
        (window as unknown as Ahead).ahead = 0;
        Date.now = () => real() + (window as unknown as Ahead).ahead;
    });
}

/** Its clock goes on by so much at once. */
export async function later(page: Page, minutes: number): Promise<void> {
    await page.evaluate((ms) => ((window as unknown as Ahead).ahead += ms), minutes * 60_000);
}
