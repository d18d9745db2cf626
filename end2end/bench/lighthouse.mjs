// Lighthouse scores of each page, on desktop and phone: four categories, out of 100.
//
//   scripts/bench.sh lighthouse         [RUNNING=5]
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CHROME_ARGS, machine, need, onStage } from './stage.mjs';

const running = Number(process.env.RUNNING ?? 5);
const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'];

await onStage(async ({ url, tick, folder }) => {
    let last;
    for (let n = 0; n < running; n += 1) last = await tick(1_000, 3_600);
    const measure = (where, form) => {
        const out = path.join(folder, 'lighthouse.json');
        const args = [url + where, '--quiet', '--output=json', `--output-path=${out}`];
        args.push(`--only-categories=${CATEGORIES.join(',')}`, `--chrome-flags=--headless ${CHROME_ARGS.join(' ')}`);
        if (form === 'desktop') args.push('--preset=desktop');
        // Throttles network and CPU for real. By default, Lighthouse simulates them from a fast load, and with a local
        // server everything arrives before the first paint.
        else args.push('--throttling-method=devtools');
        const env = { ...process.env, CHROME_PATH: need('CHROMIUM') };
        const audit = spawnSync(need('LIGHTHOUSE'), args, { env, encoding: 'utf8' });
        if (!existsSync(out)) throw new Error(`Lighthouse wrote no report: ${audit.stderr}`);
        return JSON.parse(readFileSync(out, 'utf8'));
    };
    const pages = { Overview: '/', Operations: '/operations', 'One operation': `/operations/${last.id}`, New: '/new', Compare: '/compare', Hosts: '/hosts', 'One host': '/hosts/ticking', Alerts: '/alerts' };
    console.log(machine());
    console.log(`\n| page | form factor | ${CATEGORIES.join(' | ')} | audits below 90 |\n|---|---|${CATEGORIES.map(() => '---|').join('')}---|`);
    for (const form of ['desktop', 'phone']) {
        for (const [name, where] of Object.entries(pages)) {
            const report = measure(where, form);
            const marks = CATEGORIES.map((category) => Math.round(report.categories[category].score * 100));
            const weighed = CATEGORIES.flatMap((category) => report.categories[category].auditRefs)
                .filter((ref) => ref.weight > 0 && report.audits[ref.id].score !== null && report.audits[ref.id].score < 0.9);
            const against = [...new Set(weighed.map((ref) => ref.id))].join(', ');
            console.log(`| ${name} | ${form} | ${marks.join(' | ')} | ${against} |`);
        }
    }
});
