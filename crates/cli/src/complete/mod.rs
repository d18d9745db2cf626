//! Completion in shells: kinds, parameters, operations, hosts and contexts, from the agent's copy.
//!
//! A shell waits while it completes, so there is a time limit. What fails or takes too long completes nothing: errors
//! would be printed into the prompt.

mod candidates;
mod typed;

pub use candidates::{hosts, kinds, operations, params, states};

use clap_complete::env::Shells;
use std::ffi::OsString;

/// Variable by which the shell's script asks for candidates; its value is the shell.
const VARIABLE: &str = "SIGNALBOX_COMPLETE";
/// Name that is completed.
const PROGRAM: &str = "signalbox";

/// Which operations fit an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    Any,
    /// Not ended.
    Active,
    Ended,
    /// Ended without success.
    Unsuccessful,
}

/// Whether a shell asks for candidates.
pub fn is_asked() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|shell| !shell.is_empty())
}

/// Answers a shell that asks for candidates; whether one did.
pub fn answer(command: impl Fn() -> clap::Command) -> bool {
    if !is_asked() {
        return false;
    }
    let (arguments, folder) = (std::env::args_os(), std::env::current_dir().ok());
    let completion = clap_complete::CompleteEnv::with_factory(command).var(VARIABLE);
    // An error can't be shown; the shell completes nothing.
    let _ = completion.try_complete(arguments, folder.as_deref());
    true
}

/// Script that makes a shell complete.
///
/// # Errors
/// If the shell is not supported.
pub fn script(shell: &str) -> std::io::Result<String> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let shell = shells.completer(shell).ok_or(std::io::ErrorKind::Unsupported)?;
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    Ok(String::from_utf8_lossy(&script).into_owned())
}

/// Words of the command line before the one that is completed.
fn words_before() -> Vec<String> {
    let after_separator = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let words: Vec<OsString> = after_separator.collect();
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let index: usize = index.unwrap_or(words.len().saturating_sub(1));
    words.into_iter().take(index).map(|word| word.to_string_lossy().into_owned()).collect()
}
