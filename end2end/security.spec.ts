// What a text of somebody else could do if it ever reached a page as HTML.
import { expect, test } from './signalbox';

test('injected scripts and style elements have no effect', async ({ page, tolerated }) => {
    tolerated.push(/Content Security Policy/i);
    await page.goto('/operations');
    const effects = await page.evaluate(async () => {
        const violations: string[] = [];
        document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
        const style = document.createElement('style');
        style.textContent = 'body { outline: 7px solid red }';
        const script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(style, script);
        document.body.insertAdjacentHTML('beforeend', '<b id="probe" onclick="window.injected = true"></b>');
        document.querySelector<HTMLElement>('#probe')?.click();
        // Violations are reported in a task of their own.
        await new Promise((resolve) => setTimeout(resolve));
        return { violations, outline: getComputedStyle(document.body).outlineWidth, injected: 'injected' in window };
    });
    expect(effects.injected).toBe(false);
    expect(effects.outline).not.toBe('7px');
    expect(effects.violations).toEqual(expect.arrayContaining(['style-src-elem', 'script-src-elem', 'script-src-attr']));
});
