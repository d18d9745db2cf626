// The hosts page: a host is drained and undrained, also by keyboard, and waiting users are informed.
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { alive, expect, start, startLoad, SYMBOL, test } from './signalbox';

/** The card of the one host. */
function card(page: Page): Locator {
    return page.getByRole('article', { name: 'local' });
}

async function stateOf(request: APIRequestContext, id: string): Promise<string> {
    return (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
}

async function openHosts(page: Page): Promise<void> {
    await page.goto('/hosts');
    await alive(page);
    await expect(card(page)).toContainText('Connected');
}

test('a host is drained and undrained, and waiting users are informed', async ({ page, request, server }) => {
    // Two loads of the same bars would wait for each other.
    copyFileSync(path.join(server.csv, `${SYMBOL}_1h.csv`), path.join(server.csv, 'OTHER_1h.csv'));
    await startLoad(page, { symbol: SYMBOL, rowsPerSecond: 100 });
    await expect(page.getByRole('main').locator('.op-state')).toContainText('running');
    const running = page.url().split('/').pop()!;
    await openHosts(page);
    await expect(card(page)).toContainText(/Latency\s*\d/);

    // The dialog says what will happen; its safe button changes nothing.
    const button = card(page).getByRole('button', { name: /^(Drain…|Undrain)$/ });
    await expect(button).toHaveText('Drain…');
    await button.click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('The host accepts no new operations. The running operation continues to its end.');
    await expect(dialog).toContainText(/No other host can run .*data\.load.* now/);
    await dialog.getByRole('button', { name: 'Back' }).click();
    await expect(dialog).toBeHidden();
    const draining = async () => (await (await request.get('/api/v1/hosts')).json()).hosts[0].draining ?? false;
    expect(await draining()).toBe(false);

    await button.click();
    await dialog.getByRole('button', { name: 'Drain host' }).click();
    await expect(card(page).getByRole('status')).toContainText('1 still running');
    await expect(button).toHaveText('Undrain');
    expect(await draining()).toBe(true);

    // What runs goes on; what is started waits, and both the form and the operation say for what.
    await page.goto('/new?kind=data.load');
    await alive(page);
    await expect(page.getByRole('main')).toContainText('local, the only connected host for this kind, is drained');
    await startLoad(page, { symbol: 'OTHER' });
    const main = page.getByRole('main');
    await expect(main.locator('.op-state')).toContainText('queued');
    await expect(main.locator('.note')).toContainText('Drained: local.');
    const waiting = page.url().split('/').pop()!;
    expect(await stateOf(request, running)).toBe('running');

    // It is still so for one who comes later; with its last work gone it can be stopped.
    await openHosts(page);
    await expect(card(page).getByRole('status')).toContainText('1 still running');
    await request.post(`/api/v1/operations/${running}/cancel`, { data: {} });
    await expect(card(page).getByRole('status')).toContainText('The host can be stopped');
    expect(await stateOf(request, waiting)).toBe('queued');
    await button.click();
    await expect(button).toHaveText('Drain…');
    await expect(page.locator('.toasts')).toContainText('local undrained');
    await expect(card(page).getByRole('status')).toBeEmpty();
    await expect.poll(() => stateOf(request, waiting)).toBe('succeeded');
});

test('drain and undrain work by keyboard, and the focus stays', async ({ page, request }) => {
    // A busy page: what was put off to its next turn comes late. Keys that follow at once go to the dialog all the same.
    await page.addInitScript(() => {
        const put = window.setTimeout;
        window.setTimeout = ((then: TimerHandler, after?: number, ...rest: unknown[]) =>
            put(then, after || 150, ...rest)) as typeof window.setTimeout;
    });
    await openHosts(page);
    const button = card(page).getByRole('button', { name: /^(Drain…|Undrain)$/ });
    await button.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByRole('button', { name: 'Back' })).toBeFocused();
    await expect(dialog).toContainText('None is running on it');
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(button).toBeFocused();

    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect(dialog.getByRole('button', { name: 'Drain host' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(button).toHaveText('Undrain');
    await expect(button).toBeFocused();
    // The host is reported again every few seconds; the focus stays on its button.
    const checkedAt = async () => (await (await request.get('/api/v1/hosts')).json()).hosts[0].health?.now;
    const before = await checkedAt();
    await expect.poll(checkedAt, { timeout: 20_000 }).not.toBe(before);
    await expect(button).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(button).toHaveText('Drain…');
    await expect(button).toBeFocused();
});

test('a used slot leads to its operation, and details are folded while all is well', async ({ page, request }) => {
    const id = await start(request, 'data.load', { symbol: 'SLOW', timeframe: '1h', source: 'synthetic', rows_per_second: 20 });
    await openHosts(page);
    const details = card(page).locator('details');
    await expect(details).not.toHaveAttribute('open');
    await expect(details.locator('summary')).toContainText(/^Health OK · \d+ kinds$/);
    await details.locator('summary').click();
    await expect(details.getByText('data.load')).toBeVisible();
    await expect(card(page)).toContainText('1 running, 8 slots');
    await expect(card(page)).toContainText(/Errors\s*0 of \d/);
    await card(page).getByRole('link', { name: /^SLOW/ }).click();
    await expect(page).toHaveURL(new RegExp(`/operations/${id}$`));
});
