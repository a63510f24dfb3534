//! GuardDuty findings: the one place that knows their wire shapes.
//!
//! [`decode`] takes bytes in any of the shapes in which a finding travels (API answer,
//! `EventBridge` event, SNS notification, SQS message, S3 export, bare) and gives [`Finding`]s,
//! or for what it cannot read an [`Undecodable`] that names the offending field.

mod actors;
mod asff;
mod candidates;
mod cause;
mod claim;
mod derived;
mod documents;
mod envelope;
mod fields;
mod hub_event;
mod known_types;
mod looks;
mod named_credentials;
mod occurrence;
mod ocsf;
mod ordered;
mod principal;
mod product;
mod security_hub;
mod stream;
mod undecodable;
mod wire;

pub use actors::is_one_sequence;
pub use cause::{Cause, ORDER_TYPE, Order, OrderedBy, PRODUCT_ORDER_TYPE};
pub use claim::{Confirmed, Unconfirmed, confirm, confirm_among};
pub use derived::{Derived, DerivedKind, Link};
pub use known_types::{CREDENTIAL_TYPES, is_about_credentials, known_types};
pub use occurrence::{Decoded, Evidence, Finding};
pub use ordered::{Ordered, Theft};
pub use principal::{NotARole, Principal, RoleTarget, UserType};
pub use stream::Findings;
pub use undecodable::{Foreign, ForeignReason, Undecodable};

/// Maximum length of what a message unpacks to, in bytes.
const MAX_UNPACKED: u64 = 64 << 20;

/// Decodes GuardDuty's answer to GetFindings.
///
/// # Errors
/// When it cannot be read as a whole. What is wrong with one finding is an item of its own.
pub fn decode_answer(bytes: &[u8]) -> Result<Vec<Decoded>, Undecodable> {
    let answer: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| undecodable::broken("", &format!("not JSON: {error}"), bytes))?;
    let mut decoded = Vec::new();
    // Every finding that was asked for may have been removed meanwhile.
    if answer.get("findings").and_then(|f| f.as_array()).is_none_or(|f| !f.is_empty()) {
        envelope::unwrap(&answer, "", &mut decoded);
    }
    Ok(decoded)
}

/// Decodes all findings in `bytes`: JSON documents one behind the other, gzipped or not.
///
/// It never fails as a whole: what cannot be read is an item of its own. Nothing in `bytes`
/// gives one item that says so.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<Decoded> {
    match Findings::up_to(bytes, MAX_UNPACKED) {
        Ok(findings) => findings.flatten().collect(),
        Err(error) => vec![Err(undecodable::broken("", &format!("cannot be read: {error}"), bytes))],
    }
}
