// A silent host: the page says so, its operation can be abandoned, and late reports change nothing. Also the dialog
// before a resume.
import { expect, reaches, startLoad, SYMBOL, test } from './signalbox';

test('an operation on a silent host is abandoned, and stays so when the host reconnects', async ({ page, request, server }) => {
    await startLoad(page, { symbol: SYMBOL, rowsPerSecond: 100 });
    const main = page.getByRole('main');
    await reaches(main, 1);
    const id = page.url().split('/').pop();
    await expect(main.getByRole('button', { name: 'Abandon…' })).toHaveCount(0);

    await server.silenced(async () => {
        await expect(main.locator('.note.warn')).toContainText(/Host \S+ unreachable for/, { timeout: 20_000 });
        await main.getByRole('button', { name: 'Abandon…' }).click();
        const dialog = page.getByRole('dialog');
        await expect(dialog).toContainText('may still be running on');
        await expect(dialog).toContainText('asks it to stop');
        await expect(dialog).toContainText('change nothing');
        await dialog.getByRole('button', { name: 'Keep waiting' }).click();
        await expect(dialog).toBeHidden();
        await expect(main.locator('.op-state')).toContainText('running');

        await main.getByRole('button', { name: 'Abandon…' }).click();
        await dialog.getByRole('button', { name: 'Abandon operation', exact: true }).click();
        await expect(main.locator('.op-state')).toContainText('failed');
        await expect(main).toContainText('Abandoned: the host was unreachable');
    });

    // The reconnected host is told to stop; the operation stays abandoned.
    const detail = async () => (await request.get(`/api/v1/operations/${id}`)).json();
    const running = async () => {
        const { hosts } = await (await request.get('/api/v1/hosts')).json();
        return hosts.every((host: { link: string; health?: { running: number } }) => host.link === 'up' && !host.health?.running);
    };
    await expect.poll(running, { timeout: 30_000 }).toBe(true);
    const { operation } = await detail();
    expect(operation.state).toBe('failed');
    expect(operation.failure.reason).toBe('abandoned');
});

test("a cancel that can't be delivered says so, and the operation can be abandoned", async ({ page, server }) => {
    await startLoad(page, { symbol: SYMBOL, rowsPerSecond: 100 });
    const main = page.getByRole('main');
    await reaches(main, 1);
    await server.silenced(async () => {
        await expect(main.locator('.note.warn')).toContainText(/Host \S+ unreachable for/, { timeout: 20_000 });
        await main.getByRole('button', { name: 'Cancel operation' }).click();
        await expect(main.locator('.receipt')).toContainText('requested');
        await expect(main.locator('.op-state')).toContainText('cancelling');
        await main.getByRole('button', { name: 'Abandon…' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Abandon operation', exact: true }).click();
        await expect(main.locator('.op-state')).toContainText('failed');
        await expect(main.locator('.receipt')).toContainText('the stop was never confirmed');
    });
});

test('a resume shows before what is kept, from when, and what is repeated', async ({ page, request }) => {
    // Each of the three years of bars is a segment: a checkpoint exists after the first.
    await startLoad(page, { symbol: SYMBOL, rowsPerSecond: 900 });
    const main = page.getByRole('main');
    await reaches(main, 45);
    await main.getByRole('button', { name: 'Cancel operation' }).click();
    await expect(page.locator('.receipt')).toContainText('Cancelled');

    await main.getByRole('button', { name: 'Resume…' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText(/\d of \d+ segments/);
    await expect(dialog).toContainText(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
    await expect(dialog).toContainText('by attempt 1');
    await expect(dialog).toContainText('Attempt 2 waits in the queue');
    // The safe button has the focus, and Esc closes as well.
    await expect(dialog.getByRole('button', { name: 'Back' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(main.locator('.op-state')).toContainText('cancelled');

    await main.getByRole('button', { name: 'Resume…' }).click();
    await dialog.getByRole('button', { name: 'Resume operation' }).click();
    await expect(main.locator('.op-state')).toContainText('succeeded', { timeout: 30_000 });
    const id = page.url().split('/').pop();
    expect((await (await request.get(`/api/v1/operations/${id}`)).json()).operation.attempt).toBe(2);
});
