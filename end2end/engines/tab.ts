// The page under test, through WebDriver: what the flows look for, click and read. Every call waits until the page is
// ready for it.
import { By, error, type WebDriver, type WebElement } from 'selenium-webdriver';
import { expect } from '../signalbox';

/** How long an element may take to appear, milliseconds. */
const ELEMENT_TIMEOUT = 20_000;

/** Reasons to look for the element again: the page replaced it, or something covers it for a moment. */
const PASSING = [
    error.StaleElementReferenceError,
    error.ElementClickInterceptedError,
    error.ElementNotInteractableError,
    error.DetachedShadowRootError,
];

/** One tab of a browser. */
export class Tab {
    /** `base` is the address of the server. */
    constructor(
        readonly driver: WebDriver,
        private readonly base: string,
    ) {}

    /** Opens a page of the server, by its path or another server's address, and waits until it is connected. */
    async open(address: string): Promise<void> {
        await this.driver.get(new URL(address, this.base).href);
        await this.isLive();
    }

    /** The page runs, and its events arrive over the stream. */
    async isLive(): Promise<void> {
        await this.shows('.badge', /Live/);
        await this.listen();
    }

    /** Runs a function in the page. */
    async run<T>(script: (...args: never[]) => T, ...args: unknown[]): Promise<Awaited<T>> {
        return this.driver.executeScript(script, ...args) as Promise<Awaited<T>>;
    }

    /** Visible elements, whose accessible label or text matches. */
    async all(css: string, name?: RegExp): Promise<WebElement[]> {
        return this.run(
            (css: string, source: string | null, flags: string) => {
                const pattern = source === null ? undefined : new RegExp(source, flags);
                const nameOf = (element: Element) =>
                    (element.getAttribute('aria-label') ?? element.textContent ?? '').replace(/\s+/g, ' ').trim();
                const elements = [...document.querySelectorAll(css)].filter((element) => element.checkVisibility());
                return elements.filter((element) => !pattern || pattern.test(nameOf(element)));
            },
            css,
            name?.source ?? null,
            name?.flags ?? '',
        ) as unknown as Promise<WebElement[]>;
    }

    /** Waits until there is such an element. */
    async shows(css: string, name?: RegExp, timeout = ELEMENT_TIMEOUT): Promise<void> {
        const there = async () => ((await this.all(css, name)).length > 0 ? 'found' : await this.texts(css));
        await expect.poll(there, { message: `${css} ${name ?? ''}`, timeout }).toBe('found');
    }

    /** Waits until there are `count` such elements. */
    async counts(css: string, count: number, name?: RegExp): Promise<void> {
        const now = async () => (await this.all(css, name)).length;
        await expect.poll(now, { message: `${css} ${name ?? ''}`, timeout: ELEMENT_TIMEOUT }).toBe(count);
    }

    async click(css: string, name?: RegExp): Promise<void> {
        await this.act(css, name, (element) => element.click());
    }

    /** Scrolls to an element: charts are drawn when they come into view. */
    async scrollTo(css: string): Promise<void> {
        await this.act(css, undefined, async () => {});
    }

    /** Types into the field with this label. */
    async fill(label: string, text: string): Promise<void> {
        await this.act('label', new RegExp(`^${label}`), async (element) => {
            const field = await this.control(element);
            await field.clear();
            await field.sendKeys(text);
        });
    }

    /** Chooses a value of a list, by the name of its field. */
    async select(field: string, value: string): Promise<void> {
        await this.act(`select[name=${field}]`, undefined, async (list) => {
            await list.findElement(By.css(`option[value="${value}"]`)).click();
        });
    }

    /** Texts of all such elements, with single spaces. */
    async texts(css: string): Promise<string[]> {
        return this.run(
            (css: string) =>
                [...document.querySelectorAll(css)].map((element) => (element.textContent ?? '').replace(/\s+/g, ' ').trim()),
            css,
        );
    }

    /** Progress of the first bar within, 0 to 100. */
    async percent(within = 'main'): Promise<number> {
        return this.run((within: string) => {
            const bar = document.querySelector(within)?.querySelector('[role=progressbar]');
            return Number(bar?.getAttribute('aria-valuenow') ?? 0);
        }, within);
    }

    /** Waits until the progress is at least so far. */
    async reaches(percent: number, within = 'main'): Promise<void> {
        await expect.poll(() => this.percent(within), { timeout: 40_000 }).toBeGreaterThanOrEqual(percent);
    }

    /** Waits until the bar, as exactly as it is drawn, moves on. */
    async moves(): Promise<void> {
        const drawn = () =>
            this.run(() => {
                const style = document.querySelector('main .bar-fill')?.getAttribute('style') ?? '';
                return Number(/--done:([\d.]+)%/.exec(style)?.[1] ?? 0);
            });
        await expect.poll(drawn, { timeout: ELEMENT_TIMEOUT }).toBeGreaterThan(0);
        const before = await drawn();
        await expect.poll(drawn, { timeout: ELEMENT_TIMEOUT }).toBeGreaterThan(before);
    }

    /** Waits until the path and query of the page match. */
    async isAt(pattern: RegExp): Promise<void> {
        const place = async () => (await this.driver.getCurrentUrl()).replace(/^https?:\/\/[^/]+/, '');
        await expect.poll(place, { timeout: ELEMENT_TIMEOUT }).toMatch(pattern);
    }

    /** Errors of the page since it was connected. */
    async complaints(): Promise<string[]> {
        return this.run(() => {
            const complaints = (window as unknown as { complaints?: string[] }).complaints ?? [];
            return document.documentElement.hasAttribute('data-broken') ? [...complaints, 'The page crashed.'] : complaints;
        });
    }

    /** WebDriver has no console, so the page collects its errors itself. */
    private async listen(): Promise<void> {
        await this.run(() => {
            const page = window as unknown as { complaints?: string[] };
            if (page.complaints) return;
            const complaints: string[] = (page.complaints = []);
            addEventListener('error', (event) => complaints.push(event.message));
            addEventListener('unhandledrejection', (event) => complaints.push(String(event.reason)));
            const report = console.error.bind(console);
            console.error = (...values: unknown[]) => {
                complaints.push(values.map(String).join(' '));
                report(...values);
            };
        });
    }

    private async control(label: WebElement): Promise<WebElement> {
        return this.run((label: HTMLLabelElement) => label.control, label as unknown) as unknown as Promise<WebElement>;
    }

    private async act(css: string, name: RegExp | undefined, action: (element: WebElement) => Promise<void>): Promise<void> {
        const until = Date.now() + ELEMENT_TIMEOUT;
        for (;;) {
            await this.shows(css, name);
            try {
                const [element] = await this.all(css, name);
                // Away from bars that stay at the edge of the window.
                await this.run((element: Element) => element.scrollIntoView({ block: 'center' }), element as unknown);
                await action(element);
                return;
            } catch (problem) {
                if (Date.now() > until || !PASSING.some((type) => problem instanceof type)) throw problem;
            }
        }
    }
}
