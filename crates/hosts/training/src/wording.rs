//! Counts as people write them, for log lines, notes and messages.

/// `20758` → `20,758`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 sample`, `20,758 samples`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(counted(1, "bar", "bars"), "1 bar");
        assert_eq!(counted(0, "bar", "bars"), "0 bars");
        assert_eq!(counted(1_020_758, "bar", "bars"), "1,020,758 bars");
    }
}
