// Keyboard focus after an action: it moves to a sensible element when the pressed button disappears.
import type { APIRequestContext } from '@playwright/test';
import { alive, expect, held, linkOf, row, start, test } from './signalbox';

test.beforeEach(({}, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
});

/** A load that takes minutes, and is cancelled without a question. */
const startSlow = (request: APIRequestContext, symbol: string) =>
    start(request, 'data.load', { symbol, timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: 150 });

test('on the page of an operation the focus moves from a button to the resulting state', async ({ page, request }) => {
    const id = await startSlow(request, 'HEAD');
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const state = main.locator('.op-state');
    const cancel = main.getByRole('button', { name: 'Cancel operation' });
    await expect(state).toContainText('running');

    // While it waits for its answer it keeps the focus, and asks nothing a second time.
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const letGo = await held(page, '**/cancel');
    await cancel.focus();
    await page.keyboard.press('Enter');
    await expect(cancel).toHaveAttribute('aria-busy', 'true');
    await expect(cancel).toBeFocused();
    await page.keyboard.press('Enter');
    letGo();
    await expect(state).toContainText('cancelled');
    await expect(state).toBeFocused();
    expect(asked.filter((url) => url.endsWith('/cancel'))).toHaveLength(1);

    // The next stop is what can be done now.
    await page.keyboard.press('Tab');
    await expect(main.locator('.op-actions').getByRole('button').first()).toBeFocused();
    const retry = main.getByRole('button', { name: 'Retry' });
    await retry.focus();
    await page.keyboard.press('Enter');
    await expect(retry).toHaveCount(0);
    await expect(state).toBeFocused();
});

test('in the list the focus moves from the button of a row to its link', async ({ page, request }) => {
    await startSlow(request, 'ROWS');
    await page.goto('/operations');
    await alive(page);
    const here = row(page, 'ROWS');
    await expect(here).toContainText('running');
    await here.getByRole('button', { name: /^Cancel operation/ }).focus();
    await page.keyboard.press('Enter');
    await expect(here).toContainText('cancelled');
    // In one go from running to cancelled the same button offers the next thing, and keeps the focus.
    const resume = here.getByRole('button', { name: /^Resume operation/ });
    await expect(linkOf(here).or(resume).and(page.locator(':focus'))).toHaveCount(1);
});

test('clearing a selection returns the focus to the rows', async ({ page, request }) => {
    for (const symbol of ['CLEARA', 'CLEARB']) await startSlow(request, symbol);
    await page.goto('/operations');
    await alive(page);
    const boxes = page.locator('tr.row [data-pick]');
    await boxes.first().focus();
    await page.keyboard.press('Space');
    const bar = page.getByRole('region', { name: 'Selection' });
    await bar.getByRole('button', { name: 'Clear selection' }).focus();
    await page.keyboard.press('Enter');
    await expect(bar).toHaveCount(0);
    await expect(boxes.first()).toBeFocused();

    // A part of the bar that goes leaves the focus in the bar.
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowDown');
    await expect(bar).toContainText('2 selected');
    await bar.getByRole('button', { name: 'Cancel 2 operations…' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Cancel 2 operations', exact: true }).click();
    await expect(bar).toHaveCount(0);
    await expect(boxes.and(page.locator(':focus'))).toHaveCount(1);
});
