//! CSV export (RFC 4180). Pure.

/// A cell.
pub enum Cell<'a> {
    /// Always read as text by spreadsheets.
    Text(&'a str),
    /// With full precision; empty unless finite.
    Number(f64),
}

/// A line of texts, such as the header.
pub fn texts<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    line(cells.into_iter().map(Cell::Text))
}

/// A line with its line break.
pub fn line<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> String {
    let mut out = String::new();
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match cell {
            Cell::Text(text) => out.push_str(&escaped(text)),
            Cell::Number(n) => out.push_str(&number(n)),
        }
    }
    out.push_str("\r\n");
    out
}

/// Escapes a text. Spreadsheets would read some as formulas or signed numbers, so these get an apostrophe.
fn escaped(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let marked = if formula { format!("'{text}") } else { text.to_owned() };
    if formula || marked.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", marked.replace('"', "\"\""))
    } else {
        marked
    }
}

/// Formats a number with full precision, with an exponent for extreme sizes; empty unless finite.
fn number(n: f64) -> String {
    match n.abs() {
        _ if !n.is_finite() => String::new(),
        0.0 => "0".to_owned(),
        size if (1e-6..1e21).contains(&size) => n.to_string(),
        _ => format!("{n:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_that_would_break_a_line_are_quoted() {
        assert_eq!(texts(["a", "b,c", "say \"no\"", "1\n2"]), "a,\"b,c\",\"say \"\"no\"\"\",\"1\n2\"\r\n");
    }

    #[test]
    fn text_is_escaped_against_formulas_but_signed_numbers_are_not() {
        assert_eq!(
            texts(["=1+1", "-x", "@a", "+1", "-5.5"]),
            "\"'=1+1\",\"'-x\",\"'@a\",\"'+1\",\"'-5.5\"\r\n"
        );
    }

    #[test]
    fn numbers_have_all_digits_and_missing_values_are_empty_cells() {
        let all = [-5.5, 0.1 + 0.2, f64::NAN, f64::INFINITY, 1e308, -1e-9, -0.0];
        assert_eq!(line(all.map(Cell::Number)), "-5.5,0.30000000000000004,,,1e308,-1e-9,0\r\n");
    }

    proptest! {
        #[test]
        fn a_number_reads_back_unchanged(n in proptest::num::f64::NORMAL) {
            prop_assert_eq!(number(n).parse::<f64>().unwrap(), n);
        }
    }
}
