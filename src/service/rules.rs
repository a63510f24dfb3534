//! What is odd about the rules of a configuration, for the log.

use crate::config::Config;

/// Names the types of rules that GuardDuty is not known to have.
pub fn warn(config: &Config) {
    for unknown in &config.unknown_types {
        let (rule, kind, nearest) = (&unknown.rule, &unknown.kind, unknown.nearest);
        let (file, line, key) = (config.file.display(), unknown.line, &unknown.key);
        tracing::warn!(
            %file, line, key, rule, kind, nearest,
            "this rule is for a type that GuardDuty is not known to have"
        );
    }
}
