//! From text to a tree.

use crate::error::Error;
use crate::node::Node;
use crate::number;
use std::borrow::Cow;

/// Maximum depth of lists and objects, so that no document overflows the stack. That of `serde_json`.
const MAX_DEPTH: usize = 127;

/// Parses a document.
///
/// # Errors
/// When the text is no JSON (RFC 8259), or nested more than 127 levels deep.
pub fn parse(text: &str) -> Result<Node<'_>, Error> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.expected("the end of the document")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn expected(&self, what: &str) -> Error {
        Error::at(self.at, what)
    }

    /// Next byte; whitespace is skipped.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Error> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string().map(Node::Text),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &str, means: Node<'a>) -> Result<Node<'a>, Error> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(means)
    }

    fn number(&mut self) -> Result<Node<'a>, Error> {
        let Some((length, node)) = number::read(&self.text[self.at..]) else {
            return Err(self.expected("a number"));
        };
        self.at += length;
        Ok(node)
    }

    /// Enters a list or an object.
    fn enter(&mut self, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(self.expected("at most 127 levels of nesting"));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another element follows, after the first `n` ones.
    fn another(&mut self, n: usize, end: u8) -> Result<bool, Error> {
        match self.peek() {
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if n > 0 => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if n == 0 => Ok(true),
            _ => Err(self.expected("a comma or a closing bracket")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node<'a>, Error> {
        self.enter(depth)?;
        let mut nodes = Vec::new();
        while self.another(nodes.len(), b']')? {
            nodes.push(self.value(depth)?);
        }
        Ok(Node::List(nodes))
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Error> {
        self.enter(depth)?;
        let mut members = Vec::new();
        while self.another(members.len(), b'}')? {
            if self.peek() != Some(b'"') {
                return Err(self.expected("a name"));
            }
            let name = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.expected("a colon"));
            }
            self.at += 1;
            members.push((name, self.value(depth)?));
        }
        Ok(Node::Object(members))
    }

    /// A string, from its opening quote on.
    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.at += 1;
        let mut start = self.at;
        let mut unescaped = String::new();
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    let rest = &self.text[start..self.at];
                    self.at += 1;
                    if unescaped.is_empty() {
                        return Ok(Cow::Borrowed(rest));
                    }
                    unescaped.push_str(rest);
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => {
                    unescaped.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    unescaped.push(self.escaped()?);
                    start = self.at;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// The character of an escape sequence, from the one after the backslash on.
    fn escaped(&mut self) -> Result<char, Error> {
        let byte = self.text.as_bytes().get(self.at).copied();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex()?;
                // A surrogate: the second half of the pair must follow.
                let code = if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let second = self.hex()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err(self.expected("a pair of surrogates"));
                    }
                    0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| self.expected("a pair of surrogates"))?
            }
            _ => return Err(self.expected("an escape sequence")),
        })
    }

    /// Four hexadecimal digits.
    fn hex(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.text.as_bytes().get(self.at).and_then(|&byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
            self.at += 1;
        }
        Ok(code)
    }
}
