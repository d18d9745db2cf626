// Sections of a page are loaded when they are shown: until then the server's HTML stands in their place.
import type { Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, start, SYMBOL, test } from './signalbox';

/** Parts of the program that the page requests, by their names. */
function requested(page: Page): string[] {
    const names: string[] = [];
    page.on('request', (request) => {
        const name = /\/pkg\/(\w+?)\.[^/]*wasm$/u.exec(request.url())?.[1];
        if (name) names.push(name);
    });
    return names;
}

test('the code of a tab is loaded when the tab is shown', async ({ page, request }) => {
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    const names = requested(page);
    await page.goto(`/operations/${id}`);
    await alive(page);
    const of = (section: string) => names.filter((name) => name.endsWith(section));
    // The result is shown, and the others are not.
    expect(of('operation_load').length).toBeGreaterThan(0);
    expect([...of('operation_details'), ...of('operation_backtest'), ...of('operation_log')]).toEqual([]);
    // The server has rendered the hidden tab.
    const details = page.locator('#panel-details');
    await expect(details.getByRole('heading', { name: 'Attempts', includeHidden: true })).toHaveCount(1);
    await page.getByRole('tab', { name: 'Details' }).click();
    await expect.poll(() => of('operation_details').length).toBeGreaterThan(0);
    await expect(details.getByRole('heading', { name: 'Attempts' })).toHaveCount(1);
    await expect(details.locator('.lazy-section:not([aria-busy])')).toHaveCount(1);
    await expect(details.getByRole('cell', { name: 'succeeded' })).toBeVisible();
});

test('a section that could not be loaded can be requested again', async ({ page, request, tolerated }) => {
    tolerated.push(/Failed to (?:load resource|fetch)/u);
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const parts = /\/pkg\/\w*operation_details\..*wasm$/u;
    await page.route(parts, (route) => route.abort());
    await page.getByRole('tab', { name: 'Details' }).click();
    const details = page.locator('#panel-details');
    const trouble = details.getByRole('alert').filter({ hasText: 'could not be loaded' });
    // The program requests a part four times before it gives up.
    await expect(trouble).toBeVisible({ timeout: 20_000 });
    // The server's HTML is still there.
    await expect(details.getByRole('heading', { name: 'Attempts' })).toBeVisible();
    await page.unroute(parts);
    await trouble.getByRole('button', { name: 'Try again' }).click();
    await expect(trouble).toHaveCount(0);
    await expect(details.locator('.lazy-section:not([aria-busy])')).toHaveCount(1);
    await expect(details.getByRole('heading', { name: 'Attempts' })).toHaveCount(1);
});
