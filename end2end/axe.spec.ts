// axe checks the accessibility of every page, in both themes.
import { findings } from './axe';
import { everyFace, open } from './pages';
import { expect, test } from './signalbox';

/** Width of a desktop at 400 % zoom; only the phone project checks it, beside its own. */
const NARROWEST = { width: 320, height: 640 };

for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds no violation on any page, ${colorScheme}`, async ({ page, request, tolerated, viewport }, info) => {
        test.setTimeout(180_000);
        tolerated.push(/404/);
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const shown of await everyFace(request)) {
            await test.step(shown.name, async () => {
                await open(page, shown);
                expect.soft(await findings(page), `what axe says of ${shown.name}`).toEqual([]);
                if (info.project.name !== 'phone' || !viewport) return;
                await page.setViewportSize(NARROWEST);
                expect.soft(await findings(page), `what axe says of ${shown.name}, 320 pixels wide`).toEqual([]);
                const wide = await page.evaluate(() => document.documentElement.scrollWidth);
                expect.soft(wide, `width of ${shown.name} on a screen of 320 pixels`).toBeLessThanOrEqual(NARROWEST.width);
                await page.setViewportSize(viewport);
            });
        }
        // The last one was not the hosts page; with a drained host it has another face, and a question before.
        await open(page, { name: 'hosts', path: '/hosts' });
        await page.getByRole('button', { name: 'Drain…' }).first().click();
        expect.soft(await findings(page), 'what axe says of the question before a drain').toEqual([]);
        await page.getByRole('button', { name: 'Drain host' }).click();
        await expect(page.getByRole('button', { name: 'Undrain' })).toBeVisible();
        expect.soft(await findings(page), 'what axe says of a drained host').toEqual([]);
    });
}
