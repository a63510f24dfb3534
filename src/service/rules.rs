//! What is odd about the rules of a configuration, for the log.

use crate::config::{Config, unknown_types};

/// Names the types of rules that GuardDuty is not known to have.
pub fn warn(config: &Config) {
    for unknown in unknown_types(&config.rules) {
        let (rule, kind, nearest) = (&unknown.rule, &unknown.kind, unknown.nearest);
        tracing::warn!(rule, kind, nearest, "this rule is for a type that GuardDuty is not known to have");
    }
}
