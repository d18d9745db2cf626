//! Confusion matrix: rows are actual classes, columns are predicted ones. Cells are tinted by their share of the row.

use display::format;
use leptos::prelude::*;

/// Counts as shares of their rows; 0 in empty rows.
fn shares(counts: &[Vec<u64>]) -> Vec<Vec<f64>> {
    let share = |row: &Vec<u64>| {
        let all: u64 = row.iter().sum();
        row.iter().map(|n| if all == 0 { 0.0 } else { *n as f64 / all as f64 }).collect()
    };
    counts.iter().map(share).collect()
}

/// Table of the matrix.
#[component]
pub fn ConfusionTable(classes: Vec<String>, counts: Vec<Vec<u64>>) -> impl IntoView {
    if counts.is_empty() {
        return ().into_any();
    }
    let name = move |classes: &[String], i: usize| {
        classes.get(i).cloned().unwrap_or_else(|| format!("class {}", i + 1))
    };
    let heads = (0..counts[0].len()).map(|i| view! { <th scope="col" class="num">{name(&classes, i)}</th> });
    let heads = heads.collect_view();
    let shares = shares(&counts);
    let rows = counts.iter().zip(&shares).enumerate().map(|(i, (row, shares))| {
        let cells = row.iter().zip(shares).enumerate().map(|(j, (n, share))| {
            view! {
                <td class="num" style=format!("--share:{share:.3}") data-right=(i == j).then_some("")>
                    {format::count(*n)}
                    " "
                    <span class="beside">{format::share(*share)}</span>
                </td>
            }
        });
        let all: u64 = row.iter().sum();
        view! {
            <tr>
                <th scope="row">{name(&classes, i)}</th>
                {cells.collect_view()}
                <td class="num muted">{format::count(all)}</td>
            </tr>
        }
    });
    let columns = counts[0].len().to_string();
    view! {
        <div>
            <h3 id="confusion-title">"Confusion matrix (test set)"</h3>
            <div class="scroll-x">
                <table class="plain confusion" aria-labelledby="confusion-title">
                    <thead>
                        <tr>
                            <td></td>
                            <th scope="colgroup" colspan=columns class="num">"Predicted"</th>
                            <td></td>
                        </tr>
                        <tr>
                            <th scope="col">"Actual"</th>
                            {heads}
                            <th scope="col" class="num">"Total"</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
            <p class="muted">"Percentages are per row. Correct predictions are outlined."</p>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_true_class_and_an_empty_row_has_none() {
        assert_eq!(shares(&[vec![3, 1], vec![0, 0]]), [[0.75, 0.25], [0.0, 0.0]]);
    }
}
