// Cancels that do not take the usual steps: work that ignores them is killed after the deadline, an unreachable host
// gets the request when it is back or its operation is abandoned, queued operations are cancelled without a host, and
// a double click sends one request. The usual steps are in load.spec.ts.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { alive, expect, reaches, start, startLoad, SYMBOL, test as base } from './signalbox';

/** A command that ignores SIGTERM, with a child that does the same; it prints the child's process ID. */
const SCRIPT = `trap '' TERM
sleep 600 &
echo "child $!"
while :; do sleep 1; done
`;

/** The server offers the command and runs one of it at a time. */
const test = base.extend({
    server: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const script = path.join(server.folder, 'stubborn.sh');
        writeFileSync(script, SCRIPT);
        const kind = `[exec.stubborn]\ntitle = "Stubborn"\ncommand = ["sh", "${script}"]\ngrace_ms = 20000\n`;
        writeFileSync(path.join(data, 'exec.toml'), kind);
        writeFileSync(path.join(data, 'signalbox.toml'), '[limits]\n"exec.stubborn" = 1\n');
        await server.start();
        await use(server);
    },
});

/** Whether a process is running; zombies do not count. */
function lives(pid: number): boolean {
    const lines = execFileSync('ps', ['-eo', 'pid=,stat='], { encoding: 'utf8' }).split('\n');
    const found = lines.map((line) => line.trim().split(/\s+/)).find(([id]) => Number(id) === pid);
    return found !== undefined && !found[1].startsWith('Z');
}

const STEPS = [/requested/, /sent/, /acknowledged/, /stopped/, /released/];

test('work that ignores its cancel is killed after the deadline, with all its processes', async ({ page, request }) => {
    const id = await start(request, 'exec.stubborn', {});
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const line = main.getByRole('log').getByText(/child \d+/);
    await expect(line).toBeVisible();
    const child = Number(/child (\d+)/.exec((await line.textContent()) ?? '')?.[1]);
    expect(lives(child)).toBe(true);

    await main.getByRole('button', { name: 'Cancel operation' }).click();
    // Its work would be lost, so a dialog asks for confirmation.
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel operation' }).click();
    // It is not shown as cancelled before it is.
    await expect(main.locator('.receipt')).toContainText('acknowledged');
    await expect(main.locator('.op-state')).toContainText('cancelling');
    expect(lives(child)).toBe(true);
    await expect(main.locator('.op-state')).toContainText('cancelled', { timeout: 20_000 });
    await expect(main.locator('.receipt').getByRole('listitem')).toHaveText(STEPS);
    await expect(main.locator('.receipt')).toContainText('to stop, longer than the usual 5 s');
    await expect(main.getByRole('log')).toContainText('SIGKILL');
    expect(lives(child)).toBe(false);
});

test('a double click sends one request', async ({ page, request }) => {
    const id = await start(request, 'exec.stubborn', {});
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    await expect(main.getByRole('log')).toContainText(/child \d+/);
    await main.getByRole('button', { name: 'Cancel operation' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel operation' }).dblclick();
    const first = main.locator('.receipt').getByRole('listitem').first();
    await expect(first).toContainText(/requested \d/);
    const requested = await first.textContent();
    // The page offers no second cancel; one from elsewhere is the same request.
    await expect(main.locator('.op-state')).toContainText('cancelling');
    await expect(main.getByRole('button', { name: 'Cancel operation' })).toHaveCount(0);
    const again = await request.post(`/api/v1/operations/${id}/cancel`, { data: { reason: 'again' } });
    expect(again.ok(), await again.text()).toBe(true);
    await expect(main.locator('.op-state')).toContainText('cancelled', { timeout: 20_000 });
    await expect(main.locator('.receipt').getByRole('listitem')).toHaveText(STEPS);
    await expect(first).toHaveText(requested!);
});

test('a queued operation is cancelled at once without a host', async ({ page, request }) => {
    const first = await start(request, 'exec.stubborn', {});
    const second = await start(request, 'exec.stubborn', {});
    await page.goto(`/operations/${second}`);
    await alive(page);
    const main = page.getByRole('main');
    await expect(main.locator('.op-state')).toContainText('queued');
    await main.getByRole('button', { name: 'Cancel operation' }).click();
    await expect(main.locator('.op-state')).toContainText('cancelled');
    await expect(main.locator('.receipt').getByRole('listitem')).toHaveText([/requested/, /stopped/, /released/]);
    // The audit log has the request.
    await main.getByRole('tab', { name: 'Details' }).click();
    await expect(main.getByRole('region', { name: 'Audit log' })).toContainText('Requested cancel');
    const { operation } = await (await request.get(`/api/v1/operations/${first}`)).json();
    expect(operation.state).toBe('running');
});

test('an unreachable host gets the cancel when it reconnects', async ({ page, server }) => {
    await startLoad(page, { symbol: SYMBOL, rowsPerSecond: 100 });
    const main = page.getByRole('main');
    await reaches(main, 1);
    await server.silenced(async () => {
        await expect(main.locator('.note.warn')).toContainText(/Host \S+ unreachable for/, { timeout: 20_000 });
        await main.getByRole('button', { name: 'Cancel operation' }).click();
        await expect(main.locator('.receipt')).toContainText('retrying until the host answers', { timeout: 20_000 });
        await expect(main.locator('.op-state')).toContainText('cancelling');
    });
    await expect(main.locator('.op-state')).toContainText('cancelled', { timeout: 30_000 });
    await expect(main.locator('.receipt').getByRole('listitem')).toHaveText(STEPS);
});

test('abandoned work is stopped when its host reconnects, and its late reports have no effect', async ({ page, request, server }) => {
    const id = await start(request, 'exec.stubborn', {});
    await page.goto(`/operations/${id}`);
    await alive(page);
    const main = page.getByRole('main');
    const line = main.getByRole('log').getByText(/child \d+/);
    await expect(line).toBeVisible();
    const child = Number(/child (\d+)/.exec((await line.textContent()) ?? '')?.[1]);
    await server.silenced(async () => {
        await expect(main.locator('.note.warn')).toContainText(/Host \S+ unreachable for/, { timeout: 20_000 });
        await main.getByRole('button', { name: 'Cancel operation' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Cancel operation' }).click();
        await expect(main.locator('.op-state')).toContainText('cancelling');
        await main.getByRole('button', { name: 'Abandon…' }).click();
        await page.getByRole('dialog').getByRole('button', { name: 'Abandon operation', exact: true }).click();
        await expect(main.locator('.op-state')).toContainText('failed');
        await expect(main.locator('.receipt')).toContainText('the stop was never confirmed');
        expect(lives(child)).toBe(true);
    });
    // The host is told to stop, and reports the end.
    await expect(main).toContainText(/Late report from the host: .*ended, cancelled.*changes nothing/, { timeout: 40_000 });
    await expect.poll(() => lives(child)).toBe(false);
    await expect(main.locator('.op-state')).toContainText('failed');
    await page.reload();
    await alive(page);
    await expect(main.locator('.op-state')).toContainText('failed');
    await expect(main).toContainText('Abandoned: the host was unreachable');
});
