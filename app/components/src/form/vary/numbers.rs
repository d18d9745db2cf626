//! Numbers of a varied field: a typed list, or a range by step, evenly, or logarithmically.

use super::{Parts, Varied};
use crate::reactive::{maybe, spoken, text as text_in, whole, word};
use leptos::prelude::*;
use sweep_plan::{spread, values};

/// Distance of the values of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spacing {
    Step,
    Even,
    Log,
}

impl Spacing {
    const ALL: [Self; 3] = [Self::Step, Self::Even, Self::Log];

    fn name(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Even => "even",
            Self::Log => "log",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Step => "By step",
            Self::Even => "Evenly",
            Self::Log => "Logarithmic",
        }
    }
}

/// A range while it is edited, as typed.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Span {
    from: String,
    to: String,
    spacing: Spacing,
    /// Step, or number of values.
    amount: String,
}

impl Span {
    /// The range of a list; `None` unless it is written as one.
    fn of(list: &str) -> Option<Self> {
        let (from, rest) = list.split_once("..").filter(|_| !list.contains(','))?;
        let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
        let [from, to, amount] = [from, to, step].map(|part| part.trim().to_owned());
        Some(Self { from, to, spacing: Spacing::Step, amount })
    }

    /// A list as a range with its first distance as step.
    fn around(list: &str) -> Self {
        let numbers: Vec<f64> =
            values(list).unwrap_or_default().iter().filter_map(|value| json::float(value)).collect();
        let (from, to, step) = match numbers.as_slice() {
            [from, next, .., last] if next > from && last > next => (*from, *last, next - from),
            [from, next] if next > from => (*from, *next, next - from),
            [from, ..] => (*from, *from, 1.0),
            [] => (1.0, 10.0, 1.0),
        };
        let step = (step * 1e9).round() / 1e9;
        let [from, to, amount] = [from, to, step].map(|n| n.to_string());
        Self { from, to, spacing: Spacing::Step, amount }
    }

    /// The same range with another distance, of about as many values.
    fn spaced(&self, spacing: Spacing, whole: bool) -> Self {
        let count = self.list(whole).and_then(|list| values(&list)).map_or(5, |values| values.len().max(2));
        let amount = match spacing {
            _ if self.spacing != Spacing::Step && spacing != Spacing::Step => self.amount.clone(),
            Spacing::Even | Spacing::Log => count.to_string(),
            Spacing::Step => {
                let ends = json::float(&self.from).zip(json::float(&self.to));
                let step = ends.map_or(1.0, |(from, to)| (to - from) / (count - 1) as f64);
                let step = if whole { step.round().max(1.0) } else { (step * 1e9).round() / 1e9 };
                step.to_string()
            }
        };
        Self { spacing, amount, ..self.clone() }
    }

    /// The values, as a sweep takes them.
    ///
    /// # Errors
    /// What is wrong with the range.
    fn list(&self, whole: bool) -> Result<String, String> {
        let Self { from, to, spacing, amount } = self;
        match spacing {
            Spacing::Step => Ok(format!("{from}..{to}:{amount}")),
            _ => spread(from, to, amount, *spacing == Spacing::Log, whole).map(|all| all.join(", ")),
        }
    }
}

/// Part of a range that is typed.
#[derive(Clone, Copy)]
enum End {
    From,
    To,
    Amount,
}

impl End {
    fn name(self, spacing: Spacing) -> &'static str {
        match (self, spacing) {
            (Self::From, _) => "From",
            (Self::To, _) => "To",
            (Self::Amount, Spacing::Step) => "Step",
            (Self::Amount, _) => "Count",
        }
    }

    fn of(self, span: &mut Span) -> &mut String {
        match self {
            Self::From => &mut span.from,
            Self::To => &mut span.to,
            Self::Amount => &mut span.amount,
        }
    }
}

/// A range while it is edited, and the list that it made.
#[derive(Clone, Copy)]
struct Edit {
    span: RwSignal<Option<Span>>,
    written: StoredValue<Option<String>>,
    varied: Varied,
    whole: bool,
    /// What is wrong with the range.
    trouble: RwSignal<Option<String>>,
}

impl Edit {
    fn new(varied: Varied, whole: bool, trouble: RwSignal<Option<String>>) -> Self {
        let now = varied.get_untracked();
        let span = RwSignal::new(now.as_deref().and_then(Span::of));
        let edit = Self { span, written: StoredValue::new(now), varied, whole, trouble };
        // Another list came by the address.
        Effect::new(move |_| {
            let Some(list) = varied.get() else { return };
            if edit.written.with_value(|written| written.as_ref() != Some(&list)) {
                edit.trouble.set(None);
                edit.span.set(Span::of(&list));
                edit.written.set_value(Some(list));
            }
        });
        edit
    }

    fn write(self, list: String) {
        self.written.set_value(Some(list.clone()));
        self.varied.set(Some(list));
    }

    fn take(self, span: Span) {
        let list = span.list(self.whole);
        self.span.set(Some(span));
        self.trouble.set(list.as_ref().err().cloned());
        self.write(list.unwrap_or_default());
    }

    /// Turns the list into a range, or the range into its values.
    fn turn(self, ranged: bool) {
        let now = self.varied.get_untracked().unwrap_or_default();
        if ranged {
            self.take(Span::around(&now));
        } else {
            self.span.set(None);
            self.trouble.set(None);
            self.write(values(&now).map_or(now, |values| values.join(", ")));
        }
    }
}

/// The controls.
pub(super) fn numbers(parts: Parts, whole_numbers: bool, trouble: RwSignal<Option<String>>) -> AnyView {
    let edit = Edit::new(parts.varied, whole_numbers, trouble);
    let ranged = Memo::new(move |_| edit.span.read().is_some());
    let title = parts.title.clone();
    let inputs = whole(move || if ranged.get() { range(&parts, edit) } else { list(&parts, edit) });
    view! {
        {inputs}
        <button
            type="button"
            class="link vary-shape"
            aria-label=text_in(move || format!("{title} {}", if ranged.get() { "as list" } else { "as range" }))
            on:click=move |_| edit.turn(!ranged.get_untracked())
        >
            {word(move || if ranged.get() { "As list" } else { "As range" })}
        </button>
    }
    .into_any()
}

/// Values as typed, with commas between them.
fn list(parts: &Parts, edit: Edit) -> AnyView {
    let Parts { id, title, described, wrong, varied, .. } = parts.clone();
    let now = move || varied.get().unwrap_or_default();
    view! {
        <input
            id=id
            type="text"
            aria-label=format!("{title}, values")
            aria-describedby=described
            aria-invalid=spoken(move || wrong.get())
            placeholder="5, 10, 20"
            autocomplete="off"
            spellcheck="false"
            value=untrack(now)
            prop:value=text_in(now)
            on:input=move |event| edit.write(event_target_value(&event).replace(';', ""))
        />
    }
    .into_any()
}

/// Ends, distance and step or number of values.
fn range(parts: &Parts, edit: Edit) -> AnyView {
    let Parts { id, title, described, label_id, wrong, .. } = parts.clone();
    let spacing =
        Memo::new(move |_| edit.span.with(|span| span.as_ref().map_or(Spacing::Step, |span| span.spacing)));
    let part = |end: End, id: Option<String>| {
        let now = move || {
            edit.span.with(|span| {
                span.clone().map(|mut span| std::mem::take(end.of(&mut span))).unwrap_or_default()
            })
        };
        let typed = move |event| {
            let Some(mut span) = edit.span.get_untracked() else { return };
            *end.of(&mut span) = event_target_value(&event).replace([',', ':', ';'], "");
            edit.take(span);
        };
        let name = move || end.name(spacing.get());
        let title = title.clone();
        view! {
            <label class="vary-part">
                <span aria-hidden="true">{word(name)}</span>
                <input
                    id=id
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    aria-label=text_in(move || format!("{title}, {}", name().to_lowercase()))
                    aria-describedby=described.clone()
                    aria-invalid=spoken(move || wrong.get())
                    value=untrack(now)
                    prop:value=text_in(now)
                    on:input=typed
                />
            </label>
        }
        .into_any()
    };
    let spacings = Spacing::ALL.map(|one| {
        let selected = one == spacing.get_untracked();
        view! { <option value=one.name() selected=selected>{one.title()}</option> }
    });
    let chosen = move |event| {
        let name = event_target_value(&event);
        let found = Spacing::ALL.into_iter().find(|one| one.name() == name);
        if let Some((spacing, span)) = found.zip(edit.span.get_untracked()) {
            edit.take(span.spaced(spacing, edit.whole));
        }
    };
    let first = part(End::From, Some(id));
    view! {
        <div class="vary-range" role="group" aria-labelledby=label_id>
            {first}
            {part(End::To, None)}
            <label class="vary-part">
                <span aria-hidden="true">"Spacing"</span>
                <select
                    aria-label=format!("{title}, spacing")
                    prop:value=maybe(move || Some(spacing.get().name().to_owned()))
                    on:change=chosen
                >
                    {spacings.collect_view()}
                </select>
            </label>
            {part(End::Amount, None)}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str, spacing: Spacing, amount: &str) -> Span {
        Span { from: from.to_owned(), to: to.to_owned(), spacing, amount: amount.to_owned() }
    }

    #[test]
    fn a_list_becomes_a_range_and_back() {
        assert_eq!(Span::around("5, 10, 20"), span("5", "20", Spacing::Step, "5"));
        assert_eq!(Span::around("7"), span("7", "7", Spacing::Step, "1"));
        assert_eq!(Span::around("7, 9"), span("7", "9", Spacing::Step, "2"));
        assert_eq!(Span::around("").list(true).unwrap(), "1..10:1");
        assert_eq!(Span::of("5..20:5"), Some(span("5", "20", Spacing::Step, "5")));
        assert_eq!(Span::of("5..9").map(|span| span.amount), Some("1".to_owned()));
        assert_eq!(Span::of("5, 10"), None);
        assert_eq!(Span::of("..:"), Some(span("", "", Spacing::Step, "")), "while it is typed");
    }

    #[test]
    fn another_spacing_keeps_the_ends_and_about_the_number_of_values() {
        let by_step = span("10", "50", Spacing::Step, "10");
        let log = by_step.spaced(Spacing::Log, true);
        assert_eq!(log, span("10", "50", Spacing::Log, "5"));
        assert_eq!(log.list(true).unwrap(), "10, 15, 22, 33, 50");
        assert_eq!(log.spaced(Spacing::Even, true), span("10", "50", Spacing::Even, "5"));
        assert_eq!(log.spaced(Spacing::Step, true), span("10", "50", Spacing::Step, "10"));
    }

    #[test]
    fn a_logarithmic_range_from_zero_says_why_it_has_no_values() {
        let why = span("0", "1", Spacing::Log, "3").list(false).unwrap_err();
        assert!(why.contains("above 0"), "{why}");
    }
}
