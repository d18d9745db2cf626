// What every test gets: a server of its own with some market data, and a page that must not complain.
import { test as base, expect, type APIRequestContext, type Locator, type Page } from '@playwright/test';
import { writeHourly } from './market';
import { Server } from './server';

export { expect };

/** The symbol whose data every server has. */
export const SYMBOL = 'ACME';

interface Signalbox {
    server: Server;
    /** Rows in the file of SYMBOL. */
    rows: number;
    /** What the page may complain of: a test that provokes it adds to this. */
    tolerated: RegExp[];
    /** Whether pages explain themselves, as on a first visit. */
    hints: boolean;
}

export const test = base.extend<Signalbox>({
    tolerated: async ({}, use) => use([]),

    hints: [false, { option: true }],

    context: async ({ context, hints }, use) => {
        if (!hints) await context.addInitScript(seenHints);
        await use(context);
    },


    rows: async ({ server }, use) => use(writeHourly(server.csv, { symbol: SYMBOL })),

    server: async ({}, use, info) => {
        const server = new Server();
        // Whatever happens, nothing of it is left.
        try {
            await server.start();
            await use(server);
            if (info.status !== info.expectedStatus) {
                await info.attach('server.log', { body: server.output(), contentType: 'text/plain' });
            }
            await server.stop();
        } finally {
            await server.kill();
            server.forget();
        }
    },

    baseURL: async ({ server, rows }, use) => {
        expect(rows).toBeGreaterThan(0);
        await use(server.url);
    },

    page: async ({ page, tolerated }, use) => {
        const complaints: string[] = [];
        page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
        page.on('console', (message) => {
            if (message.type() === 'error' || /hydrat/i.test(message.text())) complaints.push(message.text());
        });
        await use(page);
        const real = complaints.filter((complaint) => !tolerated.some((pattern) => pattern.test(complaint)));
        expect(real, 'what the page complained of in the console').toEqual([]);
    },
});

/** Marks the hints of all pages as seen; a page without an address has no storage. */
function seenHints(): void {
    if (location.protocol !== 'about:') localStorage.setItem('signalbox.hints', 'overview operations operation new compare hosts');
}

/** The badge that says how fresh the page is. */
export function badge(page: Page): Locator {
    return page.locator('.badge');
}

/** Starts an operation without the page, and gives its id. */
export async function start(request: APIRequestContext, kind: string, params: object): Promise<string> {
    const answer = await request.post('/api/v1/operations', { data: { kind, params } });
    expect(answer.ok(), await answer.text()).toBe(true);
    return (await answer.json()).id;
}

/** The page lives: its code runs and its stream is open. */
export async function alive(page: Page): Promise<void> {
    await expect(badge(page)).toContainText('Live');
}

/** The entry of the sidebar, or of the bar at the bottom of a phone. */
export function rail(page: Page, name: string): Locator {
    return page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name });
}

/** The row of an operation in the list; a phone shows it as two lines. */
export function row(page: Page, title: string): Locator {
    return page.locator('tr.row').filter({ has: page.locator('a.title', { hasText: title }) });
}

/** The link of a row to the page of its operation. */
export function linkOf(row: Locator): Locator {
    return row.locator('.c-what').getByRole('link');
}

/** How far a progress bar is, 0 to 100. */
export async function percent(within: Locator): Promise<number> {
    const bar = within.getByRole('progressbar', { name: 'Progress' }).first();
    return Number((await bar.getAttribute('aria-valuenow')) ?? 0);
}

/** Waits until it is at least so far. */
export async function reaches(within: Locator, least: number): Promise<void> {
    await expect.poll(() => percent(within), { timeout: 20_000 }).toBeGreaterThanOrEqual(least);
}

/** Chooses a value of a field, whichever control the page has for it. */
async function choose(page: Page, field: string, value: string): Promise<void> {
    const side = page.getByRole('radiogroup', { name: field });
    const list = page.getByRole('combobox', { name: field });
    await expect(side.or(list).first()).toBeVisible();
    if ((await side.count()) > 0) await side.getByRole('radio', { name: value, exact: true }).check();
    else await list.selectOption(value);
}

/** Chooses the kind of a new operation: in the line of kinds, or on a phone in the list. */
export async function chooseKind(page: Page, kind: string): Promise<void> {
    await expect(page.locator('.kind-bar')).toBeVisible();
    const list = page.getByRole('combobox', { name: 'Kind', exact: true });
    if (await list.isVisible()) await list.selectOption(kind);
    else await page.getByRole('navigation', { name: 'Kind' }).getByRole('link', { name: kind }).click();
}

/** Unfolds the advanced fields of the form. */
export async function unfoldAdvanced(page: Page): Promise<void> {
    const folded = page.locator('details.form-more').filter({ hasText: /^Advanced/ });
    if (!(await folded.evaluate((details: HTMLDetailsElement) => details.open))) await folded.locator('summary').click();
}

/** Fills in the form of `data.load`; `rowsPerSecond` makes it slow enough to be watched. */
export async function fillLoad(page: Page, fields: { symbol: string; rowsPerSecond?: number }): Promise<void> {
    await page.getByLabel('Symbol').fill(fields.symbol);
    await choose(page, 'Timeframe', '1h');
    await choose(page, 'Source', 'csv');
    await unfoldAdvanced(page);
    await page.getByLabel('Rows per second').fill(fields.rowsPerSecond?.toString() ?? '');
}

/** Starts what the form says; the page goes on to the operation. */
export async function submit(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Start load' }).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
}

/** From the list: New operation, the kind, its form, and off it goes. */
export async function startLoad(page: Page, fields: { symbol: string; rowsPerSecond?: number }): Promise<void> {
    await page.goto('/');
    await alive(page);
    await page.getByRole('main').getByRole('link', { name: 'New operation' }).click();
    await chooseKind(page, 'data.load');
    await fillLoad(page, fields);
    await submit(page);
}

/** Lets answers to a request wait until they are let go; gives the way to do that. */
export async function held(page: Page, path: string | RegExp): Promise<() => void> {
    let letGo = () => {};
    const waits = new Promise<void>((done) => (letGo = done));
    await page.route(path, async (route) => {
        await waits;
        await route.continue();
    });
    return letGo;
}
