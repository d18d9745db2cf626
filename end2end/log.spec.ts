// The log of an operation: long, coloured, followed, searched and linked. Only lines in view are in the document.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { APIRequestContext, Locator, Page } from '@playwright/test';
import { alive, expect, start, test as base } from './signalbox';

/** Lines of the long log. */
const MANY = 100_000;
/** Maximum number of rows in the document, whatever the length of the log. */
const MAX_ROWS = 60;

/** Prints many lines as fast as it can: every hundredth in red, every thousandth a warning, and a unique one at 61,803. */
const CHATTER = `awk -v n="$1" 'BEGIN {
    for (i = 1; i <= n; i++) {
        if (i == 61803) print "a needle in it";
        else if (i % 1000 == 0) print "WARNING line " i;
        else if (i % 100 == 0) print "line " i " is \\033[1;31mred\\033[0m and \\033[38;5;46mgreen\\033[0m\\033[2K";
        else print "line " i;
    }
}'
printf 'drawn 1\\rdrawn 2\\rdrawn at last\\n'
`;

/** Prints a line whenever its file grows by one. */
const ECHO = `tail -n +1 -f "$1"
`;

const test = base.extend<{ news: string }>({
    news: async ({ server }, use) => use(path.join(server.folder, 'news')),

    server: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const script = (name: string, text: string) => {
            const file = path.join(server.folder, name);
            writeFileSync(file, text);
            return file;
        };
        const news = script('news', '');
        const kinds = `[exec.chatter]
command = ["sh", "${script('chatter.sh', CHATTER)}", "{lines}"]
params.lines = { type = "integer", default = ${MANY}, min = 1, max = ${MANY} }
progress = "none"
log_at_once = 200000

[exec.echo]
command = ["sh", "${script('echo.sh', ECHO)}", "${news}"]
progress = "none"
`;
        writeFileSync(path.join(data, 'exec.toml'), kinds);
        await server.start();
        await use(server);
    },
});

async function ended(request: APIRequestContext, id: string): Promise<void> {
    const now = async () => (await (await request.get(`/api/v1/operations/${id}`)).json()).operation.state;
    await expect.poll(now, { timeout: 60_000 }).toBe('succeeded');
}

/** Opens the log of an operation that printed this many lines. */
async function chatter(page: Page, request: APIRequestContext, lines: number, more = ''): Promise<Locator> {
    const id = await start(request, 'exec.chatter', { lines });
    await ended(request, id);
    await page.goto(`/operations/${id}${more}`);
    await alive(page);
    return page.getByRole('log');
}

function card(page: Page): Locator {
    return page.getByRole('region', { name: 'Log', exact: true });
}

/** Number of elements in the list. */
function nodes(log: Locator): Promise<number> {
    return log.evaluate((list) => list.querySelectorAll('*').length);
}

/** Scrolls the list to a share of its height. */
async function scrollTo(log: Locator, share: number): Promise<void> {
    await log.evaluate((list, share) => (list.scrollTop = share * (list.scrollHeight - list.clientHeight)), share);
}

test('a log of a hundred thousand lines scrolls with few of them in the document', async ({ page, request }) => {
    test.setTimeout(120_000);
    const log = await chatter(page, request, MANY);
    // It opens at the end.
    await expect(log).toContainText('drawn at last');
    await expect(log).not.toContainText('drawn 1');

    let most = 0;
    for (const share of [0.9, 0.5, 0.25, 0.1, 0.75, 0]) {
        await scrollTo(log, share);
        // Lines in view are loaded; the first visible row is the scroll position.
        await expect(log.locator('[data-missing]')).toHaveCount(0);
        most = Math.max(most, await log.locator('.log-line').count());
        expect(await nodes(log)).toBeLessThan(MAX_ROWS * 8);
    }
    await expect(log).toContainText('line 1');
    expect(most).toBeLessThanOrEqual(MAX_ROWS);
    // To the end by keyboard.
    await log.focus();
    await page.keyboard.press('End');
    await expect(log).toContainText('drawn at last');
    await expect(page.getByRole('checkbox', { name: 'Follow' })).toBeChecked();
});

test('colours become classes, and no escape codes are shown', async ({ page, request }) => {
    const log = await chatter(page, request, 150);
    await scrollTo(log, 0.66);
    const row = log.locator('.log-line').filter({ hasText: 'line 100 is' });
    await expect(row.locator('.log-text')).toHaveText('line 100 is red and green');
    await expect(row.locator('.ink1.bold')).toHaveText('red');
    await expect(row.locator('.ink10')).toHaveText('green');
    await expect(row.locator('.ink1')).not.toHaveCSS('color', await row.locator('.log-text').evaluate((e) => getComputedStyle(e).color));
});

test('the search finds, marks, counts and opens lines that are not loaded', async ({ page, request }) => {
    test.setTimeout(120_000);
    const log = await chatter(page, request, MANY);
    const search = page.getByRole('searchbox', { name: 'Search the log' });
    await search.fill('WARNING line 100000');
    await expect(card(page).getByRole('status').first()).toHaveText('1 match');
    await search.fill('haystack');
    await expect(card(page).getByRole('status').first()).toHaveText('No matches');
    await search.fill('needle');
    await expect(card(page).getByRole('status').first()).toHaveText('1 match');
    await search.press('Enter');
    await expect(log.locator('mark')).toHaveText('needle');
    await expect(page).toHaveURL(/#L61803$/);
    await expect(card(page)).toContainText('1 of 1');

    // From match to match, wrapping around the end.
    await search.fill('warning');
    await expect(card(page)).toContainText('100 matches');
    await search.press('Enter');
    await expect(page).toHaveURL(/#L62000$/);
    await search.press('Shift+Enter');
    await expect(page).toHaveURL(/#L61000$/);
    await expect(log.locator('[data-marked] mark')).toHaveText('WARNING');
    expect(await log.locator('.log-line').count()).toBeLessThanOrEqual(MAX_ROWS);
});

test('copying takes all lines, and a selection has no blank lines in between', async ({ page, request, context, browserName }) => {
    test.setTimeout(120_000);
    const log = await chatter(page, request, 12_000);
    const selected = await log.evaluate((list) => {
        const rows = [...list.querySelectorAll('.log-line')].slice(-3);
        const range = document.createRange();
        range.setStartBefore(rows[0]);
        range.setEndAfter(rows[2]);
        const selection = getSelection() as Selection;
        selection.removeAllRanges();
        selection.addRange(range);
        const text = selection.toString();
        selection.removeAllRanges();
        return text;
    });
    expect(selected.trim()).not.toContain('\n\n');
    expect(selected).toContain('drawn at last');
    test.skip(browserName !== 'chromium', 'only Chromium lets a test read the clipboard');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await card(page).getByRole('button', { name: 'Copy', exact: true }).click();
    await expect(page.getByText('Copied 12,001 lines')).toBeVisible();
    const lines = (await page.evaluate(() => navigator.clipboard.readText())).trimEnd().split('\n');
    expect(lines).toHaveLength(12_001);
    expect(lines[0]).toMatch(/ info {2}line 1$/);
    expect(lines.at(-1)).toMatch(/drawn at last$/);
});

test('a level filter lists lines that are not loaded', async ({ page, request }) => {
    test.setTimeout(120_000);
    const log = await chatter(page, request, 12_000, '?log-level=warn');
    await expect(log.locator('.log-line')).toHaveCount(12);
    await expect(log.locator('.log-line').first()).toContainText('WARNING line 1000');
});

test('a link to a line opens it, with its full text', async ({ page, request }) => {
    const log = await chatter(page, request, 5_000, '#L1234');
    const whole = page.getByRole('region', { name: 'Line 1,234' });
    await expect(whole).toContainText('line 1234');
    await expect(log.locator('[data-marked]')).toContainText('line 1234');
    await expect(log.locator('[data-marked]')).toBeInViewport();

    await log.locator('.log-line').filter({ hasText: 'line 1236' }).getByRole('link').click();
    await expect(page).toHaveURL(/#L1236$/);
    await page.reload();
    await expect(page.getByRole('region', { name: 'Line 1,236' })).toContainText('line 1236');
    await expect(log.locator('[data-marked]')).toBeInViewport();
    await page.getByRole('button', { name: 'Close line' }).click();
    await expect(page).not.toHaveURL(/#L/);
    await expect(log.locator('[data-marked]')).toHaveCount(0);

    await page.goto(page.url() + '#L99999');
    await expect(card(page)).toContainText('Line 99,999 does not exist');
});

test('levels are filtered, and level and search are in the address', async ({ page, request }) => {
    const log = await chatter(page, request, 900);
    await page.getByRole('combobox', { name: 'Minimum level' }).selectOption('warn');
    await expect(log).toContainText('No lines at this level.');
    await page.getByRole('combobox', { name: 'Minimum level' }).selectOption('info');
    await expect(log.locator('.log-line').last()).toContainText('drawn at last');
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('line 777');
    await page.getByRole('searchbox', { name: 'Search the log' }).press('Enter');
    await expect(page).toHaveURL(/log-level=info&log-find=line\+?(%20)?777#L777$/);
    await page.reload();
    await alive(page);
    await expect(page.getByRole('searchbox', { name: 'Search the log' })).toHaveValue('line 777');
    await expect(log.locator('[data-marked] mark')).toHaveText('line 777');
});

test('the log follows its end until it is scrolled up, and again at the end', async ({ page, request, news }) => {
    writeFileSync(news, Array.from({ length: 100 }, (_, n) => `old ${n + 1}\n`).join(''));
    const id = await start(request, 'exec.echo', {});
    await page.goto(`/operations/${id}`);
    await alive(page);
    const log = page.getByRole('log');
    await expect(log).toContainText('old 100');
    await log.scrollIntoViewIfNeeded();
    const follow = page.getByRole('checkbox', { name: 'Follow' });
    await expect(follow).toBeChecked();
    writeFileSync(news, 'fresh 1\n', { flag: 'a' });
    await expect(log.getByText('fresh 1')).toBeInViewport();

    await scrollTo(log, 0);
    await expect(follow).not.toBeChecked();
    await expect(log.getByText('old 1', { exact: true })).toBeInViewport();
    writeFileSync(news, 'fresh 2\nfresh 3\n', { flag: 'a' });
    const back = card(page).getByRole('button', { name: '2 new lines' });
    await expect(back).toBeVisible();
    await expect(log.getByText('old 1', { exact: true })).toBeInViewport();
    await back.click();
    await expect(log.getByText('fresh 3')).toBeInViewport();
    await expect(follow).toBeChecked();
    await request.post(`/api/v1/operations/${id}/cancel`, { data: {} });
});

test('the whole log can be downloaded as text', async ({ page, request }) => {
    test.setTimeout(120_000);
    await chatter(page, request, 12_000);
    const coming = page.waitForEvent('download');
    await card(page).getByRole('link', { name: 'Download' }).click();
    const file = await (await coming).path();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(12_001);
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}line 1$/);
    expect(lines[99]).toMatch(/line 100 is red and green$/);
    expect(lines[12_000]).toMatch(/drawn at last$/);
});
