//! Choice of operations to add: search, and several at once. Each title is also a link that adds it alone.

use super::entry::Entry;
use crate::features::params::{Change, changes};
use app_state::address::comparison::{Comparison, MAX_COMPARED};
use components::moment::Ago;
use components::reactive::{maybe, part, text, yes};
use components::state_mark::StateMark;
use display::format;
use leptos::prelude::*;
use live::OperationStore;
use live::base;
use protocol::{KindName, OperationId};
use serde_json::Value;

/// Maximum number of operations listed.
const MAX_LISTED: usize = 30;
/// Maximum number of parameters that tell an operation from the first one.
const MAX_PARAMS: usize = 3;

/// Whether every word is in the text, ignoring case.
fn has_words(text: &str, words: &str) -> bool {
    let text = text.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// Parameters in which `other` differs from the first compared operation: `slow 400 · fee 0`.
fn differences(first: (&str, &Value), other: (&str, &Value)) -> String {
    if first.0 != other.0 {
        return String::new();
    }
    let text = |(name, _, value): Change| {
        let value = value.map(format::param).filter(|value| !value.is_empty());
        format!("{} {}", name.replace('_', " "), value.as_deref().unwrap_or("not set"))
    };
    changes(first.1, other.1).into_iter().take(MAX_PARAMS).map(text).collect::<Vec<_>>().join(" · ")
}

/// List of operations; of all kinds if `kinds` is empty.
#[component]
pub fn Picker(
    wanted: Memo<Comparison>,
    kinds: Vec<KindName>,
    /// Operation that the parameters are compared with.
    first: Option<Entry>,
) -> impl IntoView {
    let live = OperationStore::here();
    let of = kinds.iter().map(KindName::as_str).collect::<Vec<_>>().join(" or ");
    let (sought, chosen) = (RwSignal::new(String::new()), RwSignal::new(Vec::<OperationId>::new()));
    let found = Memo::new({
        let live = live.clone();
        move |_| {
            let (active, ended) = live.list(|_| true);
            let mut ids: Vec<OperationId> = active.into_iter().chain(ended).collect();
            // IDs sort by creation time.
            ids.sort_unstable_by(|a, b| b.cmp(a));
            let there = wanted.with(|w| w.ids.clone());
            let words = sought.get();
            let fits = |id: &OperationId| {
                let Some(cell) = live.operation(*id) else { return false };
                let fixed = cell.fixed();
                let text = || format!("{} {} {id} {}", fixed.title, fixed.kind, fixed.params);
                (kinds.is_empty() || kinds.contains(&fixed.kind)) && has_words(&text(), &words)
            };
            ids.retain(|id| !there.contains(id) && fits(id));
            let all = ids.len();
            ids.truncate(MAX_LISTED);
            (ids, all)
        }
    });
    let room = move || MAX_COMPARED.saturating_sub(wanted.with(|w| w.ids.len()));
    let one = move |id: OperationId| {
        let op = live.operation(id)?.view();
        let fixed = op.fixed();
        let title = fixed.title.clone();
        let differs = first.map(|first| {
            let first = first.op.fixed();
            differences((first.kind.as_str(), &first.params), (fixed.kind.as_str(), &fixed.params))
        });
        let kind = first.is_none().then(|| view! { <span class="kind">{fixed.kind.to_string()}</span> });
        let is_chosen = move || chosen.with(|chosen| chosen.contains(&id));
        let choose = move |_| {
            chosen.update(|chosen| match chosen.iter().position(|other| *other == id) {
                Some(at) => drop(chosen.remove(at)),
                None => chosen.push(id),
            });
        };
        Some(view! {
            <li>
                <input
                    type="checkbox"
                    class="only-script"
                    aria-label=format!("Select {title}")
                    prop:checked=yes(is_chosen)
                    prop:disabled=yes(move || !is_chosen() && chosen.with(Vec::len) >= room())
                    on:change=choose
                />
                <span class="picker-name">
                    // Not a router link: it compares paths only and would mark this as current.
                    <a href=text(move || base::url(&wanted.with(|w| w.with(id).address()))) data-noscroll="">
                        {title}
                    </a>
                    <span class="muted">{differs}</span>
                </span>
                {kind}
                <StateMark state=op.state/>
                <span class="muted num"><Ago at=fixed.created_at/></span>
                <code class="muted">{id.short()}</code>
            </li>
        })
    };
    let add = move || {
        let more = wanted.with(|w| chosen.with(|ids| ids.iter().fold(w.clone(), |more, id| more.with(*id))));
        base::url(&more.address())
    };
    let wording = move || match chosen.with(Vec::len) {
        0 => "Select operations to add".to_owned(),
        1 => "Add 1 operation".to_owned(),
        n => format!("Add {n} operations"),
    };
    view! {
        <div class="picker">
            <div class="picker-do only-script">
                <input
                    type="search"
                    aria-label="Search operations to compare"
                    placeholder="Search title, parameter or ID"
                    prop:value=text(move || sought.get())
                    on:input=move |event| sought.set(event_target_value(&event))
                />
                // Without a target it is no link, and can't be followed.
                <a
                    class="button primary"
                    role="link"
                    data-noscroll=""
                    href=maybe(move || chosen.with(|ids| !ids.is_empty()).then(add))
                    aria-disabled=maybe(move || chosen.with(Vec::is_empty).then(|| "true".to_owned()))
                >
                    {text(wording)}
                </a>
            </div>
            <ul class="others">
                <For each=move || found.get().0 key=|id| *id children=one/>
            </ul>
            {part(move || {
                let (shown, all) = found.with(|(ids, all)| (ids.len(), *all));
                let wording = match (shown, all, of.as_str()) {
                    (0, ..) if sought.with(|words| !words.trim().is_empty()) => "No results".to_owned(),
                    (0, _, "") => "No operations yet.".to_owned(),
                    (0, _, of) => format!("No other operations of kind {of} among the newest operations."),
                    (shown, all, _) if shown < all => format!("Newest {shown} of {all}. Search to find others."),
                    _ => return None,
                };
                Some(view! { <p class="muted">{wording}</p> }.into_any())
            })}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_words_are_searched_in_any_order() {
        assert!(has_words("MSFT 1h · 64,32 training.run", "TRAIN msft"));
        assert!(!has_words("MSFT 1h", "msft 4h"));
        assert!(has_words("MSFT 1h", " "));
    }

    #[test]
    fn an_operation_is_described_by_its_differences_from_the_first() {
        let (a, b) = (json!({"fast": 10, "slow": 50}), json!({"fast": 20, "slow": 50}));
        assert_eq!(differences(("backtest.run", &a), ("backtest.run", &b)), "fast 20");
        assert_eq!(differences(("backtest.run", &a), ("backtest.run", &a)), "");
        assert_eq!(differences(("backtest.run", &a), ("training.run", &b)), "");
    }
}
