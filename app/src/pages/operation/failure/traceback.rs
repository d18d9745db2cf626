//! Places in files that the output of a failed program names. Pure.

/// Piece of a line: plain text, or a place in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    Plain(String),
    /// File and line: `train.py:12`.
    Place(String),
}

/// File and line of `File "train.py", line 12, in main`, with the text before and after it.
fn python(line: &str) -> Option<(&str, String, &str)> {
    let at = line.find("File \"")?;
    let rest = &line[at + 6..];
    let (file, rest) = rest.split_once("\", line ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    (digits > 0).then(|| (&line[..at], format!("{file}:{}", &rest[..digits]), &rest[digits..]))
}

/// Place such as `src/main.rs:4:5` or `app.js:10` within a line.
fn colon(line: &str) -> Option<(&str, String, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '\\' | '.' | '_' | '-');
    let mut from = 0;
    while let Some(found) = line[from..].find(':') {
        let colon = from + found;
        let start = line[..colon]
            .rfind(|c| !is_name(c))
            .map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
        let file = &line[start..colon];
        let rest = &line[colon + 1..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        // A file has an ending, and no number is one: 10.5:3 is no place.
        let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
        let is_file = ending.len() <= 5 && ending.chars().any(|c| c.is_ascii_alphabetic());
        if digits > 0 && is_file {
            let end = colon + 1 + digits;
            return Some((&line[..start], line[start..end].to_owned(), &line[end..]));
        }
        from = colon + 1;
    }
    None
}

/// Pieces of a line.
pub fn pieces(line: &str) -> Vec<Piece> {
    let Some((before, place, after)) = python(line).or_else(|| colon(line)) else {
        return vec![Piece::Plain(line.to_owned())];
    };
    [Piece::Plain(before.to_owned()), Piece::Place(place), Piece::Plain(after.to_owned())]
        .into_iter()
        .filter(|piece| *piece != Piece::Plain(String::new()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_location_is_shown_as_file_and_line() {
        let place = |line: &str| {
            pieces(line).into_iter().find_map(|piece| match piece {
                Piece::Place(place) => Some(place),
                Piece::Plain(_) => None,
            })
        };
        assert_eq!(place("  File \"/srv/train.py\", line 12, in main").as_deref(), Some("/srv/train.py:12"));
        assert_eq!(place("panicked at src/main.rs:4:5:").as_deref(), Some("src/main.rs:4"));
        assert_eq!(place("    at run (app.js:10:3)").as_deref(), Some("app.js:10"));
        for none in ["12:30:05 done", "ratio 10.5:3", "loss: 4", "http://h:80"] {
            assert_eq!(place(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_text_of_a_line_is_lost(line in "[a-zé:./ 0-9\"]{0,40}") {
            let all: String = pieces(&line).into_iter().map(|piece| match piece {
                Piece::Plain(text) | Piece::Place(text) => text,
            }).collect();
            if python(&line).is_none() {
                prop_assert_eq!(all, line);
            }
        }
    }
}
