// The main workflow through the page: load bars, train a model on them while watching both loss curves, backtest the
// model, and compare it with buy and hold. It uses real bars if SIGNALBOX_BARS names a folder with MSFT_1h.csv,
// otherwise the bars of all tests.
import { copyFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { alive, expect, SYMBOL, test } from './signalbox';

const bars = process.env.SIGNALBOX_BARS ?? path.resolve(__dirname, '../../shared/data');
const real = path.join(bars, 'MSFT_1h.csv');
const symbol = existsSync(real) ? 'MSFT' : SYMBOL;
const epochs = existsSync(real) ? 50 : 12;

test('load, train, backtest the model, and compare it with buy and hold', async ({ page, server }, info) => {
    test.skip(info.project.name === 'phone', 'the same work; its pages on a phone are tested elsewhere');
    test.setTimeout(300_000);
    if (symbol !== SYMBOL) copyFileSync(real, path.join(server.csv, 'MSFT_1h.csv'));
    const shot = async (name: string) => {
        const file = path.join(__dirname, 'shots', `workflow-${name}.png`);
        await page.screenshot({ path: file, fullPage: true });
    };
    const main = page.getByRole('main');

    // Load.
    await page.goto(`/new?kind=data.load&symbol=${symbol}&timeframe=1h&source=csv`);
    await alive(page);
    await page.getByRole('button', { name: 'Start load' }).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    await expect(main.getByText('succeeded').first()).toBeVisible({ timeout: 30_000 });

    // Train.
    await main.getByRole('link', { name: 'Train a model' }).click();
    await expect(page).toHaveURL(/\/new\?/);
    await page.getByLabel('Epochs').fill(String(epochs));
    await page.getByLabel('Patience').fill('0');
    await page.getByRole('button', { name: /^Start/ }).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    const loss = main.locator('.chart').filter({ hasText: /loss/i }).first();
    await expect(loss.locator('canvas')).toBeVisible({ timeout: 60_000 });
    await shot('training');
    await expect(main.getByText('succeeded').first()).toBeVisible({ timeout: 240_000 });
    await expect(main.getByRole('region', { name: 'Result' })).toContainText('Test accuracy');
    await shot('trained');

    // Backtest.
    await main.getByRole('link', { name: 'Backtest this model' }).click();
    await expect(page).toHaveURL(/\/new\?/);
    await page.getByRole('button', { name: /^Start/ }).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    await expect(main.getByText('succeeded').first()).toBeVisible({ timeout: 60_000 });
    const figures = main.locator('table, details').filter({ hasText: 'Max. drawdown' }).first();
    await expect(figures).toContainText('Buy and hold');
    await expect(main.getByRole('figure', { name: 'Equity' })).toContainText('Buy and hold');
    await expect(main.getByRole('heading', { name: /^Trades/ })).toBeVisible();
    // Charts are drawn when they scroll into view.
    for (const name of ['Equity', 'Drawdown', `${symbol} 1h`]) {
        const figure = main.getByRole('figure', { name });
        await figure.scrollIntoViewIfNeeded();
        await expect(figure.locator('canvas').first()).toBeVisible();
    }
    await page.evaluate(() => window.scrollTo(0, 0));
    await shot('backtest');
});
