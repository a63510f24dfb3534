//! The opt-outs that applied to decisions, or that end soon.

use super::scan::{Prepared, ReportError};
use crate::config::SOON_DAYS;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// An opt-out and how often it applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OptOutUse {
    /// Name of the opt-out.
    pub name: String,
    /// To how many decisions it applied.
    pub decisions: u64,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why there is one.
    pub reason: Option<String>,
    /// The last day on which it applies; none when it is permanent, or gone.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// `in force`, `ends soon`, `expired` or `gone`.
    pub status: String,
}

impl OptOutUse {
    /// Those that applied so often, by name, with those of the ledger that end soon.
    pub(super) fn all(
        prepared: &Prepared<'_>,
        mut used: BTreeMap<String, u64>,
    ) -> Result<Vec<Self>, ReportError> {
        let mut all = Vec::new();
        let today = prepared.head.generated_at.to_zoned(TimeZone::UTC).date();
        let soon = today.checked_add(jiff::Span::new().days(SOON_DAYS)).unwrap_or(Date::MAX);
        for (name, opt_out) in prepared.reader.opt_outs()? {
            let status = match opt_out.expires {
                Some(day) if day < today => "expired",
                Some(day) if day <= soon => "ends soon",
                _ => "in force",
            };
            let decisions = used.remove(&name).unwrap_or(0);
            if decisions > 0 || status == "ends soon" {
                all.push(Self {
                    name,
                    decisions,
                    owner: Some(opt_out.owner),
                    reason: Some(opt_out.reason),
                    expires: opt_out.expires,
                    status: status.to_owned(),
                });
            }
        }
        let gone = used.into_iter().map(|(name, decisions)| Self {
            name,
            decisions,
            owner: None,
            reason: None,
            expires: None,
            status: "gone".to_owned(),
        });
        all.extend(gone);
        Ok(all)
    }
}
