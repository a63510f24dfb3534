//! `opt-outs.toml`: where less may be done than the rules say. A file of its own, so that it can
//! be reviewed by the teams it affects.

use super::complaint::about;
use super::error::ConfigError;
use super::located::{invalid, located};
use super::mode::Mode;
use super::pattern::Glob;
use crate::ident::{AccountId, Region, quoted};
use clap::ValueEnum;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

/// Maximum number of days until an opt-out that is not permanent expires.
const FURTHEST_DAYS: i64 = 365;

/// Number of days before its end from which an opt-out is reported.
pub const SOON_DAYS: i32 = 14;

/// Where less may be done than the rules say, by somebody's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// Its name, unique in the file.
    pub name: String,
    /// What it is about.
    pub selects: Selector,
    /// What may still be done. Never `enforce`: an opt-out only makes things more cautious.
    pub mode: Mode,
    /// Person or team responsible for it.
    pub owner: String,
    /// Why somebody decided so.
    pub reason: String,
    /// The last day (UTC) on which it applies; none when it is permanent.
    pub expires: Option<Date>,
}

/// What an opt-out is about. All that is given must apply; of a list, one must.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selector {
    /// Ids of the accounts that it applies to.
    pub accounts: Vec<AccountId>,
    /// Organizational units by id (`ou-…`, or the root's `r-…`), and everything below.
    pub ous: Vec<OuId>,
    /// Tags of the account, all of them. A value may have wildcards.
    pub tags: BTreeMap<String, Glob>,
    /// Names of roles, with wildcards.
    pub roles: Vec<Glob>,
    /// Types of findings, with wildcards.
    pub types: Vec<Glob>,
    /// Regions in which GuardDuty made the finding.
    pub regions: Vec<Region>,
}

impl Selector {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The id of an organizational unit or of the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct OuId(String);

impl OuId {
    /// The id as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OuId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let known = text.starts_with("ou-") || text.starts_with("r-");
        let legal = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if known && legal && (6..=70).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{}: expected the id of an organizational unit (\"ou-…\") or of the root (\"r-…\")",
                quoted(&text)
            ))
        }
    }
}

/// The opt-outs of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptOuts {
    /// In the order of the file. The order has no meaning.
    pub all: Vec<OptOut>,
    /// SHA-256 of the file, in hexadecimal; empty when there is no file.
    pub sha256: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "opt-outs.toml")]
pub(super) struct RawFile {
    /// Opt-outs: exceptions in which less is done than the rules say. Order has no meaning.
    #[serde(default)]
    #[schemars(with = "Vec<RawFields>")]
    opt_out: Vec<RawOptOut>,
}

/// What an opt-out may say: it only makes things more cautious.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum OptOutMode {
    /// Ask a person first.
    Approve,
    /// Record what would be done; change nothing.
    Observe,
    /// Record that nothing is done.
    Off,
}

impl From<OptOutMode> for Mode {
    fn from(mode: OptOutMode) -> Self {
        match mode {
            OptOutMode::Approve => Self::Approve,
            OptOutMode::Observe => Self::Observe,
            OptOutMode::Off => Self::Off,
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "RawFields")]
struct RawOptOut(OptOut);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OptOut")]
struct RawFields {
    /// Name of the opt-out, unique in the file. The ledger records it as the reason.
    name: String,
    /// Ids of the accounts that it applies to.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    accounts: Vec<AccountId>,
    /// Ids of organizational units (ou-…, or the root's r-…). Everything below them is included.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    ous: Vec<OuId>,
    /// Tags that the account must have, all of them. Values may have * and ?.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    tags: BTreeMap<String, Glob>,
    /// Names of roles, with * and ?.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    roles: Vec<Glob>,
    /// Types of findings, with * and ?.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    types: Vec<Glob>,
    /// Regions in which GuardDuty made the finding.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    regions: Vec<Region>,
    /// The boldest action still allowed: approve, observe or off.
    mode: OptOutMode,
    /// Person or team responsible for it.
    #[schemars(length(min = 1))]
    owner: String,
    /// Why it is needed.
    #[schemars(length(min = 1))]
    reason: String,
    /// Last day on which it applies, in UTC, at most 365 days ahead: a TOML date such as 2027-03-31.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    expires: Option<toml::value::Datetime>,
    /// It never expires. Replaces `expires`.
    #[serde(default)]
    permanent: bool,
}

impl TryFrom<RawFields> for RawOptOut {
    type Error = String;
    fn try_from(raw: RawFields) -> Result<Self, String> {
        let RawFields {
            name,
            accounts,
            ous,
            tags,
            roles,
            types,
            regions,
            mode,
            owner,
            reason,
            expires,
            permanent,
        } = raw;
        if let Some(index) = roles.iter().position(|role| role.as_str().starts_with("arn:")) {
            let role = roles[index].as_str();
            let name = role.rsplit('/').next().unwrap_or_default();
            let text = format!(
                "{}: expected the role's name, without the rest of the ARN: {}",
                quoted(role),
                quoted(name)
            );
            return Err(about(&format!("roles[{index}]"), text));
        }
        let selects = Selector { accounts, ous, tags, roles, types, regions };
        for (key, text) in [("name", &name), ("owner", &owner), ("reason", &reason)] {
            if text.trim().is_empty() {
                return Err(about(key, "expected a text, not an empty one"));
            }
        }
        if selects.is_empty() {
            return Err(format!(
                "{}: it selects everything: give accounts, ous, tags, roles, types or regions (or set `mode` in rescind.toml)",
                quoted(&name)
            ));
        }
        let expires = match (expires.map(|at| date(&at)).transpose()?, permanent) {
            (Some(_), true) => {
                return Err(about("permanent", "expected `expires` or `permanent = true`, not both"));
            }
            (None, false) => {
                let text = format!(
                    "missing, and required: a date, at most {FURTHEST_DAYS} days ahead; or spell out `permanent = true`"
                );
                return Err(about("expires", text));
            }
            (expires, _) => expires,
        };
        Ok(Self(OptOut { name, selects, mode: mode.into(), owner, reason, expires }))
    }
}

/// A bare date: with a time of day it would not be clear when it ends.
fn date(value: &toml::value::Datetime) -> Result<Date, String> {
    let text = value.to_string();
    let bare = value.time.is_none() && value.offset.is_none();
    match text.parse() {
        Ok(date) if bare => Ok(date),
        _ => Err(about("expires", format!("{text}: expected a date such as 2027-03-31"))),
    }
}

impl OptOut {
    /// It still applies at `now`: through the end of its last day, in UTC.
    #[must_use]
    pub fn applies(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.expires.is_none_or(|last| today <= last)
    }

    /// How many days it applies after today (UTC); negative when it has expired, none when it is
    /// permanent.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.expires.map(|last| (last - today).get_days().into())
    }
}

impl OptOuts {
    /// The names of those that apply at `now`.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Vec<String> {
        let applying = self.all.iter().filter(|opt_out| opt_out.applies(now));
        // While a change settles, an old and a new one of the same name apply.
        let names: BTreeSet<&str> = applying.map(|opt_out| opt_out.name.as_str()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Reads and checks the file at `path`. `now` is for the limit of a year.
    ///
    /// # Errors
    /// When it cannot be read or is not valid.
    pub fn load(path: &Path, now: Timestamp) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.display().to_string(),
            error,
            hint: None,
        })?;
        Self::parse(&text, path, now)
    }

    /// Checks the text of a file that lives at `path`.
    ///
    /// # Errors
    /// When it is not valid.
    pub fn parse(text: &str, path: &Path, now: Timestamp) -> Result<Self, ConfigError> {
        let file: RawFile = located(text, path)?;
        let all: Vec<OptOut> = file.opt_out.into_iter().map(|raw| raw.0).collect();
        let invalid = |index: usize, key: &str, message: String| {
            invalid(text, path, &format!("opt_out[{index}].{key}"), message)
        };
        let furthest = now.to_zoned(TimeZone::UTC).date().saturating_add(FURTHEST_DAYS.days());
        let mut names = HashSet::new();
        for (index, opt_out) in all.iter().enumerate() {
            if !names.insert(opt_out.name.as_str()) {
                return Err(invalid(index, "name", format!("{} is there twice", quoted(&opt_out.name))));
            }
            if let Some(last) = opt_out.expires.filter(|last| *last > furthest) {
                let message = format!(
                    "{last} is more than {FURTHEST_DAYS} days ahead: choose an earlier date, or spell out `permanent = true`"
                );
                return Err(invalid(index, "expires", message));
            }
        }
        Ok(Self { all, sha256: crate::digest::sha256(text.as_bytes()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OptOuts, String> {
        let now = "2026-11-22T10:00:00Z".parse().expect("a time");
        OptOuts::parse(text, Path::new("opt-outs.toml"), now).map_err(|e| e.to_string())
    }

    fn with(lines: &str) -> String {
        format!("\n[[opt_out]]\nname = \"a\"\nowner = \"o\"\nreason = \"r\"\n{lines}\n")
    }

    #[test]
    fn a_whole_one() {
        let text = with(
            "accounts = [\"111111111111\"]\nous = [\"ou-ab12-cdefgh34\"]\ntags = { team = \"pay*\" }\nroles = [\"ci-*\"]\n\
             types = [\"Recon:*\"]\nregions = [\"eu-central-1\"]\nmode = \"observe\"\nexpires = 2027-01-31",
        );
        let read = parse(&text).expect("valid");
        assert_eq!((read.all.len(), read.all[0].mode), (1, Mode::Observe));
        let at = |text: &str| read.all[0].applies(text.parse().expect("a time"));
        assert!(at("2027-01-31T23:59:59Z"));
        assert!(!at("2027-02-01T00:00:00Z"));
        assert_eq!(parse("").expect("valid").all, []);
    }

    #[test]
    fn errors_say_where_and_what() {
        let roles = "roles = [\"x\"]\n";
        let twice = format!(
            "{roles}mode = \"off\"\npermanent = true\n{}",
            with("roles = [\"x\"]\nmode = \"off\"\npermanent = true")
        );
        let refused = [
            "mode = \"off\"\nexpires = 2027-01-31".to_owned(),
            format!("{roles}mode = \"enforce\"\nexpires = 2027-01-31"),
            format!("{roles}mode = \"never\"\nexpires = 2027-01-31"),
            format!("{roles}mode = \"off\""),
            format!("{roles}mode = \"off\"\nexpires = 2027-01-31\npermanent = true"),
            format!("{roles}mode = \"off\"\nexpires = 2027-11-23"),
            format!("{roles}mode = \"off\"\nexpires = \"2027-01-31\""),
            format!("{roles}mode = \"off\"\nexpires = 2027-01-31T00:00:00Z"),
            "role = [\"x\"]".to_owned(),
            "accounts = [\"12\"]".to_owned(),
            "ous = [\"Workloads\"]".to_owned(),
            twice,
        ]
        .map(|lines| format!("{lines}\n  {}\n", parse(&with(&lines)).expect_err(&lines)));
        insta::assert_snapshot!(refused.join("\n"), @r#"
        mode = "off"
        expires = 2027-01-31
          opt-outs.toml:2:1: opt_out[0]: "a": it selects everything: give accounts, ous, tags, roles, types or regions (or set `mode` in rescind.toml)

        roles = ["x"]
        mode = "enforce"
        expires = 2027-01-31
          opt-outs.toml:7:8: opt_out[0].mode: "enforce": expected "approve", "observe" or "off"

        roles = ["x"]
        mode = "never"
        expires = 2027-01-31
          opt-outs.toml:7:8: opt_out[0].mode: "never": expected "approve", "observe" or "off"

        roles = ["x"]
        mode = "off"
          opt-outs.toml:2:1: opt_out[0].expires: missing, and required: a date, at most 365 days ahead; or spell out `permanent = true`

        roles = ["x"]
        mode = "off"
        expires = 2027-01-31
        permanent = true
          opt-outs.toml:9:13: opt_out[0].permanent: true: expected `expires` or `permanent = true`, not both

        roles = ["x"]
        mode = "off"
        expires = 2027-11-23
          opt-outs.toml:8:11: opt_out[0].expires: 2027-11-23 is more than 365 days ahead: choose an earlier date, or spell out `permanent = true`

        roles = ["x"]
        mode = "off"
        expires = "2027-01-31"
          opt-outs.toml:8:11: opt_out[0].expires: "2027-01-31": expected a date without quotes

        roles = ["x"]
        mode = "off"
        expires = 2027-01-31T00:00:00Z
          opt-outs.toml:8:11: opt_out[0].expires: 2027-01-31T00:00:00Z: expected a date such as 2027-03-31

        role = ["x"]
          opt-outs.toml:6:1: opt_out[0].role: there is no such key: expected `roles`?

        accounts = ["12"]
          opt-outs.toml:6:13: opt_out[0].accounts[0]: "12": an account id is 12 digits

        ous = ["Workloads"]
          opt-outs.toml:6:8: opt_out[0].ous[0]: "Workloads": expected the id of an organizational unit ("ou-…") or of the root ("r-…")

        roles = ["x"]
        mode = "off"
        permanent = true

        [[opt_out]]
        name = "a"
        owner = "o"
        reason = "r"
        roles = ["x"]
        mode = "off"
        permanent = true

          opt-outs.toml:11:8: opt_out[1].name: "a" is there twice
        "#);
    }

    #[test]
    fn the_last_allowed_day() {
        assert!(parse(&with("roles = [\"x\"]\nmode = \"off\"\nexpires = 2027-11-22")).is_ok());
        assert!(parse(&with("roles = [\"x\"]\nmode = \"off\"\npermanent = true")).is_ok());
    }
}
