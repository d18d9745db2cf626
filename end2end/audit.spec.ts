// The page of the audit log, as an administrator and as somebody who may not read it.
import { readFileSync } from 'node:fs';
import { signIn, test } from './access';
import { alive, expect, SYMBOL } from './signalbox';

const LOAD = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };

test('an administrator finds actions, filters them, shares the filter and downloads them', async ({ page, context, admin }) => {
    await admin.add('ada', 'admin');
    await admin.add('mia', 'viewer');
    const id = await admin.start('data.load', LOAD);
    // A refused attempt.
    await signIn(context, 'mia');
    expect((await context.request.post('/api/v1/operations', { data: { kind: 'data.load', params: LOAD } })).status()).toBe(403);
    await context.request.post('/sign-out');
    await signIn(context, 'ada');

    await page.goto('/');
    await alive(page);
    await page.locator('.account > summary').click();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await expect(page).toHaveURL(/\/audit$/);
    await page.keyboard.press('Escape');
    const rows = page.locator('table.audit tbody tr');
    await expect(rows.first()).toContainText('Signed in');
    await expect(rows.first()).toContainText('ada via');
    const started = rows.filter({ hasText: 'Started' });
    await expect(started.getByRole('link', { name: /^Operation/ })).toHaveAttribute('href', `/operations/${id}`);

    // A choice applies at once, and is in the URL.
    // Not `check`, which would look for the old element after the page is loaded again.
    await page.getByLabel('Only refused').click();
    await expect(page).toHaveURL(/refused=1/);
    await expect(rows).toHaveCount(1);
    await expect(rows).toContainText('Request refused');
    await expect(rows).toContainText('mia via');
    await expect(rows).toContainText('needs the permission start');
    await page.reload();
    await expect(page.getByLabel('Only refused')).toBeChecked();
    await expect(rows).toHaveCount(1);

    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download as JSON lines' }).click()]);
    const lines = readFileSync(await download.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    expect(lines.map((line) => [line.action, line.outcome, line.by.name])).toEqual([['request', 'refused', 'mia']]);

    // Nothing found says so, and leads back.
    await page.getByLabel('User or token').fill('nobody of this name');
    await page.keyboard.press('Enter');
    await expect(page.getByText('No entries match this filter')).toBeVisible();
    await page.getByRole('link', { name: 'Show all entries' }).click();
    await expect(rows.first()).toContainText('Signed in');
    await expect(page.getByLabel('Only refused')).not.toBeChecked();
});

test('a viewer is told why the audit log is not shown', async ({ page, context, admin, tolerated }) => {
    tolerated.push(/403/);
    await admin.add('mia', 'viewer');
    await signIn(context, 'mia');
    await page.goto('/audit');
    await alive(page);
    await expect(page.getByRole('alert')).toContainText("needs the permission 'read_audit', which the role admin has");
    await page.locator('.account > summary').click();
    await expect(page.getByRole('link', { name: 'Account', exact: true })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Audit log' })).toHaveCount(0);
});
