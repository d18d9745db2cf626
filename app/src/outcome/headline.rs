//! Key figures of an operation: of its result, or of its curves and progress while it has none. Pure.

use super::figure::Figure;
use super::{Body, Outcome, backtest, exec, figure, load, training};
use components::headline::{HeadFigure, Tone};
use display::format;
use live::model::curves::Curves;
use protocol::results::{BacktestResult, ExecResult, LoadResult, Performance, TrainingResult};
use protocol::{Point, Progress};

/// Maximum number of key figures of commands and unknown kinds.
const MAX_FIGURES: usize = 5;
/// Validation loss above the training loss, as a share of it, from which a model overfits noticeably.
pub(super) const OVER_FIT: f64 = 0.1;
/// Validation loss above its minimum, as a share of it, that is more than noise.
pub(super) const RISE: f64 = 0.02;
/// Epochs since the best one from which the validation loss has stopped improving.
pub(super) const PAST_BEST: f64 = 5.0;

/// Definition of overfitting.
pub const OVER_FIT_MEANS: &str =
    "Validation loss ÷ training loss − 1. Increases when the model memorizes the training data";

/// Key figures of a result; those of a sweep depend on its plan, see the page.
pub fn of_result(outcome: &Outcome) -> Vec<HeadFigure> {
    match &outcome.body {
        Body::Load(result) => of_load(result),
        Body::Backtest(result) => of_backtest(result),
        Body::Training(result) => of_training(result),
        Body::Exec(result) => of_exec(result),
        Body::Sweep(_) => Vec::new(),
        Body::Other(document) => plain(figure::of_json(document), MAX_FIGURES),
    }
}

/// Key figures without a result: of a training from its curves, of other kinds from progress and newest points.
/// `title` names a series. `ended` leaves out the rate.
pub fn of_progress(
    progress: Option<&Progress>,
    curves: &Curves,
    title: impl Fn(&str) -> String,
    ended: bool,
) -> Vec<HeadFigure> {
    let validation = curves.get("validation_loss");
    if !validation.is_empty() {
        return of_learning(validation, curves);
    }
    let mut figures = Vec::new();
    if let Some(progress) = progress.filter(|p| p.done > 0) {
        let label = if progress.unit.is_empty() { "done" } else { &progress.unit };
        let note = progress.total.map(|total| format!("of {}", format::count(total))).unwrap_or_default();
        figures.push(HeadFigure { note, ..head(label, format::count(progress.done)) });
    }
    if let Some(rate) = progress.and_then(|p| p.rate).filter(|_| !ended) {
        let label = "rate, mean of the last few seconds";
        figures.push(head(label, format::rate(rate, progress.map_or("", |p| &p.unit))));
    }
    for name in curves.names() {
        // The rate is among the figures already.
        let newest = curves.get(name).last().filter(|p| p.1.is_finite() && !name.ends_with("_per_second"));
        if let Some(Point(_, y)) = newest.filter(|_| figures.len() < MAX_FIGURES) {
            let points = curves.get(name).iter().map(|p| p.1).filter(|y| y.is_finite());
            let (low, high) = points.fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
            let note = if low < high { format!("{} to {}", brief(low), brief(high)) } else { String::new() };
            figures.push(HeadFigure {
                note,
                means: "Newest value, and the range of all values",
                ..head(&title(name), brief(*y))
            });
        }
    }
    // One figure says no more than the progress does.
    if figures.len() > 1 { figures } else { Vec::new() }
}

fn head(label: &str, value: String) -> HeadFigure {
    HeadFigure { label: label.to_owned(), value, ..HeadFigure::default() }
}

/// Point with the least finite y.
pub(super) fn least(points: &[Point]) -> Option<Point> {
    points.iter().copied().filter(|p| p.1.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Overfitting of a validation and a training loss.
pub(super) fn over_fit(validation: f64, training: f64) -> Option<f64> {
    let share = validation / training - 1.0;
    (training > 0.0 && share.is_finite()).then_some(share)
}

/// Share with its sign and one decimal: `+4.2 %`.
fn gain(share: f64) -> String {
    // What rounds to zero has no sign.
    let percent = (share * 1_000.0).round() / 10.0;
    format::signed(percent, |size| format!("{size:.1} %"))
}

/// Figure with four significant digits: a headline is read at a glance, and tables have the others.
pub fn brief(n: f64) -> String {
    if n == 0.0 || !n.is_finite() {
        return format::figure(n);
    }
    let unit = 10f64.powi(3 - n.abs().log10().floor() as i32);
    let rounded = (n * unit).round() / unit;
    format::figure(if rounded.is_finite() { rounded } else { n })
}

/// Key figures of a training that has no result: from its curves.
fn of_learning(validation: &[Point], curves: &Curves) -> Vec<HeadFigure> {
    let newest = |name: &str| curves.get(name).last().map(|p| p.1).filter(|y| y.is_finite());
    let (Some(now), Some(best)) = (validation.last(), least(validation)) else { return Vec::new() };
    let past = now.0 - best.0;
    let mut figures = vec![HeadFigure {
        note: format!("best {}", brief(best.1)),
        means: "Loss on the validation data after the newest epoch",
        ..head("validation loss", brief(now.1))
    }];
    if let Some(accuracy) = newest("validation_accuracy") {
        let note =
            newest("train_accuracy").map(|of| format!("training {}", format::share(of))).unwrap_or_default();
        figures.push(HeadFigure { note, ..head("validation accuracy", format::share(accuracy)) });
    }
    figures.push(HeadFigure {
        note: if past > 0.0 {
            format!("{} {} ago", format::figure(past), if past == 1.0 { "epoch" } else { "epochs" })
        } else {
            "the newest".to_owned()
        },
        means: "Epoch with the lowest validation loss; its weights are kept",
        ..head("best epoch", format::figure(best.0))
    });
    if let Some(share) = newest("train_loss").and_then(|train| over_fit(now.1, train)) {
        let rising = past >= PAST_BEST && now.1 > best.1 * (1.0 + RISE);
        figures.push(HeadFigure {
            note: if rising { "validation loss is rising".to_owned() } else { String::new() },
            means: OVER_FIT_MEANS,
            tone: if share > OVER_FIT || rising { Tone::Warn } else { Tone::Plain },
            ..head("overfit", gain(share))
        });
    }
    figures
}

fn of_training(result: &TrainingResult) -> Vec<HeadFigure> {
    let blind = training::majority(&result.confusion);
    let accuracy = result.test.accuracy;
    let beaten = blind.is_none_or(|(_, share)| accuracy > share);
    let baseline = blind.map(|(_, share)| {
        format!("baseline {}, {}", format::share(share), gain(accuracy - share).replace(" %", " points"))
    });
    let early = if result.stopped_early { ", stopped early" } else { "" };
    let mut figures = vec![
        HeadFigure {
            note: baseline.unwrap_or_default(),
            means: "Share of correct predictions on the test data. The baseline always predicts the majority class",
            tone: if beaten { Tone::Plain } else { Tone::Bad },
            ..head("test accuracy", format::share(accuracy))
        },
        HeadFigure {
            note: format!("validation {}", brief(result.validation.loss)),
            means: "Mean of −ln p(actual class) over the test data",
            ..head("test loss", brief(result.test.loss))
        },
        HeadFigure {
            note: format!("of {}{early}", result.epochs),
            means: "Epoch with the lowest validation loss; its weights were kept",
            ..head("best epoch", result.best_epoch.to_string())
        },
    ];
    if let Some(share) = over_fit(result.validation.loss, result.train.loss) {
        figures.push(HeadFigure {
            note: "at the best epoch".to_owned(),
            means: OVER_FIT_MEANS,
            tone: if share > OVER_FIT { Tone::Warn } else { Tone::Plain },
            ..head("overfit", gain(share))
        });
    }
    figures.push(head("training time", format::span(result.seconds)));
    figures
}

/// Key figures of a performance, each with that of buy and hold.
pub fn of_performance(own: &Performance, held: &Performance) -> Vec<HeadFigure> {
    let better = own.total_return > held.total_return;
    let tone = match own.total_return {
        r if r < 0.0 => Tone::Bad,
        _ if better => Tone::Good,
        _ => Tone::Plain,
    };
    ["Total return", "Sharpe", "Max. drawdown", "Win rate"]
        .into_iter()
        .filter_map(|name| backtest::PERFORMANCE.iter().find(|line| line.name == name))
        .map(|line| {
            let (mine, theirs) = (line.figure(own), line.figure(held));
            // Buy and hold is one trade: its win rate says nothing.
            let compared = theirs.value.is_some() && line.better != super::Better::Neither;
            HeadFigure {
                note: if compared { format!("buy & hold {}", theirs.text) } else { String::new() },
                means: line.means,
                tone: if line.name == "Total return" { tone } else { Tone::Plain },
                ..head(&line.name.to_lowercase().replace("sharpe", "Sharpe"), mine.text)
            }
        })
        .collect()
}

fn of_backtest(result: &BacktestResult) -> Vec<HeadFigure> {
    let mut figures = of_performance(&result.performance, &result.buy_and_hold);
    if let Some(rate) = figures.last_mut() {
        rate.note = format::counted(result.trade_count, "trade", "trades");
    }
    let before = result.final_equity - result.capital + result.commission;
    let share = result.commission / before;
    let (note, heavy) = match before > 0.0 {
        true => (format!("{} of the profit before fees", format::share(share)), share > 0.5),
        false => ("no profit before fees".to_owned(), result.commission > 0.0),
    };
    figures.push(HeadFigure {
        note: if result.commission > 0.0 { note } else { String::new() },
        means: "Commission of all trades. Profit before fees: final equity − capital + commission",
        tone: if heavy { Tone::Warn } else { Tone::Plain },
        ..head("commission", format::figure((result.commission * 100.0).round() / 100.0))
    });
    figures
}

fn of_load(result: &LoadResult) -> Vec<HeadFigure> {
    const YEAR: f64 = 365.25 * 86_400.0;
    let missing: u64 = result.gaps.iter().map(|gap| gap.bars).sum();
    let largest = result.gaps.iter().map(|gap| gap.bars).max();
    let mut figures = vec![HeadFigure {
        note: if result.rows_written == result.rows {
            String::new()
        } else {
            format!("{} written by this load", format::count(result.rows_written))
        },
        ..head("bars", format::count(result.rows))
    }];
    if let (Some(first), Some(last)) = (result.first, result.last) {
        let years = last.seconds_since(first) / YEAR;
        let value = match years {
            y if y >= 1.0 => format!("{y:.1} years"),
            y => format::counted((y * 365.25).ceil() as u64, "day", "days"),
        };
        figures.push(HeadFigure {
            note: format!("{} to {}", format::day(first), format::day(last)),
            means: "From the first to the last bar, UTC",
            ..head("range", value)
        });
    }
    if let Some(line) = load::FACTS.iter().find(|line| line.name == "Completeness") {
        let figure = line.figure(result);
        let note = match missing {
            0 if figure.value.is_none() => "not enough regular data".to_owned(),
            0 => "no missing bars".to_owned(),
            n => format!("{} missing", format::counted(n, "bar", "bars")),
        };
        figures.push(HeadFigure { note, means: line.means, ..head("completeness", figure.text) });
    }
    figures.push(HeadFigure {
        note: largest.map(|n| format!("largest {}", format::counted(n, "bar", "bars"))).unwrap_or_default(),
        means: "Ranges of missing bars, by the symbol's calendar",
        ..head("gaps", format::count(result.gap_count))
    });
    let rejected = result.rejected_count > 0;
    figures.push(HeadFigure {
        note: if rejected {
            format!("{} of the rows read", format::share(result.rejected_share))
        } else {
            String::new()
        },
        means: "Rows of the source that are not valid bars",
        tone: if rejected { Tone::Warn } else { Tone::Plain },
        ..head("rejected rows", format::count(result.rejected_count))
    });
    figures
}

fn of_exec(result: &ExecResult) -> Vec<HeadFigure> {
    let (label, value, fine) = match (result.exit_code, result.signal) {
        (_, Some(signal)) => ("signal", signal.to_string(), false),
        (Some(code), None) => ("exit code", code.to_string(), code == 0),
        (None, None) => ("exit code", format::NO_FIGURE.to_owned(), true),
    };
    let mut figures =
        vec![HeadFigure { tone: if fine { Tone::Plain } else { Tone::Bad }, ..head(label, value) }];
    let of = |name: &str| exec::FACTS.iter().find(|line| line.name == name).map(|line| line.figure(result));
    let named =
        |figure: Figure| HeadFigure { means: figure.means, ..head(&figure.name.to_lowercase(), figure.text) };
    figures.extend(of("Wall time").map(|f| HeadFigure { label: "duration".to_owned(), ..named(f) }));
    figures.extend(of("Peak memory").map(named));
    let reported = result.reported.as_ref().map(figure::of_json).unwrap_or_default();
    if reported.is_empty() {
        figures.extend(of("CPU time").map(|f| HeadFigure { label: "CPU time".to_owned(), ..named(f) }));
    }
    let room = MAX_FIGURES.saturating_sub(figures.len());
    figures.extend(plain(reported, room));
    figures
}

fn plain(figures: Vec<Figure>, at_most: usize) -> Vec<HeadFigure> {
    figures
        .into_iter()
        .take(at_most)
        .map(|f| HeadFigure { means: f.means, ..head(&f.name, f.text) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Points;
    use serde_json::json;

    fn curves(of: &[(&str, &[f64])]) -> Curves {
        let mut curves = Curves::default();
        let series = of.iter().map(|(name, ys)| Points {
            name: (*name).to_owned(),
            points: ys.iter().enumerate().map(|(x, y)| Point(x as f64 + 1.0, *y)).collect(),
        });
        curves.add(1, &series.collect::<Vec<_>>());
        curves
    }

    fn texts(figures: &[HeadFigure]) -> Vec<String> {
        figures.iter().map(|f| format!("{} {} ({})", f.label, f.value, f.note)).collect()
    }

    #[test]
    fn a_headline_has_four_digits() {
        let texts = [1.071_371_9, 0.011_165_3, -53.242_1, 123_456.7, 0.0, 5.0].map(brief);
        assert_eq!(texts, ["1.071", "0.01117", "−53.24", "123,500", "0", "5"]);
        assert_eq!([0.042, -0.000_1].map(gain), ["+4.2 %", "0.0 %"]);
    }

    #[test]
    fn a_running_training_shows_its_best_epoch_and_overfitting() {
        let losses = [1.0, 0.8, 0.5, 0.6, 0.6, 0.7, 0.7, 0.9];
        let curves = curves(&[
            ("train_loss", &[1.0, 0.8, 0.6, 0.5, 0.5, 0.5, 0.5, 0.45]),
            ("validation_loss", &losses),
            ("validation_accuracy", &[0.5; 8]),
        ]);
        let figures = of_progress(None, &curves, str::to_owned, false);
        assert_eq!(
            texts(&figures),
            [
                "validation loss 0.9 (best 0.5)",
                "validation accuracy 50 % ()",
                "best epoch 3 (5 epochs ago)",
                "overfit +100.0 % (validation loss is rising)",
            ]
        );
        assert_eq!(figures[3].tone, Tone::Warn);
    }

    #[test]
    fn without_training_curves_the_headline_has_count_rate_and_newest_values() {
        let progress: Progress = serde_json::from_value(json!({
            "at": "2026-11-23T10:41:00Z", "done": 50, "total": 400, "unit": "batches", "rate": 10.0
        }))
        .unwrap();
        let curves = curves(&[("score", &[1.0, 3.0, 2.0]), ("rows_per_second", &[9.0])]);
        let figures = of_progress(Some(&progress), &curves, str::to_uppercase, false);
        assert_eq!(figures.len(), 3);
        assert_eq!(texts(&figures)[0], "batches 50 (of 400)");
        assert_eq!(texts(&figures)[2], "SCORE 2 (1 to 3)");
        assert_eq!(of_progress(Some(&progress), &curves, str::to_owned, true).len(), 2);
        assert!(of_progress(Some(&progress), &Curves::default(), str::to_owned, true).is_empty());
        assert!(of_progress(None, &Curves::default(), str::to_owned, false).is_empty());
    }

    #[test]
    fn fees_are_a_share_of_the_gross_profit() {
        let mut result: BacktestResult = serde_json::from_value(json!({
            "symbol": "A", "timeframe": "1h", "source": "csv", "synthetic": false, "strategy": "s", "bars": 1,
            "first": "2026-01-01T00:00:00Z", "last": "2026-01-02T00:00:00Z", "capital": 100.0,
            "final_equity": 110.0, "commission": 30.0, "performance": {"total_return": 0.1},
            "buy_and_hold": {"total_return": 0.2}, "trade_count": 3, "compute_seconds": 0.1,
        }))
        .unwrap();
        let fees = |result: &BacktestResult| of_backtest(result).pop().unwrap();
        assert_eq!(
            (fees(&result).note.as_str(), fees(&result).tone),
            ("75 % of the profit before fees", Tone::Warn)
        );
        result.final_equity = 60.0;
        assert_eq!(fees(&result).note, "no profit before fees");
        let first = &of_backtest(&result)[0];
        assert_eq!((first.note.as_str(), first.tone), ("buy & hold +20 %", Tone::Plain));
    }

    #[test]
    fn a_model_below_its_baseline_is_red() {
        let split = |accuracy: f64, loss: f64| {
            json!({"samples": 4, "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "loss": loss,
                "accuracy": accuracy})
        };
        let result: TrainingResult = serde_json::from_value(json!({
            "symbols": ["A"], "timeframe": "1h", "synthetic": false, "model": "m", "model_sha256": "", "features": [],
            "classes": ["down", "up"], "parameters": 9, "epochs": 12, "best_epoch": 4, "stopped_early": true,
            "train": split(0.9, 0.5), "validation": split(0.6, 0.6), "test": split(0.5, 0.7),
            "confusion": [[1, 2], [0, 1]], "scores": [], "seconds": 2.0
        }))
        .unwrap();
        let figures = of_training(&result);
        assert_eq!((figures[0].note.as_str(), figures[0].tone), ("baseline 75 %, −25.0 points", Tone::Bad));
        assert_eq!(figures[2].note, "of 12, stopped early");
        assert_eq!((figures[3].value.as_str(), figures[3].tone), ("+20.0 %", Tone::Warn));
    }
}
