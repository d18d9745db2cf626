//! Texts typed into a form, and their conversion to parameters.

use display::format;
use form::{Field, FieldKind, Form};
use leptos::prelude::*;
use protocol::{FieldError, Time};
use serde_json::{Map, Value};

/// Initial text of a field: the given value, else the default, else empty. A secret field is always empty at first.
pub fn first_text(field: &Field, given: Option<String>) -> String {
    if field.secret {
        return String::new();
    }
    match (given, &field.default, &field.kind) {
        (Some(given), _, _) => given,
        (None, Some(default), _) => text_of(default),
        (None, None, FieldKind::Switch) => "false".to_owned(),
        (None, None, _) => String::new(),
    }
}

/// Text of a parameter value, as a user would type it.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // JSON writes 2.0 for a float; nobody types it like that.
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (None, Some(n)) => n.to_string(),
            _ => n.to_string(),
        },
        other => other.to_string(),
    }
}

/// Which fields apply, given the texts.
pub fn shown(form: &Form, typed: &[String]) -> Vec<bool> {
    form.shown(&|at| typed.get(at).map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned))
}

/// Parses all applicable fields and validates them by the server's rules.
///
/// # Errors
/// Every invalid field, in the order of the form.
pub fn read(form: &Form, typed: &[String]) -> Result<Value, Vec<FieldError>> {
    let mut params = Map::new();
    let mut errors = Vec::new();
    let shown = shown(form, typed);
    for ((field, text), _) in form.fields.iter().zip(typed).zip(shown).filter(|(_, shown)| *shown) {
        match field.read(text) {
            Ok(Some(value)) => {
                params.insert(field.name.clone(), value);
            }
            Ok(None) => {}
            Err(message) => errors.push(FieldError::new(&field.name, message)),
        }
    }
    let params = Value::Object(params);
    if let Err(found) = form.check(&params) {
        // A field with a parse error is not reported as missing, too.
        let known: Vec<String> = errors.iter().map(|e| e.field.clone()).collect();
        errors.extend(found.into_iter().filter(|e| !known.contains(&e.field)));
    }
    if errors.is_empty() {
        return Ok(params);
    }
    errors.sort_by_key(|e| form.fields.iter().position(|f| f.name == e.field));
    Err(errors)
}

/// Query parameters that restore the form: applicable fields that differ from their initial text. Empty ones are left
/// out: they mean the default. So are secret ones: a URL is shown, stored and shared.
pub fn pairs(form: &Form, typed: &[String]) -> Vec<(String, String)> {
    let all = form.fields.iter().zip(typed).zip(shown(form, typed));
    let all = all.filter(|((field, _), shown)| *shown && !field.secret);
    let changed = all.filter(|((field, text), _)| !text.is_empty() && **text != first_text(field, None));
    changed.map(|((field, text), _)| (field.name.clone(), text.clone())).collect()
}

/// Limits of a field, shown beside the label: `1 to 1,000,000`.
pub fn bounds(kind: &FieldKind) -> String {
    let whole = |n: i64| if n < 0 { n.to_string() } else { format::count(n as u64) };
    match kind {
        FieldKind::Integer { min: Some(min), max: Some(max) } => {
            format!("{} to {}", whole(*min), whole(*max))
        }
        FieldKind::Integer { min: Some(min), max: None } => format!("at least {}", whole(*min)),
        FieldKind::Integer { min: None, max: Some(max) } => format!("at most {}", whole(*max)),
        FieldKind::Number { min: Some(min), max: Some(max) } => format!("{min} to {max}"),
        FieldKind::Number { min: Some(min), max: None } => format!("at least {min}"),
        FieldKind::Number { min: None, max: Some(max) } => format!("at most {max}"),
        FieldKind::Time => "UTC".to_owned(),
        _ => String::new(),
    }
}

/// Value to choose from, with what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    pub value: String,
    /// A few words, such as range and bar size; may be empty.
    pub note: String,
    /// When it was made or last changed.
    pub at: Option<Time>,
}

fn offers_of(form: &Form) -> Vec<Vec<Offer>> {
    let of_field = |field: &Field| {
        let offer = |value: &String| {
            let note = field.about.of(value).cloned().unwrap_or_default();
            Offer { value: value.clone(), note: note.note, at: note.at }
        };
        field.examples.iter().map(offer).collect()
    };
    form.fields.iter().map(of_field).collect()
}

/// Note that the form was filled at once, with the previous texts for Undo.
#[derive(Clone, PartialEq)]
pub struct Filled {
    pub wording: String,
    before: Vec<String>,
}

/// The form while it is edited: one signal per field.
#[derive(Clone, Copy)]
pub struct Typed {
    form: StoredValue<Form>,
    texts: StoredValue<Vec<RwSignal<String>>>,
    /// Which fields apply.
    shown: Memo<Vec<bool>>,
    /// Errors of the last validation, here or by the server.
    pub errors: RwSignal<Vec<FieldError>>,
    /// The last fill, until it is undone.
    pub filled: RwSignal<Option<Filled>>,
    /// Values to choose from, by field.
    offers: RwSignal<Vec<Vec<Offer>>>,
}

impl Typed {
    /// Creates a form; `given` looks up initial values by parameter name.
    pub fn new(form: Form, given: &dyn Fn(&str) -> Option<String>) -> Self {
        let texts: Vec<_> =
            form.fields.iter().map(|field| RwSignal::new(first_text(field, given(&field.name)))).collect();
        let (form, texts) = (StoredValue::new(form), StoredValue::new(texts));
        let shown = Memo::new(move |_| {
            let typed: Vec<String> = texts.with_value(|texts| texts.iter().map(|t| t.get()).collect());
            form.with_value(|form| shown(form, &typed))
        });
        let offers = RwSignal::new(form.with_value(offers_of));
        Self { form, texts, shown, errors: RwSignal::default(), filled: RwSignal::default(), offers }
    }

    /// Takes the suggestions of a newer form that asks for the same; any other form changes nothing.
    pub fn renew_suggestions(&self, newer: Form) {
        if !self.form.with_value(|form| form.asks_alike(&newer) && *form != newer) {
            return;
        }
        let offers = offers_of(&newer);
        self.form.set_value(newer);
        if self.offers.with_untracked(|known| *known != offers) {
            self.offers.set(offers);
        }
    }

    /// Values to choose from for the field in this place. Tracked.
    pub fn offers(&self, place: usize) -> Vec<Offer> {
        self.offers.with(|all| all.get(place).cloned().unwrap_or_default())
    }

    /// Fields with the signals of their texts.
    pub fn fields(&self) -> Vec<(Field, RwSignal<String>)> {
        self.form.with_value(|form| {
            self.texts.with_value(|texts| form.fields.iter().cloned().zip(texts.iter().copied()).collect())
        })
    }

    /// Whether the field at this position applies. Tracked.
    pub fn is_shown(&self, place: usize) -> bool {
        self.shown.with(|shown| shown.get(place).copied().unwrap_or(true))
    }

    /// Whether the field at this position has another text than at first. Tracked.
    pub fn is_changed(&self, place: usize) -> bool {
        let text = self.texts.with_value(|texts| texts.get(place).copied());
        let first = self.form.with_value(|form| form.fields.get(place).map(|field| first_text(field, None)));
        text.is_some_and(|text| text.with(|text| !text.is_empty() && Some(text) != first.as_ref()))
    }

    /// Texts of all fields. Tracked.
    pub fn texts(&self) -> Vec<String> {
        self.texts.with_value(|texts| texts.iter().map(|text| text.get()).collect())
    }

    fn set(&self, new: Vec<String>) {
        self.errors.set(Vec::new());
        self.texts.with_value(|texts| {
            for (text, new) in texts.iter().zip(new) {
                if text.with_untracked(|text| *text != new) {
                    text.set(new);
                }
            }
        });
    }

    /// Texts of all fields from `given`, with initial texts for the others. Secret ones keep theirs.
    pub fn with(&self, given: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let now = untrack(|| self.texts());
        let text = |(field, now): (&Field, String)| match field.secret {
            true => now,
            false => first_text(field, given(&field.name)),
        };
        self.form.with_value(|form| form.fields.iter().zip(now).map(text).collect())
    }

    /// Fills all fields and shows `wording`. Can be undone.
    pub fn fill(&self, wording: String, given: &dyn Fn(&str) -> Option<String>) {
        let before = untrack(|| self.texts());
        self.set(self.with(given));
        self.filled.set(Some(Filled { wording, before }));
    }

    /// Fills in the values that a field's value suggests for others, and says so. Can be undone.
    pub fn suggest(&self, place: usize, value: &str) {
        let fills = self.form.with_value(|form| {
            form.fields.get(place).map(|field| field.fills.of(value.trim()).to_vec()).unwrap_or_default()
        });
        let before = untrack(|| self.texts());
        let mut texts = before.clone();
        let titles: Vec<String> = self.form.with_value(|form| {
            let places = form.fields.iter().zip(&mut texts).filter_map(|(other, text)| {
                let (_, new) = fills.iter().find(|(name, _)| *name == other.name)?;
                (text != new).then(|| {
                    text.clone_from(new);
                    other.title.clone()
                })
            });
            places.collect()
        });
        if titles.is_empty() {
            return;
        }
        self.set(texts);
        let wording = format!("Filled in to match {}: {}.", value.trim(), titles.join(", "));
        self.filled.set(Some(Filled { wording, before }));
    }

    /// Fills all fields from a URL.
    pub fn refill(&self, given: &dyn Fn(&str) -> Option<String>) {
        self.set(self.with(given));
        self.filled.set(None);
    }

    /// Undoes the last fill.
    pub fn undo(&self) {
        if let Some(filled) = self.filled.get_untracked() {
            self.set(filled.before);
            self.filled.set(None);
        }
    }

    /// Query parameters for these texts.
    pub fn pairs_of(&self, texts: &[String]) -> Vec<(String, String)> {
        self.form.with_value(|form| pairs(form, texts))
    }

    /// Whether the form has a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.form.with_value(|form| form.fields.iter().any(|f| f.name == name))
    }

    /// Label of a field.
    pub fn title_of(&self, name: &str) -> String {
        let found = self
            .form
            .with_value(|form| form.fields.iter().find(|f| f.name == name).map(|field| field.title.clone()));
        found.unwrap_or_else(|| name.to_owned())
    }

    /// What a value of a field is called: for a choice its title.
    pub fn label_of(&self, name: &str, value: &str) -> String {
        let title = self.form.with_value(|form| {
            let FieldKind::Choice { options } = &form.fields.iter().find(|f| f.name == name)?.kind else {
                return None;
            };
            options.iter().find(|option| option.value == value).map(|option| option.title.clone())
        });
        title.unwrap_or_else(|| value.to_owned())
    }

    /// Parameters with defaults, as an operation would show them; `None` while some are invalid. Tracked.
    pub fn checked(&self) -> Option<Value> {
        let texts = self.texts();
        let checked = self.form.with_value(|form| form.check(&read(form, &texts).ok()?).ok())?;
        Some(self.hidden(checked))
    }

    /// Parameters with markers instead of secret values.
    pub fn hidden(&self, mut params: Value) -> Value {
        self.form.with_value(|form| form.take_secrets(&mut params));
        params
    }

    /// Labels of the required fields that are empty. Tracked.
    pub fn missing(&self) -> Vec<String> {
        let texts = self.texts();
        self.form.with_value(|form| {
            let all = form.fields.iter().zip(&texts).zip(shown(form, &texts));
            let empty =
                all.filter(|((field, text), shown)| *shown && field.required && text.trim().is_empty());
            empty.map(|((field, _), _)| field.title.clone()).collect()
        })
    }

    /// Parameters when all are valid; otherwise [`Typed::errors`] is set.
    pub fn params(&self) -> Option<Value> {
        let texts = untrack(|| self.texts());
        match self.form.with_value(|form| read(form, &texts)) {
            Ok(params) => {
                self.errors.set(Vec::new());
                Some(params)
            }
            Err(errors) => {
                self.errors.set(errors);
                None
            }
        }
    }

    /// Adds an error that only the browser can detect.
    pub fn complain(&self, name: &str, message: &str) {
        self.errors.update(|errors| {
            errors.retain(|e| e.field != name);
            errors.push(FieldError::new(name, message));
            self.form.with_value(|form| {
                errors.sort_by_key(|e| form.fields.iter().position(|f| f.name == e.field));
            });
        });
    }

    /// Error of a field. Tracked.
    pub fn error_of(&self, name: &str) -> Option<String> {
        self.errors.with(|errors| errors.iter().find(|e| e.field == name).map(|e| e.message.clone()))
    }

    /// Removes the error of a field after a change.
    pub fn forgive(&self, name: &str) {
        if self.errors.with_untracked(|errors| errors.iter().any(|e| e.field == name)) {
            self.errors.update(|errors| errors.retain(|e| e.field != name));
        }
    }

    /// Id of a field's control.
    pub fn id_of(name: &str) -> String {
        format!("param-{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Form {
        Form::from_schema(&json!({
            "type": "object",
            "required": ["symbol"],
            "properties": {
                "symbol": {"type": "string", "minLength": 1, "maxLength": 12},
                "rows": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000000},
                "mode": {"enum": ["full", "tail"], "default": "full"},
                "dry": {"type": "boolean"}
            }
        }))
        .unwrap()
    }

    fn typed(texts: [&str; 4]) -> Result<Value, Vec<FieldError>> {
        read(&form(), &texts.map(str::to_owned))
    }

    #[test]
    fn typed_values_become_params_and_empty_fields_are_omitted() {
        let params = typed(["MSFT", "20,000", "tail", "true"]).unwrap();
        assert_eq!(params, json!({"symbol": "MSFT", "rows": 20000, "mode": "tail", "dry": true}));
        assert_eq!(
            typed(["MSFT", " ", "full", "false"]).unwrap(),
            json!({"symbol": "MSFT", "mode": "full", "dry": false})
        );
    }

    #[test]
    fn each_wrong_field_is_named_once_in_the_order_of_the_form() {
        let errors = typed(["", "many", "half", "true"]).unwrap_err();
        let names: Vec<_> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(names, ["symbol", "rows", "mode"]);
    }

    #[test]
    fn a_secret_field_is_never_filled_in_or_part_of_a_url() {
        let form = Form::from_schema(&json!({"type": "object", "properties": {
            "user": {"type": "string"}, "token": {"type": "string", "format": "password"}
        }}));
        let form = form.unwrap();
        assert_eq!(first_text(&form.fields[1], Some("hunter2".into())), "");
        let typed = ["me", "hunter2"].map(str::to_owned);
        assert_eq!(pairs(&form, &typed), [("user".to_owned(), "me".to_owned())]);
        assert_eq!(read(&form, &typed).unwrap(), json!({"user": "me", "token": "hunter2"}));
        Owner::new().with(|| {
            let form = Typed::new(form, &|name| Some(format!("{name} of the URL")));
            let texts = || untrack(|| form.texts());
            assert_eq!(texts(), ["user of the URL", ""]);
            form.fields()[1].1.set("hunter2".to_owned());
            // Neither presets nor the last parameters replace what was entered.
            form.fill("Filled in.".to_owned(), &|name| Some(format!("{name} of a preset")));
            assert_eq!(texts(), ["user of a preset", "hunter2"]);
            let checked = untrack(|| form.checked()).unwrap();
            assert_eq!(checked, json!({"user": "user of a preset", "token": {"secret": true}}));
        });
    }

    #[test]
    fn a_given_value_precedes_the_default() {
        let form = form();
        let mode = &form.fields[2];
        assert_eq!(first_text(mode, Some("tail".into())), "tail");
        assert_eq!(first_text(mode, None), "full");
        assert_eq!(first_text(&form.fields[0], None), "");
        assert_eq!(first_text(&form.fields[3], None), "false");
    }

    #[test]
    fn a_field_that_does_not_matter_is_neither_sent_nor_wrong_nor_in_the_link() {
        let form = Form::from_schema(&json!({"type": "object", "required": ["seed"], "properties": {
            "source": {"enum": ["csv", "synthetic"], "default": "csv"},
            "seed": {"type": "integer", "x-when": {"source": "synthetic"}}
        }}))
        .unwrap();
        let typed = |source: &str, seed: &str| [source.to_owned(), seed.to_owned()];
        assert_eq!(read(&form, &typed("csv", "x")).unwrap(), json!({"source": "csv"}));
        assert_eq!(read(&form, &typed("", "x")).unwrap(), json!({}), "the default counts");
        assert_eq!(read(&form, &typed("synthetic", "")).unwrap_err()[0].field, "seed");
        assert!(pairs(&form, &typed("csv", "7")).is_empty());
        let both = [("source".to_owned(), "synthetic".to_owned()), ("seed".to_owned(), "7".to_owned())];
        assert_eq!(pairs(&form, &typed("synthetic", "7")), both);
    }

    #[test]
    fn a_multiline_text_is_sent_verbatim_and_round_trips_through_a_link() {
        let form = Form::from_schema(&json!({"type": "object", "properties": {
            "plan": {"type": "string", "maxLength": 200, "format": "multiline"}
        }}))
        .unwrap();
        let plan = "name: trend\n  rules:\n\t- buy & hold\n".to_owned();
        assert_eq!(read(&form, std::slice::from_ref(&plan)).unwrap(), json!({"plan": plan}));
        let wording = pairs(&form, std::slice::from_ref(&plan));
        let link = live::query::url("/new", wording.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let came = live::query::pairs(link.split_once('?').unwrap_or_default().1);
        assert_eq!(came, wording);
    }

    #[test]
    fn values_of_a_link_round_trip() {
        let form = form();
        for texts in [["MSFT", "", "", "true"], ["", "20,000", "tail", ""], ["MSFT", "5", "full", "false"]] {
            let wording = pairs(&form, &texts.map(str::to_owned));
            let link = live::query::url("/new", wording.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            let came = live::query::pairs(link.split_once('?').unwrap_or_default().1);
            let given = |name: &str| came.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
            let filled: Vec<_> = form.fields.iter().map(|f| first_text(f, given(&f.name))).collect();
            assert_eq!(pairs(&form, &filled), wording, "{texts:?}");
        }
    }

    #[test]
    fn params_are_shown_as_a_person_types_them() {
        let values = [json!("MSFT"), json!(2.0), json!(0.15), json!(4_294_967_295_u64), json!(true)];
        assert_eq!(values.each_ref().map(text_of), ["MSFT", "2", "0.15", "4294967295", "true"]);
    }

    #[test]
    fn bounds_are_described_briefly() {
        assert_eq!(bounds(&form().fields[1].kind), "1 to 1,000,000");
        assert_eq!(bounds(&form().fields[0].kind), "");
    }
}
