// Browser tests against the real server and its hosts, in the Chrome or Chromium that is there.
import { defineConfig } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const root = path.resolve(__dirname, '..');

/** The browser of this machine; nothing is downloaded. */
function browser(): string {
    try {
        return execFileSync(path.join(root, 'scripts/browser.sh'), { encoding: 'utf8' }).trim();
    } catch {
        throw new Error('There is no Chrome or Chromium. Run make setup, or say where one is: CHROMIUM=/path/to/chrome');
    }
}

// As root there is no sandbox to be had; as anyone else it stays.
const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** About data, connections and sign-in, which do not depend on the size of the screen. */
const SAME_ON_EVERY_SCREEN = [
    'base-path', 'downsampled', 'join', 'network', 'oidc-provider', 'polling', 'security', 'tabs', 'unreachable',
].map((name) => `${name}.spec.ts`);

const OWN_CONFIGURATION = ['**/end2end/engines/**', '**/end2end/fleet/**'];

export default defineConfig({
    testDir: __dirname,
    // They have configurations of their own.
    testIgnore: OWN_CONFIGURATION,
    snapshotPathTemplate: path.join(__dirname, 'visual', '{arg}{ext}'),
    outputDir: path.join(__dirname, 'test-results'),
    timeout: 60_000,
    expect: { timeout: 10_000 },
    fullyParallel: true,
    workers: 2,
    // What passes only at its second try is named as flaky at the end: a fault to be found, of the page or of the test.
    retries: 1,
    forbidOnly: true,
    reporter: [['list'], ['html', { open: 'never', outputFolder: path.join(__dirname, 'report') }]],
    use: {
        // Times and numbers are compared as text.
        locale: 'en-US',
        timezoneId: 'UTC',
        screenshot: 'only-on-failure',
        trace: 'retain-on-failure',
        launchOptions: {
            executablePath: browser(),
            args: [
                ...sandbox,
                '--disable-gpu',
                '--disable-quic',
                '--no-first-run',
                '--disable-background-networking',
                '--disable-component-update',
                '--disable-sync',
            ],
        },
    },
    projects: [
        { name: 'desktop', use: { viewport: { width: 1440, height: 900 } } },
        {
            name: 'phone',
            testIgnore: [...OWN_CONFIGURATION, ...SAME_ON_EVERY_SCREEN],
            use: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
        },
    ],
});
