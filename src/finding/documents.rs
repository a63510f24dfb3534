//! Splits input of any length into JSON documents, in constant memory.
//!
//! Between two documents there may be a newline, other white space, a comma, a record separator
//! (RFC 7464), or nothing. What cannot be read costs only itself: the reader goes on at the next place at
//! which a document can begin.

mod broken;

use serde_json::Value;
use std::io::{BufRead, ErrorKind};

/// Maximum length of one document, in bytes. Findings are below 256 KiB, and an answer of `GetFindings` has
/// 50 of them at most. (Unit tests have a shorter one: they read what is longer in a debug build.)
const LONGEST: usize = if cfg!(test) { 1 << 20 } else { 16 << 20 };

/// Minimum number of bytes that are read at once.
const LEAST_READ: usize = 64 << 10;

/// Maximum number of bytes between two documents that say nothing.
const MOST_BLANK: usize = 100_000;

/// Maximum number of bytes of an input that are looked at in vain. What has more of it is no export.
const MOST_IN_VAIN: usize = 4 * LONGEST;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A document, or what stands where one should.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where it stood, for a message: empty when it is all that there is.
    pub place: String,
    pub content: Result<Value, Broken>,
}

/// Something that is no document.
#[derive(Debug)]
pub(super) struct Broken {
    pub error: String,
    pub sha256: String,
    /// Nothing comes behind it: the input ends here, or is not read any further.
    pub is_end: bool,
}

/// The documents of an input.
pub(super) struct Documents<R> {
    input: R,
    /// What was read; what is before `at` was given.
    held: Vec<u8>,
    at: usize,
    /// The line on which `at` stands, and how far that is indented; none behind something else.
    line: usize,
    indent: Option<usize>,
    /// How many pieces were given.
    count: usize,
    in_vain: usize,
    end: Option<End>,
    /// Said at the end.
    last_words: Option<String>,
}

/// Why nothing comes any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It was read to its end, or as far as it is to be.
    Read,
    /// It could not be read any further, and that may pass.
    Failed,
}

impl<R: BufRead> Documents<R> {
    pub fn of(input: R) -> Self {
        Self {
            input,
            held: Vec::new(),
            at: 0,
            line: 1,
            indent: Some(0),
            count: 0,
            in_vain: 0,
            end: None,
            last_words: None,
        }
    }

    /// The first bytes, as many as there are up to `count`. They are read again.
    pub fn peek(&mut self, count: usize) -> &[u8] {
        while self.held.len() - self.at < count && self.grow() {}
        let rest = &self.held[self.at..];
        &rest[..rest.len().min(count)]
    }

    /// It could not be read to its end, and that may pass. It is not that it is broken.
    pub fn has_failed(&self) -> bool {
        self.end == Some(End::Failed)
    }

    /// Reads more of the input, if there is more and room for it. What a pipe has so far may be all for a long time: it
    /// is enough where a document can end.
    fn grow(&mut self) -> bool {
        self.held.drain(..self.at);
        self.at = 0;
        let before = self.held.len();
        let wanted = (before * 2).clamp(LEAST_READ, LONGEST);
        while self.end.is_none() && self.held.len() < wanted {
            match self.input.fill_buf() {
                Ok([]) => self.end = Some(End::Read),
                Ok(some) => {
                    let count = some.len().min(LONGEST - self.held.len());
                    self.held.extend_from_slice(&some[..count]);
                    self.input.consume(count);
                    if count < LEAST_READ && matches!(self.held.last(), Some(b'\n' | b'}' | b']')) {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let is_broken = matches!(
                        error.kind(),
                        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
                    );
                    self.end = Some(if is_broken { End::Read } else { End::Failed });
                    let cannot = if is_broken { "" } else { "cannot be read: " };
                    self.last_words = Some(format!("{cannot}{error}"));
                }
            }
        }
        self.held.len() > before
    }

    /// Goes on by so many bytes.
    fn advance(&mut self, count: usize) {
        let passed = &self.held[self.at..self.at + count];
        self.line += passed.iter().map(|byte| usize::from(*byte == b'\n')).sum::<usize>();
        self.at += count;
    }

    /// Goes to the next byte that says something. False when there is none.
    fn skip_blanks(&mut self) -> bool {
        let mut blanks = 0;
        loop {
            let Some(byte) = self.held.get(self.at).copied() else {
                if self.grow() {
                    continue;
                }
                return false;
            };
            match byte {
                b'\n' => self.indent = Some(0),
                b' ' | b'\t' => self.indent = self.indent.map(|indent| indent + 1),
                b'\r' | b',' | 0x1e => {}
                0xef if self.is_at_mark() => self.at += MARK.len() - 1,
                _ => return true,
            }
            self.advance(1);
            blanks += 1;
            if blanks > MOST_BLANK {
                self.last_words = Some(format!("more than {MOST_BLANK} blanks in a row: not an export"));
                self.stop();
                return false;
            }
        }
    }

    fn is_at_mark(&mut self) -> bool {
        while self.held.len() - self.at < MARK.len() && self.grow() {}
        self.held[self.at..].starts_with(MARK)
    }

    /// Nothing more is given.
    fn stop(&mut self) {
        self.held.clear();
        self.at = 0;
        self.end = Some(self.end.unwrap_or(End::Read));
    }

    fn place(&self) -> String {
        match self.indent {
            Some(_) => format!("line {}", self.line),
            // It begins behind another one.
            None => format!("document {}", self.count + 1),
        }
    }

    /// The document that begins here, and how long it is; or why there is none.
    fn read(&mut self) -> Result<(Value, usize), Reason> {
        if !matches!(self.held[self.at], b'{' | b'[') {
            return self.read_line();
        }
        loop {
            let rest = &self.held[self.at..];
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
            let error = match values.next() {
                Some(Ok(value)) => return Ok((value, values.byte_offset())),
                Some(Err(error)) => Reason::of(&error, self.line),
                None => return Err(Reason::cut(self.line)),
            };
            if !error.is_cut {
                return Err(error);
            }
            let length = rest.len();
            if length >= LONGEST {
                self.in_vain += length;
                let text = "longer than 16 MiB: not a finding".to_owned();
                return Err(Reason { text, is_cut: true });
            }
            if !self.grow() {
                self.in_vain += length;
                return Err(error);
            }
        }
    }

    /// A number or a text is a document when nothing else is on its line.
    fn read_line(&mut self) -> Result<(Value, usize), Reason> {
        while !self.held[self.at..].contains(&b'\n') && self.held.len() - self.at < LEAST_READ && self.grow()
        {
        }
        let rest = &self.held[self.at..];
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        match serde_json::from_slice(line) {
            Ok(value) => Ok((value, line.len())),
            Err(error) => Err(Reason::of(&error, self.line)),
        }
    }
}

/// Why what begins at a place is no document.
struct Reason {
    text: String,
    /// It ends too early. More of it could make one.
    is_cut: bool,
}

impl Reason {
    /// `line` is that on which it began.
    fn of(error: &serde_json::Error, line: usize) -> Self {
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        let (line, column) = (line + error.line().saturating_sub(1), error.column());
        Self { text: format!("not JSON: {what} at line {line} column {column}"), is_cut: error.is_eof() }
    }

    fn cut(line: usize) -> Self {
        Self { text: format!("not JSON: nothing at line {line}"), is_cut: true }
    }
}

impl<R: BufRead> Iterator for Documents<R> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if !self.skip_blanks() {
            let error = self.last_words.take()?;
            let sha256 = crate::digest::sha256(error.as_bytes());
            let broken = Broken { error, sha256, is_end: true };
            let place = if self.count == 0 { String::new() } else { self.place() };
            return Some(Piece { place, content: Err(broken) });
        }
        let place = self.place();
        let is_first = self.count == 0;
        let content = match self.read() {
            Ok((value, length)) => {
                self.advance(length);
                Ok(value)
            }
            Err(reason) => Err(self.pass(&reason)),
        };
        self.indent = None;
        self.count += 1;
        let is_all = is_first && !self.skip_blanks() && self.last_words.is_none();
        let place = if is_all { String::new() } else { place };
        Some(Piece { place, content })
    }
}

#[cfg(test)]
mod tests;
