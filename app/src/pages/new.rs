//! New operation page: choose a kind, fill in its parameters, start it. Form and URL mirror each other, so a form can
//! be shared.

mod address;
mod arrival;
mod field_errors;
mod fill;
mod kind_bar;
mod kind_form;
mod options;
mod past;
mod preset_bar;
mod presets;
mod preview;
mod range_chart;
mod start_button;
mod start_estimate;
mod submit;
mod summary;
mod sweep;

use app_state::Data;
use app_state::kinds::{BACKTEST, SWEEP};
use components::hint::Hint;
use components::lazy_section::LazySection;
use components::link::A;
use components::placeholders::{Empty, Skeleton, Trouble, WithSnapshot};
use components::reactive::part;
use form::Form;
use kind_bar::KindBar;
use kind_form::KindForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::api::KindOffer;
use protocol::{KindSpec, Problem};
use serde_json::Value;
use sweep::sweep_section;

/// Sections whose code is loaded when they are shown.
pub const SECTIONS: [LazySection; 1] = [sweep::SECTION];

#[component]
pub fn NewPage() -> impl IntoView {
    arrival::provide();
    view! {
        <Title text="New operation · Signalbox"/>
        <div class="page-head">
            <h1>"New operation"</h1>
        </div>
        <Hint page="new" text="Choose a kind, fill in the form, and start. The URL stores the form, so a link restores it."/>
        <WithSnapshot lines=6>
            <Suspense fallback=|| view! { <Skeleton lines=6/> }>
                <Offered/>
            </Suspense>
        </WithSnapshot>
    }
    .into_any()
}

/// State of the page, independent of the kinds in particular.
#[derive(Clone, PartialEq)]
enum Face {
    Loading,
    Trouble(Problem),
    Nothing,
    Offers,
}

/// The available kinds. A change of the list leaves the form as it is.
#[component]
fn Offered() -> impl IntoView {
    let kinds = Data::here().kinds;
    let face = Memo::new(move |_| {
        kinds.with(|kinds| match kinds {
            None => Face::Loading,
            Some(Err(problem)) => Face::Trouble(problem.clone()),
            Some(Ok(list)) if list.kinds.is_empty() => Face::Nothing,
            Some(Ok(_)) => Face::Offers,
        })
    });
    let offers = Memo::new(move |_| {
        kinds.with(|kinds| match kinds {
            Some(Ok(list)) => {
                let mut kinds = list.kinds.clone();
                kind_bar::sort(&mut kinds);
                kinds
            }
            _ => Vec::new(),
        })
    });
    part(move || {
        Some(match face.get() {
            Face::Loading => view! { <Skeleton lines=6/> }.into_any(),
            Face::Trouble(problem) => {
                let retry = move |()| {
                    kinds.refetch();
                };
                view! { <Trouble problem retry/> }.into_any()
            }
            Face::Nothing => view! {
                <Empty
                    title="Nothing to start"
                    text="No kinds are available to you. Either no host that offers your kinds has connected since the server started, or your role has no access to kinds. The Hosts page shows the status of each host."
                >
                    <A href="/hosts" attr:class="button">
                        "Go to hosts"
                    </A>
                </Empty>
            }
            .into_any(),
            Face::Offers => view! { <Pick offers/> }.into_any(),
        })
    })
}

/// The chosen kind, and the requested kind that led to it.
#[derive(Clone, PartialEq)]
struct Chosen {
    wanted: Option<String>,
    offer: Option<KindOffer>,
}

impl Chosen {
    /// Resolves the requested kind; without a request, the first available one. The result stays while the request is
    /// the same, even if the kind becomes unavailable: a form is being filled in.
    fn of(offers: &[KindOffer], wanted: Option<String>, before: Option<&Chosen>) -> Self {
        let before = before.filter(|before| before.wanted == wanted).and_then(|before| before.offer.as_ref());
        let named = |name: &str| offers.iter().find(|offer| offer.spec.name.as_str() == name);
        let found = match &wanted {
            Some(wanted) => named(wanted),
            None => before
                .and_then(|before| named(before.spec.name.as_str()))
                .or_else(|| offers.iter().find(|offer| offer.available))
                .or(offers.first()),
        };
        // Other values to choose from are no other form: the page gives them to the open one.
        let found = match (found, before) {
            (Some(found), Some(before)) if asks_alike(found, before) => Some(before),
            (found, _) => found,
        };
        let offer = found.or(before).map(plain);
        Self { wanted, offer }
    }
}

/// The offer without its availability, which is no part of the form.
fn plain(offer: &KindOffer) -> KindOffer {
    KindOffer { hosts: Vec::new(), available: true, ..offer.clone() }
}

/// Whether two offers differ at most in who has them and in the values that they suggest.
fn asks_alike(one: &KindOffer, other: &KindOffer) -> bool {
    let (Ok(form), Ok(form_of_other)) =
        (Form::from_schema(&one.spec.params), Form::from_schema(&other.spec.params))
    else {
        return one.spec == other.spec;
    };
    let rest = |offer: &KindOffer| KindSpec { params: Value::Null, ..offer.spec.clone() };
    form.asks_alike(&form_of_other) && rest(one) == rest(other)
}

/// The kinds to choose from, and the form of the chosen one.
#[component]
fn Pick(offers: Memo<Vec<KindOffer>>) -> impl IntoView {
    let query = use_query_map();
    let wanted = Memo::new(move |_| query.with(|q| q.get("kind")));
    let held = Memo::new(move |before: Option<&Chosen>| {
        offers.with(|offers| Chosen::of(offers, wanted.get(), before))
    });
    let chosen = Memo::new(move |_| held.with(|held| held.offer.clone()));
    let names = Memo::new(move |_| {
        let name = |offer: &KindOffer| (offer.spec.name.to_string(), offer.spec.title.clone());
        offers.with(|offers| offers.iter().map(name).collect::<Vec<_>>())
    });
    let several = Memo::new(move |_| names.with(|names| names.len() > 1));
    // The kind that a sweep runs. As with the form itself, other suggestions are no other form.
    let run = Memo::new(move |_| query.with(|q| q.get("run")).unwrap_or_else(|| BACKTEST.to_owned()));
    let swept = Memo::new(move |before: Option<&Option<KindOffer>>| {
        chosen
            .with(|chosen| chosen.as_ref().filter(|offer| offer.spec.name.as_str() == SWEEP).map(|_| ()))?;
        let run = run.get();
        let found =
            offers.with(|offers| offers.iter().find(|offer| offer.spec.name.as_str() == run).map(plain));
        let before = before.and_then(Option::as_ref).filter(|before| before.spec.name.as_str() == run);
        match (found, before) {
            (Some(found), Some(before)) if !asks_alike(&found, before) => Some(found),
            (found, before) => before.cloned().or(found),
        }
    });
    let here = Memo::new(move |_| chosen.with(|c| c.as_ref().map(|offer| offer.spec.name.to_string())));
    let bar = part(move || several.get().then(|| view! { <KindBar names chosen=here/> }.into_any()));
    let form = part(move || {
        Some(match chosen.get() {
            Some(offer) => match swept.get() {
                Some(runs) => sweep_section(offer, runs),
                None => view! { <KindForm offer/> }.into_any(),
            },
            None => {
                let wanted = wanted.get().unwrap_or_default();
                view! {
                    <Empty
                        title=format!("No host offers \u{201c}{wanted}\u{201d}")
                        text="The name of the kind may be mistyped, or the host that offers this kind has not connected yet."
                    >
                        <A href="/new" attr:class="button">
                            "Show available kinds"
                        </A>
                    </Empty>
                }
                .into_any()
            }
        })
    });
    view! {
        {bar}
        {form}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn offer(name: &str, available: bool, title: &str) -> KindOffer {
        let spec = json!({ "name": name, "title": title, "description": "", "summary": "", "params": {} });
        serde_json::from_value(json!({ "spec": spec, "hosts": ["a"], "available": available })).unwrap()
    }

    fn name(chosen: &Chosen) -> Option<&str> {
        chosen.offer.as_ref().map(|offer| offer.spec.name.as_str())
    }

    #[test]
    fn a_form_stays_while_hosts_come_and_go_and_changes_with_its_kind() {
        let offers = |load, check| [offer("data.load", load, "Load"), offer("data.check", check, "Check")];
        for wanted in [None, Some("data.check".to_owned())] {
            let first = Chosen::of(&offers(false, true), wanted.clone(), None);
            assert_eq!(name(&first), Some("data.check"));
            for later in [&offers(true, true)[..], &offers(true, false), &[]] {
                assert!(Chosen::of(later, wanted.clone(), Some(&first)) == first);
            }
            let other = [offer("data.check", true, "Check again")];
            let refresh = Chosen::of(&other, wanted, Some(&first));
            assert_eq!(refresh.offer.unwrap().spec.title, "Check again");
        }
    }

    #[test]
    fn a_form_stays_when_only_its_suggestions_change() {
        let offer = |examples: Value, max: u32| {
            let mut offer = offer("backtest.run", true, "Backtest");
            offer.spec.params = json!({"type": "object", "properties": {
                "model": {"type": "string", "maxLength": max, "examples": examples}
            }});
            [offer]
        };
        let first = Chosen::of(&offer(json!(["a"]), 40), None, None);
        assert!(Chosen::of(&offer(json!(["a", "b"]), 40), None, Some(&first)) == first);
        assert!(Chosen::of(&offer(json!(["a"]), 50), None, Some(&first)) != first);
    }

    #[test]
    fn a_different_requested_kind_is_loaded_and_an_unknown_one_is_none() {
        let offers = [offer("data.load", true, "Load"), offer("data.check", true, "Check")];
        let first = Chosen::of(&offers, None, None);
        assert_eq!(name(&first), Some("data.load"));
        assert_eq!(name(&Chosen::of(&offers, Some("data.check".into()), Some(&first))), Some("data.check"));
        assert_eq!(name(&Chosen::of(&offers, Some("no.such".into()), Some(&first))), None);
    }
}
