// Errors are shown where they occur, with advice.
import { alive, badge, expect, rail, row, startLoad, submit, SYMBOL, test, unfoldAdvanced } from './signalbox';
import type { Locator } from '@playwright/test';

/** The field is marked as wrong, and its own message says why. */
async function complains(field: Locator, message: RegExp): Promise<void> {
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(message);
}

test('missing and invalid parameters are explained at their fields, and nothing is started', async ({ page, request }) => {
    await page.goto('/new?kind=data.load');
    await alive(page);
    const symbol = page.getByLabel('Symbol');
    const speed = page.getByLabel('Rows per second');
    await unfoldAdvanced(page);
    await speed.fill('many');
    await page.getByRole('button', { name: 'Start load' }).click();
    await complains(symbol, /Symbol is required/);
    await complains(speed, /'many' is not a whole number/);
    expect((await (await request.get('/api/v1/operations')).json()).operations).toHaveLength(0);

    // Put right, the complaints go and it starts.
    await symbol.fill(SYMBOL);
    await speed.fill('');
    await expect(symbol).not.toHaveAttribute('aria-invalid', 'true');
    await submit(page);
    await rail(page, 'Operations').click();
    await expect(row(page, SYMBOL)).toBeVisible();
});

test('a symbol without data fails with a message that names it', async ({ page }) => {
    await startLoad(page, { symbol: 'NOSUCH' });
    await expect(page.getByRole('main')).toContainText(/NOSUCH/);
    await expect(page.getByRole('main')).toContainText(/failed/, { timeout: 15_000 });
    await expect(page.getByRole('main')).toContainText(/NOSUCH_1h\.csv/);
});

test('a missing operation is reported, with a link to continue', async ({ page, tolerated }) => {
    tolerated.push(/404/);
    await page.goto('/operations/01890a5d-ac96-774b-bcce-b302099a8057');
    await expect(page.getByRole('main')).toContainText('No operation with this ID');
    await expect(page.getByRole('link', { name: 'Go to operations' })).toBeVisible();
});

test('the API rejects invalid parameters with a problem document', async ({ request }) => {
    const answer = await request.post('/api/v1/operations', { data: { kind: 'data.load', params: { symbl: 'X' } } });
    expect(answer.status()).toBe(422);
    const problem = await answer.json();
    expect(problem.type).toBe('/problems/bad-params');
    expect(problem.fields.map((field: { field: string }) => field.field)).toEqual(
        expect.arrayContaining(['symbl', 'symbol']),
    );
});

test('a part of the page is requested again if the connection fails', async ({ page, tolerated }) => {
    tolerated.push(/net::ERR_FAILED/i);
    await page.goto('/operations');
    await alive(page);
    await page.route(/\/pkg\/split_.*hosts/, (route) => route.abort(), { times: 1 });
    await rail(page, 'Hosts').click();
    await expect(page.getByRole('heading', { level: 1, name: 'Hosts' })).toBeVisible();
    await alive(page);
});

test("a part of the page that can't be loaded is reported, and the page no longer looks live", async ({ page, tolerated }) => {
    tolerated.push(/net::ERR_FAILED|fetch|unreachable|panicked|load callback/i);
    await page.goto('/operations');
    await alive(page);
    await page.route(/\/pkg\/split_.*hosts/, (route) => route.abort());
    await rail(page, 'Hosts').click();
    const banner = page.getByRole('alert').filter({ hasText: 'The page crashed' });
    // After the last of several tries.
    await expect(banner).toBeVisible({ timeout: 20_000 });
    await expect(badge(page)).toBeHidden();

    await page.unroute(/\/pkg\/split_.*hosts/);
    await banner.getByRole('link', { name: 'Reload' }).click();
    await alive(page);
    await expect(banner).toBeHidden();
});
