//! Findings from input of any length, in memory of constant size.
//!
//! JSON lines are decoded line by line. Anything else is one document, which is held whole up to a limit.

use super::document::{broken, is_lines, split};
use super::{Decoded, decode_values, envelope};
use flate2::bufread::MultiGzDecoder;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read as _};

/// The longest line, and the longest document that is not made of lines. GuardDuty's findings are below
/// 256 KiB, and an answer of GetFindings has 50 of them at most.
const LONGEST_LINE: u64 = 4 << 20;
const LONGEST_DOCUMENT: u64 = 16 << 20;

/// So many lines without anything on them, one behind the other, are no export.
const MOST_BLANKS: usize = 100_000;

/// The findings of an input, a document or a line at a time.
pub struct Findings<'a> {
    lines: Option<Lines<'a>>,
    /// What was decoded before the lines.
    first: Option<Vec<Decoded>>,
    failed: bool,
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
    pub fn of(mut input: impl BufRead + Send + 'a) -> std::io::Result<Self> {
        let is_gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead + Send + 'a> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { Box::new(input) };
        let mut lines = Lines { input, number: 0, is_gzip, ready: VecDeque::new() };
        // Two lines that are whole values of their own tell that it is made of lines.
        let mut start = Vec::new();
        while lines.ready.len() < 2 {
            let before = lines.number;
            let mut line = Vec::new();
            match lines.read(&mut line) {
                Read::Line => {}
                Read::End => return Ok(Self::document(&start)),
                Read::Failed(error) => return Ok(Self::cut_short(&start, &error, lines.is_gzip)),
            }
            // The lines without anything, of which only the number counts.
            start.extend(std::iter::repeat_n(b'\n', lines.number - before - 1));
            start.extend_from_slice(&line);
            if serde_json::from_slice::<serde_json::Value>(without_mark(&line)).is_err() {
                break;
            }
            lines.ready.push_back((lines.number, line));
        }
        if lines.ready.len() == 2 {
            return Ok(Self { first: None, lines: Some(lines), failed: false });
        }
        // A document over several lines, or lines of which an early one is broken.
        let most = LONGEST_DOCUMENT.saturating_sub(start.len() as u64);
        if let Err(error) = lines.input.by_ref().take(most).read_to_end(&mut start) {
            return Ok(Self::cut_short(&start, &error, lines.is_gzip));
        }
        if (start.len() as u64) < LONGEST_DOCUMENT {
            return Ok(Self::document(&start));
        }
        if !is_lines(&start) {
            let error = "longer than 16 MiB, and not one finding per line: split it";
            return Ok(Self {
                first: Some(vec![Err(broken("", error, &start))]),
                lines: None,
                failed: false,
            });
        }
        let input = Box::new(Cursor::new(start).chain(lines.input));
        let lines = Lines { input, number: 0, is_gzip, ready: VecDeque::new() };
        Ok(Self { first: None, lines: Some(lines), failed: false })
    }

    fn document(bytes: &[u8]) -> Self {
        Self { first: Some(decode_values(split(bytes))), lines: None, failed: false }
    }

    /// What came before the end is decoded, as far as it is whole.
    fn cut_short(bytes: &[u8], error: &std::io::Error, is_gzip: bool) -> Self {
        let mut decoded = if is_lines(bytes) { decode_values(split(bytes)) } else { Vec::new() };
        decoded.push(Err(broken("", &unreadable(is_gzip, error), bytes)));
        Self { first: Some(decoded), lines: None, failed: !is_broken(error) }
    }

    /// It could not be read to its end, and that may pass. It is not that it is broken.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}

impl Iterator for Findings<'_> {
    type Item = Vec<Decoded>;

    /// What the next line has, which can be nothing.
    fn next(&mut self) -> Option<Vec<Decoded>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let (decoded, end) = self.lines.as_mut()?.next()?;
        if let Some(end) = end {
            self.lines = None;
            self.failed = end == End::Failed;
        }
        Some(decoded)
    }
}

struct Lines<'a> {
    input: Box<dyn BufRead + Send + 'a>,
    /// Of the last line that was read.
    number: usize,
    is_gzip: bool,
    /// Lines that were read already, with their numbers.
    ready: VecDeque<(usize, Vec<u8>)>,
}

enum Read {
    /// A line with something on it.
    Line,
    End,
    Failed(std::io::Error),
}

/// Why nothing comes any more.
#[derive(PartialEq, Eq)]
enum End {
    Broken,
    Failed,
}

impl Lines<'_> {
    /// The next line that has anything, with its end.
    fn read(&mut self, line: &mut Vec<u8>) -> Read {
        for _ in 0..MOST_BLANKS {
            line.clear();
            self.number += 1;
            match self.input.by_ref().take(LONGEST_LINE).read_until(b'\n', line) {
                Ok(0) => return Read::End,
                Ok(_) if without_mark(line).iter().all(u8::is_ascii_whitespace) => {}
                Ok(_) => return Read::Line,
                Err(error) => return Read::Failed(error),
            }
        }
        let error = format!("more than {MOST_BLANKS} lines without anything: not an export");
        Read::Failed(std::io::Error::new(ErrorKind::InvalidData, error))
    }

    /// The findings in the next line that has anything, and why nothing comes after it, if so.
    fn next(&mut self) -> Option<(Vec<Decoded>, Option<End>)> {
        let (number, line) = if let Some(ready) = self.ready.pop_front() {
            ready
        } else {
            let mut line = Vec::new();
            match self.read(&mut line) {
                Read::End => return None,
                Read::Line => (self.number, line),
                Read::Failed(error) => {
                    let place = format!("line {}", self.number);
                    let broken = broken(&place, &unreadable(self.is_gzip, &error), &line);
                    let end = if is_broken(&error) { End::Broken } else { End::Failed };
                    return Some((vec![Err(broken)], Some(end)));
                }
            }
        };
        let place = format!("line {number}");
        if line.len() as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
            let broken = broken(&place, "longer than 4 MiB: not a finding", &line);
            let rest = self.input.skip_until(b'\n');
            return Some((vec![Err(broken)], rest.err().map(|_| End::Broken)));
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = if number == 1 { without_mark(line) } else { line };
        let mut decoded = Vec::new();
        match serde_json::from_slice(text) {
            Ok(value) => envelope::unwrap(&value, &format!("{place}: "), &mut decoded),
            Err(error) => decoded.push(Err(broken(&place, &format!("not JSON: {error}"), text))),
        }
        Some((decoded, None))
    }
}

/// It is the input that is wrong, not the way to it.
fn is_broken(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof)
}

fn unreadable(is_gzip: bool, error: &std::io::Error) -> String {
    if is_gzip { format!("not a whole gzip file: {error}") } else { format!("cannot be read: {error}") }
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::decode;
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

    #[test]
    fn what_unpacks_to_nothing_or_to_too_much_costs_no_memory() {
        let blank = "\n".repeat(MOST_BLANKS + 10);
        for text in
            [blank.clone(), format!("{{\"id\":1}}\n{blank}"), format!("{{\"id\":1}}\n{{\"id\":2}}\n{blank}")]
        {
            let items = all(&gzipped(text.as_bytes()));
            let last = items.last().expect("an item").as_ref().expect_err("none is a finding");
            assert!(items.len() <= 3 && last.error.contains("lines without anything"), "{items:?}");
        }
        // Gzip within gzip is no JSON, and is not unpacked again.
        let twice = all(&gzipped(&gzipped(b"{\"id\":1}")));
        assert!(twice.len() == 1 && twice[0].as_ref().expect_err("broken").error.contains("not JSON"));
        let many = format!("[{}1]", "1,".repeat(20_000));
        assert!(all(many.as_bytes()).len() == 1);
    }

    #[test]
    fn a_reader_that_fails_is_no_broken_export() {
        struct Fails(usize);
        impl std::io::Read for Fails {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0 += 1;
                if self.0 > 3 {
                    return Err(std::io::Error::other("the disk"));
                }
                let line = b"{\"id\":1}\n{\"id\":2}\n";
                buffer[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        let mut findings = Findings::of(BufReader::new(Fails(0))).expect("a start");
        assert_eq!(findings.by_ref().flatten().count(), 7);
        assert!(findings.has_failed());
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
            // Of lines without anything only the number counts, so a fingerprint over them is another.
            let told = |items: Vec<Decoded>| {
                items.into_iter().map(|item| item.map_err(|broken| (broken.path, broken.error))).collect::<Vec<_>>()
            };
            prop_assert_eq!(told(all(&bytes)), told(decode(&bytes)));
        }
    }
}
