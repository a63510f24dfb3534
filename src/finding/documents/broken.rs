//! Skips what is not a document, up to where the next one can begin.

use super::super::looks;
use super::{Broken, Documents, LEAST_READ, MOST_IN_VAIN, Reason};
use serde::de::IgnoredAny;
use std::io::BufRead;

/// Number of bytes at the end of the buffer in which a document can begin that is not read whole.
const OVERLAP: usize = 4 * LEAST_READ;

impl<R: BufRead> Documents<R> {
    /// Goes behind what begins here and is no document.
    pub(super) fn pass(&mut self, reason: &Reason) -> Broken {
        let begins_document = matches!(self.held[self.at], b'{' | b'[');
        // Text is no document, however it is indented.
        let indent = if begins_document { self.indent.unwrap_or(0) } else { usize::MAX };
        while self.held.len() - self.at < OVERLAP && self.grow() {}
        let mut broken: Option<Broken> = None;
        loop {
            let rest = &self.held[self.at..];
            let is_all = self.end.is_some();
            let next = next_line(rest, indent).unwrap_or(rest.len());
            let found = within(&rest[..next], next < rest.len() || is_all, &mut self.in_vain);
            let end = found.unwrap_or(next);
            let is_found = end < rest.len() || is_all;
            let length = if is_found { end } else { rest.len().saturating_sub(OVERLAP) };
            let first = broken.take().unwrap_or_else(|| Broken {
                error: looks::text(rest).unwrap_or_else(|| reason.text.clone()),
                sha256: crate::digest::sha256(&rest[..length]),
                is_end: false,
            });
            self.in_vain += length;
            self.advance(length);
            if self.in_vain > MOST_IN_VAIN {
                self.last_words =
                    Some("most of it is not JSON: what comes behind this is not read".to_owned());
                self.stop();
            }
            if is_found {
                return first;
            }
            broken = Some(first);
            self.grow();
        }
    }
}

/// Where in `rest` a line begins with a document that is not indented more than `indent`.
fn next_line(rest: &[u8], indent: usize) -> Option<usize> {
    let lines = rest.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    lines.into_iter().find(|line| {
        let blanks = rest[*line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        blanks <= indent && matches!(rest.get(line + blanks), Some(b'{' | b'['))
    })
}

/// Where in `rest` a whole object begins, behind which there is another one or nothing. On a later line it
/// has to stand behind an end: what else begins there belongs to what is broken.
fn within(rest: &[u8], is_all: bool, in_vain: &mut usize) -> Option<usize> {
    let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let is_behind_end = |at: usize| rest[..at].trim_ascii_end().ends_with(b"}");
    let braces = rest.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'{').map(|(at, _)| at);
    let braces = braces.filter(|at| *at < line || is_behind_end(*at));
    for at in braces {
        if *in_vain > MOST_IN_VAIN {
            return None;
        }
        let candidate = &rest[at..];
        let mut objects = serde_json::Deserializer::from_slice(candidate).into_iter::<IgnoredAny>();
        match objects.next() {
            Some(Ok(_)) => {
                let length = objects.byte_offset();
                *in_vain += length;
                let behind = candidate[length..].iter().find(|byte| !byte.is_ascii_whitespace());
                // What stands in an object that is cut off is no document.
                let is_inner = matches!(rest[..at].trim_ascii_end(), [.., b':' | b',' | b'[']);
                let is_last = match behind {
                    Some(byte) => matches!(byte, b'{' | 0x1e),
                    None => is_all && !is_inner,
                };
                if is_last && candidate[..length].contains(&b'"') {
                    return Some(at);
                }
            }
            Some(Err(error)) => *in_vain += offset(&error, candidate),
            None => {}
        }
    }
    None
}

/// How far it was read until there was an error.
fn offset(error: &serde_json::Error, text: &[u8]) -> usize {
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>() + error.column()
}
