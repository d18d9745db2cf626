//! `signalbox audit`: checks the audit log of a data folder.

use crate::config::default_data;
use anyhow::bail;
use clap::{Args, Subcommand};
use cli::output;
use display::format;
use std::path::PathBuf;
use store::{AuditBreak, AuditCheck, AuditHead, Sqlite};

/// Arguments of `signalbox audit`.
#[derive(Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Check that no entry of the audit log was changed, removed or inserted.
    ///
    /// Reads the database in the data folder, also while a server uses it. Prints the newest entry as NUMBER:HASH.
    /// Store this text on another machine, and pass it with --head at the next check: only then does the check find
    /// entries that were removed from the end of the log, or a log that was rewritten as a whole.
    Verify(VerifyArgs),
}

#[derive(Args)]
struct VerifyArgs {
    /// Data folder of the server [default: the platform's data folder]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Entry that the log must still contain, as NUMBER:HASH from an earlier check
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<AuditHead>,
}

/// Runs the command.
///
/// # Errors
/// A sentence if the log can't be read, or is broken.
pub fn run(args: AuditArgs) -> anyhow::Result<()> {
    let AuditCommand::Verify(VerifyArgs { data, head }) = args.command;
    let Some(data) = data.or_else(default_data) else {
        bail!("no home folder found for the data. Pass the server's data folder with --data FOLDER");
    };
    let path = data.join("signalbox.db");
    if !path.is_file() {
        bail!("{} does not exist. Pass the server's data folder with --data FOLDER", path.display());
    }
    let text = match Sqlite::check_audit(&path, head.as_ref())? {
        AuditCheck::Intact { head: None, .. } => "The audit log is empty.".to_owned(),
        AuditCheck::Intact { entries, first, head: Some(newest) } => {
            if let (Some(first), Some(noted)) = (first, head)
                && noted.n < first
            {
                output::note(&format!(
                    "signalbox: entry {} is older than the oldest kept entry, {first}, so it was not compared",
                    noted.n
                ))?;
            }
            let entries = format::counted(entries, "entry", "entries");
            format!("The audit log is intact: {entries}.\nNewest entry: {newest}")
        }
        AuditCheck::Broken { n, why } => bail!("{}", broken(n, why)),
    };
    Ok(output::line(&text)?)
}

/// What is broken, and what to do.
fn broken(n: u64, why: AuditBreak) -> String {
    let what = match why {
        AuditBreak::Missing => format!("entry {n} of the audit log is missing"),
        AuditBreak::Changed => {
            format!("entry {n} of the audit log was changed, or an entry before it was inserted")
        }
        AuditBreak::Columns => {
            format!("the search columns of entry {n} of the audit log were changed; the entry itself was not")
        }
        AuditBreak::OtherHead => {
            format!("the audit log has no entry {n} with the given hash: entries were removed or rewritten")
        }
    };
    format!(
        "{what}. Somebody changed the database by other means than Signalbox, or the disk is damaged. Keep a copy of the \
         data folder, and compare it with an exported log or a backup"
    )
}
