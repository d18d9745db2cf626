// Checks the structure of the code; exit code 1 when something is wrong:
// - dependencies of the crates follow the layers that docs/architecture.md draws;
// - the top-level modules of a crate don't use each other in a circle. Tests may.
//
//   node scripts/structure.mjs            checks all crates
//   node scripts/structure.mjs engine     lists the uses among the modules of one crate, too
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkLayers, readDrawing } from './structure/layers.mjs';
import { circles, moduleGraph } from './structure/modules.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const DRAWING = 'docs/architecture.md';

/** Crates of the workspace, with the crates that they depend on outside of tests; all as folders. */
function workspaceCrates() {
    const args = ['metadata', '--format-version', '1', '--no-deps', '--offline', '--locked'];
    const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
    const folder = (absolute) => path.relative(root, absolute).replaceAll(path.sep, '/');
    return JSON.parse(execFileSync('cargo', args, options)).packages.map((one) => ({
        folder: folder(path.dirname(one.manifest_path)),
        dependencies: one.dependencies.filter((to) => to.path && to.kind === null).map((to) => folder(to.path)),
    }));
}

function sources(crate) {
    const src = path.join(root, crate, 'src');
    if (!existsSync(src)) return new Map();
    const files = readdirSync(src, { recursive: true }).map((file) => file.replaceAll(path.sep, '/'));
    return new Map(files.filter((file) => file.endsWith('.rs')).map((file) => [file, readFileSync(path.join(src, file), 'utf8')]));
}

/** Text of a circle: each use with its first places. */
function describe(crate, graph, circle) {
    const lines = [`${crate}: modules use each other in a circle: ${circle.join(' → ')}`];
    for (let i = 0; i + 1 < circle.length; i++) {
        const places = graph.get(circle[i]).get(circle[i + 1]);
        const shown = places.slice(0, 3).map(({ file, line }) => `${crate}/src/${file}:${line}`);
        const more = places.length > 3 ? ` and ${places.length - 3} more` : '';
        lines.push(`    ${circle[i]} → ${circle[i + 1]}: ${shown.join(', ')}${more}`);
    }
    lines.push('    Move what both need into a module below both, or pass it in, so that one of these uses disappears.');
    return lines.join('\n');
}

const crates = workspaceCrates();
const listed = crates.filter(({ folder }) => process.argv.slice(2).some((name) => folder === name || folder.endsWith(`/${name}`)));
const wrong = [];
try {
    const drawing = readDrawing(readFileSync(path.join(root, DRAWING), 'utf8'));
    wrong.push(...checkLayers(drawing, crates).map((message) => `${DRAWING}: ${message}`));
} catch (error) {
    wrong.push(`${DRAWING}: ${error.message}`);
}
for (const crate of crates) {
    const graph = moduleGraph(sources(crate.folder));
    const found = circles(graph);
    if (listed.includes(crate)) {
        for (const [module, uses] of graph) console.log(`${module} → ${[...uses.keys()].join(', ') || '–'}`);
    }
    wrong.push(...found.map((circle) => describe(crate.folder, graph, circle)));
}
for (const message of wrong) console.log(message);
if (wrong.length > 0) process.exit(1);
console.log(`${crates.length} crates follow the layers of ${DRAWING}; no circles among modules.`);
