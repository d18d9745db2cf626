//! Notes about limits of a comparison: missing operations, different data, single kinds.

use super::entry::{Entry, letter, letters};
use app_state::address::comparison::{Comparison, MAX_COMPARED};
use components::reactive::{part, text};
use leptos::prelude::*;
use live::base;
use protocol::{OperationId, Problem, ProblemType};

/// Requested operation that cannot be shown.
#[derive(Clone)]
pub struct Missing {
    pub id: OperationId,
    pub problem: Problem,
}

/// Notes above the comparison.
#[component]
pub fn Notes(entries: Vec<Entry>, missing: Vec<Missing>, wanted: Memo<Comparison>) -> impl IntoView {
    let missing = missing.into_iter().map(move |missing| view! { <NotThere missing wanted/> });
    let address = part(move || {
        let (odd, over) = wanted.with(|w| (w.odd.clone(), w.over));
        let mut wording: Vec<String> = odd
            .iter()
            .map(|text| format!("\u{201c}{text}\u{201d} in the URL is not an operation ID."))
            .collect();
        if over > 0 {
            let last = match over {
                1 => "operation in the URL is".to_owned(),
                over => format!("{over} operations in the URL are"),
            };
            wording
                .push(format!("At most {MAX_COMPARED} operations can be compared: the last {last} ignored."));
        }
        (!wording.is_empty()).then(|| view! { <p class="note warn">{wording.join(" ")}</p> }.into_any())
    });
    let kinds = kinds_of(&entries);
    let alone =
        alone(&kinds).filter(|_| kinds.len() > 1).map(|wording| view! { <p class="note">{wording}</p> });
    let grounds = part(move || {
        let grounds: Vec<Option<String>> =
            entries.iter().map(|e| e.outcome.with(|o| o.as_ref().and_then(|o| o.ground()))).collect();
        unlike(&kinds, &grounds).map(|wording| view! { <p class="note warn">{wording}</p> }.into_any())
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
fn NotThere(missing: Missing, wanted: Memo<Comparison>) -> impl IntoView {
    let Missing { id, problem } = missing;
    let gone = problem.kind == ProblemType::NotFound;
    let wording = match gone {
        true => {
            format!(
                "No operation with ID {id}. It may have been deleted, or the link is from another server."
            )
        }
        false => format!("Operation {id} cannot be shown: {}", problem.detail),
    };
    view! {
        <p class="note bad" role="alert">
            {wording}
            " "
            // Not a router link: it compares paths only and would mark this as current.
            <a href=text(move || base::url(&wanted.with(|w| w.without(id).address()))) data-noscroll="">
                "Remove from comparison"
            </a>
        </p>
    }
    .into_any()
}

fn kinds_of(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.op.fixed().kind.to_string()).collect()
}

/// Note about operations that are the only one of their kind, if there are several kinds.
fn alone(kinds: &[String]) -> Option<String> {
    let only = |kind: &String| kinds.iter().filter(|other| *other == kind).count() == 1;
    let those: Vec<_> = kinds
        .iter()
        .enumerate()
        .filter(|(_, kind)| only(kind))
        .map(|(place, kind)| format!("{} ({kind})", letter(place)))
        .collect();
    let (last, first) = those.split_last()?;
    Some(match first {
        [] => format!(
            "{last} is the only operation of its kind here. Parameters, figures and curves that only this kind has are on the page of this operation."
        ),
        first => format!(
            "{} and {last} are each the only operation of their kind here. Parameters, figures and curves that only one kind has are on the pages of these operations.",
            first.join(", ")
        ),
    })
}

/// Note about results of the same kind that are based on different data.
fn unlike(kinds: &[String], grounds: &[Option<String>]) -> Option<String> {
    let mut known: Vec<(&String, &String, Vec<usize>)> = Vec::new();
    for (place, (kind, ground)) in kinds.iter().zip(grounds).enumerate() {
        let Some(ground) = ground else { continue };
        match known.iter_mut().find(|(of, other, _)| *of == kind && *other == ground) {
            Some((_, _, places)) => places.push(place),
            None => known.push((kind, ground, vec![place])),
        }
    }
    let differs = |kind: &String| known.iter().filter(|(of, ..)| *of == kind).count() > 1;
    let parts: Vec<_> = known
        .iter()
        .filter(|(kind, ..)| differs(kind))
        .map(|(_, ground, places)| format!("{}: {ground}", letters(places)))
        .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "These operations used different data; their results are not directly comparable. {}.",
            parts.join("; ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn differing_data_sets_are_noted_and_equal_ones_are_not() {
        let of =
            |all: &[&str]| all.iter().map(|g| (!g.is_empty()).then(|| (*g).to_owned())).collect::<Vec<_>>();
        let kinds = texts(&["a.b"; 4]);
        assert_eq!(unlike(&kinds, &of(&["MSFT 1h", "MSFT 1h", "", "MSFT 1h"])), None);
        let wording = unlike(&kinds, &of(&["MSFT 1h", "", "AAPL 1h", "MSFT 1h"])).unwrap();
        assert!(wording.ends_with("A and D: MSFT 1h; C: AAPL 1h."), "{wording}");
        // A different kind: its figures are not compared with the others.
        let kinds = texts(&["a.b", "c.d", "a.b"]);
        assert_eq!(unlike(&kinds, &of(&["MSFT 1h", "AAPL 1h", "MSFT 1h"])), None);
    }

    #[test]
    fn a_single_differing_run_is_named_by_its_letter() {
        assert_eq!(alone(&texts(&["a.b", "a.b"])), None);
        let wording = alone(&texts(&["a.b", "c.d", "a.b"])).unwrap();
        assert!(wording.starts_with("B (c.d) is the only operation of its kind here"), "{wording}");
        let wording = alone(&texts(&["a.b", "c.d", "e.f"])).unwrap();
        assert!(wording.starts_with("A (a.b), B (c.d) and C (e.f) are each the only operation"), "{wording}");
    }
}
