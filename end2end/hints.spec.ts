// Hints of a first visit: each page explains itself once, and is not in the way.
import { alive, expect, held, test } from './signalbox';

test.use({ hints: true });

test('a page explains itself on the first visit, until it is dismissed, and never again', async ({ page }) => {
    await page.goto('/hosts');
    await alive(page);
    const hint = page.getByRole('note').filter({ hasText: 'The services that run operations' });
    await expect(hint).toBeVisible();
    await hint.getByRole('button', { name: 'Got it: dismiss this hint' }).press('Enter');
    await expect(hint).toHaveCount(0);
    await expect(page.getByRole('main')).toBeFocused();
    // Another page has its own, which is gone at the next visit without being dismissed.
    await page.goto('/new');
    await alive(page);
    await expect(page.getByRole('note').filter({ hasText: 'Choose a kind' })).toBeVisible();
    for (const path of ['/new', '/hosts']) {
        await page.goto(path);
        await alive(page);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.locator('.hint')).toHaveCount(0);
    }
});

test('the first paint has the hint of a first visit, and no other hint', async ({ page }) => {
    const letGo = await held(page, /\.wasm$/);
    const hint = page.getByRole('note').filter({ hasText: 'The services that run operations' });
    await page.goto('/hosts');
    await expect(hint).toBeVisible();
    letGo();
    await alive(page);
    await expect(hint).toBeVisible();
    const again = await held(page, /\.wasm$/);
    await page.goto('/hosts');
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(hint).toBeHidden();
    again();
});
