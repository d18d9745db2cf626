//! What a comparison can't show, and why: operations that are not there, data that is not the same, kinds that
//! stand alone.

use super::entry::{Entry, letter, letters};
use super::wanted::{MOST, Wanted};
use crate::reactive::part;
use leptos::prelude::*;
use leptos_router::components::A;
use protocol::{OperationId, Problem, ProblemType};

/// An operation that was asked for and is not shown.
#[derive(Clone)]
pub struct Missing {
    pub id: OperationId,
    pub problem: Problem,
}

/// All that has to be said before the figures are read.
#[component]
pub fn Notes(entries: Vec<Entry>, missing: Vec<Missing>, wanted: Memo<Wanted>) -> impl IntoView {
    let missing = missing.into_iter().map(move |missing| view! { <NotThere missing wanted/> });
    let address = part(move || {
        let (odd, over) = wanted.with(|w| (w.odd.clone(), w.over));
        let mut said: Vec<String> = odd
            .iter()
            .map(|text| format!("\u{201c}{text}\u{201d} in the address is no operation's id."))
            .collect();
        if over > 0 {
            said.push(format!(
                "At most {MOST} operations can be compared; the last {over} of the address are left out."
            ));
        }
        (!said.is_empty()).then(|| view! { <p class="note warn">{said.join(" ")}</p> }.into_any())
    });
    let alone = alone(&kinds_of(&entries));
    let alone =
        (entries.len() > 1 && !alone.is_empty()).then(|| view! { <p class="note">{alone.join(" ")}</p> });
    let grounds = part(move || {
        let grounds: Vec<Option<String>> =
            entries.iter().map(|e| e.outcome.with(|o| o.as_ref().and_then(|o| o.ground()))).collect();
        unlike(&grounds).map(|said| view! { <p class="note warn">{said}</p> }.into_any())
    });
    view! {
        {missing.collect_view()}
        {address}
        {alone}
        {grounds}
    }
    .into_any()
}

#[component]
fn NotThere(missing: Missing, wanted: Memo<Wanted>) -> impl IntoView {
    let Missing { id, problem } = missing;
    let gone = problem.kind == ProblemType::NotFound;
    let said = match gone {
        true => {
            format!("There is no operation {id}. It may have been removed, or the link is of another server.")
        }
        false => format!("Operation {id} can't be shown: {}", problem.detail),
    };
    view! {
        <p class="note bad" role="alert">
            {said}
            " "
            <A href=move || wanted.with(|w| w.without(id).address()) scroll=false>
                "Go on without it"
            </A>
        </p>
    }
    .into_any()
}

fn kinds_of(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.op.fixed().kind.to_string()).collect()
}

/// What is said of those that are the only one of their kind, where there are several kinds.
fn alone(kinds: &[String]) -> Vec<String> {
    let only = |kind: &String| kinds.iter().filter(|other| *other == kind).count() == 1;
    kinds
        .iter()
        .enumerate()
        .filter(|(_, kind)| only(kind))
        .map(|(place, kind)| {
            format!(
                "{} is the only {kind} here: what only its kind has, in params, figures and curves, stands on its own page.",
                letter(place)
            )
        })
        .collect()
}

/// What is said when figures are not of the same data.
fn unlike(grounds: &[Option<String>]) -> Option<String> {
    let mut known: Vec<(&String, Vec<usize>)> = Vec::new();
    for (place, ground) in grounds.iter().enumerate() {
        let Some(ground) = ground else { continue };
        match known.iter_mut().find(|(other, _)| *other == ground) {
            Some((_, places)) => places.push(place),
            None => known.push((ground, vec![place])),
        }
    }
    let parts: Vec<_> =
        known.iter().map(|(ground, places)| format!("{}: {ground}", letters(places))).collect();
    (parts.len() > 1).then(|| {
        format!("Not the same data, so that the best figure may owe it to its data. {}.", parts.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_data_is_told_and_the_same_is_not() {
        let of =
            |all: &[&str]| all.iter().map(|g| (!g.is_empty()).then(|| (*g).to_owned())).collect::<Vec<_>>();
        assert_eq!(unlike(&of(&["MSFT 1h", "MSFT 1h", ""])), None);
        let said = unlike(&of(&["MSFT 1h", "", "AAPL 1h", "MSFT 1h"])).unwrap();
        assert!(said.ends_with("A and D: MSFT 1h; C: AAPL 1h."), "{said}");
    }

    #[test]
    fn who_stands_alone_is_told_by_its_letter() {
        let kinds = |all: &[&str]| all.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
        assert!(alone(&kinds(&["a.b", "a.b"])).is_empty());
        let said = alone(&kinds(&["a.b", "c.d", "a.b"]));
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("B is the only c.d here"), "{said:?}");
    }
}
