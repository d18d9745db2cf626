//! The log of the current attempt, as it is written: followed to its end unless a person reads further up.

use crate::format;
use crate::live::OpView;
use crate::live::store::Follow;
use crate::reactive::{part, yes};
use leptos::html::Div;
use leptos::prelude::*;
use protocol::{LogLevel, LogLine};
use std::sync::Arc;

/// Lines drawn at once; the newest that match.
const MOST_SHOWN: usize = 1_000;

/// Whether a line is shown; `words` in lower case.
fn shown(line: &LogLine, least: LogLevel, words: &str) -> bool {
    line.level >= least && (words.is_empty() || line.text.to_lowercase().contains(words))
}

/// The log with its follow toggle, level and search.
#[component]
pub fn LogView(op: OpView, follow: Arc<Follow>) -> impl IntoView {
    let log: RwSignal<_> = (&follow.log).into();
    let least = RwSignal::new(LogLevel::Info);
    let words = RwSignal::new(String::new());
    let following = RwSignal::new(true);
    let node = NodeRef::<Div>::new();

    let lines = Memo::new(move |_| {
        let (least, words) = (least.get(), words.with(|w| w.trim().to_lowercase()));
        log.with(|log| {
            let matching = log.lines().iter().filter(|line| shown(line, least, &words));
            let all: Vec<LogLine> = matching.cloned().collect();
            all[all.len().saturating_sub(MOST_SHOWN)..].to_vec()
        })
    });
    Effect::new(move |_| {
        drop(lines.read());
        if following.get()
            && let Some(element) = node.get()
        {
            // After the new lines are there.
            request_animation_frame(move || element.set_scroll_top(element.scroll_height()));
        }
    });
    let scrolled = move |_| {
        if let Some(element) = node.get_untracked() {
            let to_end = element.scroll_height() - element.scroll_top() - element.client_height();
            // Reading further up stops following; coming back to the end takes it up again.
            let at_end = to_end < 24;
            if at_end != following.get_untracked() {
                following.set(at_end);
            }
        }
    };
    let level = move |name: &'static str, level: LogLevel| {
        view! {
            <option value=level.as_str() selected=yes(move || least.get() == level)>
                {name}
            </option>
        }
    };
    let set_level = move |event| {
        let wanted = event_target_value(&event);
        let all = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
        if let Some(level) = all.into_iter().find(|l| l.as_str() == wanted) {
            least.set(level);
        }
    };
    let nothing = part(move || {
        let empty = lines.with(Vec::is_empty);
        let said = match (log.with(|l| l.lines().is_empty()), op.state.get().ended()) {
            (true, true) => "It wrote no log.",
            (true, false) => "No line yet.",
            (false, _) => "No line matches.",
        };
        empty.then(|| view! { <p class="muted quiet-line">{said}</p> }.into_any())
    });
    let left_out = part(move || {
        let dropped = log.with(|l| l.dropped() + l.lines().len() as u64) as usize;
        let shown = lines.with(Vec::len);
        (shown >= MOST_SHOWN).then(|| {
            let all = format::count(dropped as u64);
            view! { <p class="muted quiet-line">{format!("The newest {shown} of {all} lines; search to see others.")}</p> }
            .into_any()
        })
    });
    view! {
        <section class="card log" aria-labelledby="log-title">
            <header>
                <h2 id="log-title">"Log"</h2>
                <input
                    type="search"
                    aria-label="Search the log"
                    placeholder="Search"
                    on:input=move |event| words.set(event_target_value(&event))
                />
                <select aria-label="Least level shown" on:change=set_level>
                    {level("all", LogLevel::Debug)}
                    {level("info and up", LogLevel::Info)}
                    {level("warnings and up", LogLevel::Warn)}
                    {level("errors", LogLevel::Error)}
                </select>
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=yes(move || following.get())
                        checked=true
                        on:change=move |event| following.set(event_target_checked(&event))
                    />
                    "follow"
                </label>
            </header>
            {left_out}
            <div class="log-lines" node_ref=node tabindex="0" role="log" aria-live="off" aria-labelledby="log-title" on:scroll=scrolled>
                <For
                    each=move || lines.get()
                    key=|line| line.n
                    children=|line| {
                        view! {
                            <p data-level=line.level.as_str()>
                                <time datetime=line.at.to_string() title=format::moment(line.at)>
                                    {format::clock_millis(line.at)}
                                </time>
                                <span class="log-level">{line.level.as_str()}</span>
                                <span class="log-text">{line.text}</span>
                            </p>
                        }
                    }
                />
                {nothing}
            </div>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    #[test]
    fn a_line_is_found_by_level_and_words() {
        let line =
            LogLine { n: 1, at: Time::from_micros(0), level: LogLevel::Warn, text: "Row 7 refused".into() };
        assert!(shown(&line, LogLevel::Info, "refused"));
        assert!(shown(&line, LogLevel::Warn, ""));
        assert!(!shown(&line, LogLevel::Error, ""));
        assert!(!shown(&line, LogLevel::Debug, "written"));
    }
}
