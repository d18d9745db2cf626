// The list of operations: filters, order, groups, frozen rows under the pointer, and long lists.
import type { APIRequestContext, Page } from '@playwright/test';
import { alive, expect, row, start, test } from './signalbox';

const load = (symbol: string, more: object = {}) => ({ symbol, timeframe: '1h', source: 'synthetic', ...more });

/** A load that takes minutes. */
const startSlow = (request: APIRequestContext, symbol: string) =>
    start(request, 'data.load', load(symbol, { rows_per_second: 20 }));

/** One that has failed already: there is no such file. */
async function startFailing(request: APIRequestContext, symbol: string): Promise<string> {
    const id = await start(request, 'data.load', load(symbol, { source: 'csv' }));
    await untilIn(request, id, 'failed');
    return id;
}

async function untilIn(request: APIRequestContext, id: string, state: string): Promise<void> {
    const now = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
    await expect.poll(now, { timeout: 20_000 }).toBe(state);
}

const field = (page: Page) => page.getByRole('combobox', { name: 'Filter' });
const options = (page: Page) => page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option');
const inForce = (page: Page) => page.getByRole('list', { name: 'Active filters' });
const titles = (page: Page) => page.locator('tr.row .title');

test('filter suggestions appear while typing, are accepted by keyboard or mouse, and removable', async ({ page, request }) => {
    await startSlow(request, 'AAA');
    await startFailing(request, 'BBB');
    await page.goto('/operations');
    await alive(page);
    await expect(page.locator('tr.row')).toHaveCount(2);

    await field(page).click();
    await expect(options(page).first()).toContainText('state:');
    await field(page).pressSequentially('kin');
    await expect(options(page).first()).toContainText('kind:');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(field(page)).toHaveValue('kind:');
    await field(page).pressSequentially('load');
    await expect(options(page)).toHaveText(['kind:data.load']);
    await page.keyboard.press('ArrowDown');
    await expect(field(page)).toHaveAttribute('aria-activedescendant', 'filter-options-0');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\?kind=data\.load$/);
    await expect(field(page)).toHaveValue('');
    await expect(page.locator('tr.row')).toHaveCount(2);

    // A value that was used is known, whatever param it is of.
    await field(page).pressSequentially('bb');
    await options(page).filter({ hasText: 'param.symbol:BBB' }).click();
    await expect(page).toHaveURL(/kind=data\.load&param\.symbol=BBB$/);
    await expect(titles(page)).toHaveText([/BBB/]);

    await inForce(page).getByRole('link', { name: 'Remove filter param.symbol: BBB' }).click();
    await expect(page.locator('tr.row')).toHaveCount(2);
    await page.goBack();
    await expect(titles(page)).toHaveText([/BBB/]);
    await inForce(page).getByRole('link', { name: 'Clear filters' }).click();
    await expect(page).toHaveURL(/\/operations$/);
    await expect(page.locator('tr.row')).toHaveCount(2);
});

test("a link reproduces the sender's list, and its errors are reported", async ({ page, request }) => {
    await startFailing(request, 'AAA');
    await startFailing(request, 'BBB');
    await page.goto('/operations?state=failed&kind=data.load&param.symbol=aaa&since=1h&q=1h&colour=red');
    await alive(page);
    await expect(titles(page)).toHaveText([/AAA/]);
    await expect(field(page)).toHaveValue('1h');
    await expect(inForce(page).getByRole('listitem')).toHaveCount(4);
    await expect(page.locator('.note')).toContainText('Ignored colour=red');
});

test('the state chips of a filtered list count its matches', async ({ page, request }) => {
    await startFailing(request, 'AAA');
    await startFailing(request, 'BBB');
    await page.goto('/operations?param.symbol=aaa');
    await alive(page);
    const chip = (state: string) => page.getByRole('navigation', { name: 'Filter by state' }).getByRole('link', { name: state });
    await expect(chip('failed')).toHaveText(/failed\s*1$/);
    await expect(chip('all')).toHaveText(/all\s*1$/);
    await startFailing(request, 'AAA');
    await expect(chip('failed')).toHaveText(/failed\s*2$/);
    await page.goto('/operations?state=failed');
    await alive(page);
    await expect(chip('failed')).toHaveText(/failed\s*3$/);
});

test('an invalid filter stays in the field with a correction', async ({ page }) => {
    await page.goto('/operations');
    await alive(page);
    await field(page).fill('since:tomorrow');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('status').filter({ hasText: 'is not a time' })).toContainText('24h or 7d');
    await expect(field(page)).toHaveValue('since:tomorrow');
    await expect(field(page)).toHaveAttribute('aria-invalid', 'true');
    await field(page).fill('since:24h');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\?since=24h$/);
    await expect(field(page)).toHaveValue('');
});

test('rows follow the order and groups of the address', async ({ page, request }, info) => {
    for (const symbol of ['BBB', 'CCC', 'AAA']) await startFailing(request, symbol);
    await page.goto('/operations');
    await alive(page);
    await expect(titles(page)).toHaveText([/AAA/, /CCC/, /BBB/]);
    if (info.project.name === 'phone') {
        await page.getByRole('combobox', { name: 'Sort by' }).selectOption('By title');
        await expect(page).toHaveURL(/sort=title/);
        await expect(titles(page)).toHaveText([/AAA/, /BBB/, /CCC/]);
        await page.getByRole('combobox', { name: 'Sort by' }).selectOption('Oldest first');
    } else {
        const head = (name: string) => page.getByRole('columnheader', { name });
        await head('Operation').getByRole('link').click();
        await expect(page).toHaveURL(/sort=title$/);
        await expect(head('Operation')).toHaveAttribute('aria-sort', 'ascending');
        await expect(titles(page)).toHaveText([/AAA/, /BBB/, /CCC/]);
        await head('Operation').getByRole('link').press('Enter');
        await expect(head('Operation')).toHaveAttribute('aria-sort', 'descending');
        await expect(titles(page)).toHaveText([/CCC/, /BBB/, /AAA/]);
        // The newest come first anyhow, so the heading of the start leads to the oldest first.
        await head('Started').getByRole('link').click();
        await expect(head('Operation')).not.toHaveAttribute('aria-sort');
        await head('Started').getByRole('link').click();
    }
    await expect(titles(page)).toHaveText([/BBB/, /CCC/, /AAA/]);

    await page.getByRole('combobox', { name: 'Group by' }).selectOption('Group by kind');
    const group = page.getByRole('link', { name: 'data.load 3' });
    await expect(group).toHaveAttribute('aria-expanded', 'true');
    await group.click();
    await expect(group).toHaveAttribute('aria-expanded', 'false');
    await expect(page.locator('tr.row')).toHaveCount(0);
    await expect(page).toHaveURL(/folded=data\.load/);
    await page.reload();
    await alive(page);
    await expect(page.locator('tr.row')).toHaveCount(0);
    await group.click();
    await expect(titles(page)).toHaveText([/BBB/, /CCC/, /AAA/]);
});

test('while the pointer is over the list new rows wait, and appear on request', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a finger points at nothing');
    const first = await startSlow(request, 'FIRST');
    await untilIn(request, first, 'running');
    await page.goto('/operations');
    await alive(page);
    await row(page, 'FIRST').hover();
    await startSlow(request, 'SECOND');
    const news = page.getByRole('button', { name: '1 new' });
    await expect(news).toBeVisible();
    await expect(titles(page)).toHaveText([/FIRST/]);

    // What ends keeps its place too, and says what became of it.
    await request.post(`/api/v1/operations/${first}/cancel`, { data: {} });
    await expect(row(page, 'FIRST')).toContainText('cancelled');
    await expect(page.getByRole('button', { name: '1 new, 1 updated' })).toBeVisible();
    await expect(titles(page)).toHaveText([/FIRST/]);
    await page.getByRole('button', { name: '1 new, 1 updated' }).click();
    await expect(titles(page)).toHaveText([/SECOND/, /FIRST/]);

    // With the pointer elsewhere they come by themselves.
    await page.mouse.move(2, 2);
    await startSlow(request, 'THIRD');
    await expect(titles(page)).toHaveText([/THIRD/, /SECOND/, /FIRST/]);
});

test('a long list keeps only visible and focused rows in the document, and scrolls to its end', async ({ page, request }) => {
    test.setTimeout(120_000);
    // More than the page is given at first, so that the rest has to be asked for.
    const all = 230;
    const ids: string[] = [];
    for (let n = 0; n < all; n += 10) {
        const some = Array.from({ length: 10 }, (_, k) => start(request, 'data.load', load(`N${n + k}`, { source: 'csv' })));
        ids.push(...(await Promise.all(some)));
    }
    await expect
        .poll(async () => (await (await request.get('/api/v1/snapshot')).json()).counts.find((c: { state: string }) => c.state === 'failed')?.count, { timeout: 60_000 })
        .toBe(all);
    await page.goto('/operations');
    await alive(page);
    const rows = page.locator('tr.row');
    await expect(page.getByRole('checkbox', { name: /^Select / }).nth(1)).toBeVisible();
    await expect.poll(() => rows.count()).toBeLessThan(120);

    // The third row is walked to by keys.
    for (let n = 0; n < 3; n++) await page.keyboard.press('j');
    await expect(rows.nth(2).locator('.title')).toBeFocused();
    const walkedTo = page.locator(`tr.row a[href="${await rows.nth(2).locator('.title').getAttribute('href')}"]`);

    const oldest = page.locator(`tr.row a[href="/operations/${ids.sort()[0]}"]`);
    await expect
        .poll(
            async () => {
                await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
                return oldest.count();
            },
            { timeout: 30_000 },
        )
        .toBe(1);
    expect(await rows.count()).toBeLessThan(120);
    await expect(page.locator('table.ops')).toHaveAttribute('aria-rowcount', String(all + 1));
    await expect(rows.last()).toHaveAttribute('aria-rowindex', String(all + 1));

    // It has the focus still, and the next key goes on from it.
    await expect(walkedTo).toBeFocused();
    await expect(walkedTo).not.toBeInViewport();
    await page.keyboard.press('k');
    await expect(rows.nth(1).locator('.title')).toBeFocused();
    await expect(rows.nth(1)).toHaveAttribute('aria-rowindex', '3');
    await expect(rows.nth(1)).toBeInViewport();
    await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
    await expect(oldest).toBeInViewport();

    // What is selected stays so out of sight, and Back leads to where one was.
    await rows.last().getByRole('checkbox').click();
    const bar = page.getByRole('region', { name: 'Selection' });
    await expect(bar).toContainText('1 selected');
    await oldest.click();
    await expect(page).toHaveURL(/operations\/[0-9a-f-]{36}$/);
    await page.goBack();
    await expect(oldest).toBeInViewport();
    await expect(bar).toContainText('1 selected');
    await expect(rows.last().getByRole('checkbox')).toBeChecked();
});

test('failed operations are retried together, and others are untouched', async ({ page, request }) => {
    for (const symbol of ['AAA', 'BBB']) await startFailing(request, symbol);
    const runs = await startSlow(request, 'CCC');
    await untilIn(request, runs, 'running');
    await page.goto('/operations');
    await alive(page);
    for (const symbol of ['AAA', 'BBB', 'CCC']) await row(page, symbol).getByRole('checkbox').click();
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Retry 2…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('2 get another attempt from the start, and wait in the queue.');
    await expect(dialog).toContainText('1 is skipped: only failed and cancelled operations can be retried.');
    await dialog.getByRole('button', { name: 'Retry 2 operations' }).click();
    await expect(page.locator('.toast')).toContainText('Retry queued for 2 operations.');
    await untilIn(request, runs, 'running');
});
