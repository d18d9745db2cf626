// Layers of crates: reads the drawing in docs/architecture.md, and compares it with the dependencies of the crates.

/**
 * Reads the code block `layers` of a Markdown text.
 *
 * The topmost layer comes first; lines of `─` separate layers. A line at the margin begins with the folder of a crate,
 * and may end with `→ folder, folder`: the crates of the same layer that it may use. Indented lines continue a text.
 *
 * Returns a map from folder to `{ layer, uses }`; layer 0 is the topmost.
 */
export function readDrawing(markdown) {
    const block = /^```layers\n([\s\S]*?)^```/mu.exec(markdown);
    if (!block) throw new Error('There is no code block "```layers".');
    const crates = new Map();
    let layer = 0;
    let entry = '';
    const add = () => {
        if (!entry) return;
        const [text, uses = ''] = entry.split('→');
        const folder = text.trim().split(/\s+/u)[0].replace(/\/$/u, '');
        if (crates.has(folder)) throw new Error(`${folder} is drawn twice.`);
        crates.set(folder, { layer, uses: uses.split(',').map((name) => name.trim()).filter(Boolean) });
        entry = '';
    };
    for (const line of block[1].split('\n')) {
        if (/^─+$/u.test(line)) {
            add();
            layer += 1;
        } else if (/^\S/u.test(line)) {
            add();
            entry = line;
        } else if (line.trim()) {
            if (!entry) throw new Error(`"${line.trim()}" continues no crate.`);
            entry += ` ${line.trim()}`;
        }
    }
    add();
    return crates;
}

/** Compares crates, `[{ folder, dependencies: [folder] }]`, with a drawing. Returns one message per difference. */
export function checkLayers(drawing, crates) {
    const wrong = [];
    const folders = new Set(crates.map((crate) => crate.folder));
    for (const folder of drawing.keys()) {
        if (!folders.has(folder)) wrong.push(`${folder} is drawn, but is no crate of the workspace. Remove it.`);
    }
    for (const { folder, dependencies } of crates) {
        const own = drawing.get(folder);
        if (!own) {
            wrong.push(`${folder} is not drawn. Add it to the layer above everything that it depends on.`);
            continue;
        }
        for (const name of own.uses.filter((name) => !dependencies.includes(name))) {
            wrong.push(`${folder} is drawn with "→ ${name}", but does not depend on it. Remove the arrow.`);
        }
        for (const dependency of dependencies) {
            const other = drawing.get(dependency);
            if (!other || other.layer > own.layer) continue;
            if (other.layer < own.layer) {
                wrong.push(
                    `${folder} depends on ${dependency}, which is in a higher layer. Remove the dependency, or move what ` +
                        'both need into a crate of a lower layer.',
                );
            } else if (!own.uses.includes(dependency)) {
                wrong.push(
                    `${folder} depends on ${dependency}, which is in the same layer. Remove the dependency; if it is ` +
                        `intended, end the line of ${folder} with "→ ${dependency}".`,
                );
            }
        }
    }
    return wrong;
}
