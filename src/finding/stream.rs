//! Findings from input of any length, in memory of constant size.
//!
//! JSON lines are decoded line by line. Anything else is one document, which is held whole up to a limit.

use super::document::{broken, is_lines};
use super::{Decoded, decode, envelope};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufRead, BufReader, Cursor, Read};

/// The longest line, and the longest document that is not made of lines. GuardDuty's findings are below
/// 256 KiB.
const LONGEST_LINE: u64 = 4 << 20;
const LONGEST_DOCUMENT: u64 = 64 << 20;

/// The findings of an input, a document or a line at a time.
pub struct Findings<'a> {
    lines: Option<Lines<'a>>,
    /// What was decoded before the lines.
    first: Option<Vec<Decoded>>,
}

impl std::fmt::Debug for Findings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Findings").finish_non_exhaustive()
    }
}

impl<'a> Findings<'a> {
    /// Of a file, gzipped or not. Only an input that cannot be read fails; what cannot be decoded is an
    /// item of its own.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(mut input: impl BufRead + 'a) -> std::io::Result<Self> {
        let is_gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let mut input: Box<dyn BufRead + 'a> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { Box::new(input) };
        let mut start = Vec::new();
        let mut first_lines = 0;
        // As long as the lines are whole values of their own, two of them tell what it is.
        while first_lines < 2 {
            let before = start.len();
            let read = read_up_to(&mut input, LONGEST_LINE, Some(b'\n'), &mut start);
            match read {
                Ok(0) => return Ok(Self::document(&start)),
                Ok(_) => {}
                Err(error) => return Ok(Self::cut_short(&start, is_gzip, &error)),
            }
            let line = start.get(before..).unwrap_or_default();
            if line.iter().all(u8::is_ascii_whitespace) && before > 0 {
                continue;
            }
            let is_whole = serde_json::from_slice::<serde_json::Value>(without_mark(line)).is_ok();
            first_lines += usize::from(is_whole);
            if !is_whole && !line.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        if first_lines < 2 {
            // A document over several lines, or lines of which an early one is broken.
            let read = read_up_to(&mut input, LONGEST_DOCUMENT, None, &mut start);
            match read {
                Ok(_) if (start.len() as u64) < LONGEST_DOCUMENT => return Ok(Self::document(&start)),
                Ok(_) if !is_lines(&start) => {
                    let error = "longer than 64 MiB, and not one finding per line: split it".to_owned();
                    return Ok(Self { first: Some(vec![Err(broken("", &error, &start))]), lines: None });
                }
                Ok(_) => {}
                Err(error) => return Ok(Self::cut_short(&start, is_gzip, &error)),
            }
        }
        let input: Box<dyn BufRead + 'a> = Box::new(Cursor::new(start).chain(input));
        Ok(Self { first: None, lines: Some(Lines { input, number: 0, is_gzip }) })
    }

    fn document(bytes: &[u8]) -> Self {
        Self { first: Some(decode(bytes)), lines: None }
    }

    /// What came before the end is decoded, as far as it is whole.
    fn cut_short(bytes: &[u8], is_gzip: bool, error: &std::io::Error) -> Self {
        let mut decoded = if is_lines(bytes) { decode(bytes) } else { Vec::new() };
        decoded.push(Err(broken("", &unreadable(is_gzip, error), bytes)));
        Self { first: Some(decoded), lines: None }
    }
}

impl Iterator for Findings<'_> {
    type Item = Vec<Decoded>;

    fn next(&mut self) -> Option<Vec<Decoded>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let (decoded, is_last) = self.lines.as_mut()?.next()?;
        if is_last {
            self.lines = None;
        }
        Some(decoded)
    }
}

struct Lines<'a> {
    input: Box<dyn BufRead + 'a>,
    number: usize,
    is_gzip: bool,
}

impl Lines<'_> {
    /// The findings in the next line that has anything, and whether nothing can come after it.
    fn next(&mut self) -> Option<(Vec<Decoded>, bool)> {
        loop {
            let mut line = Vec::new();
            self.number += 1;
            let place = format!("line {}", self.number);
            match read_up_to(&mut self.input, LONGEST_LINE, Some(b'\n'), &mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    let broken = broken(&place, &unreadable(self.is_gzip, &error), &line);
                    return Some((vec![Err(broken)], true));
                }
            }
            if line.len() as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
                let broken = broken(&place, "longer than 4 MiB: not a finding", &line);
                let rest = skip_line(&mut self.input);
                return Some((vec![Err(broken)], rest.is_err()));
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = if self.number == 1 { without_mark(line) } else { line };
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let mut decoded = Vec::new();
            match serde_json::from_slice(text) {
                Ok(value) => envelope::unwrap(&value, &format!("{place}: "), &mut decoded),
                Err(error) => {
                    decoded.push(Err(broken(&place, &format!("not JSON: {error}"), text)));
                }
            }
            return Some((decoded, false));
        }
    }
}

fn unreadable(is_gzip: bool, error: &std::io::Error) -> String {
    if is_gzip { format!("not a whole gzip file: {error}") } else { format!("cannot be read: {error}") }
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Reads up to the `end`, or so many bytes.
fn read_up_to(
    input: &mut dyn BufRead,
    most: u64,
    end: Option<u8>,
    into: &mut Vec<u8>,
) -> std::io::Result<usize> {
    match end {
        Some(end) => input.take(most).read_until(end, into),
        None => input.take(most.saturating_sub(into.len() as u64)).read_to_end(into),
    }
}

fn skip_line(input: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let read = end.map_or(buffer.len(), |end| end + 1);
        input.consume(read);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    fn all(bytes: &[u8]) -> Vec<Decoded> {
        Findings::of(BufReader::with_capacity(7, bytes)).expect("readable").flatten().collect()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let long = "x".repeat(usize::try_from(LONGEST_LINE).expect("fits") + 10);
        let input = format!("{{\"id\":1}}\n{{\"id\":2}}\n\"{long}\"\n{{\"id\":4}}\n");
        let places: Vec<String> = all(input.as_bytes())
            .into_iter()
            .map(|item| item.expect_err("none is a finding"))
            .map(|broken| {
                format!("{} {}", broken.path.split(':').next().unwrap_or(""), broken.error.len() > 5)
            })
            .collect();
        assert_eq!(places, ["line 1 true", "line 2 true", "line 3 true", "line 4 true"]);
    }

    #[test]
    fn an_export_that_is_cut_short_gives_what_came_before() {
        let lines: Vec<String> = (0..2000).map(|id| format!("{{\"id\":\"{id}\"}}\n")).collect();
        let packed = gzipped(lines.concat().as_bytes());
        let cut = all(&packed[..packed.len() / 2]);
        let last = cut.last().expect("there is one").as_ref().expect_err("broken");
        assert!(cut.len() > 100 && last.error.contains("not a whole gzip file"), "{last:?}");
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(String::new()),
            Just("  ".to_owned()),
            Just("{\"a\":".to_owned()),
            Just("{".to_owned()),
            Just("}".to_owned()),
            Just("[1,".to_owned()),
            Just("2]".to_owned()),
            "[a-z]{1,3}".prop_map(|id| format!("{{\"id\":\"{id}\"}}")),
            "[a-z]{1,3}".prop_map(|id| format!("{{\"findings\":[{{\"id\":\"{id}\"}}]}}")),
        ]
    }

    proptest! {
        /// The same items, as it is decoded at once and in small bites.
        #[test]
        fn it_gives_what_decode_gives(lines in prop::collection::vec(line(), 0..8), end in any::<bool>(), packed in any::<bool>()) {
            let text = lines.join("\n") + if end { "\n" } else { "" };
            let bytes = if packed { gzipped(text.as_bytes()) } else { text.into_bytes() };
            prop_assert_eq!(all(&bytes), decode(&bytes));
        }
    }
}
