//! Table with the values of a chart, shown from its menu; and its CSV.

use super::data::{Sheet, Spec};
use super::writing::Writing;
use components::reactive::part;
use display::csv::{self, Cell};
use display::format;
use leptos::prelude::*;
use protocol::Time;
use std::sync::Arc;

/// Maximum number of rows shown, the newest ones.
const MAX_ROWS: usize = 200;

/// Heading of the x column.
fn x_name(spec: &Spec) -> String {
    if spec.time { "time (UTC)".to_owned() } else { spec.x.clone() }
}

/// Headings of the baseline columns.
fn band_names(spec: &Spec, sheet: &Sheet) -> Vec<String> {
    let mut names = Vec::new();
    for (column, _) in sheet.bands_behind() {
        let name = spec.full_names().get(column).map_or("", String::as_str);
        names.extend(["p10", "p50", "p90", "runs"].map(|of| format!("{name}, baseline {of}")));
    }
    names
}

/// Baseline values at an x, with the number of runs; `NaN` where there is no baseline.
fn band_figures(sheet: &Sheet, x: f64) -> Vec<f64> {
    let at = |(_, band): (usize, &protocol::Band)| match band.at(x) {
        Some(slice) => [slice.p10, slice.p50, slice.p90, f64::from(slice.runs)],
        None => [f64::NAN; 4],
    };
    sheet.bands_behind().flat_map(at).collect()
}

/// Complete CSV with full precision.
pub fn csv_of(spec: &Spec, sheet: &Sheet) -> String {
    let first = x_name(spec);
    let bands = band_names(spec, sheet);
    let names = std::iter::once(&first).chain(spec.full_names()).chain(&bands);
    let mut out = csv::texts(names.map(String::as_str));
    for (i, x) in sheet.x.iter().enumerate() {
        let bands = band_figures(sheet, *x);
        let time = spec.time.then(|| Time::from_millis(x * 1_000.0).to_string());
        let x = time.as_deref().map_or(Cell::Number(*x), Cell::Text);
        let figures = sheet.columns.iter().map(|c| c.get(i).copied().unwrap_or(f64::NAN));
        out.push_str(&csv::line(std::iter::once(x).chain(figures.chain(bands).map(Cell::Number))));
    }
    out
}

/// Table below the chart, with the newest rows first.
#[component]
pub fn Table(spec: Spec, sheet: Signal<Arc<Sheet>>) -> impl IntoView {
    part(move || {
        let sheet = sheet.get();
        let from = sheet.x.len().saturating_sub(MAX_ROWS);
        let writing = Writing::of(&spec, &sheet);
        let in_band: Vec<usize> = sheet.bands_behind().map(|(column, _)| column).collect();
        let rows = (from..sheet.x.len()).rev().map(|i| {
            let cells = sheet.columns.iter().enumerate().map(|(place, column)| {
                let figure = column.get(i).copied().unwrap_or(f64::NAN);
                view! { <td class="num">{writing.y(place, figure)}</td> }
            });
            let runs = |place: usize| place % 4 == 3;
            let bands = band_figures(&sheet, sheet.x[i]).into_iter().enumerate().map(|(place, figure)| {
                let wording =
                    if runs(place) { format::figure(figure) } else { writing.y(in_band[place / 4], figure) };
                view! { <td class="num">{wording}</td> }
            });
            view! {
                <tr>
                    <th scope="row" class="num">{writing.x(sheet.x[i])}</th>
                    {cells.collect_view()}
                    {bands.collect_view()}
                </tr>
            }
        });
        let x_name = x_name(&spec);
        let left_out = (from > 0).then(|| {
            view! { <p class="muted">{format!("Newest {MAX_ROWS} of {} rows", format::count(sheet.x.len() as u64))}</p> }
        });
        let label = format!("Values of {}", spec.title);
        Some(
            view! {
                <div class="twin">
                    <div class="scroll" role="region" tabindex="0" aria-label=label>
                        <table class="plain">
                            <thead>
                                <tr>
                                    <th scope="col" class="num">{x_name}</th>
                                    {spec
                                        .full_names()
                                        .iter()
                                        .chain(&band_names(&spec, &sheet))
                                        .map(|name| view! { <th scope="col" class="num">{name.clone()}</th> })
                                        .collect_view()}
                                </tr>
                            </thead>
                            <tbody>{rows.collect_view()}</tbody>
                        </table>
                    </div>
                    {left_out}
                </div>
            }
            .into_any(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_of_earlier_runs_has_its_columns_and_is_empty_where_there_is_none() {
        let band = protocol::Band {
            x: vec![1.0, 3.0],
            p10: vec![Some(0.0), Some(1.0)],
            p50: vec![Some(1.0), Some(2.0)],
            p90: vec![Some(2.0), Some(4.0)],
            runs: vec![7, 6],
        };
        let spec = Spec { x: "epoch".into(), names: vec!["loss".into()], ..Spec::default() };
        let sheet = Sheet {
            x: vec![2.0, 4.0],
            columns: vec![vec![0.5, 0.25]],
            behind: vec![Some(Arc::new(band))],
            ..Sheet::default()
        };
        let text = csv_of(&spec, &sheet);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[0],
            r#"epoch,loss,"loss, baseline p10","loss, baseline p50","loss, baseline p90","loss, baseline runs""#
        );
        assert_eq!(lines[1], "2,0.5,0.5,1.5,3,6");
        assert_eq!(lines[2], "4,0.25,,,,");
    }

    #[test]
    fn a_chart_as_csv_has_every_digit_and_leaves_gaps_empty() {
        let spec = Spec { time: true, names: vec!["equity".into(), "b, c".into()], ..Spec::default() };
        let sheet = Sheet {
            x: vec![1_709_251_200.0, 1_709_337_600.0],
            columns: vec![vec![1.25, 1e-9], vec![f64::NAN, 2.0]],
            ..Sheet::default()
        };
        let text = csv_of(&spec, &sheet);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "time (UTC),equity,\"b, c\"");
        assert_eq!(lines[1], "2024-03-01T00:00:00.000000Z,1.25,");
        assert_eq!(lines[2], "2024-03-02T00:00:00.000000Z,1e-9,2");
    }

    #[test]
    fn a_curve_named_like_a_number_or_formula_is_text_in_the_header() {
        let spec = Spec { x: "epoch".into(), names: vec!["+1".into(), "=a".into()], ..Spec::default() };
        let sheet = Sheet { x: vec![1.0], columns: vec![vec![-1.0], vec![f64::NAN]], ..Sheet::default() };
        assert_eq!(csv_of(&spec, &sheet), "epoch,\"'+1\",\"'=a\"\r\n1,-1,\r\n");
    }
}
