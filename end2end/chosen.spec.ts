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

test('the selected state is marked as current, and selecting it does not reload the page', async ({ page, request }) => {
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

test('the kind of the shown form is marked as current', async ({ page }) => {
    await page.goto('/new');
    await alive(page);
    const kinds = page.getByRole('navigation', { name: 'Kind' });
    await kinds.getByRole('link', { name: 'backtest.run' }).click();
    await expect(page).toHaveURL(/\/new\?kind=backtest\.run/);
    await chosen(kinds, [/backtest\.run/]);
});

test('the drawn curves are marked as current among the comparable ones', async ({ page, request }) => {
    await openTwoBacktests(page, request);
    const curves = page.getByRole('navigation', { name: 'Curves shown' });
    await chosen(curves, [/^Equity$/, /^Drawdown$/, /^Exposure$/]);
    await curves.getByRole('link', { name: 'Exposure' }).click();
    await chosen(curves, [/^Equity$/, /^Drawdown$/]);
    await chosen(page.getByRole('navigation', { name: 'X axis' }), [/^over time$/]);
});
