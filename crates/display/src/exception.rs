//! The line of a failed program's output that names its error. Pure.

/// Whether a line begins with the name of an error: `RuntimeError: …`, `torch.cuda.OutOfMemoryError: …`,
/// `Error: …`, `thread 'main' panicked at …`.
fn names_error(line: &str) -> bool {
    if line.starts_with("thread '") && line.contains("panicked at") {
        return true;
    }
    let Some((name, _)) = line.split_once(": ").or_else(|| line.strip_suffix(':').map(|name| (name, "")))
    else {
        // An exception without a message is its name alone.
        return is_error_name(line);
    };
    is_error_name(name) || matches!(name, "error" | "fatal" | "panic" | "FATAL" | "ERROR")
}

fn is_error_name(name: &str) -> bool {
    const ENDS: [&str; 5] = ["Error", "Exception", "Interrupt", "Exit", "Warning"];
    let dotted = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':');
    !name.is_empty() && name.chars().all(dotted) && ENDS.iter().any(|end| name.ends_with(end))
}

/// The exception's own line: the last one that names an error. `None` if no line does.
pub fn exception(output: &str) -> Option<&str> {
    output.lines().map(str::trim).rev().find(|line| names_error(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "Traceback (most recent call last):
  File \"/srv/train.py\", line 12, in <module>
    main()
RuntimeError: CUDA out of memory: tried 2 GiB
 60%|######    | 60/100";

    #[test]
    fn the_exceptions_own_line_is_found_before_trailing_output() {
        assert_eq!(exception(TRACE), Some("RuntimeError: CUDA out of memory: tried 2 GiB"));
        for line in [
            "torch.cuda.OutOfMemoryError: no",
            "KeyboardInterrupt",
            "Error: ENOENT",
            "thread 'main' panicked at src/main.rs:4:5:",
            "error: linking failed",
        ] {
            assert_eq!(exception(line), Some(line));
        }
        assert_eq!(exception("all is well\nepoch 3: loss 0.5"), None);
        assert_eq!(exception("he said Error: no"), None);
    }
}
