//! Numbers with their nouns.

use std::fmt::Display;

/// `1 region`, `2 regions`: for nouns whose plural ends in an s.
#[must_use]
pub fn counted(number: impl Display, noun: &str) -> String {
    let number = number.to_string();
    let end = if number == "1" { "" } else { "s" };
    format!("{number} {noun}{end}")
}
