//! Calendar of years and months: returns of a backtest, completeness of a load. Each cell has its figure and a tint.

use display::format;
use leptos::prelude::*;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Cell of a calendar.
#[derive(Clone, PartialEq, Debug)]
pub struct Cell {
    /// `2024-03`
    pub month: String,
    pub text: String,
    /// Tooltip with the details.
    pub title: String,
    /// Direction of the tint: below zero, above zero or none.
    pub sign: Option<&'static str>,
    /// Strength of the tint, 0 to 1.
    pub share: f64,
}

/// Cells of one year, January first, and its summary.
type YearRow = (String, Vec<Option<Cell>>);

/// Cells by year, the first year first.
fn by_year(cells: Vec<Cell>) -> Vec<YearRow> {
    let mut years: Vec<YearRow> = Vec::new();
    for cell in cells {
        let Some((year, month)) = cell.month.split_once('-') else { continue };
        let Some(place) = month.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < 12)
        else {
            continue;
        };
        if years.last().is_none_or(|(known, _)| known != year) {
            years.push((year.to_owned(), vec![None; 12]));
        }
        if let Some((_, row)) = years.last_mut() {
            row[place] = Some(cell);
        }
    }
    years
}

/// First and last second of a month, since 1970.
fn range_of(month: &str) -> Option<(f64, f64)> {
    let (year, month) = month.split_once('-')?;
    let (year, month): (i64, u32) = (year.parse().ok()?, month.parse().ok()?);
    let start = |months: i64| {
        format::month_start(months.div_euclid(12), months.rem_euclid(12) as u32 + 1).map(super::seconds)
    };
    let months = year * 12 + i64::from(month) - 1;
    Some((start(months)?, start(months + 1)? - 1.0))
}

/// The table; `total` makes the text of a year's last column. `on_press` is called with the range of a pressed month,
/// in seconds since 1970.
pub fn calendar(
    label: &'static str,
    cells: Vec<Cell>,
    total: (&'static str, impl Fn(&str) -> String),
    on_press: Option<Callback<(f64, f64)>>,
) -> AnyView {
    let (total_name, total) = total;
    let rows = by_year(cells).into_iter().map(|(year, cells)| {
        let cells = cells.into_iter().map(|cell| match cell {
            None => view! { <td></td> }.into_any(),
            Some(cell) => {
                let style = format!("--share:{:.3}", cell.share.clamp(0.0, 1.0));
                let label = format!("{}. {}. Show in the chart", cell.text, cell.title);
                let press = on_press.zip(range_of(&cell.month)).map(|(press, range)| {
                    view! {
                        <button type="button" aria-label=label on:click=move |_| press.run(range)>
                            {cell.text.clone()}
                        </button>
                    }
                });
                let text = press.is_none().then_some(cell.text);
                view! {
                    <td class="num" data-sign=cell.sign style=style title=cell.title>
                        {press}
                        {text}
                    </td>
                }
                .into_any()
            }
        });
        view! {
            <tr>
                <th scope="row" class="num">{year.clone()}</th>
                {cells.collect_view()}
                <td class="num calendar-total">{total(&year)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let heads = MONTHS.map(|name| view! { <th scope="col" class="num">{name}</th> });
    view! {
        <div class="scroll-x" tabindex="0" role="region" aria-label=label>
            <table class="plain calendar">
                <thead>
                    <tr>
                        <td></td>
                        {heads.collect_view()}
                        <th scope="col" class="num">{total_name}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_in_the_row_of_their_year() {
        let cell = |month: &str| Cell {
            month: month.into(),
            text: String::new(),
            title: String::new(),
            sign: None,
            share: 0.0,
        };
        let rows = by_year(["2023-12", "2024-01", "2024-03", "broken", "2024-13"].map(cell).to_vec());
        let there: Vec<_> = rows
            .iter()
            .map(|(year, cells)| (year.as_str(), cells.iter().filter(|c| c.is_some()).count()))
            .collect();
        assert_eq!(there, [("2023", 1), ("2024", 2)]);
        assert!(rows[1].1[2].is_some() && rows[1].1[1].is_none());
    }

    #[test]
    fn a_month_ends_where_the_next_one_begins() {
        assert_eq!(range_of("1970-01"), Some((0.0, 31.0 * 86_400.0 - 1.0)));
        assert_eq!(range_of("2023-12").map(|(_, to)| to + 1.0), range_of("2024-01").map(|(from, _)| from));
        assert_eq!(range_of("broken"), None);
    }
}
