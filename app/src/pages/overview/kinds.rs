//! Ended operations of each kind in the last 24 hours, compared with the days before.

use super::activity::{Answer, CurrentActivity};
use super::hours::ended_since;
use components::link::A;
use components::placeholders::Skeleton;
use components::reactive::part;
use display::format;
use leptos::prelude::*;
use live::query;
use protocol::activity::{Activity, KindActivity};
use protocol::{KindName, Time};

/// The section; absent while no kind has ended operations.
#[component]
pub fn ByKind(first: live::Loaded<Answer>, current: CurrentActivity) -> impl IntoView {
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=3/> }>
            // The figures say why there is no answer.
            {part(move || table(&current.answer(first)?.ok()?.of))}
        </Suspense>
    }
    .into_any()
}

fn table(activity: &Activity) -> Option<AnyView> {
    if activity.kinds.is_empty() {
        return None;
    }
    // A new installation has no past days to compare with.
    let known = activity.usual_days > 0.0;
    let rows = activity.kinds.iter().map(|kind| row(kind, activity.since, known)).collect_view();
    Some(
        view! {
            <section class="list" aria-labelledby="kinds-title">
                <h2 id="kinds-title">"Kinds in the last 24 hours"</h2>
                <div class="card kinds-lately">
                    <div class="scroll" tabindex="0" role="region" aria-label="By kind">
                        <table class="plain">
                            <thead>
                                <tr>
                                    <th scope="col">"Kind"</th>
                                    <th scope="col" class="num">"Ended"</th>
                                    <th scope="col" class="num">"Failed"</th>
                                    <th scope="col" class="num">"Mean duration"</th>
                                    {known.then(|| view! { <th scope="col">"Compared with usual"</th> })}
                                </tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                    {usual(activity.usual_days).map(|wording| view! { <p class="muted lately-note">{wording}</p> })}
                </div>
            </section>
        }
        .into_any(),
    )
}

/// List of all operations of a kind.
fn list_of(kind: &KindName) -> String {
    query::url("/operations", [("kind", kind.as_str())])
}

fn usual(days: f64) -> Option<String> {
    (days > 0.0).then(|| match display::format::figure(days.round()).as_str() {
        "1" => "Usual: mean of the previous day".to_owned(),
        days => format!("Usual: mean of the previous {days} days"),
    })
}

/// Count as a link to the counted operations; 0 as plain text.
fn counted(count: u64, word: &str, name: &str, href: String) -> AnyView {
    let text = format::count(count);
    if count == 0 {
        return text.into_any();
    }
    let label = format!("{text} {word}, {name}");
    view! { <A href attr:aria-label=label>{text}</A> }.into_any()
}

fn row(kind: &KindActivity, since: Time, usual_known: bool) -> impl IntoView + use<> {
    let name = kind.kind.to_string();
    let href = list_of(&kind.kind);
    let lately = |state| ended_since(since, state, kind.kind.as_str());
    let ended = counted(kind.ends.all(), "ended", &name, lately(""));
    let failed = counted(kind.ends.failed, "failed", &name, lately("failed"));
    let beside = usual_known.then(|| {
        let usual = display::activity::usual_a_day(kind);
        let against = display::activity::against_usual(kind);
        let slow = against.as_ref().and_then(|(_, slow)| slow.then_some(""));
        view! {
            <td>
                <span data-slow=slow>{against.map(|(wording, _)| wording)}</span>
                {usual.map(|wording| view! { " " <span class="muted">{wording}</span> })}
            </td>
        }
    });
    view! {
        <tr>
            <th scope="row" class="kind">
                <A href>{name}</A>
            </th>
            <td class="num">{ended}</td>
            <td class="num" data-bad=(kind.ends.failed > 0).then_some("")>{failed}</td>
            <td class="num">{kind.seconds.map_or("–".to_owned(), format::span)}</td>
            {beside}
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_leads_to_its_operations() {
        let kind = KindName::new("data.load").unwrap();
        assert_eq!(list_of(&kind), "/operations?kind=data.load");
    }
}
