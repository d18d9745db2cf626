// Optimizes WebAssembly for size: the same passes as `wasm-opt -Oz`, with the same bytes as result. The library is
// loaded once per thread; the command, which is JavaScript too, would be compiled again for each of some 60 parts.
import { readFileSync, writeFileSync } from 'node:fs';

let binaryen;

/** Optimizes a WebAssembly file in place. */
export async function optimize(file) {
    binaryen ??= await load();
    const module = binaryen.readBinary(readFileSync(file));
    // All browsers that run the page have them, and rustc uses them.
    const { BulkMemory, BulkMemoryOpt, NontrappingFPToInt } = binaryen.Features;
    module.setFeatures(module.getFeatures() | BulkMemory | BulkMemoryOpt | NontrappingFPToInt);
    module.optimize();
    writeFileSync(file, module.emitBinary());
    module.dispose();
}

async function load() {
    const { default: loaded } = await import('binaryen');
    // -Oz
    loaded.setOptimizeLevel(2);
    loaded.setShrinkLevel(2);
    loaded.setDebugInfo(false);
    loaded.setGenerateStackIR(true);
    loaded.setOptimizeStackIR(true);
    return loaded;
}
