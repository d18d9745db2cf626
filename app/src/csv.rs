//! Tables as CSV (RFC 4180), for those who calculate on with them. Pure.

/// One line, with its end. What a spreadsheet would take for a formula is marked as text.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
        let marked = if formula { format!("'{cell}") } else { cell.to_owned() };
        if marked.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&marked.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&marked);
        }
    }
    out.push_str("\r\n");
    out
}

/// A number with all its digits; nothing where there is none.
pub fn number(n: f64) -> String {
    if n.is_finite() { n.to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_line_is_quoted() {
        assert_eq!(line(["a", "b,c", "say \"no\"", "1\n2"]), "a,\"b,c\",\"say \"\"no\"\"\",\"1\n2\"\r\n");
    }

    #[test]
    fn text_is_no_formula_and_a_number_stays_one() {
        assert_eq!(line(["=1+1", "-5.5", "-x", "@a"]), "'=1+1,-5.5,'-x,'@a\r\n");
        assert_eq!(number(0.1 + 0.2), "0.30000000000000004");
        assert_eq!(number(f64::NAN), "");
    }
}
