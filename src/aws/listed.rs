//! What a list call found, up to a bound.

/// Things that were listed, and what is missing among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// What was found, in the order in which AWS gave it.
    pub items: Vec<T>,
    /// There are more: the list was not read to its end.
    pub cut_short: bool,
    /// How many could not be read, and are left out.
    pub unreadable: usize,
}

impl<T> Listed<T> {
    pub(super) fn new() -> Self {
        Self { items: Vec::new(), cut_short: false, unreadable: 0 }
    }
}

/// Text from outside in one line of at most `longest` characters.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut chars = text.chars();
    let mut line: String = chars.by_ref().take(longest).map(clean).collect();
    if chars.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_one_line_and_short() {
        assert_eq!(one_line("a\nb\u{9b}c", 10), "a b c");
        assert_eq!(one_line("äöüß", 4), "äöüß");
        assert_eq!(one_line("äöüßx", 4), "äöü…");
        assert_eq!(one_line("", 4), "");
    }
}
