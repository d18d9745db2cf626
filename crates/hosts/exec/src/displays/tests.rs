//! Output of real programs, as they wrote it into a pipe, line by line.

use super::*;

/// What the page shows: fraction, count and total.
#[derive(Clone, PartialEq, Debug, Default)]
struct Page {
    fraction: Option<f64>,
    done: Option<u64>,
    total: Option<u64>,
    points: Vec<(String, f64, f64)>,
}

fn page(displays: &mut Displays, lines: &[&str]) -> Page {
    let mut page = Page::default();
    for line in lines {
        // Lines that begin with `\r` are redrawn.
        let drawn = line.starts_with('\r');
        let state = if drawn { State::Redrawn } else { State::Kept };
        let text = line.trim_start_matches('\r');
        let Shown { said, unknown } = displays.take(text, state, drawn).unwrap_or_default();
        if unknown {
            (page.fraction, page.total) = (None, None);
        }
        page.fraction = said.progress.or(page.fraction);
        (page.done, page.total) = (said.done.or(page.done), said.total.or(page.total));
        page.points.extend(said.points.into_iter().map(|(name, y)| (name, said.step.unwrap_or_default(), y)));
    }
    page
}

fn read(lines: &[&str]) -> Page {
    page(&mut Displays::default(), lines)
}

const NINJA: [&str; 6] = [
    "[1/13] CXX foo2.o",
    "[2/13] CXX foo3.o",
    "[3/13] CXX foo1.o",
    "[4/13] SAY s",
    "[3/4] noise from a tool",
    "[5/13] CXX foo12.o",
];

#[test]
fn ninja_counts_steps_but_not_their_output() {
    let shown = read(&NINJA);
    assert_eq!((shown.done, shown.total, shown.fraction), (Some(4), Some(13), None));
    let mut displays = Displays::default();
    page(&mut displays, &NINJA);
    let tests = page(&mut displays, &["..........F...... [ 95%]", "\r 50% done", "[100%] Built target a"]);
    assert_eq!(tests, Page::default(), "output of a step is not the progress of the build");
    assert_eq!(displays.finish(), Said::default(), "it did not reach the last step");
}

#[test]
fn a_failed_or_single_numbered_line_is_no_progress() {
    for lines in [&["[12/60] test_sum ... ok"][..], &["collecting", "[3/3] done"], &["Epoch 3/10 loss 0.5"]] {
        assert_eq!(read(lines), Page::default(), "{lines:?}");
    }
}

#[test]
fn percentages_and_steps_are_not_mixed() {
    let shown = read(&["[ 10%] Building a.o", "[1/3] a", "[2/3] b", "[3/3] c", "[ 20%] Building b.o"]);
    assert_eq!((shown.fraction, shown.done, shown.total), (Some(0.2), None, None));
}

#[test]
fn ffmpeg_progress_is_the_time_within_its_only_input() {
    let begin = [
        "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'in.mp4':",
        "  Duration: 00:01:00.00, start: 0.000000, bitrate: 244 kb/s",
    ];
    let status = |time: &str| {
        format!(
            "\rframe=  300 fps=0.0 q=2.0 size=     256KiB time={time} bitrate= 174.8kbits/s speed=24x elapsed=0:00:00.50"
        )
    };
    let mut displays = Displays::default();
    let shown = page(&mut displays, &[begin[0], begin[1], &status("00:00:12.00")]);
    assert_eq!((shown.fraction, shown.done, shown.total), (Some(0.2), Some(12), Some(60)));
    // A slow-motion filter makes the output longer.
    let shown = page(&mut displays, &[&status("00:01:10.00"), &status("00:01:20.00")]);
    assert_eq!((shown.fraction, shown.done, shown.total), (None, Some(80), None));
}

#[test]
fn a_second_command_of_a_script_makes_the_fraction_unknown() {
    let mut displays = Displays::default();
    let tests =
        ["1/2 Test  #1: a ......   Passed    0.01 sec", "2/2 Test  #2: b ......   Passed    0.01 sec"];
    let shown = page(&mut displays, &tests);
    assert_eq!((shown.fraction, shown.done, shown.total), (Some(1.0), Some(2), Some(2)));
    let next = page(&mut displays, &["100% tests passed, 0 tests failed out of 2", "packing"]);
    assert_eq!((next.fraction, next.total), (None, None));
    let wget = [
        "     0K .......... .......... 50%  883M 0s",
        "    50K .......... ........                                   100%  883M=0.1s",
        "Saving to: 'b'",
    ];
    assert_eq!(read(&wget).fraction, None, "another file may follow");
    let two = [
        "[#9c8891 288KiB/878KiB(32%) CN:1 DL:150KiB ETA:3s]",
        "[#1c8891 2KiB/8KiB(25%) CN:1 DL:150KiB ETA:3s]",
    ];
    assert_eq!(read(&two).fraction, None, "another download");
}

#[test]
fn the_activity_of_rsync_is_its_newest_row() {
    let mut displays = Displays::default();
    let rows = [
        "         32,768   0%    0.00kB/s    0:00:00  ",
        "        800,000  10%    3.40MB/s    0:00:00 (xfr#2, to-chk=10/15)",
        "      3,332,768  42%    2.93MB/s    0:00:01  ",
    ];
    let mut shown = rows.map(|row| displays.take(row, State::Redrawn, true).unwrap().said);
    let last = shown[2].message.take();
    assert_eq!((last.as_deref(), shown[2].progress), (Some("3,332,768 42% 2.93MB/s 0:00:01"), Some(0.42)));
}

#[test]
fn bytes_of_dd_have_no_total() {
    let shown = read(&["\r2253324288 bytes (2.3 GB, 2.1 GiB) copied, 1 s, 2.3 GB/s"]);
    assert_eq!((shown.fraction, shown.done, shown.total), (None, Some(2_253_324_288), None));
}

#[test]
fn epochs_of_keras_are_complete_only_at_their_end() {
    let verbose2 = [
        "Epoch 1/3",
        "8/8 - 0s - 59ms/step - loss: 1.2785 - val_loss: 0.8891",
        "Epoch 2/3",
        "8/8 - 0s - 421us/step - loss: 0.6966 - val_loss: 0.4893",
        "Epoch 3/3",
    ];
    let mut displays = Displays::default();
    let shown = page(&mut displays, &verbose2);
    assert_eq!((shown.done, shown.total), (Some(2), Some(3)));
    let loss: Vec<_> = shown.points.iter().filter(|point| point.0 == "loss").map(|p| (p.1, p.2)).collect();
    assert_eq!(loss, [(1.0, 1.2785), (2.0, 0.6966)]);
    let last =
        ["\r1/8 ━━━━━━━━━━━━━━━━━━━━ 0s 530us/step - loss: 6.5393", "8/8 - 0s - 423us/step - loss: 0.3985"];
    let shown = page(&mut displays, &last);
    assert_eq!(shown.fraction, Some(17.0 / 24.0));
    let evaluated = page(&mut displays, &["20/20 - 0s - 4ms/step - loss: 0.2935"]);
    assert_eq!(evaluated, Page::default());
    assert_eq!((displays.finish().done, displays.finish().progress), (Some(3), Some(1.0)));
}

#[test]
fn metrics_between_bars_have_no_count() {
    let line = "[12]\ttrain-rmse:0.19745";
    assert_eq!(Displays::metrics(line, false).unwrap().done, Some(13));
    let said = Displays::metrics(line, true).unwrap();
    assert_eq!((said.done, said.unit, said.points.len()), (None, None, 1));
}
