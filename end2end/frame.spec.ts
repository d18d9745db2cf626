// The frame around every page: palette, shortcuts, title of the browser tab, time zone, the menu of an operation,
// notifications, and undo.
import type { Page } from '@playwright/test';
import { alive, expect, start, SYMBOL, test } from './signalbox';

/** A load that takes minutes. */
const slow = { symbol: 'SLOW', timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: 150 };

async function openPalette(page: Page) {
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Search or command' });
    await expect(palette.getByRole('combobox')).toBeFocused();
    return palette;
}

/** The page goes out of sight, or comes back. */
async function show(page: Page, shown: boolean): Promise<void> {
    await page.evaluate((shown) => {
        Object.defineProperty(document, 'hidden', { value: !shown, configurable: true });
        Object.defineProperty(document, 'visibilityState', { value: shown ? 'visible' : 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, shown);
}

test('the palette reaches every page by keyboard, and returns the focus', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const id = await start(request, 'data.load', slow);
    await page.goto('/');
    await alive(page);
    const brand = page.getByRole('link', { name: 'Signalbox: overview' });
    await brand.focus();
    const palette = await openPalette(page);
    const chosen = palette.locator('[aria-selected="true"]');

    // Escape leaves everything as it was.
    await page.keyboard.press('Escape');
    await expect(palette).toBeHidden();
    await expect(brand).toBeFocused();

    // Pages, by the beginnings of their words; the letters that were found are marked.
    await openPalette(page);
    await page.keyboard.type('hos');
    await expect(chosen).toContainText('Hosts');
    await expect(chosen.locator('mark')).toHaveText('Hos');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/hosts$/);
    await expect(palette).toBeHidden();

    // What can be started.
    await openPalette(page);
    await page.keyboard.type('start load');
    await expect(chosen).toContainText('data.load');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(/\/new\?kind=data\.load$/);

    // An operation by its words, with its state; arrows go round.
    await openPalette(page);
    await page.keyboard.type('slow');
    await expect(chosen).toContainText('running');
    const first = await chosen.getAttribute('id');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    await expect(palette.locator(`#${first}`)).toHaveAttribute('aria-selected', 'true');
    await expect(palette.getByRole('combobox')).toHaveAttribute('aria-activedescendant', first!);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`/operations/${id}$`));

    // What can be done with the operation that is open; what can't be undone is asked about first, elsewhere not. The
    // address changes before its page is there.
    await expect(page.getByRole('main').getByRole('button', { name: 'Cancel operation' })).toBeVisible();
    await expect(page).toHaveTitle(/SLOW/);
    await openPalette(page);
    await expect(palette.getByRole('group', { name: 'This operation' })).toContainText('Cancel operation');
    await page.keyboard.type('cancel');
    await expect(chosen).toContainText('Cancel operation');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('main').locator('.op-state')).toContainText('cancelled');

    // What was chosen lately is offered first; an id that is pasted whole leads there.
    await openPalette(page);
    await expect(palette.getByRole('group', { name: 'Recent' })).toContainText('Hosts');
    await page.keyboard.type(id);
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`/operations/${id}$`));

    await openPalette(page);
    await page.keyboard.type('qqqq');
    await expect(palette.getByRole('status')).toContainText('No results for “qqqq”');
});

test('the palette works by touch', async ({ page }) => {
    await page.goto('/');
    await alive(page);
    await page.getByRole('button', { name: 'Search or command' }).click();
    const palette = page.getByRole('dialog', { name: 'Search or command' });
    await palette.getByRole('combobox').fill('theme dark');
    await palette.getByRole('option', { name: 'Theme: dark' }).click();
    await expect(palette).toBeHidden();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    await expect(page.getByRole('button', { name: /^Theme: dark/ })).toBeVisible();
});

test('shortcuts do what their sheet says, and nothing while typing', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const id = await start(request, 'data.load', { ...slow, symbol: 'KEYS' });
    await page.goto('/operations');
    await alive(page);
    // In a field a letter is a letter.
    await page.keyboard.press('/');
    const words = page.getByRole('combobox', { name: 'Filter', exact: true });
    await expect(words).toBeFocused();
    await page.keyboard.type('nKEY');
    await expect(words).toHaveValue('nKEY');
    await words.fill('');
    await words.blur();
    await expect(page).toHaveURL(/\/operations$/);

    await page.keyboard.press('j');
    await expect(page.locator('tr.row a.title').first()).toBeFocused();
    await page.keyboard.press('x');
    await expect(page.locator('tr.row [data-pick]').first()).toBeChecked();
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`/operations/${id}$`));

    await page.keyboard.press('Shift+?');
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await expect(sheet).toContainText('Cancel operation');
    // A user who speaks to the machine can do without single letters.
    await sheet.getByRole('checkbox', { name: 'Enable single-key shortcuts' }).uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    await expect(page).toHaveURL(new RegExp(`/operations/${id}$`));
    const palette = await openPalette(page);
    await page.keyboard.type('keyboard shortcuts');
    await page.keyboard.press('Enter');
    await expect(palette).toBeHidden();
    await sheet.getByRole('checkbox', { name: 'Enable single-key shortcuts' }).check();
    await page.keyboard.press('Escape');
    // What Caps Lock makes of a plain c; keys after it are connected as before.
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.locator('body').dispatchEvent('keydown', { key: 'C' });
    await page.keyboard.press('Shift+?');
    await expect(sheet).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(sheet).toBeHidden();
    expect(asked.filter((url) => url.endsWith('/cancel'))).toEqual([]);
    await page.keyboard.press('Shift+C');
    await expect(page.getByRole('main').locator('.op-state')).toContainText('cancelled');
});

test('the browser tab shows what runs and whether the page is live', async ({ page, request, server, tolerated }) => {
    tolerated.push(/ERR_|Failed to load resource|net::/);
    const icon = page.locator('#icon');
    await page.goto('/operations');
    await alive(page);
    await expect(page).toHaveTitle('Operations · Signalbox');
    await expect(icon).toHaveAttribute('href', '/favicon.svg');
    const id = await start(request, 'data.load', slow);
    await expect(page).toHaveTitle('1 running · Operations · Signalbox');
    await expect(icon).toHaveAttribute('href', '/favicon-running.svg');
    await page.goto(`/operations/${id}`);
    await alive(page);
    await expect(page).toHaveTitle(/^\d+ % · SLOW .* · Signalbox$/);

    // What failed is told until somebody looks at it: an open tab alone is no look.
    await show(page, false);
    const failing = await start(request, 'data.load', { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' });
    await expect(icon).toHaveAttribute('href', '/favicon-failed.svg');
    await show(page, true);
    await expect(icon).toHaveAttribute('href', '/favicon-failed.svg');
    await page.goto(`/operations/${failing}`);
    await alive(page);
    await expect(icon).toHaveAttribute('href', '/favicon-running.svg');

    // Without a server nothing is claimed.
    await server.stop();
    await expect(page).toHaveTitle(/^⚠ /, { timeout: 20_000 });
    await expect(icon).toHaveAttribute('href', '/favicon-stale.svg');
});

test.describe('outside of UTC', () => {
    test.use({ timezoneId: 'Asia/Kathmandu' });

    test('times are in the chosen zone, and always name it', async ({ page, request }) => {
        const id = await start(request, 'data.load', slow);
        await page.goto(`/operations/${id}`);
        await alive(page);
        const started = page.getByRole('main').locator('.op-facts time').first();
        await expect(started).toHaveText(/^\d\d:\d\d:\d\d UTC$/);
        const utc = await started.getAttribute('datetime');
        await page.getByRole('button', { name: 'Times in UTC. Switch to local time' }).click();
        await expect(started).toHaveText(/^\d\d:\d\d:\d\d UTC\+5:45$/);
        await expect(started).toHaveAttribute('title', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+5:45$/);
        // The same moment, by another clock.
        const there = new Date(Date.parse(utc!) + (5 * 60 + 45) * 60_000).toISOString().slice(11, 19);
        await expect(started).toContainText(there);
        await page.reload();
        await alive(page);
        await expect(started).toHaveText(/UTC\+5:45$/);
        await page.getByRole('button', { name: /^Times in UTC\+5:45/ }).click();
        await expect(started).toHaveText(/UTC$/);
    });
});

test('an operation is shared by its menu', async ({ page, request, context, server }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
    const id = await start(request, 'data.load', slow);
    await page.goto(`/operations/${id}`);
    await alive(page);
    const more = page.locator('summary[aria-label="More actions"]');
    const take = async (item: string) => {
        await more.click();
        await page.getByRole('button', { name: item }).click();
        await expect(page.getByRole('button', { name: item })).toBeHidden();
        return page.evaluate(() => navigator.clipboard.readText());
    };
    expect(await take('Copy ID')).toBe(id);
    expect(await take('Copy link')).toBe(`${server.url}/operations/${id}`);
    expect(await take('Copy as curl')).toContain(`curl ${server.url}/api/v1/operations -H`);
    const line = await take('Copy as command line');
    expect(line).toContain('signalbox start data.load symbol=SLOW timeframe=1h');
    expect(line).toContain(`--server ${server.url}`);
    // Escape closes it and gives the focus back to its button.
    await more.click();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: 'Copy ID' })).toBeHidden();
    await expect(more).toBeFocused();
});

test('the end of an operation is notified on the page, by the browser, or at the next visit', async ({ page, request, context, server }) => {
    await context.grantPermissions(['notifications'], { origin: server.url });
    // A browser without a desktop shows no notification: what it is asked for is noted instead.
    await context.addInitScript(() => {
        const shown: string[] = [];
        (window as unknown as { shown: string[] }).shown = shown;
        class Noted {
            static permission = 'granted';
            static requestPermission = async () => 'granted';
            onclick: (() => void) | null = null;
            constructor(title: string, options: { body: string }) {
                shown.push(`${title}: ${options.body}`);
                (window as unknown as { last: Noted }).last = this;
            }
            close() {}
        }
        Object.defineProperty(window, 'Notification', { value: Noted });
    });
    const end = (id: string) => request.post(`/api/v1/operations/${id}/cancel`, { data: {} });
    const toasts = page.locator('.toasts');
    const tell = page.getByRole('button', { name: 'Notify me' }).first();

    const first = await start(request, 'data.load', { ...slow, symbol: 'FIRST' });
    await page.goto(`/operations/${first}`);
    await alive(page);
    await tell.click();
    await expect(tell).toHaveAttribute('aria-pressed', 'true');
    await expect(toasts).toContainText('You will be notified when FIRST');
    // It survives a reload, and is shown on every page.
    await page.goto('/hosts');
    await alive(page);
    await end(first);
    await expect(toasts).toContainText(/FIRST .* cancelled after/);
    await toasts.getByRole('link', { name: 'Open' }).click();
    await expect(page).toHaveURL(new RegExp(`/operations/${first}$`));

    const second = await start(request, 'data.load', { ...slow, symbol: 'SECOND' });
    await page.goto(`/operations/${second}`);
    await alive(page);
    await tell.click();
    await expect(tell).toHaveAttribute('aria-pressed', 'true');
    await page.goto('/hosts');
    await alive(page);
    await show(page, false);
    await end(second);
    const shown = () => page.evaluate(() => (window as unknown as { shown: string[] }).shown);
    await expect.poll(shown).toEqual([expect.stringMatching(/^SECOND .*: cancelled after/)]);
    await expect(toasts).not.toContainText('SECOND');
    await page.evaluate(() => (window as unknown as { last: { onclick: () => void } }).last.onclick());
    await expect(page).toHaveURL(new RegExp(`/operations/${second}$`));

    const third = await start(request, 'data.load', { ...slow, symbol: 'THIRD' });
    await page.goto(`/operations/${third}`);
    await alive(page);
    await tell.click();
    await expect(tell).toHaveAttribute('aria-pressed', 'true');
    await page.goto('about:blank');
    await end(third);
    await expect.poll(async () => (await (await request.get(`/api/v1/operations/${third}`)).json()).operation.state).toBe('cancelled');
    await page.goto('/');
    await alive(page);
    await expect(toasts).toContainText(/THIRD .* cancelled after .*, while you were away/);
    // Told once.
    await page.reload();
    await alive(page);
    await expect(toasts).not.toContainText('THIRD');
});

test('an action can be undone from its notification', async ({ page, request }) => {
    await page.goto('/hosts');
    await alive(page);
    const draining = async () => (await (await request.get('/api/v1/hosts')).json()).hosts[0].draining ?? false;
    await page.getByRole('button', { name: 'Drain…' }).first().click();
    await page.getByRole('button', { name: 'Drain host' }).click();
    const note = page.locator('.toast').filter({ hasText: 'accepts no new operations' });
    await expect.poll(draining).toBe(true);
    await note.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(draining).toBe(false);
    await expect(page.getByRole('button', { name: 'Drain…' }).first()).toBeVisible();

    await start(request, 'data.load', { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' });
    await page.goto('/');
    await alive(page);
    const failed = page.getByRole('region', { name: 'Needs attention' });
    await failed.getByRole('button', { name: 'Mark as seen' }).click();
    await expect(failed.getByText('Nothing needs attention')).toBeVisible();
    await page.locator('.toast').filter({ hasText: 'marked as seen' }).getByRole('button', { name: 'Undo' }).click();
    await expect(failed.locator('tr.row')).toContainText('NOSUCH');
});

test('printed pages have no controls', async ({ page, request }) => {
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await page.goto(`/operations/${id}`);
    await alive(page);
    await expect(page.getByRole('main').locator('.op-state')).toContainText('succeeded');
    await page.emulateMedia({ media: 'print' });
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Parameters' }).first()).toBeVisible();
    await expect(page.getByRole('navigation', { name: 'Pages' })).toBeHidden();
    await expect(page.locator('.op-actions')).toBeHidden();
    await expect(page.locator('.top')).toBeHidden();
});

test('no page scrolls sideways at 320 pixels, with the menu open or closed', async ({ page, request }, info) => {
    test.skip(info.project.name !== 'phone', 'the width is the test\'s own');
    await page.setViewportSize({ width: 320, height: 640 });
    const loaded = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    const failed = await start(request, 'data.load', { symbol: 'NO-SUCH-SYMBOL-AT-ALL', timeframe: '1h', source: 'csv' });
    const stays = async () => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, page.url()).toBeLessThanOrEqual(320);
    };
    for (const at of ['/', '/operations', '/operations?state=failed&q=no', '/new', '/compare', '/hosts', '/hosts/local?range=15m']) {
        await page.goto(at);
        await alive(page);
        await stays();
    }
    for (const id of [loaded, failed]) {
        await page.goto(`/operations/${id}`);
        await alive(page);
        await expect(page.locator('.op-state')).toContainText(/succeeded|failed/);
        await stays();
        await page.locator('summary[aria-label="More actions"]').click();
        await expect(page.getByRole('button', { name: 'Copy as command line' })).toBeVisible();
        await stays();
        await expect(page.locator('.op-actions .menu-list')).toBeInViewport({ ratio: 0.5 });
    }
});

test('the menu of an operation shows shortcuts only where they exist', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keys');
    const id = await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' });
    await page.goto(`/operations/${id}`);
    await alive(page);
    await page.locator('summary[aria-label="More actions"]').click();
    const keys = await page.locator('.menu-list kbd').allTextContents();
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => key.trim() === '')).toEqual([]);
    await expect(page.getByRole('button', { name: 'Copy as curl' }).locator('kbd')).toHaveCount(0);
});

test('the frame shows where the page is and how many operations are active', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no space for it');
    const id = await start(request, 'data.load', slow);
    await page.goto('/operations');
    await alive(page);
    const pages = page.getByRole('navigation', { name: 'Pages' });
    await expect(pages.getByRole('link', { name: /^Operations\s*1 active$/ })).toBeVisible();
    await page.goto(`/operations/${id}`);
    await alive(page);
    const crumbs = page.getByRole('navigation', { name: 'Breadcrumb' });
    await expect(crumbs.locator('[aria-current]')).toHaveText(/^SLOW /);
    await request.post(`/api/v1/operations/${id}/cancel`, { data: {} });
    await expect(pages.getByRole('link', { name: 'Operations', exact: true })).toBeVisible();
    await crumbs.getByRole('link', { name: 'Operations' }).click();
    await expect(page).toHaveURL(/\/operations$/);
});

test('a page with old data is dimmed below a strip with its age', async ({ page, server, tolerated }) => {
    // What is loaded later may be on its way when the server stops.
    tolerated.push(/ERR_|Failed to load resource|Failed to fetch|net::/);
    await page.goto('/operations');
    await alive(page);
    const strip = page.locator('.stale-strip');
    await expect(strip).toHaveCount(0);
    await server.stop();
    await expect(strip).toContainText(/Reconnecting|offline|No data/, { timeout: 20_000 });
    await expect(page.locator('#content')).toHaveCSS('opacity', '0.6');
});
