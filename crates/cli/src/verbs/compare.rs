//! `signalbox compare`

use crate::complete::{Which, operations};
use crate::errors::advised;
use crate::exit::{Exit, bail_usage};
use crate::listing::{self, Cell, Format};
use crate::target::To;
use crate::{id, output, rows, text};
use clap::Args;
use protocol::{Operation, Time};
use serde_json::json;

/// Operations that can be compared, as on the page.
const MAX_COMPARED: usize = 20;

/// Arguments of `signalbox compare`.
#[derive(Args)]
pub struct CompareArgs {
    #[arg(required = true, num_args = 2.., value_name = "ID", help = crate::id::IDS_HELP, add = operations(Which::Any))]
    ids: Vec<String>,
    /// Also print parameters with the same value in all operations
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    to: To,
}

/// Prints how operations differ in parameters and results.
pub async fn run(args: CompareArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let format = target.format.one_of(&[Format::Text, Format::Json, Format::Csv], "compare")?;
    let ids = id::ids_of(&target, &args.ids).await?;
    if !(2..=MAX_COMPARED).contains(&ids.len()) {
        bail_usage!("`signalbox compare` needs 2 to {MAX_COMPARED} different operations");
    }
    let mut operations = Vec::with_capacity(ids.len());
    for id in ids {
        operations.push(target.client.operation(id).await.map_err(advised)?.operation);
    }
    let params = params_of(&operations, args.all);
    let figures = figures_of(&operations);
    match format {
        Format::Json => {
            let whole = json!({"operations": operations, "params": params.iter().map(|(name, values)| {
                (name.clone(), json!(values))
            }).collect::<serde_json::Map<_, _>>()});
            output::json(&whole.to_string())?;
        }
        Format::Csv => {
            let ids: Vec<String> = operations.iter().map(|op| op.id.to_string()).collect();
            let fields: Vec<&str> = std::iter::once("row").chain(ids.iter().map(String::as_str)).collect();
            let states =
                vec![("state".to_owned(), operations.iter().map(|op| op.state.to_string()).collect())];
            let all = states.into_iter().chain(params).chain(raw_figures(&operations));
            listing::print_csv(&fields, all.map(|(name, values)| line(name, values)))?;
        }
        _ => {
            let now = Time::now();
            let letters: Vec<String> =
                (b'A'..).take(operations.len()).map(|c| char::from(c).to_string()).collect();
            let columns: Vec<&str> = std::iter::once("").chain(letters.iter().map(String::as_str)).collect();
            let own = |name: &str, value: &dyn Fn(&Operation) -> Cell| {
                std::iter::once(Cell::from(name)).chain(operations.iter().map(value)).collect::<Vec<_>>()
            };
            let mut table = vec![
                own("id", &|op| op.id.short().into()),
                own("kind", &|op| op.kind.to_string().into()),
                own("title", &|op| op.title.clone().into()),
                own("state", &|op| Cell::coloured(op.state.as_str(), rows::colour_of(op.state))),
                own("duration", &|op| text::duration(op, now).into()),
            ];
            let more = params.into_iter().chain(figures);
            table.extend(more.map(|(name, values)| line(name, values).into_iter().map(Cell::from).collect()));
            listing::print_table(&columns, table)?;
        }
    }
    Ok(Exit::Fine)
}

fn line(name: String, values: Vec<String>) -> Vec<String> {
    std::iter::once(name).chain(values).collect()
}

/// Parameters with the value of each operation: the differing ones, or all.
fn params_of(operations: &[Operation], all: bool) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<&String> = Vec::new();
    for name in operations.iter().filter_map(|op| op.params.as_object()).flat_map(serde_json::Map::keys) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let values = names.into_iter().map(|name| {
        let value = |op: &Operation| {
            op.params
                .get(name)
                .filter(|value| !value.is_null())
                .map(display::format::param)
                .unwrap_or_default()
        };
        (name.clone(), operations.iter().map(value).collect::<Vec<String>>())
    });
    values.filter(|(_, values)| all || values.iter().any(|value| *value != values[0])).collect()
}

/// Key figures of the results, as on the page.
fn figures_of(operations: &[Operation]) -> Vec<(String, Vec<String>)> {
    figures(operations, &display::key_figure::value)
}

/// Same, with full precision and without units.
fn raw_figures(operations: &[Operation]) -> Vec<(String, Vec<String>)> {
    figures(operations, &|figure| figure.value.to_string())
}

fn figures(
    operations: &[Operation],
    write: &dyn Fn(&protocol::KeyFigure) -> String,
) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<&str> = Vec::new();
    for figure in operations.iter().flat_map(|op| &op.figures) {
        if !names.contains(&figure.name.as_str()) {
            names.push(&figure.name);
        }
    }
    let of = |op: &Operation, name: &str| op.figures.iter().find(|figure| figure.name == name).map(write);
    let values = |name: &str| operations.iter().map(|op| of(op, name).unwrap_or_default()).collect();
    names.into_iter().map(|name| (name.to_owned(), values(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{KindName, OperationId};

    #[test]
    fn only_parameters_that_differ_are_compared() {
        let op = |params| {
            let kind = KindName::new("training.run").unwrap();
            Operation::queued(OperationId::new(), kind, "t".into(), params, Time::now())
        };
        let two = [op(json!({"rate": 0.1, "epochs": 5})), op(json!({"epochs": 5, "rate": 0.2, "seed": 1}))];
        let names: Vec<String> = params_of(&two, false).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["rate", "seed"]);
        assert_eq!(params_of(&two, true).len(), 3);
        assert_eq!(params_of(&two, false)[1].1, ["", "1"]);
    }
}
