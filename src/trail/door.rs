//! What a thief left open, and the commands that close it.

use super::meaning::row_of;
use super::{Activity, Meaning, read, shell};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a call of a thief left open or took, and what a person does about it. The commands are for the AWS CLI,
/// version 2, and for a POSIX shell. Run them in order, with credentials of the account that the call was made in. A
/// word in angle brackets is what the record of the call does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Door {
    /// Why it matters.
    pub why: String,
    /// The commands that show it, and change nothing.
    pub look: Vec<String>,
    /// The commands that take it away, in the order in which they succeed. The first one closes the door, where that
    /// can be done at once.
    pub take_away: Vec<String>,
    /// Which legitimate user may need it.
    pub needed_by: String,
}

impl Activity {
    /// How to close what this call left open. None for a session, which is denied instead, and for a call that failed.
    #[must_use]
    pub fn door(&self) -> Option<Door> {
        if !self.worked() || self.meaning == Meaning::OpensSession {
            return None;
        }
        let text = row_of(self)?.door;
        let mut why = text.why.to_owned();
        if !self.outside.is_empty() {
            why = format!("{why} It lets in from outside the account: {}.", self.outside.join(read::BETWEEN));
        }
        let mut look: Vec<String> =
            text.look.iter().flat_map(|template| shell::commands(template, self)).collect();
        if self.names.values().any(|name| name.ends_with(read::MORE)) {
            why.push_str(" The record of the call names more than the commands do.");
            let whole = "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventId,AttributeValue={event}";
            look.extend(shell::commands(whole, self));
        }
        Some(Door {
            why,
            look,
            take_away: text.take_away.iter().flat_map(|template| shell::commands(template, self)).collect(),
            needed_by: text.needed_by.to_owned(),
        })
    }
}
