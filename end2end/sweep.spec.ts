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
    await page.goto(`/new?kind=backtest.run&symbol=${SYMBOL}`);
    await alive(page);
    await page.getByRole('button', { name: 'Sweep this…' }).click();
    await expect(page.getByLabel('Symbol')).toHaveValue(SYMBOL);
    await page.getByRole('button', { name: 'Vary Fast period' }).click();
    await page.getByLabel('Fast period, values').fill('5, 10, 20');
    await page.getByRole('button', { name: 'Vary Slow period' }).click();
    await page.getByRole('button', { name: 'Slow period as range' }).click();
    await page.getByLabel('Slow period, from').fill('50');
    await page.getByLabel('Slow period, to').fill('150');
    await page.getByLabel('Slow period, step').fill('50');
    await expect(page.getByRole('region', { name: 'Summary' })).toContainText('3 × 3 = 9 runs');
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
    await expect(map.locator('td[data-best]')).toHaveAttribute('data-heat', '7');

    // The map's best cell is the best run, and the key figures name it.
    const bestRun = await ranks.first().getByRole('link').getAttribute('href');
    await expect(map.locator('td[data-best]').getByRole('link')).toHaveAttribute('href', bestRun!);
    const keys = main.getByRole('region', { name: 'Key figures' });
    await expect(keys).toContainText('best Sharpe');
    await expect(keys.getByRole('link', { name: 'Open best' })).toHaveAttribute('href', bestRun!);
    // Each run is a line; a drag along an axis chooses runs, in the ranking too.
    const parallel = main.getByRole('region', { name: 'Parallel coordinates' });
    await expect(parallel.locator('g[data-ran]')).toHaveCount(9);
    const axis = parallel.locator('[data-axis="0"]');
    await axis.scrollIntoViewIfNeeded();
    const box = (await axis.boundingBox())!;
    const x = box.x + box.width / 2;
    await page.mouse.move(x, box.y + 2);
    await page.mouse.down();
    await page.mouse.move(x, box.y + box.height / 3, { steps: 4 });
    await page.mouse.up();
    await expect(parallel).toContainText('3 of 9 runs chosen');
    await expect(ranks.filter({ visible: true })).toHaveCount(3);
    await parallel.getByRole('button', { name: 'Show all runs' }).click();
    await expect(ranks.filter({ visible: true })).toHaveCount(9);
    await expect(main.getByRole('region', { name: 'Importance' }).locator('tbody tr')).toHaveCount(2);
    await expect(main.getByRole('region', { name: 'Importance' })).toContainText('%');
    // A finer sweep around it is a filled form.
    const refine = await keys.getByRole('link', { name: 'Refine around best' }).getAttribute('href');
    expect(new URL(refine!, page.url()).searchParams.get('vary')).toMatch(/^fast=[\d,]+; slow=[\d,]+$/);

    // To the best run and back.
    const fast = await ranks.first().locator('td:nth-child(2)').innerText();
    await ranks.first().getByRole('link').click();
    await expect(main.locator('.op-state')).toContainText('succeeded');
    const { operation } = await (await request.get(`/api/v1/operations/${page.url().split('/').pop()}`)).json();
    expect(String(operation.params.fast)).toBe(fast);
    await main.getByRole('link', { name: /^Part of/ }).click();
    await expect(page).toHaveURL(sweep);
    await main.getByRole('link', { name: 'Compare top 5' }).click();
    await expect(main.getByRole('heading', { level: 1 })).toContainText('Compare 5 operations');
});

test('a varied field is set by keyboard, kept in the address, and refused above the limit', async ({ page }) => {
    await page.goto(`/new?kind=analysis.sweep&fixed=${encodeURIComponent(`symbol=${SYMBOL}; timeframe=1h`)}`);
    await alive(page);
    const summary = page.getByRole('region', { name: 'Summary' });
    await expect(summary).toContainText('Press Vary beside one or more fields.');
    // Nothing varies: the start is refused, with the reason.
    await page.getByRole('button', { name: 'Start sweep' }).click();
    await expect(page.getByRole('alert').filter({ hasText: 'Press Vary' })).toBeAttached();
    const vary = page.getByRole('button', { name: 'Vary Fast period' });
    await vary.focus();
    await vary.press('Enter');
    await expect(vary).toHaveAttribute('aria-pressed', 'true');
    const values = page.getByLabel('Fast period, values');
    await expect(values).toHaveValue('10, 20, 40');
    await expect(values).toHaveAccessibleDescription(/3 values: 10, 20, 40/);
    await expect(summary).toContainText('3 runs');
    await page.getByRole('button', { name: 'Fast period as range' }).click();
    await page.getByLabel('Fast period, spacing').selectOption('Logarithmic');
    await page.getByLabel('Fast period, from').fill('1');
    await page.getByLabel('Fast period, to').fill('100');
    await page.getByLabel('Fast period, count').fill('3');
    await expect(page.getByText('3 values: 1, 10, 100')).toBeVisible();
    await expect.poll(() => new URL(page.url()).searchParams.get('vary')).toBe('fast=1, 10, 100');
    await page.reload();
    await alive(page);
    await expect(page.getByLabel('Fast period, values')).toHaveValue('1, 10, 100');
    // More than the server takes.
    await page.getByLabel('Fast period, values').fill('1..30');
    await page.getByRole('button', { name: 'Vary Slow period' }).click();
    await page.getByLabel('Slow period, values').fill('50..80');
    await expect(summary).toContainText('930 combinations exceed the limit of 400 runs');
    await page.getByRole('button', { name: 'Start sweep' }).click();
    await expect(page.getByRole('alert').filter({ hasText: '930 combinations' })).toBeAttached();
    await expect(page).toHaveURL(/\/new\?/);
    // A value that its field rejects is said there.
    await page.getByLabel('Slow period, values').fill('50, 1');
    await page.getByRole('button', { name: 'Start sweep' }).click();
    await expect(page.getByLabel('Slow period, values')).toBeFocused();
    await expect(page.getByLabel('Slow period, values')).toHaveAccessibleDescription(/'1' is not a whole number/);
});

test('a single run leads to a sweep with its params, and a choice varies by checkboxes', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' }), 'succeeded');
    const run = await start(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', fast: 7 });
    await until(request, run, 'succeeded');
    await page.goto(`/operations/${run}`);
    await alive(page);
    await page.getByRole('main').getByLabel('More actions').click();
    await page.getByRole('main').getByRole('link', { name: 'Sweep this…' }).click();
    await expect(page.getByLabel('Symbol')).toHaveValue(SYMBOL);
    await expect(page.locator('#param-fast')).toHaveValue('7');
    await page.getByRole('button', { name: 'Vary Timeframe' }).click();
    const choices = page.getByRole('group', { name: 'Timeframe' });
    for (const one of await choices.getByRole('checkbox').all()) await one.uncheck();
    await expect(page.getByText('Enter at least one value.')).toBeVisible();
    await choices.getByRole('checkbox', { name: '1h' }).check();
    await choices.getByRole('checkbox', { name: '1d' }).check();
    await expect(page.getByRole('region', { name: 'Summary' })).toContainText('2 runs');
    // Turned off, it has its value again.
    await page.getByRole('button', { name: 'Vary Timeframe' }).click();
    await expect(page.locator('#param-timeframe')).toHaveValue('1h');
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
