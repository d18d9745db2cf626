// Views of the list: tabs above it and entries of the sidebar, built in or saved in the browser.
import type { Page } from '@playwright/test';
import { until } from './pages';
import { alive, expect, start, test } from './signalbox';

const tabs = (page: Page) => page.getByRole('navigation', { name: 'Views of the list' });
const sidebar = (page: Page) => page.getByRole('navigation', { name: 'Views', exact: true });

async function save(page: Page, name: string): Promise<void> {
    await page.getByText('Save as view').click();
    // The field has the focus.
    await page.keyboard.type(name);
    await page.keyboard.press('Enter');
}

test('built-in views filter the list, and the current one is marked', async ({ page, request }, info) => {
    const id = await start(request, 'data.load', { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' });
    await until(request, id, 'failed');
    await page.goto('/operations');
    await alive(page);
    await expect(tabs(page).locator('[aria-current]')).toHaveText('All');
    await tabs(page).getByRole('link', { name: 'Failed' }).click();
    await expect(page).toHaveURL(/\?state=failed$/);
    await expect(page.locator('tr.row')).toHaveCount(1);
    await expect(tabs(page).locator('[aria-current]')).toHaveText('Failed');
    await tabs(page).getByRole('link', { name: 'Running' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.locator('tr.row')).toHaveCount(0);
    await tabs(page).getByRole('link', { name: 'Today' }).click();
    await expect(page).toHaveURL(/\?since=today$/);
    await expect(page.locator('tr.row')).toHaveCount(1);
    test.skip(info.project.name === 'phone', 'a phone has no space for them in the bar');
    await sidebar(page).getByRole('link', { name: 'Last 24 h' }).click();
    await expect(page).toHaveURL(/\?since=24h$/);
    await expect(sidebar(page).locator('[aria-current]')).toHaveText('Last 24 h');
    await expect(page.locator('tr.row')).toHaveCount(1);
});

test('a view is saved under a name, renamed, deleted and restored', async ({ page, request }) => {
    await start(request, 'data.load', { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' });
    await page.goto('/operations?kind=data.load&sort=title');
    await alive(page);
    await save(page, 'Loads');
    // The focus goes to the new tab, as its form is gone.
    await expect(tabs(page).getByRole('link', { name: 'Loads' })).toBeFocused();
    await expect(page.getByText('Save as view')).toHaveCount(0);

    await page.goto('/operations');
    await alive(page);
    await tabs(page).getByRole('link', { name: 'Loads' }).click();
    await expect(page).toHaveURL(/\?kind=data\.load&sort=title$/);
    await page.getByLabel('Rename or delete this view').click();
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.keyboard.type('All loads');
    await page.keyboard.press('Enter');
    await expect(tabs(page).getByRole('link', { name: 'All loads' })).toBeFocused();

    await page.getByLabel('Rename or delete this view').click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(tabs(page).getByRole('link', { name: 'All loads' })).toHaveCount(0);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await expect(tabs(page).locator('[aria-current]')).toHaveText('All loads');
    await page.reload();
    await alive(page);
    await expect(tabs(page).locator('[aria-current]')).toHaveText('All loads');
});

test('a letter typed right after Save as view is in the name', async ({ page }) => {
    await page.goto('/operations?kind=data.load');
    await alive(page);
    // In one task, before any event that the browser sends later.
    const focused = await page.getByText('Save as view').evaluate((summary: HTMLElement) => {
        summary.click();
        return document.activeElement?.tagName;
    });
    expect(focused).toBe('INPUT');
    await page.keyboard.type('Loads');
    await expect(page.getByLabel('Name')).toHaveValue('Loads');
    // A second press closes it.
    await page.getByText('Save as view').click();
    await expect(page.getByLabel('Name')).toBeHidden();
});

test('a view saved in one tab is in the sidebar of another', async ({ page, context }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no space for them in the bar');
    await page.goto('/operations?kind=data.load');
    await alive(page);
    const other = await context.newPage();
    await other.goto('/hosts');
    await alive(other);
    await save(page, 'Loads');
    await sidebar(other).getByRole('link', { name: 'Loads' }).click();
    await expect(other).toHaveURL(/\/operations\?kind=data\.load$/);
});
