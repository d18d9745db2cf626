// Users of a server with access control, for tests: made by an administrator, and signed in as a person does it.
import { type BrowserContext, type Page, request as requests } from '@playwright/test';
import { expect, test as base } from './signalbox';

/** The token that the server was started with: an administrator. */
export const ADMIN = 'an-administrator-of-tests';
const FIRST = 'a first phrase for tests';
export const PASSWORD = 'another phrase for tests';
/** What an administrator sets to end sessions. */
export const RESET = 'a third phrase for tests';

/** What an administrator can do, without the page. */
export interface Admin {
    /** Adds a user who has chosen the password. */
    add(name: string, role: string): Promise<void>;
    role(name: string, role: string): Promise<void>;
    /** Sets a new password, which ends all sessions of the user. */
    endSessions(name: string): Promise<void>;
    /** Starts an operation, and gives its id. */
    start(kind: string, params: object): Promise<string>;
    /** State of an operation. */
    state(id: string): Promise<string>;
}

export const test = base.extend<{ admin: Admin }>({
    server: async ({ server }, use) => {
        await server.stop();
        await server.start('--token', ADMIN);
        await use(server);
    },

    admin: async ({ server }, use) => {
        const headers = { authorization: `Bearer ${ADMIN}` };
        const api = await requests.newContext({ baseURL: server.url, extraHTTPHeaders: headers });
        const change = async (path: string, data: object) => {
            const answer = await api.post(path, { data });
            expect(answer.ok(), await answer.text()).toBe(true);
            return answer.json();
        };
        const user = (name: string) => `/api/v1/access/users/${name}`;
        await use({
            add: async (name, role) => {
                await change('/api/v1/access/users', { name, role, password: FIRST });
                const browser = await requests.newContext({ baseURL: server.url });
                const page = await (await browser.post('/sign-in', { form: { name, password: FIRST, to: '/' } })).text();
                const ticket = /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? '';
                const form = { ticket, password: PASSWORD, repeat: PASSWORD, to: '/account' };
                const answer = await browser.post('/sign-in/password', { form });
                expect(answer.ok(), `${name} chooses a password`).toBe(true);
                await browser.post('/sign-out');
                await browser.dispose();
            },
            role: async (name, role) => change(user(name), { role }),
            endSessions: async (name) => change(user(name), { password: RESET }),
            start: async (kind, params) => (await change('/api/v1/operations', { kind, params })).id,
            state: async (id) => (await (await api.get(`/api/v1/operations/${id}`)).json()).operation.state,
        });
        await api.dispose();
    },
});

/** Fills in the page to sign in. */
export async function fillSignIn(page: Page, name: string, password = PASSWORD): Promise<void> {
    await expect(page).toHaveURL(/\/sign-in/);
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Signs the browser in, without a page. */
export async function signIn(context: BrowserContext, name: string): Promise<void> {
    const answer = await context.request.post('/sign-in', { form: { name, password: PASSWORD, to: '/account' } });
    expect(answer.url(), `${name} is signed in`).toMatch(/\/account$/);
}
