// axe checks the accessibility of every page, in both themes.
import type { Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { everyFace, open } from './pages';
import { expect, test } from './signalbox';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe says of the page, one line for each element. */
async function findings(page: Page): Promise<string[]> {
    // Evaluated by the browser's debugger, which the page's own policy on scripts does not stop.
    await page.evaluate(axe);
    return page.evaluate(async () => {
        const results = await (window as unknown as { axe: typeof import('axe-core') }).axe.run(document, {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        });
        return results.violations.flatMap((violation) =>
            violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} — ${node.failureSummary}`),
        );
    });
}

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
