//! `signalbox top`: a live view of operations and hosts in a terminal.
//!
//! [`feed`] brings the server's data, [`model`] holds them, [`view`] has what the user chose, [`keys`] tells what a key
//! does, [`draw`] makes the picture, and [`screen`] owns the terminal.

mod draw;
mod feed;
mod guardian;
mod history;
mod keys;
mod log;
mod model;
mod screen;
mod session;
mod view;

use crate::exit::{Exit, UsageError};
use crate::target::Target;
use std::io::IsTerminal;

/// Shows the view until the user leaves it.
///
/// # Errors
/// If there is no terminal, or it can't be read or written.
pub async fn run(target: &Target) -> anyhow::Result<Exit> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        let why = "`signalbox top` needs a terminal. `signalbox list` and `signalbox watch` work without one";
        return Err(UsageError(why.to_owned()).into());
    }
    session::run(target).await
}
