// Sign-in through an OpenID Connect provider, as a person meets it: on its own page, with the keyboard, and when it fails.
import { ADMIN, fillSignIn, test as access } from './access';
import { findings } from './axe';
import { Provider } from './provider';
import { alive, expect } from './signalbox';

const test = access.extend<{ provider: Provider }>({
    provider: async ({}, use) => {
        const provider = new Provider();
        await provider.start();
        await use(provider);
        await provider.stop();
    },

    server: async ({ server, provider }, use) => {
        await server.stop();
        await server.start('--token', ADMIN, '--config', provider.configuration(server.folder));
        await use(server);
    },
});

test('a person signs in through the provider with the keyboard, and signs out of both', async ({ page, admin, tolerated }) => {
    tolerated.push(/401/);
    await admin.add('mia', 'viewer');
    for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.goto('/operations?state=failed');
        await expect(page).toHaveURL(/\/sign-in\?to=/);
        expect(await findings(page), `what axe says of the page to sign in, ${colorScheme}`).toEqual([]);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, 'the page to sign in does not scroll sideways').toBeLessThanOrEqual(0);
    await expect(page.getByLabel('Password')).toBeVisible();
    const way = page.getByRole('link', { name: 'Sign in with Example ID' });
    await page.getByRole('link', { name: 'Signalbox' }).focus();
    await page.keyboard.press('Tab');
    await expect(way, 'it is the first control').toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Example ID');
    await page.getByRole('button', { name: 'Continue as ada' }).press('Enter');
    await expect(page).toHaveURL(/\/operations\?state=failed$/);
    await alive(page);
    const account = page.locator('.account > summary');
    await expect(account).toHaveAccessibleName('Account: ada, operator');

    await account.click();
    await page.getByRole('link', { name: 'Account' }).click();
    await expect(page.getByText('You sign in with Example ID.')).toBeVisible();
    expect(await findings(page), 'what axe says of the account').toEqual([]);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Signed out of Example ID');
    await page.goto('/operations');
    await expect(page, 'the session has ended').toHaveURL(/\/sign-in/);
});

test('a person without a group with a role learns why, and what to do', async ({ page, provider, tolerated }) => {
    tolerated.push(/401|403/);
    provider.person.groups = ['other'];
    await page.goto('/hosts');
    await page.getByRole('link', { name: 'Sign in with Example ID' }).click();
    await page.getByRole('button', { name: 'Continue as ada' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign-in failed');
    const why = "The provider knows you as 'ada', but none of your groups has a role in Signalbox.";
    await expect(page.getByRole('alert')).toHaveText(why);
    await expect(page.getByText('Ask an administrator for a group that has a role in Signalbox')).toBeVisible();
    for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await findings(page), `what axe says of the failure, ${colorScheme}`).toEqual([]);
    }
    await page.getByRole('link', { name: 'Back to sign-in' }).click();
    await expect(page).toHaveURL(/\/sign-in\?to=%2Fhosts$/);
    provider.person.groups = ['ops'];
    await page.getByRole('link', { name: 'Sign in with Example ID' }).click();
    await page.getByRole('button', { name: 'Continue as ada' }).click();
    await expect(page).toHaveURL(/\/hosts$/);
    await alive(page);
});

test('while the provider is away, the page says so and a local user signs in', async ({ page, provider, server, admin, tolerated }) => {
    tolerated.push(/401|503/);
    await admin.add('mia', 'viewer');
    provider.away = true;
    await server.stop();
    await server.start('--token', ADMIN, '--config', provider.configuration(server.folder));
    await page.goto('/hosts');
    await page.getByRole('link', { name: 'Sign in with Example ID' }).click();
    await expect(page.getByRole('alert')).toContainText("The provider can't be reached: it answered with the status 503.");
    await page.goto('/sign-in?to=%2Fhosts');
    await expect(page.getByRole('status')).toContainText('Local users and tokens still work.');
    const way = page.getByRole('link', { name: 'Sign in with Example ID' });
    await expect(way).toHaveAccessibleDescription(/The provider can't be reached/);
    expect(await findings(page), 'what axe says of the page to sign in').toEqual([]);
    await fillSignIn(page, 'mia');
    await expect(page).toHaveURL(/\/hosts$/);
    await alive(page);
});
