//! Tabs of the page: everything beyond the key figures and the main charts. The URL holds the chosen one. Without
//! JavaScript all panels are shown, one below the other.

use super::log::line_of;
use components::focus::find;
use components::reactive::{mark, part, text, word};
use leptos::html::Div;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

/// Query parameter with the chosen tab.
const NAME: &str = "tab";

/// A tab, in the order in which they are shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tab {
    /// Result beyond the key figures.
    Result,
    /// Trades of a backtest.
    Trades,
    /// Returns of a backtest by month and by size.
    Returns,
    Log,
    /// Where the time went.
    Time,
    /// Attempts, artifacts and audit log.
    Details,
}

impl Tab {
    pub const ALL: [Tab; 6] = [Tab::Result, Tab::Trades, Tab::Returns, Tab::Log, Tab::Time, Tab::Details];

    /// Value in the URL.
    pub fn slug(self) -> &'static str {
        match self {
            Tab::Result => "result",
            Tab::Trades => "trades",
            Tab::Returns => "returns",
            Tab::Log => "log",
            Tab::Time => "time",
            Tab::Details => "details",
        }
    }

    /// Label, apart from that of a kind's result.
    fn label(self) -> &'static str {
        match self {
            Tab::Result => "Result",
            Tab::Trades => "Trades",
            Tab::Returns => "Returns",
            Tab::Log => "Log",
            Tab::Time => "Time",
            Tab::Details => "Details",
        }
    }

    fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tab| tab.slug() == slug)
    }

    fn id(self) -> String {
        format!("tab-{}", self.slug())
    }
}

/// The shown tab: the one in the URL, the log for a link to one of its lines, or the standard one.
fn pick(named: Option<Tab>, of_line: bool, standard: Tab, offered: &[Tab]) -> Tab {
    let there = |tab: &Tab| offered.contains(tab);
    named
        .filter(there)
        .or_else(|| of_line.then_some(Tab::Log).filter(there))
        .or_else(|| Some(standard).filter(there))
        .unwrap_or(Tab::Log)
}

/// Tab that a key moves to.
fn moved(key: &str, from: Tab, offered: &[Tab]) -> Option<Tab> {
    let place = offered.iter().position(|tab| *tab == from)?;
    let last = offered.len() - 1;
    let to = match key {
        "ArrowRight" => (place + 1) % offered.len(),
        "ArrowLeft" => place.checked_sub(1).unwrap_or(last),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    Some(offered[to])
}

/// Tabs of one page.
#[derive(Clone, Copy)]
pub struct Tabs {
    offered: Memo<Vec<Tab>>,
    pub shown: Memo<Tab>,
    choose: Callback<Tab>,
    /// Label of the result's tab.
    result: &'static str,
}

impl Tabs {
    /// `offered` has the tabs with content, `standard` the one that is shown unless another is chosen.
    pub fn new(offered: Memo<Vec<Tab>>, standard: Memo<Tab>, result: &'static str) -> Self {
        let location = use_location();
        let shown = Memo::new(move |_| {
            let named = location.query.with(|query| query.get_str(NAME).and_then(Tab::named));
            let of_line = line_of(&location.hash.read()).is_some();
            offered.with(|offered| pick(named, of_line, standard.get(), offered))
        });
        let navigate = use_navigate();
        let choose = Callback::new(move |tab: Tab| {
            let mut query = location.query.get_untracked();
            query.remove(NAME);
            query.insert(NAME, tab.slug().to_owned());
            let to =
                location.pathname.get_untracked() + &query.to_query_string() + &location.hash.get_untracked();
            navigate(
                &to,
                NavigateOptions { replace: true, scroll: false, resolve: false, ..Default::default() },
            );
        });
        Self { offered, shown, choose, result }
    }

    /// Shows a tab.
    pub fn show(self, tab: Tab) {
        self.choose.run(tab);
    }

    /// Row of the tabs: arrow keys, Home and End move through it.
    pub fn list(self) -> AnyView {
        let node = NodeRef::<Div>::new();
        let keys = move |event: web_sys::KeyboardEvent| {
            let from = self.shown.get_untracked();
            let to = self.offered.with_untracked(|offered| moved(&event.key(), from, offered));
            let Some(to) = to else { return };
            event.prevent_default();
            event.stop_propagation();
            self.choose.run(to);
            let button = node.get_untracked().and_then(|list| find(&list, &format!("#{}", to.id())));
            if let Some(button) = button {
                // Fails only for elements that can't take the focus.
                let _ = button.focus();
            }
        };
        let one = move |tab: Tab| {
            let chosen = move || self.shown.get() == tab;
            let label = if tab == Tab::Result { self.result } else { tab.label() };
            view! {
                <button
                    type="button"
                    role="tab"
                    class="tab"
                    id=tab.id()
                    aria-controls=format!("panel-{}", tab.slug())
                    aria-selected=word(move || if chosen() { "true" } else { "false" })
                    tabindex=word(move || if chosen() { "0" } else { "-1" })
                    on:click=move |_| self.choose.run(tab)
                >
                    {label}
                </button>
            }
            .into_any()
        };
        let buttons = part(move || Some(self.offered.get().into_iter().map(one).collect_view().into_any()));
        view! {
            <div class="tabs only-script" role="tablist" aria-label="Sections" node_ref=node on:keydown=keys>
                {buttons}
            </div>
        }
        .into_any()
    }

    /// Panel of a tab with its content.
    pub fn panel(self, tab: Tab, content: AnyView) -> AnyView {
        let hidden = mark(move || self.shown.get() != tab);
        let label = text(move || if tab == Tab::Result { self.result } else { tab.label() }.to_owned());
        view! {
            <div class="panel" role="tabpanel" id=format!("panel-{}", tab.slug()) aria-label=label hidden=hidden>
                {content}
            </div>
        }
        .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [Tab; 3] = [Tab::Result, Tab::Log, Tab::Details];

    #[test]
    fn the_address_names_the_tab_before_a_line_and_the_standard_do() {
        assert_eq!(pick(Some(Tab::Details), true, Tab::Result, &OFFERED), Tab::Details);
        assert_eq!(pick(None, true, Tab::Result, &OFFERED), Tab::Log);
        assert_eq!(pick(None, false, Tab::Result, &OFFERED), Tab::Result);
    }

    #[test]
    fn a_tab_without_content_is_never_shown() {
        assert_eq!(pick(Some(Tab::Trades), false, Tab::Result, &OFFERED), Tab::Result);
        assert_eq!(pick(None, false, Tab::Trades, &OFFERED), Tab::Log);
        assert_eq!(Tab::named("elsewhere"), None);
        assert!(Tab::ALL.iter().all(|tab| Tab::named(tab.slug()) == Some(*tab)));
    }

    #[test]
    fn keys_go_round_the_tabs() {
        let to = |key, from| moved(key, from, &OFFERED);
        assert_eq!(to("ArrowRight", Tab::Details), Some(Tab::Result));
        assert_eq!(to("ArrowLeft", Tab::Result), Some(Tab::Details));
        assert_eq!((to("Home", Tab::Log), to("End", Tab::Log)), (Some(Tab::Result), Some(Tab::Details)));
        assert_eq!(to("a", Tab::Log), None);
    }
}
