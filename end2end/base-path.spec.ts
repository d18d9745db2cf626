// Below a path of a host, behind a real nginx: page, styles, WebAssembly parts, API, stream, links, cookies, and the
// command line. Once with a proxy that removes the path from forwarded requests, once with one that keeps it.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { NO_NGINX, Nginx, nginx, type Prefix } from './nginx';
import { Server, program } from './server';
import { alive, chooseKind, expect, fillLoad, rail, SYMBOL, test as base } from './signalbox';

const BASE = '/signalbox';

const test = base.extend<{ behind: (prefix: Prefix) => Promise<Nginx> }>({
    server: async ({}, use) => {
        const server = new Server();
        try {
            await server.start('--base-path', BASE);
            await use(server);
            await server.stop();
        } finally {
            await server.kill();
            server.forget();
        }
    },
    behind: async ({ server }, use) => {
        const started: Nginx[] = [];
        try {
            await use(async (prefix) => {
                const proxy = new Nginx();
                started.push(proxy);
                await proxy.start(server.url, BASE, prefix);
                return proxy;
            });
        } finally {
            for (const proxy of started) await proxy.stop();
        }
    },
});

/** Collects every request that leaves the path, and every one that was refused. */
function outside(page: Page, of: string): string[] {
    const found: string[] = [];
    page.on('request', (request) => {
        const url = new URL(request.url());
        if (/^https?:$/.test(url.protocol) && !request.url().startsWith(`${of}/`)) found.push(`outside: ${request.url()}`);
    });
    page.on('response', (response) => {
        if (response.status() >= 400) found.push(`${response.status()}: ${response.url()}`);
    });
    return found;
}

/** Every link of the page leads below the path. */
async function linksStay(page: Page): Promise<void> {
    const addresses = await page.locator('a[href^="/"]').evaluateAll((links) => links.map((a) => a.getAttribute('href')));
    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.filter((address) => !address?.startsWith(`${BASE}/`) && address !== BASE)).toEqual([]);
}

for (const prefix of ['removed', 'kept'] as const) {
    test(`below a path the whole page works, with a proxy that forwards the path as ${prefix}`, async ({ page, behind, rows }) => {
        test.skip(nginx === undefined, NO_NGINX);
        expect(rows).toBeGreaterThan(0);
        const { url } = await behind(prefix);
        const found = outside(page, url);
        await page.goto(`${url}/`);
        await alive(page);
        // Its styles are there: the sidebar stands beside the content, or below it on a phone.
        await expect(page.locator('.frame')).toHaveCSS('display', 'grid');
        await linksStay(page);

        // From page to page by links, each of them opened again as well.
        for (const [name, at] of [['Operations', 'operations'], ['Compare', 'compare'], ['Hosts', 'hosts'], ['New', 'new']] as const) {
            await rail(page, name).click();
            await expect(page).toHaveURL(`${url}/${at}`);
            await expect(rail(page, name)).toHaveAttribute('aria-current', 'page');
            await expect(rail(page, 'Overview')).not.toHaveAttribute('aria-current');
            await linksStay(page);
            await page.reload();
            await alive(page);
        }

        // A form that is followed by its address, a start, the stream, a chart.
        await chooseKind(page, 'data.load');
        await expect(page).toHaveURL(`${url}/new?kind=data.load`);
        await fillLoad(page, { symbol: SYMBOL });
        await expect(page).toHaveURL(new RegExp(`${url}/new\\?kind=data.load&symbol=${SYMBOL}`));
        await page.getByRole('button', { name: 'Start load' }).click();
        await expect(page).toHaveURL(new RegExp(`^${url}/operations/[0-9a-f-]{36}$`));
        await expect(page.locator('.op-state')).toContainText('succeeded');
        await expect(page.locator('.u-over').first()).toBeVisible({ timeout: 30_000 });
        await linksStay(page);
        const id = page.url().split('/').pop() ?? '';
        await page.reload();
        await alive(page);
        await expect(page.locator('.op-state')).toContainText('succeeded');

        // Filters live in the address, and Back leads through it.
        await page.goto(`${url}/operations?state=succeeded`);
        await alive(page);
        await page.getByRole('navigation', { name: 'Filter by state' }).getByRole('link', { name: /^failed/ }).click();
        await expect(page).toHaveURL(new RegExp(`^${url}/operations\\?state=.*failed`));
        await page.goBack();
        await expect(page).toHaveURL(`${url}/operations?state=succeeded`);

        // The command line by the same address.
        const env = { ...process.env, SIGNALBOX_AGENT: 'off' };
        const run = (...args: string[]) => promisify(execFile)(program, [...args, '--server', url], { env });
        expect((await run('follow', id)).stdout).toContain('succeeded');
        expect((await run('list')).stdout).toContain(id);
        expect(found).toEqual([]);
    });
}

test('a page opened without the proxy redirects below its path', async ({ page, server }) => {
    await page.goto(`${new URL(server.url).origin}/operations?state=failed`);
    await expect(page).toHaveURL(`${server.url}/operations?state=failed`);
    await alive(page);
});

test('below a path the token cookie is limited to that path', async ({ page, context }) => {
    test.skip(nginx === undefined, NO_NGINX);
    const server = new Server();
    const proxy = new Nginx();
    try {
        await server.start('--base-path', BASE, '--token', 'a-secret');
        await proxy.start(server.url, BASE, 'removed');
        await page.goto(`${proxy.url}/hosts?token=a-secret`);
        await expect(page).toHaveURL(`${proxy.url}/hosts`);
        await alive(page);
        const cookies = await context.cookies(`${proxy.url}/`);
        expect(cookies.map((cookie) => [cookie.name, cookie.path])).toEqual([['signalbox_token', BASE]]);
        // A page that still loads parts of its program would complain.
        await page.goto('about:blank');
        await server.stop();
    } finally {
        await proxy.stop();
        await server.kill();
        server.forget();
    }
});
