//! What is done about a deny that somebody takes away again and again.

use schemars::JsonSchema;
use serde::Deserialize;

/// What is done about a contested deny, beside putting it back each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenContested {
    /// Nothing more.
    #[default]
    PutBack,
    /// Keep the quarantine until a person releases the remediation.
    KeepQuarantine,
    /// Deny the principal by a service control policy on its account as well. A person is asked first, unless the
    /// rule says mode = "enforce".
    OrganizationDeny,
}
