//! Adds the merging of small parts to the source of `wasm_split_cli_support`, which has no option for it.
//!
//! Copies the source of the version in `Cargo.lock` to the build folder, adds `merge.rs` and one call. If the source is
//! another one than expected, the build fails.

use anyhow::{ensure, Context as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const LIBRARY: &str = "wasm_split_cli_support";
/// Line before which the parts are complete, but nothing was derived from them.
const PARTS_ARE_COMPLETE: &str = "    for out_module in split_module_contents.values_mut() {\n";
const MERGE: &str = "    let names = split_points_by_module.keys().cloned().collect();\n    \
                     let mut split_module_contents = crate::merge::merge_small(split_module_contents, &names, module);\n";
const FIRST_MODULE: &str = "mod dep_graph;\n";

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/merge.rs");
    let to = PathBuf::from(env::var("OUT_DIR")?).join("src");
    copy(&source()?, &to)?;
    insert_before(&to.join("split_point.rs"), PARTS_ARE_COMPLETE, MERGE)?;
    insert_before(&to.join("lib.rs"), FIRST_MODULE, "mod merge;\n")?;
    fs::copy("src/merge.rs", to.join("merge.rs"))?;
    Ok(())
}

/// Folder with the library's source, where cargo has it.
fn source() -> anyhow::Result<PathBuf> {
    let metadata = Command::new(env::var("CARGO")?)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &env::var("HOST")?])
        .output()?;
    ensure!(metadata.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let package = packages.iter().find(|package| package["name"] == LIBRARY);
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = manifest.with_context(|| format!("cargo metadata does not list {LIBRARY}"))?;
    Ok(Path::new(manifest).with_file_name("src"))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("can't read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            // Not `fs::copy`, which would also copy that the file can't be changed.
            fs::write(target, fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn insert_before(file: &Path, line: &str, text: &str) -> anyhow::Result<()> {
    let source = fs::read_to_string(file)?;
    ensure!(
        source.matches(line).count() == 1,
        "{} of {LIBRARY} has another content than that of version 0.2.3, which this build is made for: adapt \
         tools/wasm-split/splitter/build.rs to it",
        file.display()
    );
    fs::write(file, source.replacen(line, &format!("{text}{line}"), 1))?;
    Ok(())
}
