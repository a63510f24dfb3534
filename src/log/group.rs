//! A group of entries that is committed together, and the items that it is in.

use super::item::Item;
use super::tail::Tail;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// Maximum size of an item's payload in bytes. DynamoDB takes items of 400 KB with their attributes' names.
const PAYLOAD: usize = 350_000;

/// Maximum size of a group in bytes when it is unpacked: no group of ours comes near, and nothing larger is read.
const UNPACKED: u64 = 1 << 30;

/// A group of entries that is committed together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Number of the leadership under which it was put.
    pub epoch: u64,
    /// The process that put it.
    pub writer: String,
    /// Number of its first entry.
    pub first: u64,
    /// The entries' canonical JSON, in order.
    pub bodies: Vec<Vec<u8>>,
    /// What is written beside them and cannot be made from them, as JSON, a text each.
    pub beside: Vec<Vec<u8>>,
}

/// A payload that no group of ours has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its payload cannot be read: {0}")]
pub struct Malformed(String);

impl Group {
    /// The items that it is in behind `tail`: one, or as many as it takes.
    #[must_use]
    pub fn items(&self, tail: &Tail) -> Vec<Item> {
        self.items_with(tail, PAYLOAD)
    }

    /// The same with payloads of another size.
    pub(super) fn items_with(&self, tail: &Tail, payload: usize) -> Vec<Item> {
        let packed = self.pack();
        let parts: Vec<&[u8]> = packed.chunks(payload).collect();
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let (mut items, mut before) = (Vec::with_capacity(parts.len()), tail.hash.clone());
        for (position, (part, payload)) in (tail.position + 1..).zip((1..).zip(parts)) {
            let item = Item {
                position,
                epoch: self.epoch,
                writer: self.writer.clone(),
                part,
                parts: count,
                first: self.first,
                count: self.bodies.len() as u64,
                before,
                payload: payload.to_vec(),
            };
            before = item.hash();
            items.push(item);
        }
        items
    }

    /// A line for each entry, an empty line, and a line for each row beside them, compressed (gzip). Canonical JSON has
    /// no line feed.
    fn pack(&self) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        let mut line = |text: &[u8]| {
            // Writing to memory does not fail.
            let _ = out.write_all(text).and_then(|()| out.write_all(b"\n"));
        };
        self.bodies.iter().for_each(|body| line(body));
        line(b"");
        self.beside.iter().for_each(|row| line(row));
        out.finish().unwrap_or_default()
    }

    /// The group that items are the parts of: all of them, in order.
    ///
    /// # Errors
    /// When their payload is not that of a group with as many entries as they say.
    pub fn of(items: &[Item]) -> Result<Self, Malformed> {
        let malformed = |what: &str| Malformed(what.to_owned());
        let Some(head) = items.first() else { return Err(malformed("there is none")) };
        let packed = items.iter().flat_map(|item| &item.payload).copied().collect::<Vec<_>>();
        let mut text = Vec::new();
        let read = GzDecoder::new(&packed[..]).take(UNPACKED).read_to_end(&mut text);
        read.map_err(|error| Malformed(error.to_string()))?;
        if text.pop() != Some(b'\n') {
            return Err(malformed("its end is missing"));
        }
        let mut group =
            Self { epoch: head.epoch, writer: head.writer.clone(), first: head.first, ..Self::default() };
        let mut lines = text.split(|byte| *byte == b'\n');
        group.bodies.extend(lines.by_ref().take_while(|line| !line.is_empty()).map(<[u8]>::to_vec));
        group.beside.extend(lines.map(<[u8]>::to_vec));
        if group.bodies.len() as u64 == head.count {
            Ok(group)
        } else {
            Err(Malformed(format!("{} entries instead of {}", group.bodies.len(), head.count)))
        }
    }
}
