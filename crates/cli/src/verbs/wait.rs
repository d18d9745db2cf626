//! `signalbox wait`

use crate::complete::{Which, operations};
use crate::errors::advised;
use crate::exit::{Exit, bail_usage};
use crate::listing::{self, Format};
use crate::target::{Target, To};
use crate::{id, output, rows, text};
use anyhow::bail;
use clap::Args;
use client::{Client, ClientError, Events, Follower};
use protocol::{Operation, OperationId};
use std::slice;
use std::time::Duration;
use tokio::task::JoinSet;

/// Operations that one command waits for; each has a connection.
const MAX_WAITED: usize = 100;

/// Arguments of `signalbox wait`.
#[derive(Args)]
pub struct WaitArgs {
    #[arg(required = true, value_name = "ID", help = crate::id::IDS_HELP, add = operations(Which::Active))]
    ids: Vec<String>,
    /// Wait only until the first operation ends
    #[arg(long, conflicts_with = "all")]
    any: bool,
    /// Wait until all operations have ended; this is the default
    #[arg(long)]
    all: bool,
    /// Timeout, such as 90s, 10m or 2h. When it expires, the command ends with the exit code 3
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    to: To,
}

/// Parses `90s`, `10m`, `2h`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let seconds = match &text[unit..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => 0,
    };
    match text[..unit].parse::<u64>().ok().and_then(|count| count.checked_mul(seconds)) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("write a time such as 90s, 10m or 2h".to_owned()),
    }
}

/// Waits until operations end, and prints each as it ends.
pub async fn run(args: WaitArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let ids = id::ids_of(&target, &args.ids).await?;
    let waiting = ended(&target, &ids, args.any);
    match args.timeout {
        None => waiting.await,
        Some(limit) => match tokio::time::timeout(limit, waiting).await {
            Ok(exit) => exit,
            Err(_) => {
                bail!("timed out after {}; the operations continue", text::rounded(limit.as_secs_f64()))
            }
        },
    }
}

/// Waits until all have ended.
///
/// # Errors
/// A sentence if one does not exist or the server is unreachable at first.
pub async fn all(target: &Target, ids: &[OperationId]) -> anyhow::Result<Exit> {
    ended(target, ids, false).await
}

async fn ended(target: &Target, ids: &[OperationId], any: bool) -> anyhow::Result<Exit> {
    if ids.len() > MAX_WAITED {
        bail_usage!("one command can wait for at most {MAX_WAITED} operations, not for {}", ids.len());
    }
    let mut following = JoinSet::new();
    for id in ids {
        following.spawn(end_of(target.client.clone(), *id));
    }
    let (mut states, mut printed) = (Vec::new(), false);
    while let Some(operation) = following.join_next().await {
        let operation = operation?.map_err(advised)?;
        print(target.format, &operation, printed)?;
        printed = true;
        states.push(operation.state);
        if any {
            break;
        }
    }
    Ok(Exit::of_all(states.into_iter()))
}

async fn end_of(client: Client, id: OperationId) -> Result<Operation, ClientError> {
    let detail = client.operation(id).await?;
    let mut follower = Follower::new(client.clone(), &detail, Events::Newest);
    while follower.next().await?.is_some() {}
    client.operation(id).await.map(|detail| detail.operation)
}

fn print(format: Format, operation: &Operation, printed: bool) -> anyhow::Result<()> {
    match format {
        Format::Text => {
            let title = text::one_row(&operation.title);
            let cells = vec![
                operation.id.to_string().into(),
                listing::Cell::coloured(text::outcome(operation), rows::colour_of(operation.state)),
                format!("{} {title}", operation.kind).into(),
            ];
            // Without a head, because lines come as operations end.
            let coloured = crate::terminal::has_colours();
            let lines = listing::table(&["", "", ""], vec![cells], coloured, listing::Fit::cut());
            output::styled_lines(&lines[1..])?;
            let reason = text::reason(operation);
            if !reason.is_empty() {
                output::line(&format!("    {}", reason.replace('\n', "\n    ")))?;
            }
        }
        Format::Csv if printed => {
            let line = display::csv::texts(listing::Listed::record(operation).iter().map(String::as_str));
            output::line(line.trim_end())?;
        }
        // One document per line, because they come one by one.
        Format::Json => output::json(&listing::json_of(operation))?,
        other => listing::print(other, slice::from_ref(operation), operation)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_a_unit_and_is_not_zero() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7_200)));
        for wrong in ["", "5", "m", "0s", "-1s", "1 h", "99999999999999999999h", "9999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
