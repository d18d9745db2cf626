//! Comparison table with one column per operation: parameter differences, results and run details.

use super::differ::Param;
use super::entry::{Entry, all_params};
use super::results::{Group, Row, Side, groups};
use crate::outcome::fit;
use crate::outcome::headline::OVER_FIT_MEANS;
use app_state::Zones;
use app_state::address;
use app_state::address::comparison::Comparison;
use charts::{ChartGroup, swatch};
use components::icon::Icon;
use components::ident::Ident;
use components::link::A;
use components::reactive::{part, text, word};
use components::row::Tags;
use components::state_mark::StateMark;
use display::usage;
use display::zone::Zone;
use leptos::prelude::*;
use live::OperationStore;
use live::base;
use protocol::{ResourceUsage, State};

/// Number of columns up to which a phone shows all of them.
const FITTING: usize = 4;

/// Table across the page, which scrolls in its own box; the first column stays in view.
#[component]
pub fn SideTable(entries: Vec<Entry>, wanted: Memo<Comparison>, group: ChartGroup) -> impl IntoView {
    let columns = entries.len() + 1;
    let heads = entries.iter().map(|entry| view! { <Head entry=*entry wanted group/> }).collect_view();
    let all = all_params(&entries);
    let different = all.iter().filter(|param| param.differs).count();
    let differ = match (different, all.len() - different) {
        (0, _) => "No parameter differs".to_owned(),
        (1, 0) => "1 parameter differs".to_owned(),
        (1, same) => format!("1 parameter differs, {same} identical"),
        (n, 0) => format!("{n} parameters differ"),
        (n, same) => format!("{n} parameters differ, {same} identical"),
    };
    let rows = part(move || {
        let everything = wanted.with(|w| w.equal_rows);
        let (differing, same): (Vec<_>, Vec<_>) = all.iter().partition(|param| param.differs);
        let same = same.into_iter().filter(|_| everything);
        Some(differing.into_iter().chain(same).map(param_row).collect_view().into_any())
    });
    view! {
        <div class="card sides-box" role="region" aria-label="Comparison table" tabindex="0">
            <table class="plain sides" data-many=(columns > FITTING).then_some("")>
                <caption class="unseen">
                    "Different parameters, results with the best value in each row marked, and run details"
                </caption>
                <thead>
                    <tr>
                        <td></td>
                        {heads}
                    </tr>
                </thead>
                <tbody data-part="params">
                    <tr class="part-head">
                        <th scope="rowgroup" colspan=columns.to_string()>
                            <span>{differ} " " <OnlyDifferences wanted/></span>
                        </th>
                    </tr>
                    {rows}
                </tbody>
                <Results entries=entries.clone() wanted/>
                <Runs entries/>
            </table>
        </div>
    }
    .into_any()
}

/// Link that shows or hides rows of equal values.
#[component]
fn OnlyDifferences(wanted: Memo<Comparison>) -> impl IntoView {
    // Not a router link: it compares paths only and would mark this as current.
    view! {
        <a
            href=text(move || base::url(&wanted.with(|w| w.with_equal_rows(!w.equal_rows).address())))
            data-noscroll=""
            class="side-rows"
        >
            {word(move || if wanted.with(|w| w.equal_rows) { "Differences only" } else { "Show all rows" })}
        </a>
    }
    .into_any()
}

/// Head of a column, with the button that removes it.
#[component]
fn Head(entry: Entry, wanted: Memo<Comparison>, group: ChartGroup) -> impl IntoView {
    let op = entry.op;
    let fixed = op.fixed();
    let (kind, title) = (fixed.kind.to_string(), fixed.title.clone());
    let remove = format!("Remove {}", entry.label());
    view! {
        <th
            scope="col"
            abbr=entry.label()
            on:mouseenter=move |_| group.highlighted.set(Some(entry.place))
            on:mouseleave=move |_| group.highlighted.set(None)
        >
            <div class="side-mark">
                {swatch(entry.place)}
                <strong>{entry.letter()}</strong>
                // Not a router link: it compares paths only and would mark this as current.
                <a
                    href=text(move || base::url(&wanted.with(|w| w.without(op.id).address())))
                    data-noscroll=""
                    class="quiet"
                    title="Remove from the comparison"
                    aria-label=remove
                >
                    <Icon name="cross"/>
                </a>
            </div>
            <A href=address::operation(op.id) attr:class="side-title">
                {title}
            </A>
            <Tags op/>
            <div class="side-line">
                <StateMark state=op.state/>
                <span class="num muted">{text(move || {
                    let far = op.progress.with(|p| display::how_far(p.as_ref()));
                    if op.state.get().ended() { String::new() } else { far }
                })}</span>
            </div>
            <div class="side-line">
                <span class="kind">{kind}</span>
                <Ident short=op.id.short() whole=op.id.to_string()/>
            </div>
        </th>
    }
    .into_any()
}

/// Section head.
fn part_head(wording: String, columns: usize) -> AnyView {
    view! {
        <tr class="part-head">
            <th scope="rowgroup" colspan=columns.to_string()>
                <span>{wording}</span>
            </th>
        </tr>
    }
    .into_any()
}

fn param_row(param: &Param) -> AnyView {
    let cells = param.values.iter().enumerate().map(|(i, value)| match value {
        Some(value) => {
            view! { <td class="wrap" data-odd=param.is_odd(i).then_some("")>{value.clone()}</td> }.into_any()
        }
        None => view! { <td class="muted">"n/a for its kind"</td> }.into_any(),
    });
    let differs = param.differs;
    view! {
        <tr data-differs=differs.then_some("")>
            <th scope="row">
                {differs
                    .then(|| view! { <span class="differs" title="Values differ" aria-hidden="true">"≠"</span> })}
                <code>{breakable(&param.name)}</code>
            </th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}

/// Name that can wrap after underscores.
fn breakable(name: &str) -> AnyView {
    name.split_inclusive('_').map(|word| view! { {word.to_owned()} <wbr/> }).collect_view().into_any()
}

/// Result figures, updated when an operation ends.
#[component]
fn Results(entries: Vec<Entry>, wanted: Memo<Comparison>) -> impl IntoView {
    let columns = entries.len() + 1;
    let found = Memo::new({
        let entries = entries.clone();
        move |_| {
            let known: Vec<_> =
                entries.iter().map(|e| (e.op.fixed(), e.op.state.get(), e.outcome.get())).collect();
            let sides: Vec<_> = known
                .iter()
                .map(|(fixed, state, outcome)| Side {
                    kind: &fixed.kind,
                    state: *state,
                    outcome: outcome.as_ref(),
                })
                .collect();
            groups(&sides)
        }
    });
    let fitted = entries.clone();
    let without = Memo::new({
        let entries = entries.clone();
        move |_| {
            entries.iter().any(|e| e.outcome.with(Option::is_none) || e.op.state.get() != State::Succeeded)
        }
    });
    let standing = part(move || {
        let cells = entries.iter().map(|entry| {
            let entry = *entry;
            view! { <td class="wrap">{text(move || standing_of(entry))}</td> }
        });
        without.get().then(|| {
            view! {
                <tr>
                    <th scope="row">"Outcome"</th>
                    {cells.collect_view()}
                </tr>
            }
            .into_any()
        })
    });
    let fits = part(move || fit_row(&fitted));
    let figures = part(move || {
        let mut groups = found.get();
        if wanted.with(|w| !w.equal_rows) {
            groups.iter_mut().for_each(|group| group.rows.retain(Row::differs));
        }
        let many = groups.len() > 1;
        let marked = groups.iter().flat_map(|g| &g.rows).flat_map(|row| &row.cells).any(|cell| cell.best);
        let groups = groups.iter().map(|group| group_rows(group, many, columns)).collect_view();
        Some(
            view! {
                {groups}
                {marked.then(|| view! {
                    <tr class="sides-key">
                        <td colspan=columns.to_string()>
                            <span>
                                <i aria-hidden="true"></i>
                                "Best and "
                                <i class="worst" aria-hidden="true"></i>
                                "worst value among succeeded operations"
                            </span>
                        </td>
                    </tr>
                })}
            }
            .into_any(),
        )
    });
    view! {
        <tbody data-part="results">
            {part_head("Results".to_owned(), columns)}
            {standing}
            {fits}
            {figures}
        </tbody>
    }
    .into_any()
}

/// Row that says of each training whether it overfits; `None` without a validation loss. Tracked.
fn fit_row(entries: &[Entry]) -> Option<AnyView> {
    let fits: Vec<_> = entries.iter().map(|entry| entry.curves.with(fit::of_curves)).collect();
    fits.iter().any(Option::is_some).then(|| {
        let cells = fits.into_iter().map(|fit| match fit {
            Some(fit) => {
                view! { <td class="wrap" data-tone=fit.over_fits.then_some("warn")>{fit.words}</td> }
                    .into_any()
            }
            None => view! { <td>"–"</td> }.into_any(),
        });
        view! {
            <tr>
                <th scope="row" title=OVER_FIT_MEANS>"Overfitting"</th>
                {cells.collect_view()}
            </tr>
        }
        .into_any()
    })
}

fn group_rows(group: &Group, named: bool, columns: usize) -> AnyView {
    let rows = group.rows.iter().map(figure_row).collect_view();
    view! {
        {named.then(|| part_head(format!("Figures of {}", group.of), columns))}
        {rows}
    }
    .into_any()
}

fn figure_row(row: &Row) -> AnyView {
    let means = (!row.means.is_empty()).then_some(row.means);
    let cells = row.cells.iter().map(|cell| {
        let text = if cell.text.is_empty() { "–".to_owned() } else { cell.text.clone() };
        view! {
            <td class="num" data-best=cell.best.then_some("") data-worst=cell.worst.then_some("")>
                {cell.best.then(|| view! { <span class="unseen">"best: "</span> })}
                {cell.worst.then(|| view! { <span class="unseen">"worst: "</span> })}
                {text}
            </td>
        }
    });
    view! {
        <tr>
            <th scope="row" title=means>{row.name.clone()}</th>
            {cells.collect_view()}
        </tr>
    }
    .into_any()
}

/// Outcome of an entry. Tracked.
fn standing_of(entry: Entry) -> String {
    let op = entry.op;
    let far = op.progress.with(|p| display::how_far(p.as_ref()));
    let why = op.facts.with(|f| f.failure.as_ref().map(|f| display::outcome::reason(&f.message)));
    standing(op.state.get(), &far, why.as_deref(), entry.outcome.with(Option::is_some))
}

/// Outcome of an operation in terms of its result.
fn standing(state: State, far: &str, why: Option<&str>, has_result: bool) -> String {
    match state {
        State::Queued => "queued, no result yet".to_owned(),
        State::Starting => "starting, no result yet".to_owned(),
        State::Running if far.is_empty() => "running, no result yet".to_owned(),
        State::Running => format!("running, {far}"),
        State::Cancelling => "cancelling".to_owned(),
        State::Succeeded if has_result => "succeeded".to_owned(),
        State::Succeeded => "succeeded without a result".to_owned(),
        State::Cancelled => "cancelled".to_owned(),
        State::Failed => why.map_or_else(|| "failed".to_owned(), |why| format!("failed: {why}")),
    }
}

/// Part of the cost of an ended operation. Tracked.
fn cost(entry: Entry, of: fn(&ResourceUsage) -> String) -> String {
    entry.op.facts.with(|f| match (&f.usage, f.ended_at) {
        (Some(usage), _) => of(usage),
        (None, Some(_)) => usage::UNKNOWN.to_owned(),
        (None, None) => "–".to_owned(),
    })
}

/// Host, start time, duration, attempt and cost of each operation.
#[component]
fn Runs(entries: Vec<Entry>) -> impl IntoView {
    let (clock, zone) = (OperationStore::here().clock(), Zones::here());
    let columns = entries.len() + 1;
    let row = |name: &'static str, of: fn(Entry, protocol::Time, Zone) -> String| {
        let cells = entries.iter().map(|entry| {
            let entry = *entry;
            view! { <td class="num">{text(move || of(entry, clock.get(), zone.get()))}</td> }
        });
        view! {
            <tr>
                <th scope="row">{name}</th>
                {cells.collect_view()}
            </tr>
        }
        .into_any()
    };
    view! {
        <tbody data-part="run">
            {part_head("Run".to_owned(), columns)}
            {row("Host", |e, _, _| e.op.facts.with(|f| f.host.as_ref().map_or("–".to_owned(), |h| h.to_string())))}
            {row("Started", |e, _, zone| e.op.facts.with(|f| f.started_at.map_or("–".to_owned(), |at| zone.moment(at))))}
            {row("Duration", |e, now, _| {
                let took = e.op.condition.with(|c| e.op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), c.as_ref(), now)));
                if took.is_empty() { "–".to_owned() } else { took }
            })}
            {row("Attempt", |e, _, _| e.op.facts.with(|f| f.attempt.to_string()))}
        </tbody>
        <tbody data-part="cost">
            {part_head("Cost".to_owned(), columns)}
            {row("CPU time", |e, _, _| cost(e, usage::cpu))}
            {row("Peak memory", |e, _, _| cost(e, usage::memory))}
            {row("Read from disks", |e, _, _| cost(e, usage::read))}
            {row("Written to disks", |e, _, _| cost(e, usage::written))}
            {row("Threads", |e, _, _| cost(e, usage::threads))}
        </tbody>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_without_a_result_says_why() {
        assert_eq!(standing(State::Running, "56 %", None, false), "running, 56 %");
        assert_eq!(standing(State::Running, "", None, false), "running, no result yet");
        assert_eq!(standing(State::Failed, "", Some("No bars."), false), "failed: No bars.");
        assert_eq!(standing(State::Succeeded, "", None, false), "succeeded without a result");
        assert_eq!(standing(State::Succeeded, "", None, true), "succeeded");
    }
}
