//! Progress of ffmpeg: the time of its status line within the duration of its input.
//!
//! Only with a single input: how several are combined is not printed. A filter can make the output longer than the
//! input; then the fraction is unknown once the time is past the duration.

use regex::Regex;
use std::sync::LazyLock;

static INPUT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^Input #\d+, .* from ").expect("the expression is well formed"));
static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s+Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?), ").expect("the expression is well formed")
});
static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:frame=|size=|Lsize=).* time=(\d+):(\d\d):(\d\d(?:\.\d+)?) bitrate=")
        .expect("the expression is well formed")
});

/// Time beyond the duration, in seconds, that is still the last frame.
const LAST_FRAME: f64 = 1.0;

/// Output of ffmpeg in a command.
#[derive(Debug, Default)]
pub(crate) struct Ffmpeg {
    inputs: u32,
    duration: Option<f64>,
    /// The duration is not that of the output.
    unclear: bool,
}

/// Effect of a line of ffmpeg.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Played {
    /// Seconds of the output, of all seconds if known.
    To(f64, Option<f64>),
    /// The total is not known any more.
    Unknown,
    /// Nothing about progress.
    Nothing,
}

impl Ffmpeg {
    /// Handles a line; `None` if it is not one of ffmpeg's.
    pub fn take(&mut self, line: &str) -> Option<Played> {
        if INPUT.is_match(line) {
            self.inputs += 1;
            self.duration = None;
            let had = self.inputs == 2 && !self.unclear;
            self.unclear |= self.inputs > 1;
            return Some(if had { Played::Unknown } else { Played::Nothing });
        }
        if self.inputs == 0 {
            return None;
        }
        if let Some(duration) = seconds(&DURATION, line) {
            self.duration = Some(duration).filter(|seconds| *seconds > 0.0);
            return Some(Played::Nothing);
        }
        let time = seconds(&STATUS, line)?;
        let duration = self.duration.filter(|_| !self.unclear);
        if duration.is_some_and(|all| time > all + LAST_FRAME) {
            self.unclear = true;
            return Some(Played::Unknown);
        }
        Some(Played::To(time, duration))
    }
}

fn seconds(pattern: &Regex, line: &str) -> Option<f64> {
    let found = pattern.captures(line)?;
    let part = |at: usize| found[at].parse::<f64>().ok();
    Some(part(1)? * 3600.0 + part(2)? * 60.0 + part(3)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = "Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'in.mp4':";
    const LENGTH: &str = "  Duration: 00:01:00.00, start: 0.000000, bitrate: 244 kb/s";

    fn status(time: &str) -> String {
        format!(
            "frame=  300 fps=0.0 q=2.0 size=     256KiB time={time} bitrate= 174.8kbits/s speed=24x elapsed=0:00:00.50"
        )
    }

    #[test]
    fn the_time_within_a_single_input_is_the_fraction() {
        let mut ffmpeg = Ffmpeg::default();
        assert_eq!(ffmpeg.take(&status("00:00:12.00")), None, "without an input it is any program");
        assert_eq!(ffmpeg.take(INPUT), Some(Played::Nothing));
        assert_eq!(ffmpeg.take(LENGTH), Some(Played::Nothing));
        assert_eq!(ffmpeg.take(&status("00:00:12.00")), Some(Played::To(12.0, Some(60.0))));
        assert_eq!(ffmpeg.take(&status("N/A")), None);
        let copy = "size=    1363KiB time=00:01:00.00 bitrate= 186.1kbits/s speed= 176x elapsed=0:00:00.34";
        assert_eq!(ffmpeg.take(copy), Some(Played::To(60.0, Some(60.0))));
    }

    #[test]
    fn a_longer_output_or_a_second_input_has_no_fraction() {
        let mut ffmpeg = Ffmpeg::default();
        [INPUT, LENGTH].iter().for_each(|line| _ = ffmpeg.take(line));
        assert_eq!(ffmpeg.take(&status("00:01:02.00")), Some(Played::Unknown));
        assert_eq!(ffmpeg.take(&status("00:01:03.00")), Some(Played::To(63.0, None)));
        let mut ffmpeg = Ffmpeg::default();
        [INPUT, LENGTH].iter().for_each(|line| _ = ffmpeg.take(line));
        assert_eq!(ffmpeg.take("Input #1, wav, from 'b.wav':"), Some(Played::Unknown));
        ffmpeg.take(LENGTH);
        assert_eq!(ffmpeg.take(&status("00:00:12.00")), Some(Played::To(12.0, None)));
        let mut ffmpeg = Ffmpeg::default();
        ["Input #0, lavfi, from 'testsrc':", "  Duration: N/A, start: 0.0"]
            .iter()
            .for_each(|line| _ = ffmpeg.take(line));
        assert_eq!(ffmpeg.take(&status("00:00:12.00")), Some(Played::To(12.0, None)));
    }
}
