//! Log line: its row in the list, and the details of the line in the URL.

use super::paint::drawn;
use super::state::Look;
use super::tools::Close;
use crate::components::ident::copy_and_say;
use crate::components::toasts::Toasts;
use crate::reactive::{part, text};
use crate::zone::Zones;
use display::format;
use leptos::prelude::*;
use protocol::{LogLevel, Time};

/// Key of a rendered row. A changed key renders the row again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Drawn {
    pub n: u64,
    /// Whether the line is loaded; otherwise the row is a placeholder.
    pub here: bool,
    pub marked: bool,
    /// Identifies the search and the attempt.
    pub stamp: u64,
}

/// Displayed line.
#[derive(Clone, PartialEq)]
struct Shown {
    at: Time,
    level: LogLevel,
    text: String,
}

fn shown(look: Look, n: u64) -> Option<Shown> {
    look.log.with_untracked(|log| {
        log.get(n).map(|line| Shown { at: line.at, level: line.level, text: line.text.to_owned() })
    })
}

/// Row of a line.
pub fn row(look: Look, of: Drawn, go: Callback<u64>) -> AnyView {
    let n = of.n;
    let Some(line) = shown(look, n) else {
        return view! { <div class="log-line" data-missing="">{format::count(n)} " …"</div> }.into_any();
    };
    // The time zone is shown above the list.
    let (at, zone) = (line.at, Zones::here());
    let mark = move |event: web_sys::MouseEvent| {
        // Modified clicks belong to the browser, which opens links elsewhere.
        if !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
            event.prevent_default();
            go.run(n);
        }
    };
    view! {
        // No paragraph: copied lines would be separated by blank lines.
        <div class="log-line" data-level=line.level.as_str() data-marked=of.marked.then_some("")>
            // Keyboard users select a line with the search; thousands of tab stops would be in the way.
            <a class="log-n num" href=format!("#L{n}") tabindex="-1" title="Link to this line" on:click=mark>
                {n}
            </a>
            <time datetime=at.to_string() title=text(move || zone.get().moment(at))>
                {text(move || zone.get().bare_millis(at))}
            </time>
            <span class="log-level">{line.level.as_str()}</span>
            <span class="log-text">{look.words.with_untracked(|words| drawn(&line.text, words))}</span>
        </div>
    }
    .into_any()
}

/// Details of the line in the URL, or a note that it does not exist.
#[component]
pub fn Marked(look: Look, close: Callback<()>) -> impl IntoView {
    let (toasts, zone) = (expect_context::<Toasts>(), Zones::here());
    // Rebuilt only when the line changes or arrives.
    let named = Memo::new(move |_| {
        let n = look.marked.get()?;
        let there = look.log.with(|log| (log.get(n).is_some(), n >= log.first() && n <= log.last()));
        Some((n, there))
    });
    part(move || {
        let (n, (here, exists)) = named.get()?;
        let close = view! { <Close label="Close line" close/> };
        let count = format::count(n);
        if !exists {
            return Some(
                view! { <div class="log-whole"><p>{format!("Line {count} does not exist in the log of this attempt.")}</p> {close}</div> }
                    .into_any(),
            );
        }
        let line = here.then(|| shown(look, n)).flatten()?;
        let at = line.at;
        let plain = ansi::plain(&line.text).into_owned();
        let copy_text = move |_| copy_and_say(toasts, plain.clone(), "Line");
        let copy_link = move |_| {
            let address = window().location().href().unwrap_or_default();
            copy_and_say(toasts, address, "Link");
        };
        Some(
            view! {
                <section class="log-whole" aria-label=format!("Line {count}")>
                    <header>
                        <p class="dotted">
                            <strong>{format!("Line {count}")}</strong>
                            <span>{text(move || zone.get().moment(at))}</span>
                            <span>{line.level.as_str()}</span>
                        </p>
                        <button type="button" class="link" on:click=copy_text>"Copy line"</button>
                        <button type="button" class="link" on:click=copy_link>"Copy link"</button>
                        {close}
                    </header>
                    <div class="log-text" tabindex="0" role="group" aria-label="Line text">{drawn(&line.text, "")}</div>
                </section>
            }
            .into_any(),
        )
    })
}
