//! Phases of a kind, with the current one marked.

use crate::live::OpView;
use crate::reactive::{part, text};
use display::format;
use leptos::prelude::*;
use protocol::KindSpec;

/// Phase track: `queue 0.4 s  read  validate  write      phase 2 of 3`.
#[component]
pub fn PhaseTrack(op: OpView, spec: StoredValue<Option<KindSpec>>) -> impl IntoView {
    let declared = spec.with_value(|s| s.as_ref().map(|s| s.phases.clone()).unwrap_or_default());
    let queued = move || {
        let (since, started) = op.facts.with(|f| (f.queued_at, f.started_at));
        started.map(|at| format::span(at.seconds_since(since))).unwrap_or_default()
    };
    let phase = Memo::new(move |_| op.progress.with(|p| p.as_ref().and_then(|p| p.phase.clone())));
    part(move || {
        let now = phase.get();
        // The host's report takes precedence over the kind's declaration.
        let names = match &now {
            Some(p) if p.of.is_none_or(|of| declared.len() != of as usize) => {
                let name = |i: u32| if i == p.index { p.name.clone() } else { format!("phase {i}") };
                (1..=p.of.unwrap_or(p.index)).map(name).collect()
            }
            _ => declared.clone(),
        };
        if names.is_empty() {
            return None;
        }
        let at = now.as_ref().map_or(0, |p| p.index as usize);
        let steps = names.into_iter().enumerate().map(|(i, name)| {
            let (place, current) = match (i + 1).cmp(&at) {
                std::cmp::Ordering::Less => ("done", None),
                std::cmp::Ordering::Equal => ("now", Some("step")),
                std::cmp::Ordering::Greater => ("later", None),
            };
            view! { <li data-place=place aria-current=current>{name}</li> }
        });
        let place = now.as_ref().map(|p| match p.of {
            Some(of) => format!("phase {} of {of}", p.index),
            None => format!("phase {}", p.index),
        });
        Some(
            view! {
                <div class="phases">
                    <ol>
                        <li data-place="done">"queue " <span class="num muted">{text(queued)}</span></li>
                        {steps.collect_view()}
                    </ol>
                    <span class="muted">{place}</span>
                </div>
            }
            .into_any(),
        )
    })
}
