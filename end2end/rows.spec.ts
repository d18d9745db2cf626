// Rows of the operations list: what they say, how high they are, and children below their parents.
import { until } from './pages';
import { alive, expect, row, start, SYMBOL, test } from './signalbox';

const load = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };

test('a row shows the result, or the line that explains the failure', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', load), 'succeeded');
    await until(request, await start(request, 'data.load', { ...load, symbol: 'NOSUCH' }), 'failed');
    await page.goto('/operations');
    await alive(page);
    await expect(row(page, SYMBOL).locator('.c-result')).toContainText(/Rows [\d,]+ · Completeness [\d.]+ %/);
    await expect(row(page, 'NOSUCH').locator('.c-result')).toContainText('NOSUCH');
    // An ended row has no bar.
    await expect(row(page, SYMBOL).getByRole('progressbar')).toHaveCount(0);
});

test('rows with the same title show the parameter in which they differ', async ({ page, request }) => {
    for (const mode of ['full', 'tail']) await start(request, 'data.load', { ...load, symbol: 'NOSUCH', mode });
    const params = { ...load, symbol: 'OTHER', mode: 'full' };
    await start(request, 'data.load', { ...params, rows_per_second: 111 });
    await start(request, 'data.load', { ...params, rows_per_second: 222 });
    await page.goto('/operations');
    await alive(page);
    const differing = row(page, 'OTHER').locator('.differing');
    await expect(differing).toHaveText(['rows_per_second 222', 'rows_per_second 111']);
    await expect(row(page, 'NOSUCH').locator('.differing').first()).toBeEmpty();
});

test('a state is found by its name or the beginning of it', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', load), 'succeeded');
    await until(request, await start(request, 'data.load', { ...load, symbol: 'NOSUCH' }), 'failed');
    await page.goto('/operations');
    await alive(page);
    const field = page.getByRole('combobox', { name: 'Filter' });
    for (const word of ['failed', 'fail']) {
        await field.fill(word);
        await expect(page.locator('tr.row')).toHaveCount(1);
        await expect(row(page, 'NOSUCH')).toBeVisible();
        const { operations } = await (await request.get(`/api/v1/operations?q=${word}`)).json();
        expect(operations.map((operation: { state: string }) => operation.state)).toEqual(['failed']);
    }
    // A name of a parameter that is being typed filters nothing yet.
    await field.fill('param.sym');
    await expect(page.locator('tr.row')).toHaveCount(2);
});

test('the runs of a sweep are below it, and a search finds them', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', load), 'succeeded');
    const sweep = await start(request, 'analysis.sweep', {
        run: 'backtest.run',
        fixed: `symbol=${SYMBOL}; timeframe=1h`,
        vary: 'fast=5,10; slow=50,100',
    });
    await until(request, sweep, 'succeeded');
    await page.goto('/operations');
    await alive(page);
    const rows = page.locator('tr.row');
    await expect(rows).toHaveCount(2);
    const children = page.getByRole('button', { name: / child runs of / });
    await expect(children).toHaveText(/^4 child runs of /);
    await expect(children).toHaveAttribute('aria-expanded', 'false');
    await expect(page.getByRole('navigation', { name: 'Filter by state' }).getByRole('link', { name: 'all' })).toHaveText(/all\s*6$/);

    await children.press('Enter');
    await expect(children).toHaveAttribute('aria-expanded', 'true');
    await expect(rows).toHaveCount(6);
    // The title says what varies, and a run begins with what tells it from the others.
    await expect(rows.first().locator('a.title')).toHaveText('4 runs: fast 5–10, slow 50–100 · backtest.run');
    await expect(rows.nth(1).locator('a.title')).toHaveText(/^fast \d+ · slow \d+ · /);
    await children.press('Enter');
    await expect(rows).toHaveCount(2);

    await page.getByRole('combobox', { name: 'Filter' }).fill('sma');
    await expect(rows).toHaveCount(4);
    await page.goto(`/operations?parent=${sweep}`);
    await alive(page);
    await expect(rows).toHaveCount(4);
});

test('the heading of a group and its empty cells take no room from the columns', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no columns');
    await until(request, await start(request, 'data.load', load), 'succeeded');
    const widths = () =>
        page.locator('table.ops[data-list="ended"] thead th').evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).offsetWidth));
    for (const width of [1440, 900]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto('/operations');
        await alive(page);
        await expect(row(page, SYMBOL)).toBeVisible();
        const plain = await widths();
        await page.goto('/operations?group=kind');
        await alive(page);
        await expect(page.locator('tr.group')).toContainText('data.load');
        expect(await widths()).toEqual(plain);
    }
});

test('compact rows are remembered', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a finger needs high rows');
    await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await page.goto('/operations');
    await alive(page);
    const height = () => row(page, 'NOSUCH').evaluate((row) => Math.round(row.getBoundingClientRect().height));
    expect(await height()).toBeLessThanOrEqual(37);
    const compact = page.getByRole('button', { name: 'Compact rows' });
    await compact.click();
    await expect(compact).toHaveAttribute('aria-pressed', 'true');
    expect(await height()).toBeLessThanOrEqual(29);
    await page.reload();
    await alive(page);
    await expect(compact).toHaveAttribute('aria-pressed', 'true');
    expect(await height()).toBeLessThanOrEqual(29);
});

test('Space peeks at a row, arrows walk, and a link opens the peek', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone shows no peek');
    const loaded = await start(request, 'data.load', load);
    await until(request, loaded, 'succeeded');
    const failed = await start(request, 'data.load', { ...load, symbol: 'NOSUCH' });
    await until(request, failed, 'failed');
    await page.goto('/operations');
    await alive(page);
    const peek = page.getByRole('complementary', { name: 'Preview' });
    await page.keyboard.press('j');
    await expect(row(page, 'NOSUCH').locator('.title')).toBeFocused();
    await page.keyboard.press('Space');
    await expect(peek).toContainText('NOSUCH');
    await expect(peek).toContainText('failed');
    await expect(page).toHaveURL(new RegExp(`peek=${failed}$`));

    await page.keyboard.press('ArrowDown');
    await expect(row(page, SYMBOL).locator('.title')).toBeFocused();
    await expect(peek.locator('.headline')).toContainText('Completeness');
    await expect(peek.getByRole('region', { name: 'Last log lines' })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`peek=${loaded}$`));
    await page.keyboard.press('Escape');
    await expect(peek).toHaveCount(0);
    await expect(page).toHaveURL(/\/operations$/);
    await expect(row(page, SYMBOL).locator('.title')).toBeFocused();

    // The operation of a link need not match the filter.
    await page.goto(`/operations?state=failed&peek=${loaded}`);
    await alive(page);
    await expect(page.locator('tr.row')).toHaveCount(1);
    await expect(peek).toContainText(SYMBOL);
    await peek.getByRole('link', { name: 'Open' }).click();
    await expect(page).toHaveURL(new RegExp(`/operations/${loaded}$`));
});
