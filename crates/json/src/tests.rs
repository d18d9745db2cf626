//! The reader against `serde_json`.

use crate::{float, from_str, parse};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// One type of each form that serde derives.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Everything {
    plain: u64,
    small: i16,
    share: f64,
    name: String,
    #[serde(default)]
    missing: Vec<u8>,
    maybe: Option<Box<Everything>>,
    pair: (f64, f64),
    choice: Choice,
    map: BTreeMap<String, Choice>,
    any: Value,
    #[serde(flatten)]
    tagged: Tagged,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Unit,
    New(String),
    Two(u8, i64),
    Named { at: f64, of: Option<bool> },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Tagged {
    One { x: u32 },
    Other,
}

/// A struct that is read field by field.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Fields {
    first: u64,
    maybe: Option<String>,
    #[serde(default)]
    list: Vec<u8>,
    #[serde(default = "ten")]
    ten: u32,
    last: Choice,
}

fn ten() -> u32 {
    10
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        any::<String>().prop_map(Choice::New),
        any::<(u8, i64)>().prop_map(|(a, b)| Choice::Two(a, b)),
        (-1e9..1e9, any::<Option<bool>>()).prop_map(|(at, of)| Choice::Named { at, of }),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let one = || {
        let parts = (any::<u64>(), any::<i16>(), -1e300..1e300, any::<String>(), any::<Vec<u8>>());
        let rest = (
            (-1e3..1e3, -1e-3..1e-3),
            choice(),
            prop::collection::btree_map(any::<String>(), choice(), 0..4),
            any::<u32>(),
        );
        (parts, rest).prop_map(|((plain, small, share, name, missing), (pair, choice, map, x))| Everything {
            plain,
            small,
            share,
            name,
            missing,
            maybe: None,
            pair,
            choice,
            map,
            any: json!({ "x": [x, null] }),
            tagged: if x % 2 == 0 { Tagged::One { x } } else { Tagged::Other },
        })
    };
    (one(), prop::option::of(one())).prop_map(|(mut outer, inner)| {
        outer.maybe = inner.map(Box::new);
        outer
    })
}

/// The same outcome as `serde_json`, which may be an error.
fn agrees(text: &str) {
    let (ours, theirs) = (from_str::<Value>(text), serde_json::from_str::<Value>(text));
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert!(same(ours, theirs), "{text}: {ours} instead of {theirs}"),
        (Err(_), Err(_)) => {}
        _ => panic!("{text}: {ours:?} instead of {theirs:?}"),
    }
}

/// Equal, floats almost: ours are the nearest ones, which those of `serde_json` are not always.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-14 * a.abs() && a.is_sign_negative() == b.is_sign_negative()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn any_document_is_read_as_by_serde_json(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        agrees(&text);
    }

    #[test]
    fn any_type_is_read_as_it_was_written(sent in everything()) {
        let text = serde_json::to_string(&sent).unwrap();
        let read: Everything = from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }

    #[test]
    fn fields_are_read_in_any_order_among_unknown_ones_as_by_serde_json(
        members in Just([
            ("first", "7"), ("maybe", "null"), ("maybe", "\"x\""), ("list", "[1,2]"), ("list", "null"), ("ten", "3"),
            ("ten", "\"3\""), ("last", "\"unit\""), ("last", r#"{"named":{"of":true,"at":1}}"#),
            ("last", r#"{"named":{"of":true}}"#), ("unknown", "{}"), ("other", "[[]]"),
        ]).prop_shuffle(),
        count in 0usize..=12,
    ) {
        let mut seen = std::collections::BTreeSet::new();
        let members = members[..count].iter().filter(|(name, _)| seen.insert(*name));
        let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let text = format!("{{{}}}", members.join(","));
        prop_assert_eq!(from_str::<Fields>(&text).ok(), serde_json::from_str(&text).ok(), "{}", text);
    }

    #[test]
    fn broken_documents_are_rejected_as_by_serde_json_and_never_panic(
        value in any_json(), at in any::<prop::sample::Index>(), with in "[\\[\\]{}\",:\\\\0-9eE+.a-z -]{0,3}",
    ) {
        let mut text = serde_json::to_string(&value).unwrap();
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = places[at.index(places.len())];
        let end = at + text[at..].chars().next().unwrap().len_utf8();
        text.replace_range(at..end, &with);
        agrees(&text);
    }

    #[test]
    fn any_number_is_read_as_by_serde_json(text in "-?[0-9]{1,22}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?") {
        agrees(&text);
    }

    #[test]
    fn any_string_is_read_as_by_serde_json(text in "\"(\\\\(u[0-9a-fD]{4}|[a-z\"/\\\\])|[^\"\\\\]){0,6}\"") {
        agrees(&text);
    }

    #[test]
    fn any_decimal_has_the_float_that_the_standard_library_gives(
        text in "[+-]?([0-9]{1,30}(\\.[0-9]{0,30})?|\\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?",
    ) {
        prop_assert_eq!(float(&text).map(f64::to_bits), text.parse().ok().map(f64::to_bits), "{}", text);
    }

    #[test]
    fn a_decimal_between_two_floats_is_rounded_exactly(bits in 0..f64::MAX.to_bits(), sign in -1i8..=1) {
        // Exactly in the middle, which goes to the even one, or a trifle beside it.
        let (low, high) = (f64::from_bits(bits), f64::from_bits(bits + 1));
        let mut middle = format!("{:.1080}", low / 2.0 + high / 2.0);
        if low >= 1.0 || sign == 0 {
            let digits = |n: f64| format!("{n:.1080}");
            middle = halfway(&digits(low), &digits(high));
            if sign > 0 { middle.push('1') }
            if sign < 0 { middle = format!("{low:.1080}") }
        }
        prop_assert_eq!(float(&middle).map(f64::to_bits), middle.parse().ok().map(f64::to_bits), "{}", middle);
    }

    #[test]
    fn text_that_is_no_decimal_has_no_float(text in "[+\\-0-9.eE a]{0,8}") {
        prop_assert_eq!(float(&text).map(f64::to_bits), text.parse().ok().map(f64::to_bits), "{}", text);
    }

    #[test]
    fn every_float_comes_back_to_the_last_bit(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        let read: f64 = from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        prop_assert_eq!(read.to_bits(), value.to_bits());
    }
}

/// The mean of two decimals with as many digits after the point.
fn halfway(low: &str, high: &str) -> String {
    let width = low.len().max(high.len());
    let pad = |text: &str| format!("{text:0>width$}0");
    let (low, high) = (pad(low).into_bytes(), pad(high).into_bytes());
    let (mut sum, mut over) = (Vec::new(), 0);
    for (a, b) in low.iter().zip(&high).rev() {
        if *a == b'.' {
            sum.push(b'.');
            continue;
        }
        let digit = a - b'0' + b - b'0' + over;
        sum.push(digit % 10);
        over = digit / 10;
    }
    sum.push(over);
    let (mut half, mut rest) = (String::new(), 0);
    for digit in sum.into_iter().rev() {
        if digit == b'.' {
            half.push('.');
            continue;
        }
        let value = rest * 10 + digit;
        half.push(char::from(b'0' + value / 2));
        rest = value % 2;
    }
    half
}

#[test]
fn numbers_at_the_limits_are_exact() {
    let text = [
        "0",
        "-0",
        "-0.0",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "9007199254740993",
        "1e22",
        "1e23",
        "5e-324",
        "1e-400",
        "1e400",
        "-1e400",
        "01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e",
        "1e+",
        "0e99999999999999999999",
        "1e99999999999999999999",
        "NaN",
        "0x1",
    ];
    for text in text {
        agrees(text);
    }
    assert_eq!(from_str::<u64>("18446744073709551615").unwrap(), u64::MAX);
    assert!(from_str::<u32>("4294967296").is_err() && from_str::<u8>("-1").is_err());
}

#[test]
fn deep_documents_are_rejected_before_they_overflow_the_stack() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for levels in [1, 126, 127, 128, 100_000] {
        agrees(&deep(levels));
    }
}

#[test]
fn unescaped_control_characters_and_lone_surrogates_are_rejected() {
    for text in
        ["\"\n\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud83d\\ude00\"", "\"\\x\""]
    {
        agrees(text);
    }
}

#[test]
fn an_error_names_its_cause() {
    let error = |text: &str| from_str::<Everything>(text).unwrap_err().to_string();
    assert_eq!(error("{}"), "missing field `plain`");
    assert_eq!(error(r#"{"plain":"x"}"#), r#"invalid type: string "x", expected u64"#);
    assert_eq!(error(r#"{"plain":1,"plain":2}"#), "duplicate field `plain`");
    assert_eq!(error("{"), "expected a comma or a closing bracket at byte 1");
    assert!(from_str::<(u8, u8)>("[1,2,3]").is_err() && from_str::<(u8, u8)>("[1]").is_err());
}

#[test]
fn an_error_names_the_missing_or_wrong_field() {
    let error = |text: &str| from_str::<Fields>(text).unwrap_err().to_string();
    assert_eq!(error("{}"), "missing field `first`");
    assert_eq!(error(r#"{"first":1,"list":[1]}"#), "missing field `last`");
    assert_eq!(error(r#"{"last":"unit","first":null}"#), "invalid type: null, expected u64");
    assert_eq!(error(r#"{"first":1,"last":"unit","ten":[]}"#), "invalid type: sequence, expected u32");
    assert_eq!(error(r#"{"first":1,"last":{"named":{}}}"#), "missing field `at`");
    assert_eq!(error("[1]"), "invalid type: sequence, expected struct Fields");
}

#[test]
fn a_field_with_several_names_is_not_supported() {
    #[derive(Debug, Deserialize)]
    struct Renamed {
        #[serde(alias = "old")]
        _new: u8,
        _last: u8,
    }
    assert!(from_str::<Renamed>(r#"{"_new":1,"_last":2,"old":3}"#).is_err());
}

#[test]
fn parts_of_a_document_are_read_without_reading_it_again() {
    let node = parse(r#"{"events":[{"n":1},{"n":2}]}"#).unwrap();
    let events = node.get("events").unwrap();
    let read: Vec<BTreeMap<String, u8>> = crate::from_node(events).unwrap();
    assert_eq!(read[1]["n"], 2);
}
