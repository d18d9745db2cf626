// The preview in the form of a load: how the file is read, and its first bars as they will be stored.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { alive, expect, test } from './signalbox';

const METATRADER =
    '<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n' +
    '2024.03.04\t09:00:00\t1.1\t1.3\t1.05\t1.2\t42\n2024.03.04\t10:00:00\t1.2\t1.4\t1.15\t1.3\t43\n';

test('a preview says what is missing, and after the choice shows the bars as they will be stored', async ({ page, server }) => {
    writeFileSync(path.join(server.csv, 'EURUSD=X_1h.csv'), METATRADER);
    await page.goto('/new?kind=data.load&symbol=EURUSD%3DX&source=csv');
    await alive(page);
    const preview = page.getByRole('region', { name: 'Preview' });
    await preview.getByRole('button', { name: 'Preview' }).click();
    await expect(preview).toContainText('has no time zone');
    await expect(preview).toContainText('metatrader (detected)');

    await page.locator('#param-time_zone').fill('Europe/Athens');
    await expect(preview, 'a preview of other params is gone').not.toContainText('has no time zone');
    await preview.getByRole('button', { name: 'Preview' }).click();
    await expect(preview).toContainText('Europe/Athens (selected)');
    const rows = preview.getByRole('table').getByRole('row');
    await expect(rows).toHaveCount(3);
    await expect(rows.nth(1)).toHaveText('2024-03-04T07:00:00Z1.11.31.051.242');
});

test('a preview of invalid parameters marks the field', async ({ page, tolerated }) => {
    tolerated.push(/422/);
    await page.goto('/new?kind=data.load&symbol=ACME&source=csv');
    await alive(page);
    await page.locator('#param-time_zone').fill('Mars/Olympus');
    await page.getByRole('button', { name: 'Preview' }).click();
    await expect(page.getByText('is not a time zone').first()).toBeVisible();
});
