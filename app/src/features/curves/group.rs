//! Grouping of series into charts and of charts into cards. Pure: it uses only name, unit and x axis, so it works for
//! any host.

use protocol::SeriesInfo;

/// Data splits that prefix or suffix a metric, as in `train_loss` and `validation_loss`, in drawing order.
const PARTS: [&str; 8] = ["train", "training", "validation", "valid", "val", "eval", "test", "holdout"];
/// Series that serve as a reference.
const COMPARED: [&str; 3] = ["buy_and_hold", "benchmark", "baseline"];
/// Metrics that span several powers of ten.
const STEEP: [&str; 6] = ["loss", "error", "perplexity", "learning_rate", "lr", "grad_norm"];

/// Series in one chart.
#[derive(Clone, PartialEq, Debug)]
pub struct Panel {
    /// Common part of their names: `loss`.
    pub stem: String,
    /// Never empty.
    pub series: Vec<SeriesInfo>,
}

impl Panel {
    /// Title of the chart.
    pub fn title(&self) -> String {
        if let [only] = self.series.as_slice() {
            return only.title.clone();
        }
        let words = self.stem.replace('_', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// Legend names of the series. In a shared chart they leave out the words of the title.
    pub fn names(&self) -> Vec<String> {
        let title = self.title().to_lowercase();
        let short = |name: &str| {
            let lower = name.to_lowercase();
            // Lower-casing can change the length of a text, which would shift the cut.
            let rest =
                lower.strip_suffix(&title).filter(|_| lower.len() == name.len() && self.series.len() > 1);
            rest.map(str::trim_end).filter(|rest| !rest.is_empty()).map(|rest| name[..rest.len()].to_owned())
        };
        self.series.iter().map(|i| short(&i.title).unwrap_or_else(|| i.title.clone())).collect()
    }

    /// Whether a logarithmic axis is offered.
    pub fn is_steep(&self) -> bool {
        STEEP.iter().any(|word| self.stem == *word || self.stem.ends_with(&format!("_{word}")))
    }

    /// Whether its series are one metric on several parts of the data.
    pub fn has_parts(&self) -> bool {
        self.series.len() > 1 && self.series.iter().all(|info| split(&info.name).0.is_some())
    }

    fn takes(&self, info: &SeriesInfo) -> bool {
        self.series[0].unit == info.unit && self.series[0].x == info.x
    }
}

/// Data split of a series name, if any, and the remaining metric.
fn split(name: &str) -> (Option<usize>, &str) {
    for (rank, part) in PARTS.iter().enumerate() {
        let rest = name.strip_prefix(part).and_then(|rest| rest.strip_prefix('_'));
        let rest = rest.or_else(|| name.strip_suffix(part).and_then(|rest| rest.strip_suffix('_')));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            return (Some(rank), rest);
        }
    }
    (None, name)
}

/// Whether this is the loss on validation data, whose minimum is the best epoch.
pub fn is_validation_loss(name: &str) -> bool {
    matches!(split(name), (Some(2..=5), "loss"))
}

/// Whether this is the loss on training data.
pub fn is_training_loss(name: &str) -> bool {
    matches!(split(name), (Some(0..=1) | None, "loss"))
}

/// Whether this is a metric on training data, which is drawn behind that on other data.
pub fn is_of_training(name: &str) -> bool {
    matches!(split(name).0, Some(0..=1))
}

/// Whether `below` is the drawdown of `above`: `equity` and `drawdown`, `a_equity` and `a_drawdown`.
fn falls_from(above: &Panel, below: &Panel) -> bool {
    let of = |panel: &Panel, word: &str| panel.stem.strip_suffix(word).map(str::to_owned);
    above.series[0].x == below.series[0].x
        && of(above, "equity").is_some_and(|above| of(below, "drawdown") == Some(above))
}

/// Groups series into panels and cards. Series of one metric share a panel, references join what they are compared
/// with, and a drawdown stands below its equity. Everything else stands alone, in the given order.
pub fn cards(infos: Vec<SeriesInfo>) -> Vec<Vec<Panel>> {
    let (compared, infos): (Vec<_>, Vec<_>) =
        infos.into_iter().partition(|info| COMPARED.contains(&info.name.as_str()));
    let mut panels: Vec<Panel> = Vec::new();
    for info in infos {
        let stem = split(&info.name).1.to_owned();
        match panels.iter_mut().find(|p| p.stem == stem && p.takes(&info)) {
            Some(panel) => panel.series.push(info),
            None => panels.push(Panel { stem, series: vec![info] }),
        }
    }
    for panel in &mut panels {
        panel.series.sort_by_key(|info| split(&info.name).0.map_or(0, |rank| rank + 1));
    }
    for info in compared {
        match panels.iter_mut().find(|p| p.takes(&info)) {
            Some(panel) => panel.series.push(info),
            None => panels.push(Panel { stem: info.name.clone(), series: vec![info] }),
        }
    }
    let mut cards: Vec<Vec<Panel>> = Vec::new();
    let (falls, others): (Vec<_>, Vec<_>) = panels.into_iter().partition(|p| p.stem.ends_with("drawdown"));
    cards.extend(others.into_iter().map(|panel| vec![panel]));
    for fall in falls {
        match cards.iter_mut().find(|card| falls_from(&card[0], &fall)) {
            Some(card) => card.push(fall),
            None => cards.push(vec![fall]),
        }
    }
    cards
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn info(name: &str, unit: &str, x: &str) -> SeriesInfo {
        SeriesInfo { name: name.into(), title: name.replace('_', " "), unit: unit.into(), x: x.into() }
    }

    fn names(cards: &[Vec<Panel>]) -> Vec<Vec<Vec<&str>>> {
        let of = |panel: &Panel| -> Vec<usize> { (0..panel.series.len()).collect() };
        cards
            .iter()
            .map(|card| {
                card.iter().map(|p| of(p).into_iter().map(|i| p.series[i].name.as_str()).collect()).collect()
            })
            .collect()
    }

    #[test]
    fn parts_of_one_figure_share_a_chart_whatever_their_order() {
        let cards = cards(vec![
            info("validation_loss", "", "epoch"),
            info("train_loss", "", "epoch"),
            info("train_accuracy", "share", "epoch"),
            info("validation_accuracy", "share", "epoch"),
            info("samples_per_second", "samples/s", "seconds since start"),
        ]);
        assert_eq!(
            names(&cards),
            [
                vec![vec!["train_loss", "validation_loss"]],
                vec![vec!["train_accuracy", "validation_accuracy"]],
                vec![vec!["samples_per_second"]],
            ]
        );
        assert_eq!(cards[0][0].title(), "Loss");
        assert_eq!(cards[0][0].names(), ["train", "validation"]);
        assert_eq!(cards[2][0].names(), ["samples per second"]);
        assert_eq!(cards[2][0].title(), "samples per second");
        assert!(cards[0][0].is_steep() && !cards[1][0].is_steep());
    }

    #[test]
    fn a_suffix_names_the_data_part_and_a_plain_name_is_related() {
        let cards = cards(vec![info("loss", "", "step"), info("loss_val", "", "step")]);
        assert_eq!(names(&cards), [vec![vec!["loss", "loss_val"]]]);
    }

    #[test]
    fn series_with_different_units_or_x_have_separate_charts() {
        let cards = cards(vec![
            info("train_loss", "", "epoch"),
            info("validation_loss", "", "step"),
            info("test_loss", "nats", "epoch"),
        ]);
        assert_eq!(cards.len(), 3);
    }

    #[test]
    fn a_drawdown_is_below_its_equity_with_compared_runs_beside_it() {
        let cards = cards(vec![
            info("drawdown", "share", "bar"),
            info("buy_and_hold", "$", "bar"),
            info("equity", "$", "bar"),
            info("rate", "bars/s", "bar"),
        ]);
        assert_eq!(
            names(&cards),
            [vec![vec!["equity", "buy_and_hold"], vec!["drawdown"]], vec![vec!["rate"]]]
        );
    }

    #[test]
    fn the_best_epoch_is_that_of_the_loss_on_validation_data() {
        let found = ["validation_loss", "val_loss", "loss_valid", "eval_loss"];
        assert!(found.iter().all(|name| is_validation_loss(name)));
        let others = ["loss", "train_loss", "test_loss", "validation_accuracy"];
        assert!(!others.iter().any(|name| is_validation_loss(name)));
        assert!(["loss", "train_loss", "loss_training"].iter().all(|name| is_training_loss(name)));
        assert!(!["validation_loss", "test_loss", "lossy"].iter().any(|name| is_training_loss(name)));
        assert!(is_of_training("train_accuracy") && !is_of_training("validation_accuracy"));
    }

    #[test]
    fn a_partial_name_is_kept_whole() {
        assert_eq!(split("train"), (None, "train"));
        assert_eq!(split("train_"), (None, "train_"));
        assert_eq!(split("training_loss").1, "loss");
        assert_eq!(split("trained_rows"), (None, "trained_rows"));
    }

    proptest! {
        #[test]
        fn every_curve_is_drawn_once(
            picks in proptest::collection::btree_set("(train_|val_|)(loss|equity|drawdown|benchmark)(_test|)", 0..12),
            units in proptest::collection::vec("[a-b]?", 12),
        ) {
            let infos: Vec<_> = picks.iter().zip(&units).map(|(name, unit)| info(name, unit, "x")).collect();
            let mut drawn: Vec<String> =
                cards(infos).into_iter().flatten().flat_map(|p| p.series).map(|i| i.name).collect();
            drawn.sort();
            prop_assert_eq!(drawn, picks.into_iter().collect::<Vec<_>>());
        }
    }
}
