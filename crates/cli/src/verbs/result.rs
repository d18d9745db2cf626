//! `signalbox result`

use crate::complete::{Which, operations};
use crate::errors::advised;
use crate::exit::Exit;
use crate::listing::{self, Cell, Format};
use crate::target::To;
use crate::{id, output};
use anyhow::bail;
use clap::Args;

/// Arguments of `signalbox result`.
#[derive(Args)]
pub struct ResultArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Ended))]
    id: String,
    #[command(flatten)]
    to: To,
}

/// Prints the result of an operation: key figures and document for people, the document for programs.
pub async fn run(args: ResultArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let format = target.format.one_of(&[Format::Text, Format::Json, Format::Jsonl, Format::Csv], "result")?;
    let id = id::id_of(&target, &args.id).await?;
    let detail = target.client.operation(id).await.map_err(advised)?;
    target.note_age()?;
    target.remember(id)?;
    let Some(result) = detail.result else {
        bail!("operation {id} has no result: its state is {}", detail.operation.state);
    };
    match format {
        Format::Csv => listing::print_csv(
            &["figure", "value", "unit"],
            result.figures.iter().map(|f| vec![f.name.clone(), f.value.to_string(), f.unit.clone()]),
        )?,
        Format::Text => {
            if !result.figures.is_empty() {
                let rows = result.figures.iter();
                let rows =
                    rows.map(|f| vec![Cell::from(f.name.clone()), display::key_figure::value(f).into()]);
                listing::print_table(&["FIGURE", "VALUE"], rows.collect())?;
            }
            let document = serde_json::to_string_pretty(&result.document)?;
            output::line(&document)?;
            if !result.artifacts.is_empty() {
                let names: Vec<&str> = result.artifacts.iter().map(|one| one.name.as_str()).collect();
                output::note(&format!(
                    "Artifacts: {}. `signalbox artifacts {id}` lists them.",
                    names.join(", ")
                ))?;
            }
        }
        _ => output::json(&listing::json_of(&result.document))?,
    }
    Ok(Exit::Fine)
}
