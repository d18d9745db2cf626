// The palette while results of the server arrive: Enter runs the highlighted entry.
import { until } from './pages';
import { alive, expect, held, start, test } from './signalbox';

test('the highlighted entry stays when the server finds better matches', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    for (const symbol of ['AAA', 'BBB']) {
        const id = await start(request, 'data.load', { symbol, timeframe: '1h', source: 'csv' });
        await until(request, id, 'failed');
    }
    await page.goto('/hosts');
    await alive(page);
    // The server finds one more, by the very words that are typed, and takes its time.
    let letGo = () => {};
    const waits = new Promise<void>((done) => (letGo = done));
    const stored = '0199c2d4-7f3a-7c11-9e1b-000000000009';
    await page.route(/\/api\/v1\/operations\?q=/, async (route) => {
        const answer = await route.fetch();
        const found = await answer.json();
        const better = { ...found.operations[0], id: stored, title: '1h' };
        await waits;
        await route.fulfill({ response: answer, json: { ...found, operations: [better, ...found.operations] } });
    });
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Search or command' });
    await expect(palette.getByRole('combobox')).toBeFocused();
    const asked = page.waitForRequest(/\/api\/v1\/operations\?q=/);
    await page.keyboard.type('1h');
    await asked;
    const chosen = palette.locator('[role="option"][aria-selected="true"]');
    await page.keyboard.press('ArrowDown');
    const name = (await chosen.locator('.palette-name').textContent())!;
    const place = await chosen.getAttribute('id');
    letGo();
    // With the search in the list, which is always the last.
    await expect(palette.getByRole('option')).toHaveCount(4);
    await expect(palette.locator('.palette-name').first()).toHaveText('1h');
    await expect(chosen.locator('.palette-name')).toHaveText(name);
    expect(await chosen.getAttribute('id')).not.toBe(place);
    await page.keyboard.press('Enter');
    await expect(page).not.toHaveURL(new RegExp(stored));
    await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
});

test('words that name no entry are searched in the list', async ({ page, request }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const id = await start(request, 'data.load', { symbol: 'NOSUCH', timeframe: '1h', source: 'csv' });
    await until(request, id, 'failed');
    await page.goto('/hosts');
    await alive(page);
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Search or command' });
    await expect(palette.getByRole('combobox')).toBeFocused();
    await page.keyboard.type('failed load');
    await palette.getByRole('option', { name: 'Search operations for “failed load”' }).click();
    await expect(page).toHaveURL(/\/operations\?q=failed(%20|\+)load$/);
    await expect(page.locator('tr.row')).toHaveCount(1);
});

test('no shortcut runs while the list of shortcuts is being loaded', async ({ page }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const letGo = await held(page, /\/pkg\/(split|bundle)_later/);
    await page.goto('/');
    await alive(page);
    const list = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await page.keyboard.press('?');
    await page.keyboard.press('n');
    // Escape closes what is being loaded, and then shortcuts run again.
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.keyboard.press('n');
    letGo();
    await expect(list).toBeVisible();
    await expect(page).toHaveURL(/\/$/);
    await page.keyboard.press('Escape');
    await expect(list).toBeHidden();
    await page.keyboard.press('n');
    await expect(page).toHaveURL(/\/new$/);
});

test('what is typed while the palette is loading is searched, and runs no shortcut', async ({ page }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keyboard');
    const letGo = await held(page, /\/pkg\/(split|bundle)_later/);
    const asked = page.waitForRequest(/\/pkg\/(split|bundle)_later/);
    await page.goto('/hosts');
    await alive(page);
    await asked;
    await page.keyboard.press('Control+k');
    // Each of its letters is a shortcut, and "n" leads to another page.
    await page.keyboard.type('ncx');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('ew');
    await page.keyboard.press('Enter');
    letGo();
    const palette = page.getByRole('dialog', { name: 'Search or command' });
    const field = palette.getByRole('combobox');
    await expect(field).toHaveValue('new');
    await expect(field).toBeFocused();
    await expect(palette.getByRole('option').first()).toContainText('New');
    await expect(page).toHaveURL(/\/hosts$/);
    await page.keyboard.type(' o');
    await expect(field).toHaveValue('new o');
});
