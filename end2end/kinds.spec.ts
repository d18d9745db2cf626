// The kinds that can be started, on a page that stays open while hosts and the server come and go.
import { alive, expect, start, SYMBOL, test } from './signalbox';

test('a restarted server updates the available kinds, and a form being filled in stays', async ({ page, server, tolerated }) => {
    test.setTimeout(120_000);
    // While the server is away the browser says that it can't be reached.
    tolerated.push(/net::ERR_|Failed to (load|fetch)/);
    await page.goto('/new?kind=data.load');
    await alive(page);
    const kinds = page.getByRole('navigation', { name: 'Kind' }).getByRole('link');
    const before = await kinds.count();
    const symbol = page.getByLabel('Symbol');
    await symbol.fill('HALF');
    await symbol.evaluate((field) => field.setAttribute('data-the-same', ''));

    // What its hosts would offer after an update: another kind, and another title of one.
    await page.route('**/api/v1/kinds', async (route) => {
        const answer = await route.fetch();
        const { kinds } = await answer.json();
        const load = kinds.find((kind: { spec: { name: string } }) => kind.spec.name === 'data.load');
        if (load === undefined) return route.fulfill({ response: answer });
        const more = { ...load, spec: { ...load.spec, name: 'data.mend', title: 'Mend market data' } };
        await route.fulfill({ response: answer, json: { kinds: [...kinds, more] } });
    });
    await server.stop();
    await expect(page.locator('.badge')).toContainText(/Reconnecting|offline/);
    await server.start();
    await alive(page);
    await expect(kinds.filter({ hasText: 'Mend market data' })).toBeVisible({ timeout: 30_000 });
    await expect(kinds).toHaveCount(before + 1);
    // The very field that was there, with what was typed.
    await expect(symbol).toHaveValue('HALF');
    await expect(symbol).toHaveAttribute('data-the-same', '');
});

test('the page of an operation stays unchanged when the available kinds change', async ({ page, request, server }) => {
    test.setTimeout(120_000);
    const params = { symbol: SYMBOL, timeframe: '1h', source: 'synthetic', years: 20, rows_per_second: 150 };
    const id = await start(request, 'data.load', params);
    await page.goto(`/operations/${id}`);
    await alive(page);
    const head = page.getByRole('heading', { level: 1 });
    await head.evaluate((head) => head.setAttribute('data-the-same', ''));
    const answer = async () => {
        const { kinds } = await (await page.waitForResponse('**/api/v1/kinds', { timeout: 60_000 })).json();
        // Sweeps and the demonstration run on the server's own host: it is never away.
        const own = ['analysis.sweep', 'demo.run'];
        const others = kinds.filter((kind: { spec: { name: string } }) => !own.includes(kind.spec.name));
        return others.map((kind: { available: boolean }) => kind.available);
    };
    // A host that says nothing for long enough is away, and what it offers can't run; then it is back.
    await server.silenced(async () => expect(await answer()).not.toContain(true));
    expect(await answer()).not.toContain(false);
    await expect(head).toHaveAttribute('data-the-same', '');
});
