//! Comparison of result figures, with the best values marked. Pure.

use crate::outcome::{Better, EXEC, Figure, Outcome, best_of, distinct_texts};
use protocol::{KindName, State};

/// State and result of one operation.
pub struct Side<'a> {
    pub kind: &'a KindName,
    pub state: State,
    pub outcome: Option<&'a Outcome>,
}

/// Row of one figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub name: String,
    pub means: &'static str,
    /// One cell per operation.
    pub cells: Vec<Cell>,
}

impl Row {
    /// Whether the operations have different values.
    pub fn differs(&self) -> bool {
        self.cells.windows(2).any(|pair| pair[0].text != pair[1].text)
    }
}

/// Figure of one operation.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Cell {
    /// Value as text; empty if the result does not have the figure.
    pub text: String,
    pub best: bool,
    /// Worst of at least three different values.
    pub worst: bool,
}

/// Figures of one family of kinds.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    /// Name of the family: `backtest.run`.
    pub of: String,
    pub rows: Vec<Row>,
}

/// Family of kinds with the same figures: all commands, or a single kind.
fn family(kind: &KindName) -> &str {
    if kind.as_str().starts_with(EXEC) { "exec" } else { kind.as_str() }
}

/// Compared figures, grouped by families with at least two operations. Only succeeded operations can be best. Figures
/// without any value are left out.
pub fn groups(sides: &[Side<'_>]) -> Vec<Group> {
    let mut families: Vec<&str> = Vec::new();
    for side in sides {
        if !families.contains(&family(side.kind)) {
            families.push(family(side.kind));
        }
    }
    families.retain(|of| sides.iter().filter(|side| family(side.kind) == *of).count() > 1);
    let group = |of: &str| {
        let by_side: Vec<Vec<Figure>> = sides
            .iter()
            .map(|side| match side.outcome {
                Some(outcome) if family(side.kind) == of => outcome.figures(),
                _ => Vec::new(),
            })
            .collect();
        Group { of: of.to_owned(), rows: rows(sides, &by_side) }
    };
    families.into_iter().map(group).filter(|group| !group.rows.is_empty()).collect()
}

fn rows(sides: &[Side<'_>], by_side: &[Vec<Figure>]) -> Vec<Row> {
    let mut names: Vec<&Figure> = Vec::new();
    for figure in by_side.iter().flatten() {
        if !names.iter().any(|known| known.name == figure.name) {
            names.push(figure);
        }
    }
    let row = |of: &Figure| {
        let figures: Vec<Option<&Figure>> =
            by_side.iter().map(|figures| figures.iter().find(|f| f.name == of.name)).collect();
        if figures.iter().flatten().all(|f| f.value.is_none()) {
            return None;
        }
        let judged = figures
            .iter()
            .zip(sides)
            .map(|(figure, side)| figure.and_then(|f| f.value).filter(|_| side.state == State::Succeeded));
        let texts = distinct_texts(&figures);
        let judged: Vec<_> = judged.collect();
        let best = best_of(&judged, &texts, of.better);
        let worst = worst_of(&judged, &texts, of.better);
        let cells = figures.iter().zip(texts).zip(best.into_iter().zip(worst)).map(
            |((figure, text), (best, worst))| {
                let text = if figure.is_some() { text } else { String::new() };
                Cell { text, best, worst }
            },
        );
        Some(Row { name: of.name.clone(), means: of.means, cells: cells.collect() })
    };
    names.into_iter().filter_map(row).collect()
}

/// Worst of at least three values that read differently. Of two, the one without the mark of the best is the worse.
fn worst_of(judged: &[Option<f64>], texts: &[String], better: Better) -> Vec<bool> {
    let worse = match better {
        Better::Higher => Better::Lower,
        Better::Lower => Better::Higher,
        Better::Neither => Better::Neither,
    };
    let mut known: Vec<&String> =
        judged.iter().zip(texts).filter(|(value, _)| value.is_some()).map(|(_, text)| text).collect();
    known.sort();
    known.dedup();
    if known.len() < 3 { vec![false; texts.len()] } else { best_of(judged, texts, worse) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::host::ResultDoc;
    use serde_json::{Value, json};

    fn kind(name: &str) -> KindName {
        KindName::new(name).unwrap()
    }

    fn outcome(kind: &KindName, document: Value) -> Outcome {
        let doc: ResultDoc = serde_json::from_value(json!({"document": document, "artifacts": []})).unwrap();
        Outcome::read(kind, &doc)
    }

    fn command(seconds: f64, memory: Option<u64>) -> Outcome {
        let document =
            json!({"command": ["x"], "exit_code": 0, "seconds": seconds, "peak_memory": memory, "lines": 1});
        outcome(&kind("exec.a"), document)
    }

    fn best(groups: &[Group], name: &str) -> Vec<bool> {
        let row = groups[0].rows.iter().find(|row| row.name == name).unwrap();
        row.cells.iter().map(|cell| cell.best).collect()
    }

    #[test]
    fn the_best_of_each_figure_is_marked_and_a_neutral_one_is_not() {
        let (kind, fast, slow) = (kind("exec.a"), command(1.0, Some(900)), command(2.0, Some(100)));
        let side = |outcome| Side { kind: &kind, state: State::Succeeded, outcome: Some(outcome) };
        let groups = groups(&[side(&fast), side(&slow)]);
        assert_eq!(groups[0].of, "exec");
        assert_eq!(best(&groups, "Wall time"), [true, false]);
        assert_eq!(best(&groups, "Peak memory"), [false, true]);
        assert_eq!(best(&groups, "Output lines"), [false, false]);
        // Without CPU time in any result there is no such row.
        assert!(groups[0].rows.iter().all(|row| row.name != "CPU time"));
    }

    #[test]
    fn a_run_that_failed_quickly_is_not_best() {
        let (kind, fast, slow, slower) =
            (kind("exec.a"), command(1.0, None), command(2.0, None), command(3.0, None));
        let side = |state, outcome| Side { kind: &kind, state, outcome: Some(outcome) };
        let sides =
            [side(State::Failed, &fast), side(State::Succeeded, &slow), side(State::Succeeded, &slower)];
        assert_eq!(best(&groups(&sides), "Wall time"), [false, true, false]);
    }

    #[test]
    fn of_three_values_the_worst_is_marked_and_equal_ones_do_not_differ() {
        let (kind, a, b, c) = (kind("exec.a"), command(1.0, None), command(2.0, None), command(3.0, None));
        let side = |outcome| Side { kind: &kind, state: State::Succeeded, outcome: Some(outcome) };
        let row =
            |groups: &[Group]| groups[0].rows.iter().find(|row| row.name == "Wall time").unwrap().clone();
        let worst = |row: &Row| row.cells.iter().map(|cell| cell.worst).collect::<Vec<_>>();
        let three = row(&groups(&[side(&a), side(&b), side(&c)]));
        assert_eq!(worst(&three), [false, false, true]);
        assert!(three.differs());
        let two = row(&groups(&[side(&a), side(&b)]));
        assert_eq!(worst(&two), [false, false]);
        assert!(!row(&groups(&[side(&a), side(&a)])).differs());
    }

    #[test]
    fn what_still_runs_has_an_empty_place() {
        let (kind, done) = (kind("exec.a"), command(1.0, None));
        let sides = [
            Side { kind: &kind, state: State::Running, outcome: None },
            Side { kind: &kind, state: State::Succeeded, outcome: Some(&done) },
        ];
        let groups = groups(&sides);
        assert_eq!(groups[0].rows[0].cells[0], Cell::default());
        assert_eq!(groups[0].rows[0].cells[1].text, "1.0 s");
    }

    #[test]
    fn commands_are_compared_and_a_single_run_of_a_kind_is_not() {
        let (a, b, other) = (kind("exec.a"), kind("exec.b"), kind("made.up"));
        let (one, two) = (command(1.0, None), command(2.0, None));
        let stranger = outcome(&other, json!({"seconds": 0.1}));
        let side = |kind, outcome| Side { kind, state: State::Succeeded, outcome: Some(outcome) };
        let found = groups(&[side(&a, &one), side(&other, &stranger), side(&b, &two)]);
        assert_eq!(found.len(), 1);
        assert_eq!(best(&found, "Wall time"), [true, false, false]);
        assert_eq!(found[0].rows[0].cells[1], Cell::default());
        assert!(groups(&[side(&a, &one), side(&other, &stranger)]).is_empty());
    }

    #[test]
    fn figures_of_unknown_results_are_compared_by_their_names() {
        let kind = kind("made.up");
        let (one, two) =
            (outcome(&kind, json!({"score": 0.5})), outcome(&kind, json!({"score": 0.75, "x": 1})));
        let side = |outcome| Side { kind: &kind, state: State::Succeeded, outcome: Some(outcome) };
        let groups = groups(&[side(&one), side(&two)]);
        let by_side: Vec<_> =
            groups[0].rows.iter().map(|row| (row.name.as_str(), row.cells[1].text.as_str())).collect();
        assert_eq!(by_side, [("score", "0.75"), ("x", "1")]);
        assert_eq!(groups[0].rows[1].cells[0], Cell::default());
    }
}
