//! Reads findings from input of any length, in constant memory.

use super::documents::Documents;
use super::occurrence::Decoded;
use super::undecodable::{Undecodable, broken};
use super::{envelope, looks};
use flate2::bufread::MultiGzDecoder;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read};

/// Maximum number of unreadable items of an input that are recorded one by one. An input that has more is no export
/// of findings, and each of them would be an entry of the ledger.
const MOST_UNREADABLE: usize = 100;

/// The findings of an input, document by document.
pub struct Findings<'a> {
    documents: Documents<Box<dyn BufRead + Send + 'a>>,
    /// Some document was there.
    is_begun: bool,
    is_over: bool,
    unreadable: usize,
    /// The other products of which it was said that their findings are not acted on.
    products: HashSet<String>,
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
    pub fn of(input: impl BufRead + Send + 'a) -> std::io::Result<Self> {
        Self::up_to(input, u64::MAX)
    }

    /// The same, of so many bytes at most when it is unpacked.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn up_to(mut input: impl BufRead + Send + 'a, most: u64) -> std::io::Result<Self> {
        let is_gzip = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn Read + Send + 'a> =
            if is_gzip { Box::new(Unpacked(MultiGzDecoder::new(input))) } else { Box::new(input) };
        let limited = Box::new(BufReader::with_capacity(1 << 16, Limited { input, left: most, most }));
        Ok(Self {
            documents: Documents::of(limited),
            is_begun: false,
            is_over: false,
            unreadable: 0,
            products: HashSet::new(),
        })
    }

    /// It could not be read to its end, and that may pass. It is not that it is broken.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.documents.has_failed()
    }

    /// An item for the whole input.
    fn over(&mut self, error: &str, bytes: &[u8]) -> Vec<Decoded> {
        self.is_over = true;
        vec![Err(broken("", error, bytes))]
    }

    /// Leaves out what cannot be read beyond the limit.
    fn within_limit(&mut self, mut decoded: Vec<Decoded>) -> Vec<Decoded> {
        decoded.retain(|item| {
            // One for all of a product: what it stands for can be read.
            let foreign = item.as_ref().err().filter(|item| item.is_of_whole_product());
            if let Some(foreign) = foreign {
                return self.products.len() < MOST_UNREADABLE && self.products.insert(foreign.sha256.clone());
            }
            self.unreadable += usize::from(item.is_err());
            item.is_ok() || self.unreadable <= MOST_UNREADABLE
        });
        decoded
    }
}

impl Iterator for Findings<'_> {
    type Item = Vec<Decoded>;

    /// What the next document has, which can be nothing.
    fn next(&mut self) -> Option<Vec<Decoded>> {
        if self.is_over {
            return None;
        }
        if !self.is_begun {
            self.is_begun = true;
            let start = self.documents.peek(8).to_vec();
            if let Some(what) = looks::bytes(&start) {
                return Some(self.over(&what, &start));
            }
            let first = self.documents.next();
            if first.is_none() {
                return Some(self.over("the input is empty: expected a GuardDuty finding", &start));
            }
            return first.map(|piece| self.decode(piece));
        }
        if let Some(piece) = self.documents.next() {
            return Some(self.decode(piece));
        }
        self.is_over = true;
        let more = self.unreadable.checked_sub(MOST_UNREADABLE).filter(|more| *more > 0)?;
        let error = format!("{more} more items could not be read; they are not listed one by one");
        Some(self.over(&error, error.as_bytes()))
    }
}

impl Findings<'_> {
    fn decode(&mut self, piece: super::documents::Piece) -> Vec<Decoded> {
        let mut decoded = Vec::new();
        match piece.content {
            Ok(value) => {
                let place = if piece.place.is_empty() { String::new() } else { piece.place + ": " };
                envelope::unwrap(&value, &place, &mut decoded);
            }
            Err(what) => {
                let item = broken(&piece.place, &what.error, b"");
                decoded.push(Err(Undecodable { sha256: what.sha256, ..item }));
                if what.is_end {
                    return decoded;
                }
            }
        }
        self.within_limit(decoded)
    }
}

/// Gzip. What is wrong with it is said as such.
struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            kind @ (ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof) => {
                Error::new(kind, format!("not a whole gzip file: {error}"))
            }
            _ => error,
        })
    }
}

/// An input of so many bytes at most.
struct Limited<'a> {
    input: Box<dyn Read + Send + 'a>,
    left: u64,
    most: u64,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if room > 0 || buffer.is_empty() {
            let count = self.input.read(&mut buffer[..room])?;
            self.left -= count as u64;
            return Ok(count);
        }
        if self.input.read(&mut buffer[..1])? == 0 {
            return Ok(0);
        }
        let error =
            format!("more than {} MiB: the rest is not read; split it into smaller files", self.most >> 20);
        Err(Error::new(ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Undecodable;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn all(bytes: &[u8]) -> Vec<Decoded> {
        Findings::of(BufReader::with_capacity(7, bytes)).expect("readable").flatten().collect()
    }

    fn broken_ones(bytes: &[u8]) -> Vec<Undecodable> {
        all(bytes).into_iter().map(|item| item.expect_err("none is a finding")).collect()
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("finished")
    }

    #[test]
    fn an_export_that_is_cut_short_gives_what_came_before() {
        let lines: Vec<String> = (0..2000).map(|id| format!("{{\"id\":\"{id}\"}}\n")).collect();
        let packed = gzipped(lines.concat().as_bytes());
        let cut = broken_ones(&packed[..packed.len() / 2]);
        let is_gzip = |item: &Undecodable| item.error.contains("gzip");
        assert!(cut.len() == MOST_UNREADABLE + 2 && is_gzip(&cut[MOST_UNREADABLE]), "{cut:?}");
    }

    #[test]
    fn what_unpacks_to_nothing_or_to_too_much_costs_no_memory() {
        let blank = "\n".repeat(200_000);
        for text in
            [blank.clone(), format!("{{\"id\":1}}\n{blank}"), format!("{{\"id\":1}}\n{{\"id\":2}}\n{blank}")]
        {
            let items = broken_ones(&gzipped(text.as_bytes()));
            let last = items.last().expect("an item");
            assert!(items.len() <= 3 && last.error.contains("blanks"), "{items:?}");
        }
        // Gzip within gzip is not unpacked again.
        let twice = broken_ones(&gzipped(&gzipped(b"{\"id\":1}")));
        assert!(twice.len() == 1 && twice[0].error.contains("gzip"), "{twice:?}");
        let many = format!("[{}1]", "1,".repeat(20_000));
        assert!(all(many.as_bytes()).len() == 1);
        let lines = format!("{{\"id\":\"{}\"}}\n", "1".repeat(200)).repeat(10_000);
        let packed = gzipped(lines.as_bytes());
        let limited = Findings::up_to(&*packed, 1 << 20).expect("readable");
        let last: Vec<_> = limited.flatten().filter_map(Result::err).skip(MOST_UNREADABLE).collect();
        assert!(last[0].error.contains("1 MiB"), "{last:?}");
        assert_eq!(last.len(), 2, "{last:?}");
        let limited = Findings::up_to(lines.as_bytes(), 2 * 210).expect("readable");
        let items: Vec<Decoded> = limited.flatten().collect();
        let last = items.last().expect("a last word").as_ref().expect_err("no finding");
        assert!(items.len() == 3 && !last.error.is_empty(), "{items:?}");
    }

    #[test]
    fn another_services_log_is_one_item_a_document_and_some_a_file() {
        let record = r#"{"eventVersion":"1.11","eventName":"GetObject","eventSource":"s3.amazonaws.com"}"#;
        let log = format!("{{\"Records\":[{}{record}]}}", format!("{record},").repeat(2999));
        let items = broken_ones(&gzipped(log.as_bytes()));
        assert_eq!(items.len(), 1, "{items:?}");
        insta::assert_snapshot!(items[0], @"(input): 3000 items that are no findings of GuardDuty's; the first is Records[0]: it looks like a record of CloudTrail, which is another service's log. Accepted: GuardDuty's findings as GetFindings, EventBridge, SNS, SQS, exports to S3 and Security Hub (ASFF, OCSF) give them, in JSON (UTF-8), gzipped or not");
        let items = broken_ones(format!("{record}\n").repeat(3000).as_bytes());
        assert_eq!(items.len(), MOST_UNREADABLE + 1);
        insta::assert_snapshot!(items[MOST_UNREADABLE], @"(input): 2900 more items could not be read; they are not listed one by one");
        assert!(items[1].path.starts_with("line 2"), "{:?}", items[1]);
    }

    #[test]
    fn a_reader_that_fails_is_no_broken_export() {
        struct Fails(usize);
        impl Read for Fails {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.0 += 1;
                if self.0 > 3 {
                    return Err(Error::other("the disk"));
                }
                let line = b"{\"id\":1}\n{\"id\":2}\n";
                buffer[..line.len()].copy_from_slice(line);
                Ok(line.len())
            }
        }
        let mut findings = Findings::of(BufReader::new(Fails(0))).expect("a start");
        let items: Vec<Decoded> = findings.by_ref().flatten().collect();
        assert_eq!(items.len(), 7);
        assert!(items[6].as_ref().expect_err("the end").error.contains("the disk"));
        assert!(findings.has_failed());
    }
}
