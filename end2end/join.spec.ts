// Responses of the server are joined with the feed: the page has every event that passes while a response or a part of
// the page is loading. Responses and parts are held back until the browser has received the events.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { APIRequestContext, Locator, Page, Route } from '@playwright/test';
import { choose } from './charts';
import { until } from './pages';
import { alive, expect, linkOf, row, start, test as base } from './signalbox';

/** What the command says next, one point a line; it ends when its input is closed. */
interface Command {
    /** Says that these epochs are over. */
    epochs(from: number, to: number): void;
    /** Ends it. */
    end(): void;
    /** Whether it was ended; then its input is closed, or will be. */
    ended(): boolean;
}

const test = base.extend<{ command: Command }>({
    command: async ({ server }, use) => {
        await server.stop();
        const data = path.join(server.folder, 'data');
        mkdirSync(data, { recursive: true });
        const pipe = path.join(server.folder, 'epochs');
        execFileSync('mkfifo', [pipe]);
        // Open for both, so that opening waits for nobody.
        const input = openSync(pipe, 'r+');
        const kind = `[exec.epochs]
title = "Epochs"
summary = "epochs of a run"
command = ["sed", "-u", "/^end$/q", "${pipe}"]
series.loss = { title = "Loss", x = "epoch" }

[exec.short]
title = "Short"
summary = "one that has ended"
command = ["echo", '{{"step": 1, "loss": 1}}']
series.loss = { title = "Loss", x = "epoch" }
`;
        writeFileSync(path.join(data, 'exec.toml'), kind);
        await server.start();
        let ended = false;
        await use({
            ended: () => ended,
            epochs(from, to) {
                for (let n = from; n <= to; n++) writeSync(input, `{"step": ${n}, "loss": ${100 - n}}\n`);
            },
            end() {
                ended = true;
                writeSync(input, 'end\n');
            },
        });
        ended = true;
        closeSync(input);
    },
});

/** Holds back what fits, after the server has answered it, until more epochs have come into the page. */
async function overtake(page: Page, fits: RegExp, more: () => Promise<void>): Promise<void> {
    await page.route(fits, async (route: Route) => {
        if (route.request().method() !== 'GET') return route.continue();
        const response = await route.fetch();
        await more();
        // The page may have been closed meanwhile.
        await route.fulfill({ response }).catch(() => undefined);
    });
}

/** Says one more epoch at a time, and waits until the page has it. */
function oneMore(command: Command, come: (epoch: number) => Promise<void>): { more: () => Promise<void>; written: () => number } {
    let epoch = 0;
    const more = async () => {
        // A part of the program that the page loads ahead may come when the test is over.
        if (command.ended()) return;
        epoch += 1;
        const mine = epoch;
        command.epochs(mine, mine);
        await come(mine);
    };
    return { more, written: () => epoch };
}

/** The questions that the page of an operation opens with. */
const QUESTIONS = /\/api\/v1\/operations\/[0-9a-f-]{36}(\/series|\/logs|$|\?)/;

/** Told when an epoch has come into the browser, by the stream of this page. */
async function streamed(page: Page): Promise<(epoch: number) => Promise<void>> {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    let newest = 0;
    let told: (() => void)[] = [];
    session.on('Network.eventSourceMessageReceived', ({ data }) => {
        for (const [, epoch] of data.matchAll(/\[(\d+)(?:\.0)?,/g)) {
            if (data.includes('"points"')) newest = Math.max(newest, Number(epoch));
        }
        told.splice(0).forEach((tell) => tell());
    });
    return async (epoch) => {
        while (newest < epoch) await new Promise<void>((tell) => told.push(tell));
    };
}

const chart = (page: Page): Locator => page.getByRole('main').getByRole('figure', { name: 'Loss' });

/** The epochs that the page has of the curve, from the file that it makes of what it shows. */
async function epochs(page: Page): Promise<number[]> {
    const coming = page.waitForEvent('download');
    await choose(chart(page), 'CSV of Loss');
    const lines = readFileSync(await (await coming).path(), 'utf8').trimEnd().split('\n').slice(1);
    return lines.map((line) => Number(line.split(',')[0]));
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

/** All epochs are in the curve, while it runs. */
async function hasAll(page: Page, count: () => number): Promise<void> {
    await expect(chart(page)).toBeVisible();
    await expect.poll(async () => (await epochs(page)).join() === upTo(count()).join()).toBe(true);
    expect(count()).toBeGreaterThan(1);
    await expect(page.getByRole('main').locator('.op-state')).toContainText('running');
}

async function running(request: APIRequestContext): Promise<string> {
    const id = await start(request, 'exec.epochs', {});
    await until(request, id, 'running');
    return id;
}

test('an operation started from the form has every point of its first seconds', async ({ page, command }) => {
    await page.goto('/new?kind=exec.epochs');
    await alive(page);
    const { more, written } = oneMore(command, await streamed(page));
    await overtake(page, QUESTIONS, more);
    await page.getByRole('button', { name: /^Start/ }).click();
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
    await hasAll(page, written);
    await more();
    await hasAll(page, written);
    command.end();
});

test('an operation opened from its row has the points that arrived during loading', async ({ page, request, command }) => {
    await running(request);
    await page.goto('/operations');
    await alive(page);
    const { more, written } = oneMore(command, await streamed(page));
    await overtake(page, QUESTIONS, more);
    await overtake(page, /\.wasm(\?|$)/, more);
    await linkOf(row(page, 'epochs of a run')).click();
    await hasAll(page, written);
    command.end();
});

test('compared operations have the points that arrived during loading', async ({ page, request, command }) => {
    const id = await running(request);
    // It waits for the same pipe, and says nothing of its own: what is compared is the first one.
    const other = await start(request, 'exec.short', {});
    await until(request, other, 'succeeded');
    await page.goto('/operations');
    await alive(page);
    const { more, written } = oneMore(command, await streamed(page));
    await more();
    await more();
    await overtake(page, QUESTIONS, more);
    await page.evaluate((to) => {
        const link = Object.assign(document.createElement('a'), { href: to, textContent: 'compare' });
        document.querySelector('main')?.append(link);
        link.click();
    }, `/compare?ids=${id},${other}`);
    const shown = page.getByRole('main').getByRole('figure', { name: 'Loss' });
    await expect(shown).toBeVisible();
    await expect.poll(async () => (await epochs(page)).join() === upTo(written()).join()).toBe(true);
    command.end();
});

test('a follower tab has every point too', async ({ context, page, request, command }) => {
    await running(request);
    await page.goto('/operations');
    await alive(page);
    const follower = await context.newPage();
    await follower.addInitScript(() => {
        const heard: string[] = [];
        Object.assign(window, { heard });
        new BroadcastChannel('signalbox-feed').onmessage = (frame) => heard.push(String(frame.data));
    });
    await follower.goto('/operations');
    await alive(follower);
    // The leader has passed it on.
    const passedOn = async (epoch: number) => {
        await follower.waitForFunction((epoch) => {
            const { heard } = window as unknown as { heard: string[] };
            return heard.some((frame) => frame.includes('"points"') && new RegExp(`\\[${epoch}(\\.0)?,`).test(frame));
        }, epoch);
    };
    const { more, written } = oneMore(command, passedOn);
    await overtake(follower, QUESTIONS, more);
    await linkOf(row(follower, 'epochs of a run')).click();
    await hasAll(follower, written);
    command.end();
});
