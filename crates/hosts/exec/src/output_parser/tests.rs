//! Parsed output, recorded in a list instead of an operation.

use super::*;
use crate::lines::Lines;
use proptest::prelude::*;
use std::time::Duration;

#[derive(Default)]
struct RecordingSink {
    reports: Vec<String>,
    points: Vec<(String, f64, f64)>,
    log: Vec<(LogLevel, String)>,
}

impl ProgressSink for RecordingSink {
    fn phase(&mut self, index: u32, name: &str) {
        self.reports.push(format!("phase {index} {name}"));
    }
    fn items(&mut self, unit: &str, total: Option<u64>) {
        self.reports.push(format!("items {unit} {total:?}"));
    }
    fn revise_items(&mut self, unit: &str, total: Option<u64>) {
        self.reports.push(format!("revised {unit} {total:?}"));
    }
    fn done(&mut self, done: u64) {
        self.reports.push(format!("done {done}"));
    }
    fn message(&mut self, text: String) {
        self.reports.push(format!("message {text}"));
    }
    fn fraction(&mut self, fraction: Option<f64>) {
        self.reports.push(format!("fraction {fraction:?}"));
    }
    fn point(&mut self, series: &str, x: f64, y: f64) {
        self.points.push((series.to_owned(), x, y));
    }
    fn log(&mut self, level: LogLevel, text: String) {
        self.log.push((level, text));
    }
}

fn output_parser(reading: ParseMode, phases: &[&str]) -> OutputParser<RecordingSink> {
    let phases = phases.iter().map(|p| (*p).to_owned()).collect();
    OutputParser::new(RecordingSink::default(), Arc::new(reading), phases, LogRate::default(), Instant::now())
}

fn feed(output_parser: &mut OutputParser<RecordingSink>, stream: Stream, bytes: &[u8]) {
    feed_at(output_parser, stream, bytes, Instant::now());
}

fn feed_at(output_parser: &mut OutputParser<RecordingSink>, stream: Stream, bytes: &[u8], now: Instant) {
    let mut lines = Lines::default();
    lines.push(bytes, |piece| output_parser.feed(stream, &piece, now));
    lines.finish(|piece| output_parser.feed(stream, &piece, now));
}

#[test]
fn a_report_becomes_progress_and_curves_but_no_log_line() {
    let mut t = output_parser(ParseMode::Lines, &["fit", "test"]);
    feed(&mut t, Stream::Out, b"{\"phase\":\"fit\",\"done\":0,\"total\":2,\"unit\":\"epochs\"}\nhello\n");
    feed(&mut t, Stream::Out, b"{\"done\":1,\"loss\":0.5}\n{\"done\":2,\"loss\":0.25,\"message\":\"m\"}\n");
    feed(&mut t, Stream::Out, b"{\"phase\":\"test\",\"progress\":1,\"result\":{\"a\":1}}\n");
    let expected = [
        "phase 1 fit",
        "items epochs Some(2)",
        "done 0",
        "done 1",
        "done 2",
        "message m",
        "phase 2 test",
        "fraction Some(1.0)",
    ];
    assert_eq!(t.sink().reports, expected);
    assert_eq!(t.sink().points, [("loss".to_owned(), 1.0, 0.5), ("loss".to_owned(), 2.0, 0.25)]);
    assert_eq!(t.sink().log, [(LogLevel::Info, "hello".to_owned())]);
    let summary = t.finish();
    assert_eq!((summary.kept, summary.reported), (1, Some(serde_json::json!({"a": 1}))));
}

#[test]
fn the_log_keeps_colours_that_parsing_ignores() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Out, b"\x1b[33mWARNING\x1b[0m odd\x1b[K\n\x1b[1m{\"done\":1}\x1b[0m\n");
    feed(&mut t, Stream::Err, b"\x1b[31mdrawn 1\r\x1b[31mdrawn 2\x1b[0m\n\x1b[0m\n");
    let expected = [
        (LogLevel::Warn, "\x1b[33mWARNING\x1b[0m odd".to_owned()),
        (LogLevel::Warn, "\x1b[31mdrawn 2\x1b[0m".to_owned()),
    ];
    assert_eq!(t.sink().log, expected);
    assert_eq!(t.sink().reports, ["done 1"]);
    assert_eq!(t.finish().last, ["drawn 2"]);
}

#[test]
fn a_reported_log_text_keeps_colours_but_no_control_characters() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    let line = r#"{"log":"a\u001b[2J\u001b[31mb\u001b[0m\u001b]52;c;eA==\u0007\u0000c\nd","level":"warn"}"#;
    feed(&mut t, Stream::Out, format!("{line}\n").as_bytes());
    let expected = [(LogLevel::Warn, "a\u{1b}[31mb\u{1b}[0mc".to_owned()), (LogLevel::Warn, "d".to_owned())];
    assert_eq!(t.sink().log, expected);
}

#[test]
fn a_fractional_count_is_never_rounded_up() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Out, b"{\"done\":0.6,\"total\":1,\"unit\":\"GB\"}\n{\"done\":1}\n");
    let expected = ["items GB Some(1)", "done 0", "fraction Some(0.6)", "done 1", "fraction Some(1.0)"];
    assert_eq!(t.sink().reports, expected);
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Out, b"{\"done\":7.5,\"total\":10}\n{\"done\":7.9,\"total\":12.5}\n");
    let lower = ["revised  None", "done 7", "fraction None", "fraction Some(0.632)"];
    assert_eq!(t.sink().reports[..3], ["items  Some(10)", "done 7", "fraction Some(0.75)"]);
    assert_eq!(t.sink().reports[3..], lower);
    // Errors of floats are no parts of an item.
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Out, b"{\"done\":2.9999999999999996,\"total\":3}\n");
    assert_eq!(t.sink().reports, ["items  Some(3)", "done 3"]);
}

#[test]
fn an_invalid_value_of_a_report_is_explained_once() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Out, b"{\"progress\":50,\"loss\":1}\n{\"progress\":60,\"loss\":2}\n");
    let log: Vec<_> = t.sink().log.iter().map(|(_, text)| text.as_str()).collect();
    let why = "Part of a report is ignored: progress must be from 0 to 1, got 50.";
    assert_eq!(log, [why, "{\"progress\":50,\"loss\":1}", "{\"progress\":60,\"loss\":2}"]);
    assert_eq!(t.sink().points.len(), 2);
}

#[test]
fn a_later_total_keeps_the_count() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(
        &mut t,
        Stream::Out,
        b"{\"done\":3}\n{\"total\":10}\n{\"phase\":\"x\"}\n{\"phase\":\"x\"}\n{\"phase\":\"y\"}\n",
    );
    assert_eq!(t.sink().reports, ["done 3", "revised  Some(10)", "phase 1 x", "phase 2 y"]);
}

#[test]
fn log_levels_follow_the_text_or_the_output_stream() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Out, b"plain\n[12:00] ERROR: no\n{\"loss\":1,\"best\":true}\n\x1b[31mred\x1b[0m\n");
    feed(
        &mut t,
        Stream::Err,
        b"note\nINFO:root:fine\nTraceback (most recent call last):\n{\"loss\":2}\n\xff\xfe\n",
    );
    let log: Vec<_> = t.sink().log.iter().map(|(level, text)| (level.as_str(), text.as_str())).collect();
    let expected = [
        ("info", "plain"),
        ("error", "[12:00] ERROR: no"),
        ("info", "{\"loss\":1,\"best\":true}"),
        ("info", "\u{1b}[31mred\u{1b}[0m"),
        ("warn", "note"),
        ("info", "INFO:root:fine"),
        ("error", "Traceback (most recent call last):"),
        ("warn", "{\"loss\":2}"),
        ("warn", "\u{fffd}\u{fffd}"),
    ];
    assert_eq!(log, expected);
    assert_eq!(t.sink().points.len(), 1, "standard error carries no reports");
}

#[test]
fn a_redrawn_line_is_logged_in_its_last_state() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(&mut t, Stream::Err, b"get 10%\rget 50%\rget 100%\r\nnext\r1\r2\r\n3\r4");
    let log: Vec<_> = t.sink().log.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(log, ["get 100%", "2", "4"]);
}

#[test]
fn progress_bars_are_progress_and_leave_one_line_each() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Out, b"begins\n{\"result\":{\"a\":1}}\n");
    feed(&mut t, Stream::Err, include_bytes!("../../tests/samples/tqdm_single.txt"));
    assert_eq!(t.sink().reports[0], "items batch Some(60)");
    assert_eq!(t.sink().reports.last().unwrap(), "done 60");
    let points = &t.sink().points;
    assert!(points.len() >= 5 && points.is_sorted_by(|a, b| a.1 < b.1), "{points:?}");
    let texts: Vec<_> =
        t.sink().log.iter().map(|(_, text)| text.chars().take(12).collect::<String>()).collect();
    assert_eq!(texts, ["begins", "Batches: 100"], "{:?}", t.sink().log);
    assert!(t.finish().reported.is_some());
}

#[test]
fn a_second_bar_makes_the_fraction_unknown() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Err, include_bytes!("../../tests/samples/tqdm_several.txt"));
    let reports = &t.sink().reports;
    let open = reports.iter().position(|report| report == "revised iterations None").unwrap();
    assert!(
        !reports[open..].iter().any(|report| report.starts_with("revised") && report.contains("Some")),
        "{reports:?}"
    );
    assert!(reports.contains(&"message Epoch 2 30/30 iterations".to_owned()));
}

#[test]
fn a_redrawn_percentage_is_the_fraction() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Err, b"12% done\r55% done\rab\n99% of all is dark\n");
    assert_eq!(t.sink().reports, ["fraction Some(0.55)"]);
}

#[test]
fn the_last_line_of_a_display_completes_it() {
    // wget, rsync, rich, alive-progress.
    let displays: [&[u8]; 4] = [
        b"\rw.bin  93%[==> ] 7.1M\rw.bin 100%[====>] 7.6M in 8s\n\n2026 (1 MB/s) - 'w.bin' saved [8/8]\n",
        b"\r      6,589,824  84%    2.93MB/s    0:00:00  \r      7,800,000 100%    3.01MB/s    0:00:02 (xfr#12, to-chk=0/15)\n\
          \nsent 1\ntotal size is 2\n",
        b"\x1b[?25lGet 99% 99/100\r\x1b[2KGet 100% 100/100\n\x1b[?25h",
        b"Alive |==| 119/120 [99%] in 9s\r\x1b[?25h\x1b[J\rAlive |===| 120/120 [100%] in 9.6s\n",
    ];
    for display in displays {
        let mut t = output_parser(ParseMode::Tqdm, &[]);
        feed(&mut t, Stream::Err, display);
        t.finish_lines();
        let complete =
            t.sink().reports.iter().rfind(|report| report.starts_with("fraction")).map(String::as_str)
                == Some("fraction Some(1.0)");
        let reports = t.sink().reports.clone();
        assert!(complete || t.finish().at_end.progress == Some(1.0), "{reports:?}");
    }
}

#[test]
fn a_stage_has_a_count_but_no_overall_fraction() {
    let git =
        b"Cloning into 'x'...\nremote: Counting objects:  50% (4/8)\rremote: Counting objects: 100% (8/8)\r\
        remote: Counting objects: 100% (8/8), done.\nReceiving objects:  12% (1/8), 1 MiB | 1 MiB/s\r\
        Receiving objects: 100% (8/8), done.\n";
    let expected = ["items  Some(8)", "done 4", "done 8", "done 8"];
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Err, git);
    assert_eq!(t.sink().reports[0], "phase 1 Counting objects");
    assert_eq!(t.sink().reports[1..5], expected);
    assert_eq!(t.sink().reports[5..7], ["phase 2 Receiving objects", "items  Some(8)"]);
    assert!(!t.sink().reports.iter().any(|report| report.starts_with("fraction")), "{:?}", t.sink().reports);
    let texts: Vec<_> = t.sink().log.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    // Stages that are declared are parts of the whole.
    let mut t =
        output_parser(ParseMode::Tqdm, &["Counting objects", "Compressing objects", "Receiving objects"]);
    feed(&mut t, Stream::Err, git);
    assert!(t.sink().reports.contains(&"phase 3 Receiving objects".to_owned()), "{:?}", t.sink().reports);
}

#[test]
fn a_count_or_percentage_of_a_known_tool_is_the_fraction() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    let mut lines = Lines::default();
    // A chunk can end within a number.
    for chunk in
        [&b"  Building [=>   ] 1/60: serde\r  Building [==>  ] 2/6"[..], b"0: tokio\r\x1b[K  Finished\n"]
    {
        lines.push(chunk, |piece| t.feed(Stream::Err, &piece, Instant::now()));
    }
    assert_eq!(
        t.sink().reports,
        ["items  Some(60)", "done 1", "message Building", "done 2", "message Building"]
    );
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Out, b"[ 10%] Building a.o\n[ 60%] Building b.o\nnote\n[100%] Built target a\n");
    assert_eq!(t.sink().reports, ["fraction Some(0.1)", "fraction Some(0.6)", "fraction Some(1.0)"]);
    assert_eq!(t.sink().log.len(), 4);
}

#[test]
fn epochs_of_keras_are_progress_and_their_metrics_are_series() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Out, include_bytes!("../../tests/samples/keras.txt"));
    let loss: Vec<_> = t.sink().points.iter().filter(|p| p.0 == "val_loss").map(|p| (p.1, p.2)).collect();
    assert_eq!(loss[..2], [(1.0, 6.7652), (2.0, 3.5842)]);
    let reports = &t.sink().reports;
    assert!(reports.contains(&"items epochs Some(3)".to_owned()), "{reports:?}");
    assert!(!reports.contains(&"fraction Some(1.0)".to_owned()), "the evaluation follows: {reports:?}");
    assert_eq!(t.finish().at_end.progress, Some(1.0));
}

#[test]
fn matched_lines_are_progress_and_stay_in_the_log() {
    let matcher =
        Matcher::new(&["Epoch (?<done>\\d+)/(?<total>\\d+) loss=(?<loss>\\S+)".to_owned()]).unwrap();
    let mut t = output_parser(ParseMode::Pattern(matcher), &[]);
    feed(&mut t, Stream::Err, b"Epoch 1/4 loss=0.5\nEpoch 2/4 loss=0.25\n");
    assert_eq!(t.sink().reports, ["items  Some(4)", "done 1", "done 2"]);
    assert_eq!((t.sink().points.len(), t.sink().log.len()), (2, 2));
}

#[test]
fn excessive_output_is_cut_and_its_end_is_kept() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    let flood: String = (0..100_000).map(|i| format!("line {i}\n")).collect();
    feed(&mut t, Stream::Out, flood.as_bytes());
    let logged = t.sink().log.len();
    assert!((2_000..4_000).contains(&logged), "{logged}");
    let first = t.sink().log.iter().position(|(_, text)| text.starts_with("More than")).unwrap();
    assert_eq!(t.sink().log[first - 1].1, format!("line {}", first - 1));
    let summary = t.finish();
    assert_eq!(summary.kept + summary.left_out, 100_000);
    assert_eq!(summary.last.last().unwrap(), "line 99999");
}

#[test]
fn after_excessive_output_the_log_counts_the_missing_lines() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    let now = Instant::now();
    feed_at(&mut t, Stream::Out, "x\n".repeat(5_000).as_bytes(), now);
    feed_at(&mut t, Stream::Out, b"calm\n", now + Duration::from_secs(60));
    let [.., (_, missing), (_, later)] = t.sink().log.as_slice() else { panic!("{:?}", t.sink().log.len()) };
    assert_eq!((missing.as_str(), later.as_str()), ("3000 lines dropped (rate limit)", "calm"));
}

#[test]
fn points_are_kept_or_dropped_with_a_notice() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(
        &mut t,
        Stream::Out,
        b"{\"step\":5,\"a\":1}\n{\"step\":3,\"a\":2}\n{\"step\":2,\"a\":2}\n{\"a\":3}\n",
    );
    assert_eq!(t.sink().points, [("a".to_owned(), 5.0, 1.0), ("a".to_owned(), 6.0, 3.0)]);
    assert_eq!(t.sink().log.len(), 1, "once a curve: {:?}", t.sink().log);
    let many: String = (0..200).map(|i| format!("{{\"c{i}\":1}}\n")).collect();
    feed(&mut t, Stream::Out, many.as_bytes());
    assert_eq!((t.sink().points.len(), t.sink().log.len()), (2 + 63, 2));
    let fast: String = "{\"a\":1}\n".repeat(50_000);
    feed(&mut t, Stream::Out, fast.as_bytes());
    assert!(t.sink().points.len() < 30_000 && t.sink().log.len() == 3);
}

#[test]
fn a_percentage_of_stages_is_no_overall_fraction() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Err, b"Counting: 50%\rCounting: 100%, done.\nPacking: 1%\rPacking: 2%\r");
    assert_eq!(t.sink().reports, ["fraction Some(1.0)", "fraction None"]);
}

#[test]
fn a_reported_fraction_yields_to_the_count_of_the_next_phase() {
    let mut t = output_parser(ParseMode::Lines, &["fit", "test"]);
    feed(
        &mut t,
        Stream::Out,
        b"{\"phase\":\"fit\",\"progress\":0.5}\n{\"phase\":\"test\",\"done\":1,\"total\":4}\n",
    );
    let expected =
        ["phase 1 fit", "fraction Some(0.5)", "phase 2 test", "fraction None", "items  Some(4)", "done 1"];
    assert_eq!(t.sink().reports, expected);
}

#[test]
fn a_bar_interrupted_by_printed_lines_leaves_its_last_state() {
    let mut t = output_parser(ParseMode::Tqdm, &[]);
    feed(&mut t, Stream::Err, b"\rFit:  50%|# | 1/2 [00:01<00:01, 1.00it/s]\r      \r");
    feed(&mut t, Stream::Out, b"checkpoint\n");
    feed(
        &mut t,
        Stream::Err,
        b"\rFit:  50%|# | 1/2 [00:01<00:01, 1.00it/s]\rFit: 100%|##| 2/2 [00:02<00:00, 1.00it/s]\n",
    );
    t.finish_lines();
    let log: Vec<_> = t.sink().log.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(log, ["checkpoint", "Fit: 100%|##| 2/2 [00:02<00:00, 1.00it/s]"]);
}

#[test]
fn several_redrawn_lines_are_logged_in_their_last_state() {
    for reading in [ParseMode::Lines, ParseMode::Tqdm, ParseMode::Nothing] {
        let mut t = output_parser(reading, &[]);
        let mut output = b"\x1b[?25l\r\x1b[2Kone \x1b[32m0%\x1b[0m\ntwo 0%".to_vec();
        for i in 1..=50 {
            output.extend(format!("\r\x1b[2K\x1b[1A\x1b[2Kone {i}%\ntwo {i}%").bytes());
        }
        output.extend(b"\n\x1b[?25hdone\n");
        feed(&mut t, Stream::Out, &output);
        t.finish_lines();
        let log: Vec<_> = t.sink().log.iter().map(|(_, text)| ansi::plain(text)).collect();
        assert_eq!(log, ["one 0%", "one 50%", "two 50%", "done"]);
    }
}

#[test]
fn all_lines_of_a_traceback_are_errors() {
    let mut t = output_parser(ParseMode::Lines, &[]);
    feed(
        &mut t,
        Stream::Err,
        b"Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    f()\nValueError: no\n\n\
          During handling of the above exception, another exception occurred:\n\n\
          Traceback (most recent call last):\n  File \"a.py\", line 5\nRuntimeError: worse\nafterwards\n",
    );
    let levels: Vec<_> = t.sink().log.iter().map(|(level, _)| level.as_str()).collect();
    assert_eq!(levels[..4], ["error"; 4], "{:?}", t.sink().log);
    assert_eq!(levels[5..], ["error", "error", "error", "warn"]);
}

proptest! {
    #[test]
    fn no_output_panics_in_any_mode(
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        text in "[ab:0-9.%|/\\[\\]<,?{}\"=\r\n\u{1b}A ]{0,80}",
    ) {
        let matcher = Matcher::new(&["(?<done>\\d+)(?<phase>.*)(?<a>\\d*)".to_owned()]).unwrap();
        for reading in [ParseMode::Lines, ParseMode::Tqdm, ParseMode::Pattern(matcher), ParseMode::Nothing] {
            let mut t = output_parser(reading, &["a"]);
            feed(&mut t, Stream::Out, &bytes);
            feed(&mut t, Stream::Err, text.as_bytes());
            t.finish();
        }
    }
}
