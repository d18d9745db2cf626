// The main flows in Chromium, Firefox and WebKit, driven through WebDriver. Playwright only runs the tests: it can't
// drive an installed WebKit.
import { defineConfig } from '@playwright/test';
import type { Options } from './engine';

export default defineConfig<object, Options>({
    testDir: __dirname,
    outputDir: '../test-results/engines',
    timeout: 120_000,
    expect: { timeout: 20_000 },
    fullyParallel: true,
    workers: 2,
    // A test that passes only at the second try is reported as flaky.
    retries: 1,
    forbidOnly: true,
    reporter: [['list'], ['html', { open: 'never', outputFolder: '../report/engines' }]],
    projects: [
        { name: 'chromium', use: { engine: 'chromium' } },
        { name: 'firefox', use: { engine: 'firefox' } },
        { name: 'webkit', use: { engine: 'webkit' } },
    ],
});
