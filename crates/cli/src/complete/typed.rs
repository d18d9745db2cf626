//! Words of an unfinished command line. Pure.

/// Value of a flag such as `--server`, the last one.
pub fn flag<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        match word.strip_prefix(name) {
            Some("") => found = words.get(at + 1).map(String::as_str).filter(|value| *value != "="),
            Some(rest) => found = rest.strip_prefix('=').or(found),
            None => {}
        }
    }
    found
}

/// Kind after the command `start` or `params`.
pub fn kind(words: &[String]) -> Option<&str> {
    let command = words.iter().position(|word| word == "start" || word == "params")?;
    // Flags may be between both; a kind has a point.
    words[command + 1..].iter().map(String::as_str).find(|word| !word.starts_with('-') && word.contains('.'))
}

/// Parameter whose value is completed.
pub struct Assigned<'a> {
    pub name: &'a str,
    /// Beginning of the value.
    pub value: &'a str,
    /// The value is a word of its own, because the shell separates words at `=`, as bash does.
    pub alone: bool,
}

/// Parameter whose value is completed; `None` while its name is typed.
pub fn assigned<'a>(words: &'a [String], current: &'a str) -> Option<Assigned<'a>> {
    if let Some((name, value)) = current.split_once('=')
        && !name.is_empty()
    {
        return Some(Assigned { name, value, alone: false });
    }
    let mut before = words.iter().rev().map(String::as_str);
    let value = current.trim_start_matches('=');
    match before.next() {
        Some("=") => Some(Assigned { name: before.next()?, value, alone: true }),
        // Bash gives an empty word for a `=` that the cursor stands behind. A name alone has no other meaning.
        Some(name) if is_name(name) && before.next() != Some("=") => {
            Some(Assigned { name, value, alone: true })
        }
        _ => None,
    }
}

fn is_name(word: &str) -> bool {
    let is_param = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_param && word != "start" && word != "params"
}

/// The part of a comma-separated list before its last item, and this item.
pub fn last_item(list: &str) -> (&str, &str) {
    list.split_at(list.rfind(',').map_or(0, |comma| comma + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_are_found_in_both_forms_and_the_last_one_counts() {
        let line = words("signalbox list --server http://a --server=http://b --context");
        assert_eq!(flag(&line, "--server"), Some("http://b"));
        assert_eq!((flag(&line, "--context"), flag(&line, "--token")), (None, None));
    }

    #[test]
    fn the_value_of_a_parameter_is_recognized_in_every_shell() {
        let found = |line: &str, current: &str| {
            let words = words(line);
            assigned(&words, current).map(|one| (one.name.to_owned(), one.value.to_owned(), one.alone))
        };
        let line = "signalbox start data.load";
        assert_eq!(kind(&words("signalbox start --priority 5 data.load symbol=A")), Some("data.load"));
        assert_eq!(found(line, "sym"), None);
        assert_eq!(found(line, "symbol=M"), Some(("symbol".into(), "M".into(), false)));
        // Bash.
        assert_eq!(found(&format!("{line} symbol ="), "M"), Some(("symbol".into(), "M".into(), true)));
        assert_eq!(found(&format!("{line} symbol"), ""), Some(("symbol".into(), String::new(), true)));
        assert_eq!(
            found(&format!("{line} symbol = MSFT"), ""),
            None,
            "a value is not the name of the next one"
        );
    }

    #[test]
    fn only_the_last_item_of_a_list_is_completed() {
        assert_eq!(last_item("run"), ("", "run"));
        assert_eq!(last_item("failed,run"), ("failed,", "run"));
    }
}
