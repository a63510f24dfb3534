//! Texts with commands in backticks, on a page.

use askama::filters::HtmlSafe;
use std::fmt::{self, Write};

/// A text in which what stands in backticks is code.
pub(crate) struct Prose(String);

/// It escapes what it shows.
impl HtmlSafe for Prose {}

impl Prose {
    pub fn of(text: String) -> Self {
        Self(text)
    }

    /// The text as it is, with its backticks.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An odd one is a backtick and nothing else.
        let is_even = self.0.matches('`').count().is_multiple_of(2);
        for (number, part) in self.0.split('`').enumerate() {
            match (is_even, number % 2) {
                (true, 1) => write!(f, "<code>{}</code>", Escaped(part))?,
                (false, _) if number > 0 => write!(f, "`{}", Escaped(part))?,
                _ => write!(f, "{}", Escaped(part))?,
            }
        }
        Ok(())
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&#38;"),
            '<' => f.write_str("&#60;"),
            '>' => f.write_str("&#62;"),
            '"' => f.write_str("&#34;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_code_and_nothing_else_is_markup() {
        let said = |text: &str| Prose::of(text.to_owned()).to_string();
        insta::assert_snapshot!(said("run `rescind show r-1 <x>` & see"), @"run <code>rescind show r-1 &#60;x&#62;</code> &#38; see");
        insta::assert_snapshot!(said("a ` b <b>"), @"a ` b &#60;b&#62;");
    }
}
