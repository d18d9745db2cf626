// The pages of hosts with 100 hosts and 90 days, in the Chromium of this machine. One worker: one history for all tests.
import { defineConfig } from '@playwright/test';
import base from '../playwright.config';

export default defineConfig({
    ...base,
    testDir: __dirname,
    testIgnore: [],
    outputDir: '../test-results/fleet',
    workers: 1,
    fullyParallel: false,
    reporter: [['list'], ['html', { open: 'never', outputFolder: '../report/fleet' }]],
    projects: base.projects!.map(({ name, use }) => ({ name, use })),
});
