// The pages of hosts with 100 hosts and 90 days, in each browser engine.
import { busy, type Fleet, fixtures, HOSTS, unreachable } from '../fleet/fleet';
import { expect, test as base } from './engine';
import type { Tab } from './tab';

const test = base.extend<object, { fleet: Fleet }>(fixtures);
test.describe.configure({ mode: 'serial' });

const HOST = 'host-002';
const PHONE = { width: 390, height: 844 };
/** Largest width of the layout for phones, as in style/_hosts.scss. */
const PHONE_LAYOUT = 640;
const CARD = 'article.host h2';

/** Number of opaque pixels of the chart with this title. */
async function pixels(tab: Tab, title: string): Promise<number> {
    return tab.run((title: string) => {
        const canvas = document.querySelector<HTMLCanvasElement>(`[aria-label="${title}"] canvas`);
        const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
        let count = 0;
        for (let n = 3; n < data.length; n += 4) if (data[n] > 0) count += 1;
        return count;
    }, title);
}

async function fits(tab: Tab): Promise<void> {
    expect(await tab.run(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
}

test('100 hosts are shown, those in trouble first, and one leads to its 90 days', async ({ tab }) => {
    await tab.open('/hosts');
    await tab.counts(CARD, HOSTS, /^host-\d{3}$/);
    const expected = [...unreachable, ...busy];
    const names = async () => (await tab.texts(CARD)).filter((name) => /^host-\d{3}$/.test(name));
    await expect.poll(async () => (await names()).slice(0, expected.length), { timeout: 40_000 }).toEqual(expected);
    await tab.counts('article.host .link-word', unreachable.length, /^Unreachable$/);
    await fits(tab);

    await tab.click(`${CARD} a`, new RegExp(`^${HOST}$`));
    await tab.isAt(new RegExp(`^/hosts/${HOST}$`));
    await tab.click('nav[aria-label="Period of the charts"] a', /90 d/);
    await tab.isAt(/\?range=90d$/);
    await tab.shows('[aria-label="CPU"] canvas');
    await expect.poll(() => pixels(tab, 'CPU')).toBeGreaterThan(0);
    await tab.shows('[aria-label="CPU"] .chart-line', /Busy \d/);
    await tab.scrollTo('.latency-heat');
    await tab.shows('.latency-heat .latency-cells');
    await fits(tab);
});

test('a drag over a chart of 90 days zooms all charts', async ({ tab }) => {
    await tab.open(`/hosts/${HOST}?range=90d`);
    await tab.shows('[aria-label="CPU"] .chart-line', /Busy \d/);
    const [plot] = await tab.all('[aria-label="CPU"] .u-over');
    const { width } = await plot.getRect();
    const across = (share: number) => ({ origin: plot, x: Math.round(width * (share - 0.5)), y: 0 });
    await tab.driver.actions().move(across(0.2)).press().move(across(0.25)).move(across(0.3)).release().perform();
    await tab.isAt(/\?from=.+&to=.+/);
    const before = await pixels(tab, 'CPU');
    expect(before).toBeGreaterThan(0);
    await tab.driver.navigate().back();
    await tab.isAt(/\?range=90d$/);
    await fits(tab);
});

test('in the narrowest window, no page of hosts scrolls sideways', async ({ tab }) => {
    await tab.open('/hosts');
    // Firefox and WebKit keep a window wider than this, but as narrow as the layout for phones.
    await tab.driver.manage().window().setRect({ x: 0, y: 0, ...PHONE });
    await expect.poll(() => tab.run(() => innerWidth)).toBeLessThanOrEqual(PHONE_LAYOUT);
    await tab.counts(CARD, HOSTS, /^host-\d{3}$/);
    await tab.shows('.host-curve');
    await fits(tab);
    await tab.open(`/hosts/${HOST}?range=90d`);
    await tab.shows('[aria-label="CPU"] .chart-line', /Busy \d/);
    await expect.poll(() => pixels(tab, 'CPU')).toBeGreaterThan(0);
    await tab.scrollTo('.latency-heat');
    await tab.shows('.latency-heat .latency-cells');
    await fits(tab);
});
