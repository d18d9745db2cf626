// Optimizes WebAssembly for its compressed size. The library is loaded once per thread; the command, which is JavaScript
// too, would be compiled again for each part.
import { readFileSync, writeFileSync } from 'node:fs';
import { slim } from './slim.mjs';

/**
 * Largest function with one caller that is inlined, in instructions. Without a limit, parts have 3 % fewer bytes, but 8 %
 * more after compression: copies of generic code no longer resemble each other.
 */
const INLINED_ONCE = 20;
/** Largest function that is inlined everywhere, in instructions. */
const INLINED = 4;

let binaryen;

/** Optimizes a WebAssembly file in place. */
export async function optimize(file) {
    binaryen ??= await load();
    const module = binaryen.readBinary(readFileSync(file));
    // All browsers that run the page have them, and rustc uses them.
    const { BulkMemory, BulkMemoryOpt, NontrappingFPToInt } = binaryen.Features;
    module.setFeatures(module.getFeatures() | BulkMemory | BulkMemoryOpt | NontrappingFPToInt);
    module.optimize();
    writeFileSync(file, slim(Buffer.from(module.emitBinary())));
    module.dispose();
}

async function load() {
    const { default: loaded } = await import('binaryen');
    // -Os; more passes for size make a file larger after compression.
    loaded.setOptimizeLevel(2);
    loaded.setShrinkLevel(1);
    loaded.setOneCallerInlineMaxSize(INLINED_ONCE);
    loaded.setAlwaysInlineMaxSize(INLINED);
    loaded.setDebugInfo(false);
    loaded.setGenerateStackIR(true);
    loaded.setOptimizeStackIR(true);
    return loaded;
}
