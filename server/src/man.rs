//! Man pages of all commands, from the same texts as `--help`.

use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `signalbox man`.
#[derive(Args)]
pub struct ManArgs {
    /// Folder to write to; it is created if needed
    folder: PathBuf,
}

/// Writes one page for the program and one per command: `signalbox.1`, `signalbox-list.1` and so on.
///
/// # Errors
/// A sentence if the folder can't be written.
pub fn write(command: clap::Command, args: &ManArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    let failed = || format!("man pages can't be written to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    clap_mangen::generate_to(command, folder).with_context(failed)
}
