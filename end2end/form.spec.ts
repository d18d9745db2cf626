// New operation: the form of the schema, filled by hand, with the last parameters, from presets or from a link; where it
// would run; and its errors, listed in one place with links to the fields.
import type { Locator, Page } from '@playwright/test';
import { until } from './pages';
import { alive, chooseKind, expect, fillLoad, rail, start, submit, SYMBOL, test, unfoldAdvanced } from './signalbox';

async function open(page: Page, query = 'kind=data.load'): Promise<void> {
    await page.goto(`/new?${query}`);
    await alive(page);
}

function symbol(page: Page): Locator {
    return page.getByLabel('Symbol');
}

test('errors are at their fields, the first of which gets the focus, and are announced once', async ({ page }) => {
    await open(page);
    await unfoldAdvanced(page);
    await page.getByLabel('Rows per second').fill('many');
    await page.getByRole('button', { name: 'Start load' }).click();
    await expect(symbol(page)).toBeFocused();
    await expect(symbol(page)).toHaveAccessibleDescription(/Symbol is required/);
    await expect(page.getByRole('alert').filter({ hasText: 'Not started' })).toHaveText('Not started. Fix 2 fields: Symbol, Rows per second.');
    // Beside the button there are links to the fields, and no second list of what is wrong.
    const wrong = page.locator('.wrong');
    await expect(wrong).not.toContainText('required');
    await wrong.getByRole('link', { name: 'Rows per second' }).click();
    await expect(page.getByLabel('Rows per second')).toBeFocused();
    await page.getByLabel('Rows per second').fill('');
    await expect(wrong.getByRole('link')).toHaveText(['Symbol']);
    await symbol(page).fill(SYMBOL);
    await expect(wrong.getByRole('link')).toHaveCount(0);
    await expect(page).not.toHaveURL(/#/);
});

test('an error in a folded field unfolds it', async ({ page }) => {
    await open(page, 'kind=data.load&symbol=ACME');
    await expect(page.getByLabel('Rows per second')).toBeHidden();
    await unfoldAdvanced(page);
    await page.getByLabel('Rows per second').fill('many');
    await page.locator('summary').filter({ hasText: /^Advanced/ }).click();
    await expect(page.getByLabel('Rows per second')).toBeHidden();
    await page.getByRole('button', { name: 'Start load' }).click();
    await expect(page.getByLabel('Rows per second')).toBeFocused();
});

test('advanced fields are folded with their number, and open when a link fills one in', async ({ page }) => {
    await open(page, 'kind=training.run');
    await expect(page.locator('summary').filter({ hasText: 'Advanced (7)' })).toBeVisible();
    await expect(page.locator('#param-seed')).toBeHidden();
    await open(page, 'kind=training.run&seed=7');
    await expect(page.locator('#param-seed')).toHaveValue('7');
    await expect(page.locator('#param-seed')).toBeVisible();
});

test('a start that has to wait for another load of the same data says so', async ({ page, request }) => {
    const slow = { symbol: SYMBOL, timeframe: '1h', source: 'csv', rows_per_second: 1 };
    await until(request, await start(request, 'data.load', slow), 'running');
    await open(page, `kind=data.load&symbol=${SYMBOL}&source=csv`);
    const summary = page.getByRole('region', { name: 'Summary' });
    await expect(summary).toContainText(/Will wait until .*ACME.* has ended.*: both operations use the same symbol/);
    await symbol(page).fill('OTHER');
    await expect(summary).toContainText('Starts immediately');
});

test('the button to start is always in sight, and Ctrl Enter starts', async ({ page }, info) => {
    await open(page, `kind=data.load&symbol=${SYMBOL}`);
    const button = page.getByRole('button', { name: 'Start load' });
    await expect(button).toBeInViewport({ ratio: 1 });
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await expect(button).toBeInViewport({ ratio: 1 });
    if (info.project.name === 'phone') return;
    await symbol(page).press('Control+Enter');
    await expect(page).toHaveURL(/\/operations\/[0-9a-f-]{36}$/);
});

test('a drag along the prices of the symbol sets start and end, and the fields show it', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', { symbol: SYMBOL, timeframe: '1h', source: 'csv' }), 'succeeded');
    await open(page, `kind=backtest.run&symbol=${SYMBOL}`);
    const chart = page.getByRole('figure').filter({ hasText: `${SYMBOL} 1h` });
    await chart.scrollIntoViewIfNeeded();
    const plot = (await chart.locator('.range-plot').boundingBox())!;
    const y = plot.y + plot.height / 2;
    await page.mouse.move(plot.x + plot.width / 4, y);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width / 2, y, { steps: 4 });
    await page.mouse.up();
    const from = page.locator('#param-start');
    await expect(from).toHaveValue(/^20\d\d-\d\d-\d\d$/);
    await expect(page.locator('#param-end')).toHaveValue(/^20\d\d-\d\d-\d\d$/);
    expect(await from.inputValue() < await page.locator('#param-end').inputValue()).toBe(true);
    await page.mouse.click(plot.x + plot.width / 3, y);
    await expect(from).toHaveValue('');
    // The field moves the range, too, and another symbol has no prices.
    await from.fill('2022-01-01');
    await expect(chart.locator('.range-chosen')).toHaveAttribute('x', /^[1-9]/);
    await symbol(page).fill('OTHER');
    await expect(chart).toBeHidden();
});

test('a symbol is chosen from what there is, with its range, by keyboard', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', { symbol: SYMBOL, source: 'csv' }), 'succeeded');
    await start(request, 'data.load', { symbol: 'DEMO', source: 'synthetic', years: 1 });
    await open(page, 'kind=backtest.run');
    const offers = page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option');
    await symbol(page).focus();
    await expect(offers).toHaveCount(0);
    // More may come while the form is open.
    await expect(page.locator('#param-symbol-list [data-value="DEMO"]')).toBeAttached();
    await symbol(page).press('ArrowDown');
    await expect(offers).toHaveCount(2);
    await expect(offers.first()).toContainText(/ACME.*1h · 2021–2023 · csv.*(ago|just now)/);
    await expect(offers.first()).toHaveAttribute('aria-selected', 'true');
    await symbol(page).press('Escape');
    await expect(offers).toHaveCount(0);
    await symbol(page).pressSequentially('de');
    await expect(offers).toHaveCount(1);
    await symbol(page).press('ArrowDown');
    await symbol(page).press('Enter');
    await expect(symbol(page)).toHaveValue('DEMO');
    await expect(offers).toHaveCount(0);
    await expect(page, 'a choice starts nothing').toHaveURL(/\/new\?.*symbol=DEMO/);
    // Other values can be typed.
    await symbol(page).fill('OTHER');
    await expect(page).toHaveURL(/symbol=OTHER/);
});

test('the summary says what is started, how long it usually takes and what differs from the last time', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', { symbol: SYMBOL, source: 'csv' }), 'succeeded');
    await open(page);
    const summary = page.getByRole('region', { name: 'Summary' });
    await expect(summary).toContainText('Fill in Symbol to start.');
    await symbol(page).fill(SYMBOL);
    await expect(summary).toContainText(`${SYMBOL} 1h · csv · full`);
    await expect(summary).toContainText(/Usually takes \d.* · 1 past run like this/);
    await expect(summary).toContainText('Last parameters, unchanged');
    await page.getByRole('radio', { name: 'tail' }).check();
    await expect(summary.getByRole('listitem')).toHaveText(['Mode Full → Tail']);
});

test('a start can be copied as a command', async ({ page, context }, info) => {
    test.skip(info.project.name === 'phone', 'the same buttons');
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await open(page, `kind=data.load&symbol=${SYMBOL}`);
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole('button', { name: 'Copy as command' }).click();
    await expect.poll(copied).toContain(`signalbox start data.load symbol=${SYMBOL} timeframe=1h`);
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await expect.poll(copied).toMatch(/^curl .*\/api\/v1\/operations.*"symbol":"ACME"/);
});

test('an inactive field is neither shown, sent nor validated', async ({ page, request }) => {
    await open(page);
    await fillLoad(page, { symbol: SYMBOL });
    const years = page.getByLabel('Years');
    await expect(years).toBeHidden();
    await page.getByRole('radiogroup', { name: 'Source' }).getByRole('radio', { name: 'synthetic' }).check();
    await years.fill('soon');
    await page.getByRole('radiogroup', { name: 'Source' }).getByRole('radio', { name: 'csv' }).check();
    await expect(years).toBeHidden();
    await submit(page);
    const { operation } = await (await request.get(`/api/v1/operations/${page.url().split('/').pop()}`)).json();
    expect(operation.params).toEqual({ symbol: SYMBOL, timeframe: '1h', source: 'csv', mode: 'full' });

    await open(page, 'kind=backtest.run');
    await expect(page.getByLabel('Fast')).toBeVisible();
    await expect(page.locator('#param-rsi_period')).toBeHidden();
});

test('a slider and its number stay equal, by mouse and by keyboard', async ({ page }) => {
    await open(page, 'kind=training.run');
    const number = page.getByRole('textbox', { name: 'Horizon' });
    const slider = page.getByRole('slider', { name: 'Horizon, slider' });
    await expect(number).toHaveValue('4');
    await expect(slider).toHaveValue('4');
    await number.fill('120');
    await expect(slider).toHaveValue('120');
    await slider.press('ArrowRight');
    await expect(number).toHaveValue('121');
    await slider.press('End');
    await expect(number).toHaveValue('500');
    await slider.press('Home');
    await expect(number).toHaveValue('1');
    await unfoldAdvanced(page);
    const share = page.getByRole('slider', { name: 'Dropout, slider' });
    await page.getByRole('textbox', { name: 'Dropout' }).fill('0.125');
    await expect(share).toHaveValue('0.125');
    await share.fill('0.3');
    await expect(page.getByRole('textbox', { name: 'Dropout' })).toHaveValue('0.3');
    // Some ranges are too wide for a slider.
    await expect(page.getByRole('slider', { name: /^Epochs/ })).toHaveCount(0);
});

test('days have a picker, times are typed', async ({ page }) => {
    await open(page);
    const from = page.locator('#param-start');
    await expect(from).toHaveAttribute('type', 'date');
    await from.fill('2022-03-01');
    await expect(page).toHaveURL(/start=2022-03-01/);
    await page.getByRole('button', { name: 'Add time' }).first().click();
    await expect(from).toHaveValue('2022-03-01');
    await from.fill('2022-03-01T09:30:00Z');
    await expect(page).toHaveURL(/start=2022-03-01T09%3A30%3A00Z/);
    await page.reload();
    await alive(page);
    await expect(from).toHaveValue('2022-03-01T09:30:00Z');
    await page.getByRole('button', { name: 'Date only' }).click();
    await expect(from).toHaveAttribute('type', 'date');
    await expect(from).toHaveValue('2022-03-01');
});

test('the address follows the form, a link fills it in, and going back restores it', async ({ page }) => {
    await open(page);
    await fillLoad(page, { symbol: SYMBOL, rowsPerSecond: 5_000 });
    await expect(page).toHaveURL(new RegExp(`kind=data.load&symbol=${SYMBOL}&.*rows_per_second=5000`));
    const link = page.url();
    await submit(page);
    await page.goBack();
    await expect(page).toHaveURL(link);
    await expect(symbol(page)).toHaveValue(SYMBOL);
    await expect(page.getByLabel('Rows per second')).toHaveValue('5000');

    // Another kind, and back.
    await chooseKind(page, 'backtest.run');
    await expect(page.getByRole('button', { name: 'Start backtest' })).toBeVisible();
    await expect(symbol(page)).toHaveValue('');
    await page.goBack();
    await expect(symbol(page)).toHaveValue(SYMBOL);
    // The same kind again.
    await chooseKind(page, 'data.load');
    await expect(symbol(page)).toHaveValue('');
});

test('the last parameters fill the form, and can be undone', async ({ page, request }) => {
    await open(page);
    await expect(page.getByRole('button', { name: 'Start load' })).toBeEnabled();
    const last = page.getByRole('button', { name: /^Use last parameters/ });
    await expect(last).toHaveCount(0);
    await start(request, 'data.load', { symbol: SYMBOL, source: 'csv', mode: 'tail', rows_per_second: 9000 });
    // It comes by itself.
    await expect(last).toContainText(/ago|just now/);
    await symbol(page).fill('OTHER');
    await last.click();
    await expect(symbol(page)).toHaveValue(SYMBOL);
    await expect(page.getByRole('radio', { name: 'tail' })).toBeChecked();
    await expect(page.getByLabel('Rows per second')).toHaveValue('9000');
    await expect(page.getByText(/Filled in with the last parameters \(\d{4}-\d\d-\d\d/)).toBeVisible();
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(symbol(page)).toHaveValue('OTHER');
    await expect(page.getByRole('radio', { name: 'full' })).toBeChecked();
});

test('a chosen model fills in its symbol, its timeframe and a start after its training data', async ({ page, request }) => {
    await until(request, await start(request, 'data.load', { symbol: SYMBOL, source: 'csv' }), 'succeeded');
    await open(page, 'kind=backtest.run&strategy=model&capital=5000');
    await page.locator('#param-start').fill('2021-02-03');
    // The training ends while the form is open, which stays as it is and offers one more model.
    const training = { symbols: SYMBOL, timeframe: '1h', epochs: 2, patience: 0, seed: 7 };
    const trained = await start(request, 'training.run', training);
    await until(request, trained, 'succeeded');
    const { result } = await (await request.get(`/api/v1/operations/${trained}`)).json();
    const { model, validation } = result.document as { model: string; validation: { to: string } };
    await expect(page.locator(`#param-model-list [data-value="${model}"]`)).toBeAttached();
    await expect(page.locator('#param-start')).toHaveValue('2021-02-03');
    await page.locator('#param-model').fill(model);
    await expect(page.getByText(`Filled in to match ${model}: Symbol, Start.`)).toBeVisible();
    await expect(symbol(page)).toHaveValue(SYMBOL);
    const from = await page.locator('#param-start').inputValue();
    expect(Date.parse(from)).toBeGreaterThan(Date.parse(validation.to));
    await expect(page.locator('#param-capital'), 'other fields stay').toHaveValue('5000');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(symbol(page)).toHaveValue('');
    await expect(page.locator('#param-start')).toHaveValue('2021-02-03');
    await expect(page.locator('#param-model'), 'the choice itself stays').toHaveValue(model);
});

test('a cleared field stays empty, and undo does not restore its default', async ({ page, request }) => {
    await open(page, 'kind=training.run');
    const epochs = page.locator('#param-epochs');
    await expect(epochs).not.toHaveValue('');
    await epochs.fill('');
    await page.locator('#param-symbols').fill(SYMBOL);
    await expect(page).toHaveURL(new RegExp(`symbols=${SYMBOL}`));
    await epochs.pressSequentially('12');
    await expect(page).toHaveURL(/epochs=12(&|$)/);
    await expect(epochs).toHaveValue('12');

    await start(request, 'data.load', { symbol: SYMBOL, source: 'synthetic', years: 1 });
    await open(page);
    await page.getByRole('radiogroup', { name: 'Source' }).getByRole('radio', { name: 'synthetic' }).check();
    const years = page.locator('#param-years');
    await years.fill('');
    await page.getByRole('button', { name: /^Use last parameters/ }).click();
    await expect(page).toHaveURL(/years=1(&|$)/);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(page).not.toHaveURL(/symbol=/);
    await years.pressSequentially('3');
    await expect(page).toHaveURL(/years=3(&|$)/);
    await expect(years).toHaveValue('3');
});

test('presets are saved, chosen, renamed, overwritten and deleted, with undo', async ({ page }) => {
    await open(page);
    const name = page.getByRole('textbox', { name: 'Preset name' });
    const preset = page.getByRole('combobox', { name: 'Preset' });
    await symbol(page).fill('AAA');
    await page.getByRole('button', { name: 'Save as preset…' }).click();
    await expect(name).toBeFocused();
    await name.fill('nightly');
    await name.press('Enter');
    await expect(preset).toHaveValue('nightly');
    await expect(page.getByText('Stored in this browser only')).toBeVisible();

    // Over a reload; a choice fills the form and can be undone.
    await open(page, 'kind=data.load&symbol=BBB');
    await preset.selectOption('nightly');
    await expect(symbol(page)).toHaveValue('AAA');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect(symbol(page)).toHaveValue('BBB');

    await page.getByRole('button', { name: 'Save as preset…' }).click();
    await page.getByRole('button', { name: 'Overwrite \u201cnightly\u201d' }).click();
    await page.getByRole('button', { name: 'Rename…' }).click();
    await name.fill('weekly');
    await page.getByRole('button', { name: 'Rename preset' }).click();
    await expect(preset).toHaveValue('weekly');
    await open(page);
    await preset.selectOption('weekly');
    await expect(symbol(page)).toHaveValue('BBB');

    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await expect(preset).toHaveCount(0);
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click();
    await expect(preset).toBeVisible();
    await preset.selectOption('weekly');
    await expect(symbol(page)).toHaveValue('BBB');
    // Those of one kind are not those of another.
    await open(page, 'kind=backtest.run');
    await expect(preset).toHaveCount(0);
});

test('the form shows where the operation would run, and behind which it would wait', async ({ page, request }) => {
    await open(page);
    const outlook = page.locator('form .note[role="status"]');
    await expect(outlook).toHaveText(/^Starts immediately on local \((\d+) of \1 slots free\)\.$/);
    const hosts = (await (await request.get('/api/v1/hosts')).json()).hosts as { name: string; capacity: number }[];
    const places = hosts.find((host) => host.name === 'local')!.capacity;
    // Each loads something of its own, slowly.
    const slow = (n: number) => ({ symbol: `SLOW${n}`, source: 'synthetic', years: 30, rows_per_second: 50 });
    for (let n = 0; n < places; n++) await start(request, 'data.load', slow(n));
    await expect(outlook).toHaveText(/^Will wait, first in the queue: all slots on local are in use/);
    await start(request, 'data.load', slow(places));
    await expect(outlook).toHaveText(/^Will wait as 2nd in the queue: all slots on local are in use/);
    // Who is more urgent goes first.
    await page.getByText('Priority', { exact: true }).click();
    await page.getByRole('spinbutton', { name: 'Priority' }).fill('5');
    await page.getByRole('spinbutton', { name: 'Priority' }).blur();
    await expect(outlook).toHaveText(/^Will wait, first in the queue/);
    await expect(page).toHaveURL(/priority=5/);
    await request.post('/api/v1/operations/cancel', { data: { filter: '' } });
    await expect(outlook).toHaveText(/^Starts immediately on local/);
    await rail(page, 'Operations').click();
});

test('the shortcut of a new operation focuses the first field of its form', async ({ page }, info) => {
    test.skip(info.project.name === 'phone', 'a phone has no keys');
    await page.goto('/');
    await alive(page);
    await page.keyboard.press('n');
    await expect(page).toHaveURL(/\/new/);
    await expect(page.locator('.fields').locator('input, select, textarea').first()).toBeFocused();
    // Struck again on that page, it leads back there.
    await page.getByRole('button', { name: /^Start/ }).focus();
    await page.keyboard.press('n');
    await expect(page.locator('.fields').locator('input, select, textarea').first()).toBeFocused();
});

test('a number out of range is quoted as typed', async ({ page }) => {
    await open(page);
    await unfoldAdvanced(page);
    await page.getByLabel('Rows per second').fill('1,234,567,890');
    await page.getByRole('button', { name: 'Start load' }).click();
    await expect(page.locator('.field-error:visible')).toContainText([/required/, /'1,234,567,890' is not a whole number/]);
});
