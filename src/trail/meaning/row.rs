//! A row of the table.

use crate::trail::{Meaning, Thing};
use serde_json::Value;

/// What one call, or some that are alike, means when a thief made it.
#[derive(Debug, Clone, Copy)]
pub(in crate::trail) struct Row {
    /// Service and operation, without the version that Lambda writes behind it.
    pub calls: &'static [&'static str],
    pub meaning: Meaning,
    pub thing: Thing,
    /// Where its ARN stands, else its name: the first path that has one.
    pub object: &'static [&'static str],
    /// The names that commands need, and where they stand.
    pub names: &'static [(&'static str, &'static [&'static str])],
    /// Whether this record means it; otherwise the call only looks.
    pub when: Option<fn(&Value) -> bool>,
    /// Where policies stand that let others in.
    pub documents: &'static [&'static str],
    /// Where those stand who are let in.
    pub principals: &'static [&'static str],
    /// Which credentials it gives.
    pub opens: Option<Opens>,
    pub door: DoorText,
    /// Where it is known from.
    pub source: &'static str,
}

/// What a person reads of a door; the commands are templates.
#[derive(Debug, Clone, Copy)]
pub(in crate::trail) struct DoorText {
    pub why: &'static str,
    pub look: &'static [&'static str],
    pub take_away: &'static [&'static str],
    pub needed_by: &'static str,
}

/// Nobody needs what is new.
pub(super) const NOBODY: &str = "Nobody: it was made with the stolen credentials.";

pub(super) const fn row(calls: &'static [&'static str], meaning: Meaning, thing: Thing) -> Row {
    Row {
        calls,
        meaning,
        thing,
        object: &[],
        names: &[],
        when: None,
        documents: &[],
        principals: &[],
        opens: None,
        door: DoorText { why: "", look: &[], take_away: &[], needed_by: NOBODY },
        source: "",
    }
}

impl Row {
    pub(super) const fn object(mut self, object: &'static [&'static str]) -> Self {
        self.object = object;
        self
    }

    pub(super) const fn names(mut self, names: &'static [(&'static str, &'static [&'static str])]) -> Self {
        self.names = names;
        self
    }

    pub(super) const fn when(mut self, when: fn(&Value) -> bool) -> Self {
        self.when = Some(when);
        self
    }

    pub(super) const fn documents(mut self, documents: &'static [&'static str]) -> Self {
        self.documents = documents;
        self
    }

    pub(super) const fn principals(mut self, principals: &'static [&'static str]) -> Self {
        self.principals = principals;
        self
    }

    pub(super) const fn opens(mut self, opens: Opens) -> Self {
        self.opens = Some(opens);
        self
    }

    pub(super) const fn why(mut self, why: &'static str) -> Self {
        self.door.why = why;
        self
    }

    pub(super) const fn look(mut self, look: &'static [&'static str]) -> Self {
        self.door.look = look;
        self
    }

    pub(super) const fn take_away(mut self, take_away: &'static [&'static str]) -> Self {
        self.door.take_away = take_away;
        self
    }

    pub(super) const fn needed_by(mut self, needed_by: &'static str) -> Self {
        self.door.needed_by = needed_by;
        self
    }

    pub(super) const fn source(mut self, source: &'static str) -> Self {
        self.source = source;
        self
    }
}

/// Which credentials the answer of a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trail) enum Opens {
    /// A session of the role that was named.
    AssumedRole,
    /// A session of the root user of the account that was named.
    Root,
    /// A session of the caller.
    SameUser,
    /// A session of a user that exists in it only.
    FederatedUser,
    /// A long-term key of an IAM user.
    UserKey,
}
