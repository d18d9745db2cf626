// Sign-in through a real OpenID Connect provider (`oidc-provider`), as people meet it. oidc.spec.ts has the look of the pages.
import type { Locator, Page } from '@playwright/test';
import { ADMIN, test as access } from './access';
import { findings } from './axe';
import { IdentityProvider } from './identity-provider';
import type { Server } from './server';
import { alive, expect } from './signalbox';

const test = access.extend<{ provider: IdentityProvider }>({
    provider: async ({}, use, info) => {
        const provider = new IdentityProvider();
        try {
            await provider.start();
            await use(provider);
            if (info.status !== info.expectedStatus) {
                await info.attach('provider.log', { body: provider.output, contentType: 'text/plain' });
            }
        } finally {
            await provider.stop();
        }
    },

    server: async ({ server, provider }, use) => {
        await provider.register(server.url);
        await restart(server, provider.configuration(server.folder));
        await use(server);
    },

    // Pages about failures have a status of failure.
    tolerated: async ({}, use) => use([/status of (40[0-3]|50[23])/]),
});

async function restart(server: Server, configuration: string): Promise<void> {
    await server.stop();
    await server.start('--token', ADMIN, '--config', configuration);
}

function heading(page: Page): Locator {
    return page.getByRole('heading', { level: 1 });
}

/** From the page to sign in to the provider. */
async function toProvider(page: Page): Promise<void> {
    await page.getByRole('link', { name: 'Sign in with Example ID' }).click();
}

/** Fills in the provider's page. */
async function enter(page: Page, password: string): Promise<void> {
    await expect(heading(page)).toHaveText('Sign in to Example ID');
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Continue' }).click();
}

async function allow(page: Page): Promise<void> {
    await expect(heading(page)).toHaveText('Allow access');
    await page.getByRole('button', { name: 'Allow' }).click();
}

/** The whole way through the provider, for the first time. */
async function signIn(page: Page, provider: IdentityProvider): Promise<void> {
    await toProvider(page);
    await enter(page, provider.ada.password);
    await allow(page);
}

/** The way of a person who stayed signed in at the provider: without a password. */
async function signInAgain(page: Page): Promise<void> {
    await toProvider(page);
    await allow(page);
}

/** Opens a page of the dashboard, and signs in on the way there. */
async function openSignedIn(page: Page, provider: IdentityProvider, path: string): Promise<void> {
    await page.goto(path);
    await signIn(page, provider);
    await expect(page).toHaveURL((url) => url.pathname + url.search === path);
}

/** Signs out of the dashboard, and answers the question of the provider. */
async function signOut(page: Page, answer: 'Yes, sign me out' | 'No, stay signed in'): Promise<void> {
    await alive(page);
    await account(page).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(heading(page)).toHaveText('Sign out of Example ID?');
    await page.getByRole('button', { name: answer }).click();
    await expect(page).toHaveURL(/\/sign-in$/);
}

function account(page: Page): Locator {
    return page.locator('.account > summary');
}

/** The page after a failed sign-in, with the reason and the way back. */
async function failed(page: Page, reason: string | RegExp, advice: string): Promise<void> {
    await expect(heading(page)).toHaveText('Sign-in failed');
    await expect(page.getByRole('alert')).toHaveText(reason);
    await expect(page.getByText(advice)).toBeVisible();
    await expect(page.getByRole('link', { name: 'Back to sign-in' })).toBeVisible();
}

async function backToSignIn(page: Page, to: string): Promise<void> {
    await page.getByRole('link', { name: 'Back to sign-in' }).click();
    await expect(page).toHaveURL((url) => url.pathname === '/sign-in' && url.searchParams.get('to') === to);
}

test('the requested page opens after the sign-in, and each sign-in takes the role of the groups', async ({ page, provider }) => {
    await openSignedIn(page, provider, '/operations?state=failed');
    await alive(page);
    await expect(account(page)).toHaveAccessibleName('Account: ada, viewer');

    await provider.setGroups('ops', 'other');
    await page.goto('/new?kind=data.load');
    await alive(page);
    const start = page.getByRole('button', { name: 'Start load' });
    const viewer = 'Needs the role operator. You are signed in as ada (viewer).';
    await expect(start, 'the role stays until the next sign-in').toHaveAccessibleDescription(viewer);
    await signOut(page, 'No, stay signed in');
    await page.goto('/new?kind=data.load');
    await signInAgain(page);
    await expect(page).toHaveURL(/\/new\?kind=data\.load$/);
    await alive(page);
    await expect(account(page)).toHaveAccessibleName('Account: ada, operator');
    await expect(start).not.toHaveAttribute('aria-disabled', 'true');

    await provider.setGroups('readers');
    await signOut(page, 'No, stay signed in');
    await signInAgain(page);
    await alive(page);
    await expect(account(page)).toHaveAccessibleName('Account: ada, viewer');
});

test('a wrong password and a denied consent lead back to the page to sign in', async ({ page, provider }) => {
    const denied = 'The provider denied access, or the sign-in was cancelled at the provider.';
    const advice = 'Sign in again. If you did not cancel, ask an administrator of the provider for access to Signalbox.';
    await page.goto('/hosts?sort=name');
    await toProvider(page);
    await enter(page, 'a wrong password');
    await expect(page.getByRole('alert')).toHaveText('The name or the password is wrong.');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await failed(page, denied, advice);
    expect(await findings(page), 'what axe says of the failure').toEqual([]);
    await backToSignIn(page, '/hosts?sort=name');

    await toProvider(page);
    await enter(page, provider.ada.password);
    await expect(heading(page)).toHaveText('Allow access');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await failed(page, denied, advice);
    expect((await page.request.get('/api/v1/access/me')).status(), 'nobody is signed in').toBe(401);
    await backToSignIn(page, '/hosts?sort=name');
    await toProvider(page);
    await allow(page);
    await expect(page).toHaveURL(/\/hosts\?sort=name$/);
    await alive(page);
});

test('a person signs out of both, and the next sign-in asks for the password', async ({ page, provider }) => {
    await openSignedIn(page, provider, '/hosts');
    await signOut(page, 'Yes, sign me out');
    await page.goto('/hosts');
    await expect(page, 'the session has ended').toHaveURL(/\/sign-in\?to=%2Fhosts$/);
    await signIn(page, provider);
    await expect(page).toHaveURL(/\/hosts$/);
    await alive(page);
});

test('people sign in while the provider replaces its keys, and with each algorithm', async ({ page, provider, server }) => {
    await openSignedIn(page, provider, '/hosts');
    await provider.rotateKeys();
    await signOut(page, 'No, stay signed in');
    await signInAgain(page);
    await alive(page);
    for (const algorithm of ['PS256', 'ES256', 'EdDSA']) {
        await provider.register(server.url, { id_token_signed_response_alg: algorithm });
        await signOut(page, 'No, stay signed in');
        await signInAgain(page);
        await alive(page);
        await expect(account(page), algorithm).toHaveAccessibleName('Account: ada, viewer');
    }
});

test('a sign-in of another browser is refused, and each one is used once', async ({ page, provider, browser, server }) => {
    await provider.change({ leadsBackByLink: true });
    await page.goto('/hosts');
    await signIn(page, provider);
    const back = page.getByRole('link', { name: 'Back to Signalbox' });
    const callback = (await back.getAttribute('href')) ?? '';

    const context = await browser.newContext({ baseURL: server.url });
    const other = await context.newPage();
    await other.goto(callback);
    const advice = 'Use the same browser and the same address until you are signed in, and allow cookies for this site.';
    await failed(other, 'This sign-in was begun in another browser, or this browser does not keep cookies.', advice);
    await other.goto('/hosts');
    await expect(other, 'the other browser is not signed in').toHaveURL(/\/sign-in/);

    await back.click();
    await expect(page).toHaveURL(/\/hosts$/);
    await alive(page);
    await page.goto(callback);
    const again = 'Sign in again. If this continues, ask an administrator.';
    await failed(page, 'This sign-in was already completed, or was begun more than 10 minutes ago.', again);
    await page.getByRole('link', { name: 'Back to sign-in' }).click();
    await expect(page, 'the session goes on').toHaveURL((url) => url.pathname === '/');
    await alive(page);

    // The code of the first browser, in the sign-in of the other one.
    await signIn(other, provider);
    const own = new URL((await other.getByRole('link', { name: 'Back to Signalbox' }).getAttribute('href')) ?? '');
    own.searchParams.set('code', new URL(callback).searchParams.get('code') ?? '');
    await other.goto(own.href);
    await failed(other, 'The provider rejected the code of this sign-in: it was used twice, or has expired.', again);
    await context.close();
});

test('a provider that is away when the server starts is found without a restart', async ({ page, provider, server }) => {
    await provider.stop();
    await restart(server, provider.configuration(server.folder));
    await page.goto('/hosts');
    await toProvider(page);
    await expect(page.getByRole('alert')).toContainText("The provider can't be reached: it did not answer");
    await expect(page.getByRole('alert')).toContainText('Try again in a minute. Local users and tokens still work');
    await provider.start();
    await untilProviderIsBack(page);
    await enter(page, provider.ada.password);
    await allow(page);
    await expect(page).toHaveURL(/\/hosts$/);
    await alive(page);
});

/** Tries again until the provider is found; after a failure, the server waits for a second before it asks again. */
async function untilProviderIsBack(page: Page): Promise<void> {
    await expect(async () => {
        await toProvider(page);
        await expect(heading(page)).toHaveText('Sign in to Example ID', { timeout: 500 });
    }).toPass({ timeout: 20_000 });
}

test('a provider that goes away during a sign-in is named, with what to do', async ({ page, provider }) => {
    await provider.change({ leadsBackByLink: true });
    await page.goto('/hosts');
    await signIn(page, provider);
    const back = page.getByRole('link', { name: 'Back to Signalbox' });
    await expect(back).toBeVisible();
    await provider.stop();
    await back.click();
    await failed(page, /^The provider can't be reached: it did not answer \(.+\)\.$/, 'Try again in a minute.');
    await backToSignIn(page, '/hosts');
    // The person is not sent to an address that does not answer.
    await expect(async () => {
        await page.goto('/sign-in?to=%2Fhosts');
        await toProvider(page);
        await expect(page.getByRole('alert')).toContainText("The provider can't be reached", { timeout: 500 });
    }).toPass({ timeout: 20_000 });

    await provider.change({ leadsBackByLink: false });
    await provider.start();
    await untilProviderIsBack(page);
    await enter(page, provider.ada.password);
    await allow(page);
    await expect(page).toHaveURL(/\/hosts$/);
    await alive(page);
});

test('clocks may differ by half a minute, but not by minutes', async ({ page, provider }) => {
    const advice = 'Ask an administrator to check the clocks of the server and of the provider';
    for (const [seconds, reason] of [[-400, /it expired at .+, and the clock of the server says/], [400, /it is valid from/]] as const) {
        await provider.stop();
        await provider.change({ clockSeconds: seconds });
        await provider.start();
        await page.goto('/hosts');
        await untilProviderIsBack(page);
        await enter(page, provider.ada.password);
        await allow(page);
        await failed(page, reason, advice);
    }
    await provider.stop();
    await provider.change({ clockSeconds: 30 });
    await provider.start();
    await page.goto('/hosts');
    await untilProviderIsBack(page);
    await enter(page, provider.ada.password);
    await allow(page);
    await alive(page);
});

test('a client with a wrong secret is told apart from one without a secret', async ({ page, provider, server }) => {
    await restart(server, provider.configuration(server.folder, 'another secret'));
    await page.goto('/hosts');
    await signIn(page, provider);
    const advice = "Ask an administrator to compare the section [oidc] of the configuration with the provider's settings.";
    await failed(page, 'The provider does not accept Signalbox as a client (invalid_client).', advice);

    await provider.register(server.url, { token_endpoint_auth_method: 'none', client_secret: undefined });
    await restart(server, provider.configuration(server.folder, ''));
    await page.goto('/hosts');
    await toProvider(page);
    await expect(page, 'the provider still knows the person').toHaveURL(/\/hosts$/);
    await alive(page);
});
