//! Metrics on lines of their own, as training libraries print them: evaluation lines of XGBoost and LightGBM, log
//! dictionaries of the Hugging Face trainer, epochs of Keras.

use crate::said::Said;
use regex::Regex;
use std::sync::LazyLock;

/// `[12]  train-rmse:0.19745  eval-rmse:0.2` and `[10]  valid_0's l2: 0.21  valid_0's auc: 0.7`, separated by tabs.
static ROUND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\[(?<round>\d{1,9})\](?<pairs>(?:\t[^\t:]+(?::[^\t:]+)?:\s?[-+\d.einfa]+)+)$")
        .expect("the expression is well formed")
});
/// `{'loss': 0.5, 'learning_rate': 1e-05, 'epoch': 1.2}`; newer versions quote the numbers.
static DICT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\{(?:'[A-Za-z_][\w/.-]*': '?[-+\d.einfa]+'?(?:, |\}$))+$")
        .expect("the expression is well formed")
});
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"'(?<name>[A-Za-z_][\w/.-]*)': '?(?<y>[-+\d.einfa]+)'?")
        .expect("the expression is well formed")
});
/// ` 45/100 ━━━━━━━━━━ 3s 12ms/step - loss: 0.5`, `45/100 [===>....] - ETA: 3s - loss: 0.5`, `45/100 - 1s - loss: 0.5`.
static KERAS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ \s* (?<n>\d+)/(?<of>\d+) \s+
        (?: [\u{2501}\u{2578}\u{257a}\ ]*[\u{2501}\u{2578}\u{257a}] \s+ | \[[=>.]+\] \s - \s | - \s )
        (?:ETA: \s)? [\d:.]+ (?:s|ms|us|m|h)? \b (?<metrics>.*) $",
    )
    .expect("the expression is well formed")
});
static METRIC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r" - (?<name>[A-Za-z_][\w.]*): (?<y>[-+]?(?:\d[\d.e+-]*|nan|inf))")
        .expect("the expression is well formed")
});

/// Parses a complete line of XGBoost, LightGBM or the Hugging Face trainer.
pub(crate) fn read(line: &str) -> Option<Said> {
    if let Some(found) = ROUND.captures(line) {
        let round: u64 = found["round"].parse().ok()?;
        let points = found["pairs"].split('\t').filter_map(|pair| {
            let (name, y) = pair.rsplit_once(':')?;
            Some((name.replace("'s ", " "), number(y)?))
        });
        let points: Vec<_> = points.collect();
        // XGBoost counts from 0, and prints no space after the colon.
        let done = round + u64::from(!found["pairs"].contains(": "));
        let (done, unit) = (Some(done), Some("rounds".to_owned()));
        let step = Some(round as f64);
        return (!points.is_empty()).then(|| Said { done, unit, step, points, ..Said::default() });
    }
    if !DICT.is_match(line) {
        return None;
    }
    let mut said = Said::default();
    for found in PAIR.captures_iter(line) {
        match (&found["name"], number(&found["y"])) {
            ("epoch", epoch) => said.step = epoch,
            (name, Some(y)) => said.points.push((name.to_owned(), y)),
            _ => {}
        }
    }
    let of_training = said.points.iter().any(|(name, _)| name.ends_with("loss") || name.starts_with("eval_"));
    (of_training && said.step.is_some()).then_some(said)
}

/// State of an epoch of Keras.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Epoch {
    pub n: u64,
    pub of: u64,
    pub metrics: Vec<(String, f64)>,
}

impl Epoch {
    pub fn read(line: &str) -> Option<Self> {
        let found = KERAS.captures(line)?;
        let metrics = METRIC.captures_iter(&found["metrics"]);
        let metrics = metrics.filter_map(|found| Some((found["name"].to_owned(), number(&found["y"])?)));
        let epoch =
            Self { n: found["n"].parse().ok()?, of: found["of"].parse().ok()?, metrics: metrics.collect() };
        (epoch.n <= epoch.of).then_some(epoch)
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_evaluation_line_is_a_round_with_its_metrics() {
        let said = read("[12]\ttrain-rmse:0.19745\teval-rmse:0.2").unwrap();
        assert_eq!((said.done, said.step, said.unit.as_deref()), (Some(13), Some(12.0), Some("rounds")));
        assert_eq!(said.points, [("train-rmse".to_owned(), 0.19745), ("eval-rmse".to_owned(), 0.2)]);
        let said = read("[10]\ttraining's l2: 0.05917\tvalid_1's auc: 0.7").unwrap();
        assert_eq!((said.done, said.step), (Some(10), Some(10.0)));
        assert_eq!(said.points, [("training l2".to_owned(), 0.05917), ("valid_1 auc".to_owned(), 0.7)]);
        for no in ["[12] train-rmse:0.19745", "[12]\ttext", "[12]\ta:b", "x [1]\ta:1"] {
            assert_eq!(read(no), None, "{no}");
        }
    }

    #[test]
    fn a_log_dictionary_of_a_trainer_gives_points_by_epoch() {
        let said = read("{'loss': 0.5, 'grad_norm': 1.25, 'learning_rate': 1e-05, 'epoch': 1.2}").unwrap();
        assert_eq!((said.step, said.points.len(), said.done), (Some(1.2), 3, None));
        let said = read("{'eval_loss': '0.43', 'eval_runtime': '2.1', 'epoch': '2'}").unwrap();
        assert_eq!((said.step, said.points[0].clone()), (Some(2.0), ("eval_loss".to_owned(), 0.43)));
        for no in ["{'a': 1, 'b': 2}", "{'loss': 0.5}", "{'loss': 'low', 'epoch': 1}", "{'epoch': 1}", "{}"] {
            assert_eq!(read(no), None, "{no}");
        }
    }

    #[test]
    fn epochs_of_keras_are_recognized() {
        let lines = [
            "45/100 ━━━━━━━━━━━━━━━━━━━━ 3s 12ms/step - accuracy: 0.5 - loss: 0.25",
            "45/100 [======>.......] - ETA: 3s - loss: 0.25 - accuracy: 0.5",
            "45/100 - 1s - 12ms/step - accuracy: 0.5 - loss: 2.5e-1",
            "45/100 - 1s - loss: 0.25 - accuracy: 0.5 - 1s/epoch - 10ms/step",
        ];
        for line in lines {
            let epoch = Epoch::read(line).unwrap_or_else(|| panic!("{line}"));
            let of = |name: &str| epoch.metrics.iter().find(|(known, _)| known == name).unwrap().1;
            assert_eq!(
                (epoch.n, epoch.of, of("loss"), of("accuracy"), epoch.metrics.len()),
                (45, 100, 0.25, 0.5, 2)
            );
        }
        for no in ["45/100", "45/100 done", "7/3 - 1s - loss: 1", "1/2 - a - loss: 1"] {
            assert_eq!(Epoch::read(no), None, "{no}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[\\[{'a-e0-9:\\t, ./━\\]}-]{0,60}") {
            let _ = (read(&line), Epoch::read(&line));
        }
    }
}
