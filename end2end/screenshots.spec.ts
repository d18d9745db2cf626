// Screenshots of every page, for review, in end2end/shots; no page scrolls sideways.
import path from 'node:path';
import { everyFace, open } from './pages';
import { expect, test } from './signalbox';

for (const colorScheme of ['light', 'dark'] as const) {
    test(`every page fits its screen, ${colorScheme}`, async ({ page, request, tolerated }, info) => {
        test.setTimeout(120_000);
        tolerated.push(/404/);
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const shown of await everyFace(request)) {
            await test.step(shown.name, async () => {
                await open(page, shown);
                const file = `${shown.name}-${info.project.name}-${colorScheme}.png`;
                await page.screenshot({ path: path.join(__dirname, 'shots', file), fullPage: true });
                const wider = await page.evaluate(
                    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
                );
                const bursting = await page.evaluate(() =>
                    [...document.querySelectorAll('main .card')]
                        .filter((card) => getComputedStyle(card).overflowX === 'visible')
                        .filter((card) => card.scrollWidth > card.clientWidth + 1)
                        .map((card) => card.className),
                );
                expect.soft(bursting, `cards of ${shown.name} that hold more than fits`).toEqual([]);
                expect.soft(wider, `pixels by which ${shown.name} is wider than the screen`).toBeLessThanOrEqual(0);
            });
        }
    });
}
