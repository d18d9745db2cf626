//! `signalbox secrets`: keys for secret parameters.

use anyhow::anyhow;
use clap::{Args, Subcommand};
use cli::output;

/// Arguments of `signalbox secrets`.
#[derive(Args)]
pub struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Subcommand)]
enum SecretsCommand {
    /// Print a new key, as a line of the key file.
    ///
    /// The server encrypts secret parameters with the first key of the file that secrets.key_file names in the
    /// configuration: (umask 077; signalbox secrets new-key > secrets.key). To replace a key, put the new one above it.
    NewKey,
}

/// Runs the command.
///
/// # Errors
/// If the system has no random numbers, or nothing can be printed.
pub fn run(args: SecretsArgs) -> anyhow::Result<()> {
    let SecretsCommand::NewKey = args.command;
    let key = engine::new_key().map_err(|_| anyhow!("the system has no random numbers for a key"))?;
    Ok(output::line(&key)?)
}
