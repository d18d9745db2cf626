// A sweep from its form to its ranking: runs as they end, the heat map of two parameters, and the links to each run and
// back.
import { alive, expect, start, SYMBOL, test } from './signalbox';

async function until(request: import('@playwright/test').APIRequestContext, id: string, state: string): Promise<void> {
    const now = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
    await expect.poll(now, { timeout: 20_000 }).toBe(state);
}

test('two parameters of a backtest are swept, ranked and mapped', async ({ page, request }) => {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    await page.goto('/new?kind=analysis.sweep');
    await alive(page);
    await page.getByLabel('Fixed').fill(`symbol=${SYMBOL}; timeframe=1h`);
    await page.getByLabel('Vary').fill('fast=5,10,20; slow=50..150:50');
    await page.getByRole('button', { name: 'Start sweep' }).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    const main = page.getByRole('main');
    await expect(main.locator('.op-state')).toContainText('succeeded', { timeout: 30_000 });
    const sweep = page.url();

    await expect(main.getByText('All 9 runs ended.')).toBeVisible();
    const ranks = main.getByRole('region', { name: 'Ranked runs' }).locator('tbody tr');
    await expect(ranks).toHaveCount(9);
    const figures = (await ranks.locator('td:nth-child(4)').allTextContents()).map((text) => Number(text.replace('−', '-')));
    expect(figures).toEqual([...figures].sort((a, b) => b - a));
    const map = main.getByRole('region', { name: 'Heat map of runs' });
    await expect(map.locator('tbody td')).toHaveCount(9);
    await expect(map.locator('[data-heat="6"]').first()).toHaveText(await ranks.first().locator('td:nth-child(4)').innerText());

    // To the best run and back.
    const fast = await ranks.first().locator('td:nth-child(2)').innerText();
    await ranks.first().getByRole('link').click();
    await expect(main.locator('.op-state')).toContainText('succeeded');
    const { operation } = await (await request.get(`/api/v1/operations/${page.url().split('/').pop()}`)).json();
    expect(String(operation.params.fast)).toBe(fast);
    await main.getByRole('link', { name: /^part of/ }).click();
    await expect(page).toHaveURL(sweep);
    await main.getByRole('link', { name: 'Compare top 5' }).click();
    await expect(main.getByRole('heading', { level: 1 })).toContainText('Compare 5 operations');
});

test('a cancelled sweep cancels its runs', async ({ page, request }) => {
    const load = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await until(request, load, 'succeeded');
    const id = await start(request, 'analysis.sweep', {
        run: 'training.run',
        fixed: `symbols=${SYMBOL}; timeframe=1h; epochs=500; patience=0`,
        vary: 'seed=1..6',
        at_once: 2,
    });
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    await expect(main.getByRole('region', { name: 'Active runs' }).locator('tr.row')).toHaveCount(2);
    await main.getByRole('button', { name: 'Cancel operation' }).first().click();
    const sure = page.getByRole('dialog').getByRole('button', { name: 'Cancel operation' });
    await expect(sure.or(main.locator('.receipt')).first()).toBeVisible();
    if (await sure.isVisible()) await sure.click();
    await expect(main.locator('.op-state')).toContainText('cancelled', { timeout: 20_000 });
    await expect(main.getByRole('region', { name: 'Active runs' })).toHaveCount(0);
    const { operations } = await (await request.get(`/api/v1/operations?parent=${id}`)).json();
    expect(operations.map((one: { state: string }) => one.state)).toEqual(operations.map(() => 'cancelled'));
    expect(operations.length).toBeGreaterThan(0);
});
