//! Number with a unit, as it is entered.

use alerts::unit::{Unit, unit_for, usual_unit};
use components::reactive::{part, spoken, text};
use leptos::prelude::*;

/// Entered number and the place of its unit among those of its metric.
#[derive(Clone, Copy)]
pub struct Quantity {
    pub text: RwSignal<String>,
    unit: RwSignal<usize>,
}

impl Quantity {
    pub fn new() -> Self {
        Self { text: RwSignal::new(String::new()), unit: RwSignal::new(0) }
    }

    /// Shows a value in the unit that fits; empty without one.
    pub fn show(self, units: &[Unit], value: Option<f64>) {
        let place = value.map_or_else(|| usual_unit(units), |value| unit_for(units, value));
        self.unit.set(place);
        self.text.set(value.map(|value| units[place].entered(value).to_string()).unwrap_or_default());
    }

    /// Keeps the number, with the usual unit of another metric.
    pub fn change_units(self, units: &[Unit]) {
        self.unit.set(usual_unit(units));
    }

    /// Sets the unit of another quantity.
    pub fn follow(self, other: Quantity) {
        self.unit.set(other.unit.get_untracked());
    }

    /// Entered value; `None` if the field is empty. Tracked.
    ///
    /// # Errors
    /// If it is no number.
    pub fn value(self, units: &[Unit]) -> Result<Option<f64>, ()> {
        let unit = units.get(self.unit.get()).copied();
        self.text.with(|text| {
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            let number = text.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite());
            Ok(Some(unit.zip(number).map(|(unit, number)| unit.value(number)).ok_or(())?))
        })
    }

    /// The field: a number, and its unit or a choice of units.
    pub fn view(
        self,
        id: &'static str,
        label: &'static str,
        units: Signal<&'static [Unit]>,
        is_wrong: impl Fn() -> bool + Send + 'static,
    ) -> AnyView {
        let Self { text: typed, unit } = self;
        let choice = part(move || {
            let units = units.get();
            let choices = units.iter().enumerate().map(|(place, of)| {
                let selected = place == unit.get_untracked();
                view! { <option value=place.to_string() selected=selected>{of.label}</option> }
            });
            Some(match units {
                [only] if only.label.is_empty() => ().into_any(),
                [only] => view! { <span class="quantity-unit muted">{only.label}</span> }.into_any(),
                _ => view! {
                    <select
                        class="quantity-unit"
                        aria-label=format!("{label}: unit")
                        prop:value=text(move || unit.get().to_string())
                        on:change=move |event| {
                            if let Ok(place) = event_target_value(&event).parse() {
                                unit.set(place);
                            }
                        }
                    >
                        {choices.collect_view()}
                    </select>
                }
                .into_any(),
            })
        });
        view! {
            <div class="field">
                <label for=id>{label}</label>
                <span class="quantity">
                    <input
                        id=id
                        type="text"
                        inputmode="decimal"
                        autocomplete="off"
                        aria-describedby="edit-error"
                        aria-invalid=spoken(is_wrong)
                        prop:value=text(move || typed.get())
                        on:input=move |event| typed.set(event_target_value(&event))
                    />
                    {choice}
                </span>
            </div>
        }
        .into_any()
    }
}
