//! What holds for any text; `make fuzz` searches for a text that breaks it.

use crate::{coloured, pieces, plain};

/// The pieces are the plain text, which has no control characters. Colours change no text.
pub fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let shown = plain(&text);
    assert_eq!(shown.chars().find(|c| c.is_control() && *c != '\t'), None, "a control character is left");
    let pieces = pieces(&text);
    let joined: String = pieces.iter().map(|(_, words)| words.as_ref()).collect();
    assert_eq!(joined, shown);
    assert!(pieces.windows(2).all(|two| two[0].0 != two[1].0), "two pieces of one style are one");
    let colours = coloured(&text);
    assert_eq!(plain(&colours), shown, "colours change the text");
    assert_eq!(coloured(&colours), colours);
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("ansi", text);
}
