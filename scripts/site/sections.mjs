// Sections of WebAssembly modules.

/** Magic number and version, with which a module begins. */
export const HEADER_BYTES = 8;

/** The number at `at` of `bytes` in LEB128, and where it ends. */
export function leb(bytes, at) {
    let [value, end] = [0, at];
    for (let shift = 0; ; shift += 7) {
        const byte = bytes[end++];
        value += (byte & 127) * 2 ** shift;
        if (byte < 128) return [value, end];
    }
}

/** A number in LEB128. */
export function toLeb(value) {
    const bytes = [];
    for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
    return Buffer.from([...bytes, value]);
}

/** Sections of a module: `{ id, size, content }`, with the bytes of the size in LEB128 and of the content. */
export function sectionsOf(module) {
    const sections = [];
    for (let at = HEADER_BYTES; at < module.length; ) {
        const [size, start] = leb(module, at + 1);
        sections.push({ id: module[at], size: module.subarray(at + 1, start), content: module.subarray(start, start + size) });
        at = start + size;
    }
    return sections;
}

/** A module with these sections `{ id, content }`. */
export function moduleOf(header, sections) {
    const parts = sections.flatMap(({ id, content }) => [Buffer.from([id]), toLeb(content.length), content]);
    return Buffer.concat([header.subarray(0, HEADER_BYTES), ...parts]);
}
