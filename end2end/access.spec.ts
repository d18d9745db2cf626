// Who may do what, as persons meet it: signing in, controls of others, a role that is lowered, a session that ends.
import type { Page } from '@playwright/test';
import { ADMIN, fillSignIn, PASSWORD, RESET, signIn, test } from './access';
import { findings } from './axe';
import { alive, badge, expect, held, SYMBOL, test as open } from './signalbox';

const LOAD = { symbol: SYMBOL, timeframe: '1h', source: 'csv' };
const SLOW = { ...LOAD, rows_per_second: 20 };

/** Why a viewer may not use a control. */
const VIEWER = 'Needs the role operator. You are signed in as mia (viewer).';

/** The account of the reader in the frame. */
function account(page: Page) {
    return page.locator('.account > summary');
}

test('a shared link leads through a wrong and a right password to its page', async ({ page, admin, tolerated }) => {
    tolerated.push(/401/);
    await admin.add('mia', 'viewer');
    await page.goto('/operations?state=failed');
    await fillSignIn(page, 'mia', 'a wrong password');
    await expect(page.getByRole('alert')).toHaveText('Wrong user name or password.');
    // The name stays, and the focus is where one types next.
    await expect(page.getByLabel('Name')).toHaveValue('mia');
    await expect(page.getByLabel('Password')).toBeFocused();
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/operations\?state=failed$/);
    await alive(page);
    await expect(account(page)).toHaveAccessibleName('Account: mia, viewer');

    await account(page).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page).toHaveURL(/\/sign-in$/);
    await page.goBack();
    await expect(page, 'the page of the session does not come back').toHaveURL(/\/sign-in/);
});

test('a viewer finds each control disabled, with the reason', async ({ page, context, admin }, info) => {
    await admin.add('mia', 'viewer');
    await signIn(context, 'mia');
    const id = await admin.start('data.load', SLOW);
    await expect.poll(() => admin.state(id)).toBe('running');

    await page.goto(`/operations/${id}`);
    await alive(page);
    const cancel = page.locator('.op-actions').getByRole('button', { name: 'Cancel operation' });
    const strip = page.locator('.strip').getByRole('button', { name: 'Cancel operation' });
    const control = info.project.name === 'phone' ? strip : cancel;
    await expect(control).toHaveAttribute('aria-disabled', 'true');
    await expect(control).toHaveAccessibleDescription(VIEWER);
    // With the keyboard: it takes the focus, says why, and does nothing.
    await control.focus();
    await expect(page.locator('.needs-note')).toHaveText(VIEWER);
    await expect(page.locator('.needs-note')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.locator('.needs-note')).toBeHidden();
    await page.keyboard.press('Enter');
    // With the pointer.
    await page.mouse.move(1, 1);
    await control.hover();
    await expect(page.locator('.needs-note')).toBeVisible();
    await control.click({ force: true });
    await expect(page.getByRole('dialog')).toHaveCount(0);
    if (info.project.name !== 'phone') {
        await page.locator('h1').click();
        await page.keyboard.press('Shift+C');
        await expect(page.locator('.toast')).toHaveText(new RegExp(VIEWER.replace(/[.()]/g, '\\$&')));
    }
    expect(await admin.state(id)).toBe('running');
    expect(await findings(page), 'what axe says of disabled controls').toEqual([]);

    const places: [string, string][] = [
        ['/new?kind=data.load', 'Start load'],
        ['/operations', 'Cancel operation'],
        ['/alerts', 'New silence…'],
        ['/alerts', 'New rule…'],
    ];
    for (const [path, name] of places) {
        await page.goto(path);
        await alive(page);
        const control = page.getByRole('main').getByRole('button', { name }).first();
        await expect(control, path).toHaveAttribute('aria-disabled', 'true');
        await expect(control, path).toHaveAccessibleDescription(VIEWER);
    }
    await page.goto('/hosts');
    await alive(page);
    await expect(page.getByRole('button', { name: 'Drain…' }).first()).toHaveAccessibleDescription(/Needs the role admin\./);

    if (info.project.name === 'phone') {
        await page.setViewportSize({ width: 320, height: 640 });
        await account(page).click();
        await expect(page.getByRole('button', { name: 'Sign out' })).toBeInViewport();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, 'nothing scrolls sideways').toBeLessThanOrEqual(320);
    }
    await page.goto('/new?kind=data.load');
    await alive(page);
    await page.getByLabel('Symbol').fill(SYMBOL);
    await page.getByLabel('Symbol').press('Enter');
    await page.keyboard.press('Control+Enter');
    await expect(page, 'neither key starts anything').toHaveURL(/\/new/);
});

test('the palette names who may run an entry', async ({ page, context, admin }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keys');
    await admin.add('mia', 'viewer');
    await signIn(context, 'mia');
    await page.goto('/hosts');
    await alive(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('drain local');
    const entry = page.getByRole('option', { name: /^Drain local/ });
    await expect(entry).toHaveAttribute('aria-disabled', 'true');
    await expect(entry).toContainText('Needs the role admin. You are signed in as mia (viewer).');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog', { name: 'Search or command' })).toBeVisible();
});

test('an operator starts and cancels, until the role is lowered', async ({ page, context, admin }, info) => {
    await admin.add('mia', 'operator');
    await signIn(context, 'mia');
    await page.goto('/new?kind=data.load');
    await alive(page);
    const begin = page.getByRole('button', { name: 'Start load' });
    await expect(begin).not.toHaveAttribute('aria-disabled', 'true');
    const id = await admin.start('data.load', SLOW);
    await page.goto(`/operations/${id}`);
    await alive(page);
    const cancel = page
        .locator(info.project.name === 'phone' ? '.strip' : '.op-actions')
        .getByRole('button', { name: 'Cancel operation' });
    await expect(cancel).not.toHaveAttribute('aria-disabled', 'true');

    await admin.role('mia', 'viewer');
    await expect(page.locator('.toast')).toContainText('Your role changed from operator to viewer.');
    await expect(cancel).toHaveAccessibleDescription(VIEWER);
    await expect(account(page)).toHaveAccessibleName('Account: mia, viewer');
    await alive(page);

    await admin.role('mia', 'operator');
    await expect(account(page)).toHaveAccessibleName('Account: mia, operator');
    await expect(cancel).not.toHaveAttribute('aria-disabled', 'true');
    await cancel.click();
    const question = page.getByRole('dialog').getByRole('button', { name: 'Cancel operation' });
    await question.or(page.locator('.op-state').getByText('cancelled')).first().waitFor();
    if (await question.isVisible()) await question.click();
    await expect(page.locator('.op-state')).toContainText('cancelled');
});

test('an ended session covers the page at once, and signing in leads back', async ({ page, context, admin, tolerated }) => {
    tolerated.push(/401/);
    await admin.add('mia', 'viewer');
    await signIn(context, 'mia');
    const id = await admin.start('data.load', SLOW);
    await page.goto(`/operations/${id}?tab=log`);
    await alive(page);
    const other = await context.newPage();
    await other.goto('/hosts');
    await alive(other);

    await admin.endSessions('mia');
    for (const tab of [page, other]) {
        const dialog = tab.getByRole('dialog', { name: 'You are signed out' });
        await expect(dialog).toBeVisible();
        await expect(dialog).toHaveAccessibleDescription('The session of mia has ended. Operations continue.');
        await expect(badge(tab)).toHaveText('Signed out');
    }
    await page.bringToFront();
    const way = page.getByRole('dialog').getByRole('link', { name: 'Sign in' });
    await expect(way).toBeFocused();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect(way, 'it can not be dismissed').toBeVisible();
    expect(await findings(page), 'what axe says of the dialog').toEqual([]);
    await way.click();
    await fillSignIn(page, 'mia', RESET);
    await page.getByLabel('New password').fill(PASSWORD);
    await page.getByLabel('Repeat the password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Save and sign in' }).click();
    await expect(page).toHaveURL(new RegExp(`/operations/${id}\\?tab=log$`));
    await alive(page);
    await expect(other.getByRole('dialog'), 'the other tab goes on, too').toBeHidden();
});

test('a session that ends while the page is loading its code is shown all the same', async ({ page, context, admin, tolerated }) => {
    tolerated.push(/401/);
    await admin.add('mia', 'viewer');
    await signIn(context, 'mia');
    const letGo = await held(page, /\/pkg\/(split|bundle)_later/);
    await page.goto('/hosts');
    await alive(page);
    await admin.endSessions('mia');
    await expect(badge(page)).toHaveText('Signed out');
    letGo();
    await expect(page.getByRole('dialog', { name: 'You are signed out' })).toBeVisible();
    await expect(page).toHaveURL(/\/hosts$/);
});

test('a page that was signed out goes on when its user signs in again in another tab', async ({ page, context, admin, tolerated }) => {
    tolerated.push(/401/);
    await admin.add('mia', 'viewer');
    await signIn(context, 'mia');
    await page.goto('/hosts');
    await alive(page);
    // Signed out in another tab.
    const other = await context.newPage();
    await other.goto('/account');
    await other.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('dialog', { name: 'You are signed out' })).toBeVisible();
    await fillSignIn(other, 'mia');
    await alive(other);
    await expect(page.getByRole('dialog')).toBeHidden();
    await alive(page);
    await expect(page).toHaveURL(/\/hosts$/);
});

test('the account lists sessions and ends them', async ({ page, context, admin, browser, server, tolerated }) => {
    tolerated.push(/401/);
    await admin.add('mia', 'operator');
    await signIn(context, 'mia');
    const elsewhere = await browser.newContext({ baseURL: server.url });
    await signIn(elsewhere, 'mia');
    const far = await elsewhere.newPage();
    await far.goto('/operations');
    await alive(far);

    await page.goto('/');
    await alive(page);
    await account(page).click();
    await page.getByRole('link', { name: 'Account' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('mia');
    const sessions = page.getByRole('region', { name: 'Sessions' }).getByRole('listitem');
    await expect(sessions).toHaveCount(2);
    await expect(sessions.filter({ hasText: 'This session' })).toHaveCount(1);
    await page.getByRole('button', { name: /^End the session/ }).click();
    await expect(sessions).toHaveCount(1);
    await expect(far.getByRole('dialog', { name: 'You are signed out' })).toBeVisible();
    await elsewhere.close();
    expect(await findings(page), 'what axe says of the account').toEqual([]);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, 'the account does not scroll sideways').toBeLessThanOrEqual(0);
});

test('a token signs in without an account page, and may do everything as administrator', async ({ page }) => {
    await page.goto(`/hosts?token=${ADMIN}`);
    await alive(page);
    await expect(account(page)).toHaveAccessibleName('Account: Shared token, admin');
    await expect(page.getByRole('button', { name: 'Drain…' }).first()).not.toHaveAttribute('aria-disabled', 'true');
    await account(page).click();
    await expect(page.getByRole('link', { name: 'Account' })).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
});

open('without access control, nothing of it is shown', async ({ page }) => {
    await page.goto('/new?kind=data.load');
    await alive(page);
    await expect(page.locator('html')).not.toHaveAttribute('data-me');
    await expect(account(page)).toHaveCount(0);
    await expect(page.locator('[data-needs][aria-disabled]')).toHaveCount(0);
});
