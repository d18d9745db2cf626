//! `signalbox list`

use crate::complete::{self, Which};
use crate::errors::advised;
use crate::exit::Exit;
use crate::listing::{self, Cell, Format};
use crate::output;
use crate::rows::colour_of;
use crate::target::{Target, To};
use clap::Args;
use client::OperationQuery;

/// Filters of operations, as on the page.
#[derive(Args, Clone, Default)]
pub struct Filters {
    /// Only these states, comma-separated: queued, running, failed, ...
    #[arg(long, add = complete::states())]
    pub state: Option<String>,
    /// Only these kinds, comma-separated
    #[arg(long, add = complete::kinds())]
    pub kind: Option<String>,
    /// Only these hosts, comma-separated
    #[arg(long, add = complete::hosts())]
    pub host: Option<String>,
    /// Only operations whose parameter NAME has this value; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = pair)]
    pub params: Vec<(String, String)>,
    /// Only child operations of the operation with this ID
    #[arg(long, value_name = "ID", add = complete::operations(Which::Any))]
    pub parent: Option<String>,
    /// Only operations created at or after this time: an age such as 24h or 7d, a day in UTC such as 2026-11-01, or a
    /// time such as 2026-11-01T09:30:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only operations created before this time, written as for --since; if it is a day, that day is included
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only operations that ended at or after this time: an age such as 24h or 7d, a day (UTC) or a time
    #[arg(long, value_name = "TIME")]
    pub ended_since: Option<String>,
    /// Only operations that ended before this time; a day is included as a whole
    #[arg(long, value_name = "TIME")]
    pub ended_until: Option<String>,
    /// Only operations with all of these words in their title, kind, host, ID or tags; a word may also be a state
    #[arg(short = 'q', long = "query", value_name = "TEXT")]
    pub q: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("write NAME=VALUE, such as symbol=MSFT".to_owned()),
    }
}

impl Filters {
    /// Query with these filters.
    ///
    /// # Errors
    /// A sentence if the parent is not known.
    pub async fn query(&self, target: &Target) -> anyhow::Result<OperationQuery> {
        let parent = match &self.parent {
            Some(given) => Some(crate::id::id_of(target, given).await?.to_string()),
            None => None,
        };
        Ok(OperationQuery {
            state: self.state.clone(),
            kind: self.kind.clone(),
            host: self.host.clone(),
            params: self.params.clone(),
            parent,
            since: self.since.clone(),
            until: self.until.clone(),
            ended_since: self.ended_since.clone(),
            ended_until: self.ended_until.clone(),
            words: self.q.clone(),
            ..OperationQuery::default()
        })
    }
}

/// Arguments of `signalbox list`.
#[derive(Args)]
pub struct ListArgs {
    #[command(flatten)]
    filters: Filters,
    /// List the oldest operations first
    #[arg(long)]
    oldest: bool,
    /// Maximum number of results, 1 to 500
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Cursor of the next page, printed below the previous page
    #[arg(long)]
    after: Option<String>,
    /// Print only the number of matching operations by state
    #[arg(long, conflicts_with_all = ["limit", "after", "oldest"])]
    count: bool,
    #[command(flatten)]
    to: To,
}

/// Prints a table of operations, newest first.
pub async fn run(args: ListArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let query = OperationQuery {
        oldest: args.oldest,
        after: args.after,
        limit: args.limit,
        ..args.filters.query(&target).await?
    };
    if args.count {
        return count(&target, &query).await;
    }
    let page = target.client.operations(&query).await.map_err(advised)?;
    target.print(&page.operations, &page)?;
    target.listed(page.operations.iter().map(|operation| operation.id).collect())?;
    if let Some(next) = page.next.filter(|_| target.format != Format::Json) {
        output::note(&format!("More results: repeat the command with --after {next}"))?;
    }
    Ok(Exit::Fine)
}

async fn count(target: &Target, query: &OperationQuery) -> anyhow::Result<Exit> {
    let possible = [Format::Text, Format::Json, Format::Csv];
    let format = target.format.one_of(&possible, "list --count")?;
    let counts = target.client.counts(query).await.map_err(advised)?;
    let rows = || counts.counts.iter();
    match format {
        Format::Json => output::json(&listing::json_of(&counts))?,
        Format::Csv => listing::print_csv(
            &["state", "count"],
            rows().map(|one| vec![one.state.to_string(), one.count.to_string()]),
        )?,
        _ => {
            let cells = rows().filter(|one| one.count > 0).map(|one| {
                let state = Cell::coloured(one.state.as_str(), colour_of(one.state));
                vec![state, display::format::count(one.count).into()]
            });
            let cells: Vec<_> = cells.collect();
            match cells.is_empty() {
                true => output::line("No operations match.")?,
                false => listing::print_table(&["STATE", "COUNT"], cells)?,
            }
        }
    }
    Ok(Exit::Fine)
}
