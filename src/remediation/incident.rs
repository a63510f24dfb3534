//! The id of an incident: all that hangs together.

/// The id of the incident that this remediation opens, when it does not belong to an earlier one.
#[must_use]
pub fn incident_opened_by(remediation: &str) -> String {
    format!("i-{}", remediation.strip_prefix("r-").unwrap_or(remediation))
}
