// Leaves out of modules what browsers don't need, and shortens the names by which WebAssembly and JavaScript know each
// other.
import { HEADER_BYTES, leb, moduleOf, sectionsOf, toLeb } from './sections.mjs';

const [CUSTOM, IMPORTS, EXPORTS, ELEMENTS] = [0, 2, 7, 9];
/** Module name of the functions that wasm-bindgen writes in JavaScript. */
const BINDINGS = './signalbox_bg.js';
/** Closures that JavaScript calls; the mangled names of Rust. */
const CLOSURE = /^_ZN12wasm_bindgen7convert8closures\w+$/u;
/** Segment of the function table from an offset on, with a list of expressions. */
const WITH_EXPRESSIONS = 4;
const [I32_CONST, REF_NULL] = [0x41, 0xd0];

/** A module without custom sections, and without null elements of the function table, which it has anyway. */
export function slim(module) {
    const sections = sectionsOf(module).filter(({ id }) => id !== CUSTOM);
    for (const section of sections) {
        if (section.id === ELEMENTS) section.content = withoutNulls(section.content);
    }
    return moduleOf(module, sections);
}

/** Content of a section of elements without segments that are empty, or have nulls only. */
function withoutNulls(content) {
    const segments = [];
    let [left, at] = leb(content, 0);
    for (; left > 0; left -= 1) {
        const start = at;
        const flag = content[start];
        // Others have a table, or another type of elements.
        if ((flag !== 0 && flag !== WITH_EXPRESSIONS) || content[start + 1] !== I32_CONST) return content;
        const [items, first] = leb(content, leb(content, start + 2)[1] + 1);
        let isNull = true;
        at = first;
        for (let item = 0; item < items; item += 1) {
            const isNullItem = flag === WITH_EXPRESSIONS && content[at] === REF_NULL;
            isNull &&= isNullItem;
            // A function's index, alone or with the instruction before and `end` after it.
            if (isNullItem) at += 3;
            else at = flag === 0 ? leb(content, at)[1] : leb(content, at + 1)[1] + 1;
        }
        if (!isNull) segments.push(content.subarray(start, at));
    }
    return Buffer.concat([toLeb(segments.length), ...segments]);
}

/** Reader of a section's content. */
class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }

    number() {
        const [value, end] = leb(this.bytes, this.at);
        this.at = end;
        return value;
    }

    text() {
        const length = this.number();
        this.at += length;
        return this.bytes.toString('utf8', this.at - length, this.at);
    }

    /** Skips the type of an import: of a function, table, memory or global. */
    type() {
        const kind = this.bytes[this.at++];
        if (kind === 3) this.at += 2;
        else if (kind === 0) this.number();
        else {
            if (kind === 1) this.at += 1;
            const hasMaximum = this.number() & 1;
            this.number();
            if (hasMaximum) this.number();
        }
    }
}

const named = (text) => Buffer.concat([toLeb(Buffer.byteLength(text)), Buffer.from(text)]);

/**
 * The shared module and its JavaScript with short names of the functions between them. wasm-bindgen adds a hash to each
 * name, which compresses badly.
 */
export function shortNames(module, script) {
    const [imported, exported] = [new Map(), new Map()];
    const sections = sectionsOf(module).map(({ id, content }) => {
        const reader = new Reader(content);
        const parts = [];
        if (id === IMPORTS) {
            for (let left = reader.number(); left > 0; left -= 1) {
                const [from, name, start] = [reader.text(), reader.text(), reader.at];
                reader.type();
                if (from === BINDINGS) imported.set(name, imported.size.toString(36));
                parts.push(named(from), named(imported.get(name) ?? name), content.subarray(start, reader.at));
            }
            return { id, content: Buffer.concat([content.subarray(0, leb(content, 0)[1]), ...parts]) };
        }
        if (id === EXPORTS) {
            for (let left = reader.number(); left > 0; left -= 1) {
                const [name, start] = [reader.text(), reader.at];
                reader.at += 1;
                reader.number();
                if (CLOSURE.test(name)) exported.set(name, `c${exported.size}`);
                parts.push(named(exported.get(name) ?? name), content.subarray(start, reader.at));
            }
            return { id, content: Buffer.concat([content.subarray(0, leb(content, 0)[1]), ...parts]) };
        }
        return { id, content };
    });
    let found = 0;
    const renamed = script
        .replace(/^(?<indent> {8})(?<name>\w+)(?=: function\()/gmu, (text, ...match) => {
            const { indent, name } = match.at(-1);
            if (!imported.has(name)) return text;
            found += 1;
            return `${indent}"${imported.get(name)}"`;
        })
        .replace(/(?<=\bwasm\.)_ZN\w+/gu, (name) => exported.get(name) ?? name);
    if (imported.size === 0 || found !== imported.size) {
        throw new Error(
            `${found} of ${imported.size} imports of the module are in its JavaScript; wasm-bindgen has changed, ` +
                'adapt scripts/site/slim.mjs',
        );
    }
    return { module: moduleOf(module.subarray(0, HEADER_BYTES), sections), script: renamed };
}
