//! Copying of the log: all lines at the selected level, loaded or not.

use super::search::MAX_FINDS;
use super::state::Look;
use app_state::clipboard::copy;
use app_state::toasts::Toasts;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use live::model::log_buffer::LogBuffer;
use protocol::{LogLevel, LogLine};
use std::fmt::Write;

/// Lines per request.
const PAGE_LINES: u32 = 10_000;
/// Maximum number of copied lines. Longer logs are downloaded instead.
const MAX_COPIED_LINES: usize = 10 * MAX_FINDS;

/// Copies all lines at the selected level and reports how many.
pub fn copy_all(look: Look, toasts: Toasts, zone: Zone) {
    let least = look.least.get_untracked();
    spawn_local(async move {
        let (lines, whole) = match all_lines(look, least).await {
            Ok(read) => read,
            Err(why) => {
                toasts.warn(format!(
                    "Nothing was copied: older lines could not be loaded. {why} Try again, or download the log."
                ));
                return;
            }
        };
        let mut words = String::new();
        for line in &lines {
            let (at, level) = (zone.clock_millis(line.at), line.level.as_str());
            // Writing to a String cannot fail.
            let _ = writeln!(words, "{at} {level:5} {}", ansi::plain(&line.text));
        }
        if copy(&words).await {
            toasts.say(wording(lines.len(), least, whole));
        } else {
            toasts.warn("The browser blocked copying. Download the log instead.");
        }
    });
}

/// Message after a copy.
fn wording(lines: usize, least: LogLevel, whole: bool) -> String {
    let count = format::count(lines as u64);
    let noun = if lines == 1 { "line" } else { "lines" };
    let of = match least {
        LogLevel::Debug => String::new(),
        LogLevel::Error => " at level error".to_owned(),
        least => format!(" at level {} and above", least.as_str()),
    };
    match whole {
        true => format!("Copied {count} {noun}{of}"),
        false => format!("Copied the newest {count} {noun}{of}. Download the log to get all lines."),
    }
}

/// Lines at a level in order, limited to the newest, and whether they are all.
async fn all_lines(look: Look, least: LogLevel) -> Result<(Vec<LogLine>, bool), String> {
    let (attempt, first, last) =
        look.log.with_untracked(|log| (log.attempt(), LogBuffer::first(log), LogBuffer::last(log)));
    let (mut newest_first, mut before) = (Vec::new(), last + 1);
    while last > 0 && before > first {
        let page = api::search_log(look.id, attempt, before, PAGE_LINES, least, "").await;
        let page = page.map_err(|problem| problem.detail)?;
        newest_first.extend(page.lines.into_iter().rev());
        if page.searched_from >= before {
            break;
        }
        before = page.searched_from;
        if newest_first.len() >= MAX_COPIED_LINES {
            break;
        }
    }
    newest_first.truncate(MAX_COPIED_LINES);
    newest_first.reverse();
    Ok((newest_first, before <= first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_copied_lines() {
        assert_eq!(wording(40_014, LogLevel::Debug, true), "Copied 40,014 lines");
        assert_eq!(wording(1, LogLevel::Warn, true), "Copied 1 line at level warn and above");
        assert_eq!(
            wording(200_000, LogLevel::Debug, false),
            "Copied the newest 200,000 lines. Download the log to get all lines."
        );
    }
}
