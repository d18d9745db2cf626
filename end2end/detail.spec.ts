// The page of one operation: key figures before the charts, tabs in the address and by keys, actions that keep their
// place, a failure that leads with its exception, and all of it without JavaScript.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from './pages';
import { alive, expect, start, SYMBOL, test as base } from './signalbox';

/** Fails like a Python program, with progress bars behind its exception. */
const SCRIPT = `echo "epoch 1: loss 0.5"
cat >&2 <<'TRACE'
Traceback (most recent call last):
  File "/srv/train.py", line 12, in <module>
    main()
RuntimeError: CUDA out of memory
TRACE
exit 1
`;

const test = base.extend({
    server: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const script = path.join(server.folder, 'broken.sh');
        writeFileSync(script, SCRIPT);
        const kind = `[exec.broken]\ntitle = "Broken"\ncommand = ["sh", "${script}"]\nparams.size = { type = "integer", default = 4 }\nset_env.SIZE = "{size}"\n`;
        writeFileSync(path.join(data, 'exec.toml'), kind);
        await server.start();
        await use(server);
    },
});

const LOAD = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };

test('a failure leads with the exception, marks its place, and opens the log at it', async ({ page, request }) => {
    const id = await start(request, 'exec.broken', { size: 8 });
    await until(request, id, 'failed');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const failure = main.getByRole('alert').filter({ hasText: 'RuntimeError' });
    await expect(failure.locator('strong')).toHaveText('RuntimeError: CUDA out of memory');
    await expect(failure.locator('pre mark')).toHaveText('/srv/train.py:12');
    // The log is open, and a link leads to the line of the exception.
    await expect(main.getByRole('log')).toBeVisible();
    await failure.getByRole('link', { name: 'Open in log' }).click();
    await expect(page).toHaveURL(/\?tab=log#L\d+$/);
    await expect(main.getByRole('log').locator('[data-marked]')).toContainText('RuntimeError');
    // The form is filled with what it was started with.
    await failure.getByRole('link', { name: 'Edit and run' }).click();
    await expect(page).toHaveURL(/\/new\?kind=exec\.broken&size=8$/);
});

test('tabs are in the address, follow the keys, and are all shown without JavaScript', async ({ page, browser, request, server }, info) => {
    const id = await start(request, 'data.load', LOAD);
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const tab = (name: string) => main.getByRole('tab', { name });
    // A succeeded load shows its result.
    await expect(tab('Data quality')).toHaveAttribute('aria-selected', 'true');
    await expect(main.getByRole('region', { name: 'Result' })).toBeVisible();
    await expect(main.getByRole('log')).toBeHidden();
    await tab('Log').click();
    await expect(page).toHaveURL(/\?tab=log$/);
    await expect(main.getByRole('log').locator('.log-line').first()).toBeVisible();
    if (info.project.name !== 'phone') {
        await page.keyboard.press('ArrowRight');
        await expect(tab('Time')).toBeFocused();
        await page.keyboard.press('End');
        await expect(tab('Details')).toBeFocused();
        await expect(page).toHaveURL(/\?tab=details$/);
        await expect(main.getByRole('region', { name: 'Audit log' })).toBeVisible();
        await page.keyboard.press('Home');
        await expect(tab('Data quality')).toBeFocused();
    }
    await page.goto(`/operations/${id}?tab=details`);
    await alive(page);
    await expect(main.getByRole('region', { name: 'Result' })).toBeHidden();
    await expect(main.getByRole('link', { name: 'Log', exact: true })).toBeVisible();

    const plain = await browser.newPage({ javaScriptEnabled: false, baseURL: server.url });
    await plain.goto(`/operations/${id}`);
    await expect(plain.getByRole('tab')).toHaveCount(0);
    for (const name of ['Result', 'Log', 'Audit log', 'Key figures']) {
        await expect(plain.getByRole('region', { name, exact: true })).toBeVisible();
    }
    await plain.close();
});

test('key figures and the main chart are in the first view, and actions keep their place at the end', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has its own order');
    await page.setViewportSize({ width: 1440, height: 900 });
    const id = await start(request, 'data.load', { ...LOAD, rows_per_second: 300 });
    await until(request, id, 'running');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const keys = main.getByRole('region', { name: 'Key figures' });
    await expect(keys).toContainText(/rows/);
    const place = async (name: string) => {
        const box = await main.locator('.op-actions').getByRole('link', { name }).boundingBox();
        return [box!.x, box!.y];
    };
    const before = await place('Duplicate…');
    await main.getByRole('button', { name: 'Cancel operation' }).click();
    await expect(main.locator('.op-state')).toContainText('cancelled');
    expect(await place('Duplicate…')).toEqual(before);
    // One line says what the cancel did; its steps are a pointer away.
    const receipt = main.locator('.receipt');
    await expect(receipt.locator('strong')).toHaveText(/^Cancelled: stopped and released in .*, confirmed by \S+$/);
    await receipt.hover();
    await expect(receipt.getByRole('listitem')).toHaveCount(5);

    const whole = await start(request, 'data.load', { ...LOAD, mode: 'full' });
    await until(request, whole, 'succeeded');
    await page.goto(`/operations/${whole}`);
    await alive(page);
    await expect(keys).toContainText('completeness');
    const chart = await main.locator('.chart-canvas').first().boundingBox();
    expect(chart!.y + chart!.height / 2).toBeLessThan(900);
    const facts = main.getByRole('complementary', { name: 'Facts' });
    expect((await facts.boundingBox())!.x).toBeGreaterThan(chart!.x + chart!.width);
});

test('on a phone state and Cancel stay in sight while the page scrolls', async ({ page, request }, info) => {
    test.skip(info.project.name !== 'phone', 'elsewhere the head has them');
    const id = await start(request, 'data.load', { ...LOAD, rows_per_second: 100 });
    await until(request, id, 'running');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    await main.getByRole('complementary', { name: 'Facts' }).scrollIntoViewIfNeeded();
    await expect(main.locator('.op-state')).toBeInViewport();
    await main.getByRole('button', { name: 'Cancel operation' }).click();
    await expect(main.locator('.op-state')).toContainText('cancelled');
});

test('a backtest has its returns by month and by size, and a load its completeness', async ({ page, request }) => {
    const load = await start(request, 'data.load', LOAD);
    await until(request, load, 'succeeded');
    const id = await start(request, 'backtest.run', { symbol: SYMBOL, timeframe: '1h', strategy: 'sma_cross' });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const keys = main.getByRole('region', { name: 'Key figures' });
    for (const name of ['total return', 'Sharpe', 'max. drawdown', 'win rate', 'commission']) {
        await expect(keys.locator('dt', { hasText: name })).toBeVisible();
    }
    await expect(keys).toContainText('buy & hold');
    await main.getByRole('tab', { name: 'Returns' }).click();
    // The months together are the total return.
    const { result } = await (await request.get(`/api/v1/operations/${id}`)).json();
    const months: { month: string; strategy: number }[] = result.document.months;
    const all = months.reduce((product, month) => product * (1 + month.strategy), 1) - 1;
    expect(all).toBeCloseTo(result.document.performance.total_return, 9);
    const calendar = main.getByRole('region', { name: 'Monthly returns' });
    await expect(calendar.locator('td[data-sign]')).toHaveCount(months.filter((month) => month.strategy !== 0).length);
    await expect(main.locator('.histogram li')).not.toHaveCount(0);

    await page.goto(`/operations/${load}`);
    await alive(page);
    const complete = main.getByRole('region', { name: 'Completeness by month' });
    // Three years, with a row each.
    await expect(complete.locator('tbody tr')).toHaveCount(3);
    await expect(complete.locator('tbody tr').first().locator('td').first()).toHaveText('100');
});

test('a trained model shows its matrix as a square, and its checksum on demand', async ({ page, request }) => {
    const load = await start(request, 'data.load', LOAD);
    await until(request, load, 'succeeded');
    const id = await start(request, 'training.run', { symbols: SYMBOL, timeframe: '1h', epochs: 3 });
    await until(request, id, 'succeeded');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    await expect(main.getByRole('region', { name: 'Key figures' })).toContainText('baseline');
    const cells = main.getByRole('table', { name: 'Confusion matrix (test set)' }).locator('tbody td[style]');
    const { result } = await (await request.get(`/api/v1/operations/${id}`)).json();
    await expect(cells).toHaveCount(result.document.classes.length ** 2);
    const checksum = main.getByText(result.document.model_sha256);
    await expect(checksum).toBeHidden();
    await main.getByText(/Features .* and checksum/).click();
    await expect(checksum).toBeVisible();
});

test('an ended operation has its cost, and the tab Time says where its time went', async ({ page, request }) => {
    const id = await start(request, 'exec.broken', { size: 8 });
    await until(request, id, 'failed');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const cost = main.getByRole('complementary', { name: 'Facts' }).getByRole('region', { name: 'Cost' });
    await expect(cost.locator('div', { hasText: 'CPU time' }).locator('dd')).toHaveText(/ (ms|s)\b/);
    await main.getByRole('tab', { name: 'Time' }).click();
    await expect(page).toHaveURL(/\?tab=time$/);
    const breakdown = main.getByRole('region', { name: 'Time breakdown' });
    // The sentence depends on the machine; each names a part, and the parts are the whole.
    await expect(breakdown.locator('.time-sentence')).toHaveText(/\.$/);
    const widths = await breakdown.locator('.time-bar rect').evaluateAll((all) => all.map((rect) => Number(rect.getAttribute('width'))));
    expect(widths.reduce((sum, width) => sum + width, 0)).toBeGreaterThan(990);
    await expect(breakdown.locator('.time-parts [data-largest]')).toHaveCount(1);
});
