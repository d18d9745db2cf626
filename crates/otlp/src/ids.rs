//! IDs of traces and spans.

/// ID of a trace: that of a request or operation, if it is a UUID, so that both can be looked up by the same ID.
pub(crate) fn trace_id(joined: Option<&str>) -> Vec<u8> {
    joined.and_then(uuid).unwrap_or_else(random::<16>)
}

pub(crate) fn span_id() -> Vec<u8> {
    random::<8>()
}

/// Bytes of a UUID with or without hyphens. All zeros are no valid ID.
fn uuid(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = u128::from_str_radix(&digits, 16).ok().filter(|id| is_hex && *id != 0)?;
    Some(id.to_be_bytes().to_vec())
}

fn random<const BYTES: usize>() -> Vec<u8> {
    let mut id = [0; BYTES];
    // Without random numbers, the ID is that of no trace: the collector refuses the span.
    let _ = getrandom::fill(&mut id);
    id.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_the_id_of_its_request_or_operation_if_that_is_a_uuid() {
        let id = trace_id(Some("0199c2d47f3a7c119e1b2d5f8a4b6c7d"));
        assert_eq!(id[..4], [0x01, 0x99, 0xc2, 0xd4]);
        assert_eq!(trace_id(Some("0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d")), id);
        for other in ["abc-1", "", &"0".repeat(32), "+199c2d47f3a7c119e1b2d5f8a4b6c7d"] {
            let id = trace_id(Some(other));
            assert!(id.len() == 16 && id.iter().any(|byte| *byte != 0), "{other}");
            assert_ne!(trace_id(Some(other)), id);
        }
    }
}
