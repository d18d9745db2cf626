// The current choice is announced and visible without colours: states of the list, kinds to start, curves.
import type { Locator } from '@playwright/test';
import { openTwoBacktests, until } from './pages';
import { alive, expect, start, test } from './signalbox';

/** These, and only these, are the current ones of their group. */
async function chosen(group: Locator, names: RegExp[]): Promise<void> {
    const current = group.locator('[aria-current]');
    await expect(current).toHaveText(names);
    for (const one of await current.all()) {
        await expect(one).toHaveAttribute('aria-current', 'true');
        const lines = await one.evaluate((link) =>
            [link, ...link.querySelectorAll('*')].map((part) => getComputedStyle(part).textDecorationLine),
        );
        expect(lines).toContain('underline');
    }
}

test('of the states the one that is chosen is the current one, and the page is not loaded again', async ({ page, request }) => {
    const id = await start(request, 'data.load', { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' });
    await until(request, id, 'failed');
    await page.goto('/operations');
    await alive(page);
    await page.evaluate(() => document.body.setAttribute('data-the-same', ''));
    const states = page.getByRole('navigation', { name: 'Filter by state' });
    await chosen(states, [/^all/]);
    await states.getByRole('link', { name: /^failed/ }).click();
    await expect(page).toHaveURL(/\?state=failed$/);
    await chosen(states, [/^failed/]);
    await states.getByRole('link', { name: /^failed/ }).click();
    await expect(page).toHaveURL(/\/operations$/);
    await chosen(states, [/^all/]);
    await expect(page.locator('body')).toHaveAttribute('data-the-same', '');
});

test('of the kinds the one whose form is shown is the current one', async ({ page }) => {
    await page.goto('/new');
    await alive(page);
    const kinds = page.getByRole('navigation', { name: 'Kind' });
    await kinds.getByRole('link', { name: 'backtest.run' }).click();
    await expect(page).toHaveURL(/\/new\?kind=backtest\.run/);
    await chosen(kinds, [/backtest\.run/]);
});

test('of the curves that can be compared those that are drawn are current ones', async ({ page, request }) => {
    await openTwoBacktests(page, request);
    const curves = page.getByRole('navigation', { name: 'Curves shown' });
    await chosen(curves, [/^Equity$/, /^Drawdown$/, /^Exposure$/]);
    await curves.getByRole('link', { name: 'Exposure' }).click();
    await chosen(curves, [/^Equity$/, /^Drawdown$/]);
    await chosen(page.getByRole('navigation', { name: 'X axis' }), [/^over time$/]);
});
