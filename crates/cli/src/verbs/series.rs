//! `signalbox series`

use crate::complete::{Which, operations};
use crate::errors::advised;
use crate::exit::Exit;
use crate::listing::{self, Cell, Format, Listed};
use crate::target::To;
use crate::{id, output};
use anyhow::bail;
use clap::Args;
use protocol::{Points, Time};

/// Arguments of `signalbox series`.
#[derive(Args)]
pub struct SeriesArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Any))]
    id: String,
    /// Only these series, comma-separated; default: all
    #[arg(long, value_delimiter = ',')]
    name: Vec<String>,
    /// Maximum points per series, 5 to 20,000; longer series are downsampled
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(5..=20_000))]
    points: u32,
    #[command(flatten)]
    to: To,
}

impl Listed for Points {
    const COLUMNS: &'static [&'static str] = &["SERIES", "POINTS", "FIRST X", "LAST X", "MIN", "MAX", "LAST"];
    const FIELDS: &'static [&'static str] = &["series", "x", "y"];
    const EMPTY: &'static str = "The operation has no series.";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let figure = |n: Option<f64>| n.map(display::format::figure).unwrap_or_default().into();
        let values = || self.points.iter().map(|point| point.1).filter(|y| y.is_finite());
        vec![
            self.name.clone().into(),
            display::format::count(self.points.len() as u64).into(),
            figure(self.points.first().map(|point| point.0)),
            figure(self.points.last().map(|point| point.0)),
            figure(values().reduce(f64::min)),
            figure(values().reduce(f64::max)),
            figure(values().next_back()),
        ]
    }

    fn record(&self) -> Vec<String> {
        // A series has many; see `points_csv`.
        vec![self.name.clone(), String::new(), String::new()]
    }
}

/// Prints the series of an operation: a summary for people, all points for programs.
pub async fn run(args: SeriesArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let id = id::id_of(&target, &args.id).await?;
    let answer = target.client.series(id, &args.name, args.points).await.map_err(advised)?;
    target.remember(id)?;
    let is_answered = |name: &String| answer.series.iter().any(|one| one.name == *name);
    if let Some(name) = args.name.iter().find(|name| !is_answered(name)) {
        let detail = target.client.operation(id).await.map_err(advised)?;
        let is_unknown = !detail.series.contains(name);
        match detail.series.is_empty() {
            // A running operation may still report it.
            true if is_unknown && detail.operation.state.ended() => bail!("operation {id} has no series"),
            false if is_unknown => {
                bail!("operation {id} has no series '{name}'. Its series: {}", detail.series.join(", "))
            }
            _ => {}
        }
    }
    match target.format {
        Format::Csv => output::line(&points_csv(&answer.series))?,
        other => listing::print(other, &answer.series, &answer)?,
    }
    if answer.downsampled {
        output::note(
            "Downsampled: only the minimum and the maximum of each section of a series are printed.",
        )?;
    }
    Ok(Exit::Fine)
}

/// One line per point: series, x, y; y is empty where a curve has a gap.
fn points_csv(series: &[Points]) -> String {
    use display::csv::Cell::{Number, Text};
    let mut all = display::csv::texts(Points::FIELDS.iter().copied());
    for one in series {
        for point in &one.points {
            all.push_str(&display::csv::line([Text(&one.name), Number(point.0), Number(point.1)]));
        }
    }
    all.replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Point;

    #[test]
    fn csv_has_every_point_and_leaves_gaps_empty() {
        let loss = Points { name: "loss".into(), points: vec![Point(1.0, 0.5), Point(2.0, f64::NAN)] };
        assert_eq!(points_csv(&[loss]), "series,x,y\nloss,1,0.5\nloss,2,\n");
    }
}
