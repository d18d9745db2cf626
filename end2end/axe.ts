// What axe says of a page.
import type { Page } from '@playwright/test';
import { readFileSync } from 'node:fs';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe says of the page, one line for each element. */
export async function findings(page: Page): Promise<string[]> {
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
