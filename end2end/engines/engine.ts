// What each test of the engines gets: a server of its own, and a browser of the project's engine.
import { expect, test as base } from '../signalbox';
import { Driver, type EngineName } from './driver';
import { Tab } from './tab';

export { expect };

export interface Options {
    engine: EngineName;
}

interface OfWorker extends Options {
    driver: Driver;
}

export const test = base.extend<{ tab: Tab }, OfWorker>({
    engine: ['chromium', { option: true, scope: 'worker' }],

    driver: [
        async ({ engine }, use) => {
            const driver = new Driver(engine);
            try {
                await driver.start();
                await use(driver);
            } finally {
                await driver.stop();
            }
        },
        { scope: 'worker', timeout: 60_000 },
    ],

    tab: async ({ driver, baseURL }, use, info) => {
        const session = await driver.session();
        try {
            const tab = new Tab(session, baseURL ?? '');
            await use(tab);
            if (info.status !== info.expectedStatus) {
                const picture = await session.takeScreenshot().catch(() => '');
                await info.attach('screenshot', { body: Buffer.from(picture, 'base64'), contentType: 'image/png' });
                await info.attach('driver.log', { body: driver.output(), contentType: 'text/plain' });
            }
            expect(await tab.complaints(), 'errors of the page').toEqual([]);
        } finally {
            await session.quit();
        }
    },
});
