// The first minute of an empty installation, by keyboard only: the demonstration, its three steps, and its equity curve.
import { alive, expect, test } from './signalbox';

test('the demonstration leads from an empty page to an equity curve by keyboard only', async ({ page }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keys');
    test.setTimeout(180_000);
    await page.goto('/');
    await alive(page);
    const button = page.getByRole('button', { name: 'Run the demonstration' });
    await expect(async () => {
        await page.keyboard.press('Tab');
        await expect(button).toBeFocused({ timeout: 100 });
    }).toPass();
    await page.keyboard.press('Enter');
    const rows = page.locator('tr.row');
    await expect(rows).toHaveCount(3, { timeout: 60_000 });
    for (const row of await rows.all()) await expect(row).toContainText('succeeded', { timeout: 60_000 });
    await expect(rows.filter({ hasText: 'synthetic' }).first()).toBeVisible();
    // The newest one is the backtest.
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    await expect(page.getByRole('img', { name: /Chart: Equity/ }).or(page.getByRole('figure', { name: 'Equity' })).first()).toBeVisible();
    await expect(page.getByText('Buy and hold').first()).toBeVisible();
});
