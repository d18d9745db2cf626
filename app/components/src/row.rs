//! Table row of an operation; on phones its cells form two lines.

use super::bar::ProgressBar;
use super::chosen_cell::chosen_cell;
use super::focus::{find, hand_over};
use super::icon::Icon;
use super::kind_mark::KindIcon;
use super::moment::Ago;
use super::permission::needs;
use super::row_selection::{PickOne, Picks};
use super::spark::Spark;
use super::state_mark::StateMark;
use crate::link::A;
use crate::reactive::{mark, maybe, part, spoken, text, whole, word};
use app_state::actions::{Actions, Question};
use app_state::address;
use app_state::address::columns::Column;
use app_state::current::OperationAction;
use display::{QueuePosition, outcome};
use leptos::html::Button;
use leptos::prelude::*;
use live::base;
use live::{OpView, OperationStore};
use protocol::access::Permission;
use protocol::{ConditionKind, Forecast, OperationId, State, Time};
use std::collections::HashMap;

/// What a list knows about its rows. Each part is absent for most rows.
#[derive(Clone, Copy)]
pub struct InList {
    /// Row number in a virtual table.
    pub numbers: Memo<HashMap<OperationId, usize>>,
    /// Rows that are children or have some.
    pub branches: Memo<HashMap<OperationId, Branch>>,
    /// Shows or hides the children of a row.
    pub fold: Callback<OperationId>,
    /// Parameters in which rows of the same title differ.
    pub differing: Memo<HashMap<OperationId, String>>,
    /// Chosen columns; empty for the standard ones.
    pub columns: Memo<Vec<Column>>,
}

/// Position of a row in the tree of parents and children.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Branch {
    /// It is a child, below its parent.
    pub child: bool,
    /// Number of its children in the list.
    pub children: usize,
    /// Its children are shown.
    pub open: bool,
}

/// The row of a loaded operation.
#[component]
pub fn Row(
    id: OperationId,
    /// Present where rows can be selected.
    picks: Option<Picks>,
    places: Memo<HashMap<OperationId, QueuePosition>>,
    #[prop(optional)] list: Option<InList>,
    /// It needs attention: with a link to its log, and a button to retry.
    #[prop(optional)]
    attention: bool,
) -> impl IntoView {
    let live = OperationStore::here();
    let Some(op) = live.operation(id).map(|cell| cell.view()) else { return ().into_any() };
    let (clock, newest) = (live.clock(), live.newest());
    let fixed = op.fixed();
    let (title, hint) = (fixed.title.clone(), fixed.title.clone());
    let over = Memo::new(move |_| op.state.get().ended());
    let result = WideText { op, place: Memo::new(move |_| places.with(|p| p.get(&id).copied())), clock };
    let left = part(move || match op.facts.with(|f| f.ended_at) {
        Some(at) => Some(view! { <Ago at/> }.into_any()),
        None => {
            let left = move |of: fn(Option<&Forecast>, Option<f64>, Time) -> Option<String>| {
                text(move || op.expected_end(clock.get(), newest.get(), of).unwrap_or_default())
            };
            Some(
                view! {
                    <span title=left(display::forecast::left_with_band)>{left(display::forecast::left)}</span>
                    <span class="under">{left(display::forecast::band)}</span>
                }
                .into_any(),
            )
        }
    });
    let took = text(move || {
        let now = clock.get();
        op.condition.with(|c| op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), c.as_ref(), now)))
    });
    let host = text(move || op.facts.with(|f| f.host.as_ref().map(|h| h.to_string()).unwrap_or_default()));
    let began = part(move || op.facts.with(|f| f.started_at).map(|at| view! { <Ago at/> }.into_any()));
    let last_report = text(move || {
        let silent = op.condition.with(|c| c.as_ref().is_some_and(|c| c.kind == ConditionKind::Unreachable));
        match op.heard_at.get() {
            // An unreachable host is stated beside the title.
            Some(at) if op.state.get().on_host() && !silent => display::last_seen(at, clock.get()),
            _ => String::new(),
        }
    });
    let cell = move |column: &Column| match column {
        Column::Result => view! {
            <td class="c-result">
                <div class="result-line">
                    <span
                        class="clip"
                        data-tone=maybe(move || result.tone().map(str::to_owned))
                        title=text(move || result.full())
                    >
                        {text(move || result.line())}
                    </span>
                    {part(move || (!over.get()).then(|| view! { <Spark op/> }.into_any()))}
                </div>
            </td>
        }
        .into_any(),
        Column::Progress => view! {
            <td class="c-bar">
                {part(move || (!over.get()).then(|| view! { <ProgressBar op plain=true/> }.into_any()))}
            </td>
        }
        .into_any(),
        Column::End => view! {
            <td class="c-left num">
                <div class="live">{left.clone()}</div>
            </td>
        }
        .into_any(),
        Column::Duration => view! {
            <td class="c-took num">
                <div class="live">{took.clone()}</div>
            </td>
        }
        .into_any(),
        Column::Started => view! {
            <td class="c-began num">
                {began.clone()}
                <span class="under">{last_report.clone()}</span>
            </td>
        }
        .into_any(),
        Column::Host => view! { <td class="c-host">{host.clone()}</td> }.into_any(),
        other => chosen_cell(op, other),
    };
    let cells = whole(move || {
        let chosen = list.map(|list| list.columns.get()).unwrap_or_default();
        let cells: Vec<_> = match chosen.is_empty() {
            true => Column::STANDARD.iter().map(&cell).collect(),
            false => chosen.iter().map(&cell).collect(),
        };
        cells.into_any()
    });
    let number = maybe(move || list?.numbers.with(|numbers| numbers.get(&id).map(usize::to_string)));
    let branch = Memo::new(move |_| list.and_then(|list| list.branches.with(|b| b.get(&id).copied())));
    let is_child = Memo::new(move |_| branch.get().is_some_and(|branch| branch.child));
    let child = mark(move || is_child.get());
    let differs =
        move || list.and_then(|list| list.differing.with(|d| d.get(&id).cloned())).unwrap_or_default();
    view! {
        <tr
            class="row"
            aria-rowindex=number
            data-child=child
            data-state=word(move || op.state.get().as_str())
        >
            {picks.map(|picks| {
                view! {
                    <td class="c-pick">
                        <PickOne op picks/>
                    </td>
                }
                .into_any()
            })}
            <td class="c-state">
                <StateMark state=op.state/>
            </td>
            <td class="c-what">
                <div class="what">
                    {list.map(|list| view! { <Fold op branch fold=list.fold/> }.into_any())}
                    <KindIcon kind=fixed.kind.clone()/>
                    <A href=address::operation(id) attr:class="title" attr:title=hint>
                        // A run of a sweep differs where its title is cut.
                        {text(move || if is_child.get() { prefix(&differs()) } else { String::new() })}
                        {title}
                    </A>
                    <span class="differing muted">
                        {text(move || if is_child.get() { String::new() } else { differs() })}
                    </span>
                    <Tags op/>
                </div>
            </td>
            {cells}
            <td class="c-do">
                {attention.then(|| view! { <Again op/> }.into_any())}
                <RowAction op/>
            </td>
        </tr>
    }
    .into_any()
}

/// Text before a title: `fast 20 · `.
fn prefix(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text} · ") }
}

/// Text of the wide column: a problem, the queue position or the activity; once ended, result or reason.
#[derive(Clone, Copy)]
struct WideText {
    op: OpView,
    place: Memo<Option<QueuePosition>>,
    clock: RwSignal<Time>,
}

impl WideText {
    fn line(self) -> String {
        let op = self.op;
        match op.state.get() {
            State::Succeeded => {
                op.progress.with(|p| op.facts.with(|facts| outcome::succeeded(&facts.figures, p.as_ref())))
            }
            State::Failed => op.facts.with(|facts| {
                facts.failure.as_ref().map(|f| outcome::reason(&f.message)).unwrap_or_default()
            }),
            State::Cancelled => op.receipt.with(|r| r.as_ref().map(outcome::cancelled).unwrap_or_default()),
            _ => self.trouble().map_or_else(|| self.doing(), |(wording, _)| wording),
        }
    }

    fn doing(self) -> String {
        match self.place.get() {
            Some(place) => display::place_in_row(place, &self.op.fixed().kind),
            None => self.op.progress.with(|p| p.as_ref().map(display::doing).unwrap_or_default()),
        }
    }

    /// Condition of an active operation, and whether it is an ordinary wait.
    fn trouble(self) -> Option<(String, bool)> {
        self.op.condition.with(|c| {
            let c = c.as_ref()?;
            let wording =
                self.op.facts.with(|facts| display::trouble(c, &facts.attempt_facts(), self.clock.get()));
            let waits = display::waits(c.kind);
            // The queue position says more than that it waits.
            (!(waits && self.place.get().is_some())).then_some((wording, waits))
        })
    }

    /// Colour, where the text is a problem.
    fn tone(self) -> Option<&'static str> {
        match self.op.state.get() {
            State::Failed => Some("bad"),
            state if state.ended() => None,
            _ => self.trouble().filter(|(_, waits)| !waits).map(|_| "warn"),
        }
    }

    /// Whole text, for the tooltip.
    fn full(self) -> String {
        match self.op.state.get() {
            State::Failed => {
                self.op.facts.with(|f| f.failure.as_ref().map(|f| f.message.clone()).unwrap_or_default())
            }
            State::Succeeded => self.op.facts.with(|f| display::key_figure::line(&f.figures, usize::MAX)),
            state if !state.ended() => {
                let message = self.op.condition.with(|c| c.as_ref().map(|c| c.message.clone()));
                message.unwrap_or_else(|| self.line())
            }
            _ => self.line(),
        }
    }
}

/// Button that shows or hides the children of a row, with their number.
#[component]
fn Fold(op: OpView, branch: Memo<Option<Branch>>, fold: Callback<OperationId>) -> impl IntoView {
    let children = Memo::new(move |_| branch.get().map_or(0, |branch| branch.children));
    let open = Memo::new(move |_| branch.get().is_some_and(|branch| branch.open));
    part(move || {
        (children.get() > 0).then(|| {
            let label = format!(" child runs of {}", op.fixed().title);
            view! {
                <button
                    type="button"
                    class="fold only-script"
                    aria-expanded=word(move || if open.get() { "true" } else { "false" })
                    on:click=move |_| fold.run(op.id)
                >
                    <span class="fold-mark" aria-hidden="true" data-folded=mark(move || !open.get())></span>
                    <span class="num">{text(move || display::format::count(children.get() as u64))}</span>
                    <span class="unseen">{label}</span>
                </button>
            }
            .into_any()
        })
    })
}

/// Tags of the data source: `synthetic`.
#[component]
pub fn Tags(op: OpView) -> impl IntoView {
    part(move || {
        let tags = op.facts.with(|f| f.tags.clone());
        let tags = tags.into_iter().map(|tag| view! { <span class="tag">{tag}</span> }.into_any());
        Some(tags.collect_view().into_any())
    })
}

/// Link to the log, and for a failed operation a button that retries it from the start.
#[component]
fn Again(op: OpView) -> impl IntoView {
    let actions = Actions::here();
    let title = op.fixed().title.clone();
    let [log, retry] = ["Log", "Retry"].map(|word| format!("{word}: {title}"));
    let pressed = NodeRef::<Button>::new();
    let press = move |_| {
        // The row leaves with the failure; the next one gets the focus.
        if let Some(button) = pressed.get_untracked() {
            hand_over(Some(&button), || find(&document().document_element()?, "tr.row a.title"));
        }
        actions.retry(op.id);
    };
    let button = part(move || {
        (op.state.get() == State::Failed).then(|| {
            view! {
                <button {..needs(Permission::Control)}
                    node_ref=pressed
                    type="button"
                    class="link only-script"
                    title=OperationAction::Retry.means()
                    aria-label=retry.clone()
                    on:click=press
                >
                    "Retry"
                </button>
            }
            .into_any()
        })
    });
    view! {
        <A href=format!("{}?tab=log", address::operation(op.id)) attr:class="link" attr:aria-label=log>
            "Log"
        </A>
        {button}
    }
    .into_any()
}

/// Most likely action: cancel, resume or duplicate.
#[component]
pub fn RowAction(op: OpView) -> impl IntoView {
    let actions = Actions::here();
    let fixed = op.fixed();
    let next = Memo::new(move |_| display::next(op.state.get(), op.facts.with(|f| f.checkpoint.is_some())));
    let asks = Memo::new(move |_| actions.cancel_asks(op));
    let pressed = NodeRef::<Button>::new();
    // Marked busy, not disabled: a disabled button loses the focus.
    let busy = move || actions.pending(op.id);
    part(move || {
        let next = next.get();
        if let Some(button) = pressed.get_untracked() {
            // Link of the operation in its row, wherever it is by then.
            let href = base::url(&address::operation(op.id));
            let link = format!("tr.row a.title[href='{href}']");
            hand_over(Some(&button), move || find(&document().document_element()?, &link));
        }
        let title = fixed.title.clone();
        let button = |wording: &str, picture: &'static str, act: fn(Actions, OpView)| {
            let label = format!("{wording}: {title}");
            view! {
                <button {..needs(Permission::Control)}
                    node_ref=pressed
                    type="button"
                    class="quiet"
                    title=wording.to_owned()
                    aria-label=label
                    aria-busy=spoken(busy)
                    on:click=move |_| {
                        if !untrack(busy) {
                            act(actions, op);
                        }
                    }
                >
                    <Icon name=picture/>
                </button>
            }
            .into_any()
        };
        if next.cancel {
            let wording = OperationAction::Cancel.words(false, asks.get());
            Some(button(wording, "cross", |actions, op| actions.cancel(op)))
        } else if next.resume {
            Some(button("Resume operation", "resume", |actions, op| {
                actions.question.set(Some(Question::Resume(op.id)));
            }))
        } else if op.state.get_untracked().ended() {
            let href = address::start_again(fixed.kind.as_str(), &fixed.params);
            let label = format!("Duplicate: {title}");
            Some(
                view! {
                    <A
                        href=href
                        attr:class="quiet"
                        attr:title=OperationAction::Again.means()
                        attr:aria-label=label
                    >
                        <Icon name="again"/>
                    </A>
                }
                .into_any(),
            )
        } else {
            None
        }
    })
}
