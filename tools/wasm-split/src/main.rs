//! Splits the frontend's WebAssembly into a shared module and the parts of `#[lazy]` routes, and generates the
//! JavaScript of the shared module.
//!
//! `scripts/build.sh` calls it, once per build. The libraries are those that cargo-leptos and the wasm-bindgen command
//! use; linking them takes a fifth of the time that installing both commands takes. Parts are neither optimized nor
//! named by their hashes here: scripts/site does that.

mod dead_code;

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// Loader of the parts. Parts contain this name as a string of fixed length: the underscores are replaced by a hash.
const LOADER: &str = "./__wasm_split.______________________.js";
/// Which parts a lazy function needs.
const MANIFEST: &str = "__wasm_split_manifest.json";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [input, name, output] = arguments.as_slice() else {
        bail!("usage: signalbox-wasm-split MODULE.wasm NAME OUTPUT_FOLDER");
    };
    let name = name.to_str().context("NAME must be UTF-8")?;
    split(Path::new(input), name, Path::new(output))
}

/// Splits `input`, and writes `NAME.js`, `NAME.wasm`, the parts, their loader and their manifest to `output`.
fn split(input: &Path, name: &str, output: &Path) -> anyhow::Result<()> {
    let module = std::fs::read(input).with_context(|| format!("{} could not be read", input.display()))?;
    let module = dead_code::without_uncalled(&module)
        .with_context(|| format!("{} could not be read", input.display()))?;
    let shared = shared_module(input);
    let main_module = format!("./{name}.js");
    let mut options = signalbox_wasm_splitter::Options::new(&module);
    options.output_dir = output;
    options.main_out_path = &shared;
    options.main_module = &main_module;
    options.link_name = LOADER;
    let parts = signalbox_wasm_splitter::transform(options).map_err(|error| {
        anyhow::anyhow!("{error:?}").context(format!("{} could not be split", input.display()))
    })?;
    std::fs::write(output.join(MANIFEST), serde_json::to_string_pretty(&parts.prefetch_map)?)?;
    drop(module);

    // The parts refer to functions by the exports of the linker, and to symbols by their mangled names.
    Bindgen::new()
        .input_path(&shared)
        .web(true)?
        .keep_lld_exports(true)
        .demangle(false)
        .typescript(false)
        .out_name(name)
        .generate(output)
        .with_context(|| format!("the JavaScript of {} could not be generated", shared.display()))?;
    // leptos expects the name without a suffix.
    std::fs::rename(output.join(format!("{name}_bg.wasm")), output.join(format!("{name}.wasm")))?;
    Ok(())
}

/// Shared module before its JavaScript is generated, beside `input`.
fn shared_module(input: &Path) -> PathBuf {
    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
    input.with_file_name(format!("{stem}_split.wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_that_can_not_be_split_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("frontend.wasm");
        let error = format!("{:#}", split(&input, "signalbox", folder.path()).unwrap_err());
        assert!(error.contains("frontend.wasm could not be read"), "{error}");
        std::fs::write(&input, b"not WebAssembly").unwrap();
        let error = format!("{:#}", split(&input, "signalbox", folder.path()).unwrap_err());
        assert!(error.contains("frontend.wasm could not be read"), "{error}");
    }
}
