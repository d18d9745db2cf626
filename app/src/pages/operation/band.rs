//! Baselines behind the charts of an operation. The URL holds which charts show one. Baselines are cached until the
//! run starts or its rule changes.

use charts::{band_swatch, toggle};
use components::reactive::{part, text};
use display::baseline as words;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use live::OpView;
use live::api;
use live::model::curves::Curves;
use live::query;
use protocol::{Band, Baseline, Problem, Time};
use std::sync::Arc;

/// Query parameter with the names of the series that show a baseline.
const WORD: &str = "band";
/// Value that hides all baselines, including the rule's.
const NONE: &str = "none";

/// Cache key of a baseline: whether the run has started, and when its rule was set.
type Stamp = (bool, Option<Time>);

/// State of a baseline request.
#[derive(Clone)]
enum Asked {
    Waiting,
    Told(Arc<Baseline>),
    Trouble(Problem),
}

/// Baselines of one operation.
#[derive(Clone, Copy)]
pub struct Bands {
    op: OpView,
    answers: RwSignal<Vec<(String, Stamp, Asked)>>,
    /// Series that show a baseline.
    shown: Memo<Vec<String>>,
    show: Callback<Vec<String>>,
}

/// Series named in the URL; `None` without the parameter.
fn named(word: Option<&str>) -> Option<Vec<String>> {
    let names = word?.split(',').filter(|name| !name.is_empty() && *name != NONE);
    Some(names.map(str::to_owned).collect())
}

impl Bands {
    /// Baselines for the page of an operation.
    pub fn new(op: OpView) -> Self {
        let location = use_location();
        let query = location.query;
        let ruled = Memo::new(move |_| op.facts.with(|f| f.rule.as_ref().map(|rule| rule.series.clone())));
        let shown = Memo::new(move |_| {
            let asked = query.with(|q| named(q.get_str(WORD)));
            // By default the series of the rule shows its baseline.
            asked.unwrap_or_else(|| ruled.get().into_iter().collect())
        });
        let navigate = use_navigate();
        let show = Callback::new(move |names: Vec<String>| {
            let names = if names.is_empty() { NONE.to_owned() } else { names.join(",") };
            let other_params: Vec<(String, String)> = query.with_untracked(|q| {
                q.latest_values()
                    .filter(|(name, _)| *name != WORD)
                    .map(|(name, value)| (name.to_string(), value.to_owned()))
                    .collect()
            });
            let pairs = other_params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let path = live::base::local(&location.pathname.get_untracked()).to_owned();
            let to =
                query::url(&path, pairs.chain([(WORD, names.as_str())])) + &location.hash.get_untracked();
            navigate(&to, NavigateOptions { replace: true, scroll: false, ..Default::default() });
        });
        Self { op, answers: RwSignal::default(), shown, show }
    }

    /// Whether the chart of these series shows a baseline. Tracked.
    pub fn shows(&self, names: &[String]) -> bool {
        self.shown.with(|shown| names.iter().any(|name| shown.contains(name)))
    }

    /// Shows or hides the baselines of all charts; `names` has a series of each.
    fn toggle(&self, names: Vec<String>) {
        let hide = self.shown.with_untracked(|shown| !shown.is_empty());
        self.show.run(if hide { Vec::new() } else { names });
    }

    /// Loaded baselines of the given series. Tracked.
    pub fn behind(&self, names: &[String]) -> Vec<Option<Arc<Band>>> {
        if !self.shows(names) {
            return Vec::new();
        }
        self.answers.with(|answers| {
            let band = |name: &String| match answers.iter().find(|(of, ..)| of == name) {
                Some((_, _, Asked::Told(baseline))) => baseline.band.clone().map(Arc::new),
                _ => None,
            };
            names.iter().map(band).collect()
        })
    }

    /// Current cache key of a series. Tracked.
    fn stamp(&self, name: &str) -> Stamp {
        self.op.facts.with(|f| {
            let rule = f.rule.as_ref().filter(|rule| rule.series == name);
            (f.started_at.is_some(), rule.map(|rule| rule.set_at))
        })
    }

    /// Requests a baseline unless it is cached; `refresh` ignores the cache.
    fn ask(&self, name: &str, refresh: bool) {
        let (this, stamp) = (*self, self.stamp(name));
        let known = |(of, as_of, _): &(String, Stamp, Asked)| of == name && *as_of == stamp;
        if !refresh && this.answers.with_untracked(|answers| answers.iter().any(known)) {
            return;
        }
        this.put(name, stamp, Asked::Waiting);
        let name = name.to_owned();
        spawn_local(async move {
            let asked = match api::baseline(this.op.id, &name, refresh).await {
                Ok(baseline) => Asked::Told(Arc::new(baseline)),
                Err(problem) => Asked::Trouble(problem),
            };
            this.put(&name, stamp, asked);
        });
    }

    fn put(&self, name: &str, stamp: Stamp, asked: Asked) {
        // The page may be gone by now.
        self.answers.try_update(|answers| match answers.iter_mut().find(|(of, ..)| of == name) {
            // The drawn baseline stays until the new one has arrived.
            Some((_, as_of, Asked::Told(_))) if matches!(asked, Asked::Waiting) => *as_of = stamp,
            Some(known) if known.1 == stamp || matches!(asked, Asked::Waiting) => {
                *known = (name.to_owned(), stamp, asked);
            }
            // A newer request has replaced this one.
            Some(_) => {}
            None => answers.push((name.to_owned(), stamp, asked)),
        });
    }

    /// Button of a toolbar that shows and hides the baselines; `names` has a series of each chart.
    pub fn dial(self, names: Signal<Vec<String>>) -> AnyView {
        toggle(
            "Compare with past runs",
            "Show the baseline behind the curves: P10 to P90 of successful past runs",
            move || self.shown.with(|shown| !shown.is_empty()),
            move || self.toggle(names.get_untracked()),
        )
    }

    /// Note below a chart that shows a baseline; `called` are the display names of its series.
    pub fn note(self, names: Vec<String>, called: Vec<String>, curves: RwSignal<Curves>) -> AnyView {
        let several = names.len() > 1;
        let of = names.clone();
        Effect::new(move |_| {
            if self.shows(&of) {
                of.iter().for_each(|name| self.ask(name, false));
            }
        });
        let names = StoredValue::new(names);
        let lines = part(move || {
            if !names.with_value(|names| self.shows(names)) {
                return None;
            }
            let answers = self.answers.get();
            let line = |(column, (name, called)): (usize, (String, &String))| {
                let asked = answers.iter().find(|(of, ..)| *of == name).map(|(_, _, asked)| asked.clone());
                let before = if several { format!("{called}: ") } else { String::new() };
                view! { <p>{band_swatch(column)} " " {before} {self.line(name, asked, curves)}</p> }
            };
            let lines: Vec<_> = names.get_value().into_iter().zip(&called).enumerate().map(line).collect();
            let again = move |_| names.with_value(|names| names.iter().for_each(|name| self.ask(name, true)));
            Some(
                view! {
                    <div class="band-note">
                        {lines}
                        <p class="only-script">
                            "Smoothing does not change the baseline. "
                            <button type="button" class="link" on:click=again>
                                "Refresh baseline"
                            </button>
                        </p>
                    </div>
                }
                .into_any(),
            )
        });
        // The live region exists from the start, so that screen readers announce its content.
        view! { <div role="status">{lines}</div> }.into_any()
    }

    fn line(self, name: String, asked: Option<Asked>, curves: RwSignal<Curves>) -> AnyView {
        match asked {
            None | Some(Asked::Waiting) => view! {
                <span class="only-script">"Loading past runs…"</span>
                <span class="no-script">"Enable JavaScript to show past runs."</span>
            }
            .into_any(),
            Some(Asked::Trouble(problem)) => {
                view! { <span class="field-error">{problem.detail}</span> }.into_any()
            }
            Some(Asked::Told(baseline)) if baseline.band.is_none() => baseline.why.clone().into_any(),
            Some(Asked::Told(baseline)) => {
                let legend = words::legend(&baseline);
                let stands = text(move || {
                    let ended = self.op.state.get().ended();
                    curves.with(|c| words::standing(&baseline, c.get(&name), ended))
                });
                // It changes with every point, so it is not announced.
                view! {
                    {legend}
                    " · "
                    <strong class="num" aria-live="off">
                        {stands}
                    </strong>
                }
                .into_any()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn an_address_names_curves_no_curves_or_nothing() {
        assert_eq!(named(None), None);
        assert_eq!(named(Some("none")), Some(vec![]));
        assert_eq!(named(Some("")), Some(vec![]));
        assert_eq!(named(Some("a,,b")), Some(vec!["a".to_owned(), "b".to_owned()]));
    }
}
