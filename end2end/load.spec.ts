// The main job: start a load, watch its progress, cancel it, find it again, and resume it to the end.
import { alive, expect, linkOf, percent, rail, reaches, row, startLoad, SYMBOL, test } from './signalbox';

test('a load is started, watched, cancelled with a receipt, found again and resumed', async ({ page, rows, request }) => {
    // Each of the three years of bars is a segment of about four seconds of work.
    await startLoad(page, { symbol: SYMBOL, rowsPerSecond: 500 });

    // The list updates by itself.
    await rail(page, 'Operations').click();
    const listed = row(page, SYMBOL);
    await expect(listed).toContainText('running');
    const before = await percent(listed);
    await expect.poll(() => percent(listed)).toBeGreaterThan(before);

    // Open it, and cancel once a segment is stored.
    await linkOf(listed).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(SYMBOL);
    await reaches(page.getByRole('main'), 45);
    await page.getByRole('main').getByRole('button', { name: 'Cancel operation' }).click();

    // Every step of the cancel has a time.
    const receipt = page.locator('.receipt');
    await expect(receipt).toContainText('Cancelled');
    const receiptSays = [
        /requested \d\d:\d\d:\d\d\.\d{3}/,
        /sent \+\d+(\.\d+)? (ms|s)/,
        /acknowledged \+\d+(\.\d+)? (ms|s)/,
        /stopped \+\d+(\.\d+)? (ms|s)/,
        /released \+\d+(\.\d+)? (ms|s)/,
    ];
    await expect(receipt.getByRole('listitem')).toHaveText(receiptSays);

    // The receipt is stored, not only on this page.
    await page.reload();
    await alive(page);
    await expect(receipt.getByRole('listitem')).toHaveText(receiptSays);
    await expect(page.getByRole('main')).toContainText(/\d of \d+ segments/);

    // Stored segments count: the rest is loaded, and all rows are there.
    await page.getByRole('main').getByRole('button', { name: 'Resume…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume operation' }).click();
    await expect(page.getByRole('main').locator('.state').first()).toContainText('succeeded', { timeout: 30_000 });
    await expect(page.getByRole('region', { name: 'Result' })).toContainText(rows.toLocaleString('en-US'));

    const id = page.url().split('/').pop();
    const detail = await (await request.get(`/api/v1/operations/${id}`)).json();
    expect(detail.operation.state).toBe('succeeded');
    expect(detail.attempts).toHaveLength(2);
    expect(detail.result.document.rows).toBe(rows);
});

test('after a server restart everything is there, and the page reconnects by itself', async ({ page, server, rows, tolerated }) => {
    // While the server is down, the browser shows that it is unreachable.
    tolerated.push(/net::ERR_|Failed to (load|fetch)/);
    await startLoad(page, { symbol: SYMBOL });
    await rail(page, 'Operations').click();
    await expect(row(page, SYMBOL)).toContainText('succeeded');

    await server.stop();
    await expect(page.locator('.badge')).toContainText(/Reconnecting|offline/);
    await server.start();
    await alive(page);
    await expect(row(page, SYMBOL)).toContainText('succeeded');
    await linkOf(row(page, SYMBOL)).click();
    await expect(page.getByRole('region', { name: 'Result' })).toContainText(rows.toLocaleString('en-US'));
});
