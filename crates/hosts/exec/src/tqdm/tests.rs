//! Real tqdm output.

use super::*;
use crate::lines::{Lines, State};
use proptest::prelude::*;

/// All states and log lines of a sample of real output.
fn drawn(sample: &[u8], portion: usize) -> (Vec<BarUpdate>, Vec<String>) {
    let (mut lines, mut bars) = (Lines::default(), Bars::default());
    let (mut all, mut log) = (Vec::new(), Vec::new());
    let mut emit = |piece: crate::lines::Piece| {
        let (text, up) = (ansi::plain(&piece.text), piece.up);
        if piece.state == State::Settled {
            return;
        }
        if text.trim().is_empty() {
            if piece.state != State::Kept && !text.is_empty() {
                bars.wipe(up);
            }
            return;
        }
        let bar = Bar::read(&text).unwrap_or_else(|| panic!("no bar: {text}"));
        let one = match piece.state {
            State::Open => bars.preview_bar(bar),
            state => Some(bars.draw(bar, up, matches!(state, State::Kept | State::Passed) && up == 0)),
        };
        all.extend(one);
    };
    for bytes in sample.chunks(portion) {
        // A chunk boundary can split a bar. An open line is then not a bar.
        lines.push(bytes, |piece| {
            if piece.state != State::Open || Bar::read(&ansi::plain(&piece.text)).is_some() {
                emit(piece);
            }
        });
    }
    lines.finish(&mut emit);
    log.extend(all.iter().flat_map(|d| d.log.clone()));
    log.extend(bars.finish());
    (all, log)
}

#[test]
fn a_single_bar_counts_to_its_total_and_leaves_one_line() {
    for portion in [1, 7, 64, 1 << 20] {
        let (all, log) = drawn(include_bytes!("../../tests/samples/tqdm_single.txt"), portion);
        let last = &all.last().unwrap().report;
        assert_eq!((last.done, last.total, last.unit.as_deref()), (Some(60), Some(60), Some("batch")));
        // An unchanged state reports nothing.
        assert!(
            all.iter().all(|d| !d.endless && (d.report.total == Some(60) || d.report == Report::default()))
        );
        assert!(log.len() == 1 && log[0].contains("60/60"), "{log:?}");
        let last_point = all.iter().rfind(|d| !d.report.points.is_empty()).unwrap();
        let (name, y) = &last_point.report.points[0];
        assert!(name == "loss" && (y - 1.0 / 60.0).abs() < 1e-4 && last_point.report.step == Some(60.0));
    }
}

#[test]
fn of_nested_bars_the_outer_one_is_the_progress() {
    for portion in [1, 13, 1 << 20] {
        let (all, log) = drawn(include_bytes!("../../tests/samples/tqdm_nested.txt"), portion);
        let outer: Vec<_> = all.iter().filter_map(|d| d.report.done).collect();
        assert!(outer.is_sorted() && outer.first() == Some(&0) && outer.last() == Some(&3), "{outer:?}");
        assert!(all.iter().filter_map(|d| d.report.total).all(|total| total == 3));
        let inner: Vec<_> = all.iter().filter_map(|d| d.report.message.as_deref()).collect();
        assert!(inner.contains(&"Batches 40/40 iterations"), "{inner:?}");
        assert!(log.len() == 1 && log[0].contains("3/3"), "{log:?}");
    }
}

#[test]
fn consecutive_bars_have_no_overall_fraction_and_continue_their_curve() {
    let (all, log) = drawn(include_bytes!("../../tests/samples/tqdm_several.txt"), 1 << 20);
    assert_eq!(log.len(), 4, "{log:?}");
    assert!(log[0].starts_with("Epoch 1: 100%") && log[1].starts_with("Epoch 2: 100%"), "{log:?}");
    let second =
        all.iter().find(|d| d.report.message.as_deref() == Some("Epoch 2 10/30 iterations")).unwrap();
    assert!(second.endless && second.report.total.is_none());
    assert_eq!(second.report.step, Some(40.0));
    let last = &all.last().unwrap().report;
    assert_eq!(
        (last.done, last.message.as_deref()),
        (None, Some("5.00M/5.00M B")),
        "the divisor is not known"
    );
}

#[test]
fn an_inner_bar_that_was_erased_is_not_the_activity_of_the_outer_bar_that_goes_on() {
    let (mut lines, mut bars) = (Lines::default(), Bars::default());
    // Count of the outer bar and the activity that is shown with it.
    let (mut outer, mut activity, mut shown) = (0, String::new(), Vec::new());
    let sample = include_bytes!("../../tests/samples/tqdm_eval.txt");
    lines.push(sample, |piece| {
        let text = ansi::plain(&piece.text);
        match Bar::read(&text) {
            Some(bar) if piece.state != State::Settled => {
                let report = bars.draw(bar, piece.up, false).report;
                outer = report.done.unwrap_or(outer);
                activity = report.message.unwrap_or_else(|| activity.clone());
                shown.push((outer, activity.clone()));
            }
            None if text.trim().is_empty() && !text.is_empty() => bars.wipe(piece.up),
            _ => {}
        }
    });
    assert!(
        shown.iter().any(|(outer, activity)| *outer == 10 && activity == "eval 5/5 iterations"),
        "{shown:?}"
    );
    let late: Vec<_> = shown.iter().filter(|(outer, _)| *outer > 10).collect();
    assert!(late.len() >= 9 && late.iter().all(|(_, activity)| activity.is_empty()), "{late:?}");
    // A line above the bars erases both for a moment.
    let written = shown.iter().rposition(|(_, activity)| activity == "eval 3/5 iterations").unwrap();
    assert_eq!(shown[written + 1].1, "eval 4/5 iterations", "{shown:?}");
}

/// Real output of nested bars with default settings.
const NESTED_DEFAULT: &[u8] = include_bytes!("../../tests/samples/tqdm_nested_default.txt");

#[test]
fn nested_bars_that_stay_keep_the_outer_one_as_progress() {
    for portion in [1, 13, 1 << 20] {
        let (all, log) = drawn(NESTED_DEFAULT, portion);
        let outer: Vec<_> = all.iter().filter_map(|d| d.report.done).collect();
        assert!(outer.is_sorted() && outer.first() == Some(&0) && outer.last() == Some(&4), "{outer:?}");
        assert!(
            all.iter().filter_map(|d| d.report.total).all(|total| total == 4)
                && !all.iter().any(|d| d.endless)
        );
        let inner: Vec<_> = log.iter().filter(|line| line.contains("15/15")).collect();
        assert!(inner.len() == 4 && log.len() == 5 && log[4].contains("4/4"), "{log:?}");
        // Their series continue from one bar to the next.
        let curve: Vec<f64> =
            all.iter().filter(|d| !d.report.points.is_empty()).filter_map(|d| d.report.step).collect();
        assert!(curve.is_sorted_by(|a, b| a < b) && *curve.last().unwrap() == 60.0, "{curve:?}");
    }
}

fn bar(line: &str) -> Bar {
    Bar::read(line).unwrap_or_else(|| panic!("no bar: {line}"))
}

#[test]
fn a_growing_or_removed_total_belongs_to_the_same_bar() {
    let mut bars = Bars::default();
    let mut draw = |n: u32, of: Option<u32>| {
        let line = match of {
            Some(of) => format!(" 10%|#  | {n}/{of} [00:01<00:02, 1.00it/s, loss=0.{n}]"),
            None => format!("{n}it [00:01, 1.00it/s, loss=0.{n}]"),
        };
        bars.draw(bar(&line), 0, false)
    };
    for (n, of) in [(0, 4), (3, 4), (4, 8), (5, 8), (8, 8)] {
        let drawn = draw(n, Some(of));
        assert!(drawn.log.is_empty() && !drawn.endless);
        assert_eq!((drawn.report.step, drawn.report.total), (Some(f64::from(n)), Some(u64::from(of))));
    }
    let drawn = draw(9, None);
    assert!(drawn.endless && drawn.log.is_empty(), "the total was too low: the whole is unknown");
    assert_eq!(drawn.report.step, Some(9.0));
}

#[test]
fn a_bar_erased_for_a_line_above_still_leaves_its_last_state() {
    let mut bars = Bars::default();
    bars.draw(bar("Fit:  50%|#  | 1/2 [00:01<00:01, 1.00it/s]"), 0, false);
    bars.wipe(0);
    bars.draw(bar("Fit:  50%|#  | 1/2 [00:01<00:01, 1.00it/s]"), 0, false);
    let last = bars.draw(bar("Fit: 100%|###| 2/2 [00:02<00:00, 1.00it/s]"), 0, true);
    assert_eq!(last.log.len(), 1);
    assert!(bars.finish().is_empty());
}

#[test]
fn an_unchanged_redraw_reports_nothing() {
    let mut bars = Bars::default();
    let first = bar("  0%|   | 0/60 [00:00<?, ?it/s]");
    assert!(bars.preview_bar(first.clone()).is_some_and(|drawn| drawn.report.done == Some(0)));
    assert_eq!(bars.draw(first, 0, false).report, Report::default(), "it stands since before");
}

#[test]
fn rounded_bytes_are_a_count_once_their_divisor_is_known() {
    // tqdm(total=int(1.5 * 1024**3), unit='B', unit_scale=True, unit_divisor=1024)
    let lines = [
        "  3%|▎         | 51.2M/1.50G [00:00<00:03, 447MB/s]",
        " 33%|███▎      | 512M/1.50G [00:02<00:04, 223MB/s]",
        " 50%|█████     | 768M/1.50G [00:03<00:03, 223MB/s]",
        " 65%|██████▍   | 998M/1.50G [00:04<00:02, 223MB/s]",
        " 65%|██████▌   | 0.98G/1.50G [00:04<00:02, 223MB/s]",
        " 67%|██████▋   | 1.00G/1.50G [00:04<00:02, 223MB/s]",
    ];
    let mut bars = Bars::default();
    let drawn: Vec<_> = lines.iter().map(|line| bars.draw(bar(line), 0, false)).collect();
    assert_eq!((drawn[0].report.done, drawn[0].report.progress), (None, Some(0.03)));
    assert_eq!(drawn[0].report.message.as_deref(), Some("51.2M/1.50G B"));
    assert_eq!((drawn[2].report.done, drawn[2].report.total), (Some(768 << 20), Some(3 << 29)));
    assert_eq!(drawn[2].report.unit.as_deref(), Some("B"));
    let done: Vec<_> = drawn[2..].iter().filter_map(|drawn| drawn.report.done).collect();
    assert!(done.is_sorted() && *done.last().unwrap() == 1 << 30, "{done:?}");
    assert!(!drawn.iter().any(|drawn| drawn.endless), "0.98G follows 998M and begins no other bar");
}

#[test]
fn rounded_bytes_with_an_unknown_divisor_have_a_fraction_only() {
    let mut bars = Bars::default();
    let half = bars.draw(bar(" 50%|█████     | 15.0M/30.0M [00:00<00:00, 26.2MB/s]"), 0, false).report;
    assert_eq!((half.done, half.total, half.progress), (None, None, Some(0.5)));
    let last = bars.draw(bar("100%|██████████| 30.0M/30.0M [00:01<00:00, 26.2MB/s]"), 0, true).report;
    assert_eq!((last.done, last.progress), (None, Some(1.0)));
    // Other units are shortened by 1,000, as is tqdm's default.
    let mut bars = Bars::default();
    let half = bars.draw(bar(" 50%|█████     | 1.50k/3.00k [00:30<00:30, 50.1doc/s]"), 0, false).report;
    assert_eq!((half.done, half.total, half.progress), (Some(1500), Some(3000), None));
}

#[test]
fn parallel_bars_are_never_complete_with_the_first_of_them() {
    let samples: [&[u8]; 2] = [
        include_bytes!("../../tests/samples/tqdm_parallel_kept.txt"),
        include_bytes!("../../tests/samples/tqdm_parallel_erased.txt"),
    ];
    // Threads with a bar of 4, 20 and 24 chunks each.
    for sample in samples {
        for portion in [7, 64, 1 << 20] {
            let (all, _) = drawn(sample, portion);
            let known = all.iter().position(|update| update.endless).expect("the total becomes unknown");
            assert!(known < all.len() / 2, "{known} of {}", all.len());
            let has_total = |report: &Report| report.total.is_some() || report.progress.is_some();
            assert!(!all[known..].iter().any(|update| has_total(&update.report)));
            let done: Vec<_> = all[known..].iter().filter_map(|update| update.report.done).collect();
            assert!(done.is_sorted() && done.last() == Some(&48), "{done:?}");
        }
    }
}

#[test]
fn a_line_above_nested_bars_does_not_make_them_parallel() {
    let mut bars = Bars::default();
    for n in 1..10 {
        bars.draw(bar("Epochs:  50%|##  | 1/2 [00:02<00:02, 2.0s/it]"), 0, false);
        bars.wipe(0);
        bars.wipe(1);
        let inner = format!("Batches: {n}0%|#   | {n}/10 [00:00<00:01, 9.0it/s]");
        assert!(!bars.draw(bar(&inner), 1, false).endless, "{inner}");
    }
}

proptest! {
    #[test]
    fn no_line_panics(line in "\\PC{0,60}", near in "[ab: 0-9.%|█/\\[\\]<,?kMst=]{0,60}") {
        let mut bars = Bars::default();
        for text in [&line, &near] {
            if let Some(bar) = Bar::read(text) {
                bars.draw(bar, text.len(), true);
            }
        }
        let _ = bars.finish();
    }
}
