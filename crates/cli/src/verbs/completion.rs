//! `signalbox completion`

use crate::exit::Exit;
use crate::{complete, output};
use clap::{Args, ValueEnum};

/// Arguments of `signalbox completion`.
#[derive(Args)]
pub struct CompletionArgs {
    /// Shell
    shell: Shell,
}

/// Shell that can complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script that makes a shell complete.
pub fn run(args: CompletionArgs) -> anyhow::Result<Exit> {
    let shell = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    output::bytes(complete::script(shell)?.as_bytes())?;
    Ok(Exit::Fine)
}
