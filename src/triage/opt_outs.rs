//! Which opt-outs apply to a finding. Indexed by account and OU: an organization may have
//! thousands.

use crate::config::{Mode, OptOut, OptOuts};
use crate::finding::Finding;
use crate::ident::RoleName;
use crate::org::Placement;
use jiff::Timestamp;
use std::collections::HashMap;

/// An opt-out matters and cannot be evaluated, because the account's placement is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the opt-out {0:?} depends on the account's OU or tags, and they are not known")]
pub struct PlacementNeeded(pub String);

/// The opt-outs of a file, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct OptOutIndex {
    all: Vec<OptOut>,
    by_account: HashMap<String, Vec<usize>>,
    /// Those that name no account.
    elsewhere: Vec<usize>,
}

impl OptOutIndex {
    /// Prepares the opt-outs of a file.
    #[must_use]
    pub fn new(opt_outs: &OptOuts) -> Self {
        let mut index = Self { all: opt_outs.all.clone(), ..Self::default() };
        for (number, opt_out) in index.all.iter().enumerate() {
            if opt_out.selects.accounts.is_empty() {
                index.elsewhere.push(number);
            }
            for account in &opt_out.selects.accounts {
                index.by_account.entry(account.to_string()).or_default().push(number);
            }
        }
        index
    }

    /// The opt-outs that apply to a finding about `role` at `now`. Expired ones do not.
    ///
    /// # Errors
    /// When one depends on the account's placement and that is not given.
    pub fn applying(
        &self,
        finding: &Finding,
        role: &RoleName,
        placement: Option<&Placement>,
        now: Timestamp,
    ) -> Result<Vec<&OptOut>, PlacementNeeded> {
        let here = self.by_account.get(finding.account.as_str()).into_iter().flatten();
        let mut applying = Vec::new();
        for number in here.chain(&self.elsewhere) {
            let opt_out = &self.all[*number];
            let selects = &opt_out.selects;
            let fits = opt_out.applies(now)
                && (selects.roles.is_empty() || selects.roles.iter().any(|glob| glob.matches(role.as_str())))
                && (selects.types.is_empty()
                    || selects.types.iter().any(|glob| glob.matches(&finding.finding_type)))
                && (selects.regions.is_empty() || selects.regions.contains(&finding.region));
            if !fits {
                continue;
            }
            if selects.ous.is_empty() && selects.tags.is_empty() {
                applying.push(opt_out);
                continue;
            }
            let placement = placement.ok_or_else(|| PlacementNeeded(opt_out.name.clone()))?;
            let in_ou = selects.ous.is_empty()
                || selects.ous.iter().any(|ou| placement.ous.iter().any(|there| there == ou.as_str()));
            let tagged = selects
                .tags
                .iter()
                .all(|(key, wanted)| placement.tags.get(key).is_some_and(|value| wanted.matches(value)));
            if in_ou && tagged {
                applying.push(opt_out);
            }
        }
        Ok(applying)
    }
}

/// The most cautious of `mode` and of the opt-outs that apply; and the opt-out that decided, when
/// one did. The order of the opt-outs does not matter.
#[must_use]
pub fn most_cautious<'a>(mode: Mode, applying: &[&'a OptOut]) -> (Mode, Option<&'a OptOut>) {
    let strongest = applying.iter().copied().max_by(|a, b| (a.mode, &b.name).cmp(&(b.mode, &a.name)));
    match strongest {
        Some(opt_out) if opt_out.mode > mode => (opt_out.mode, Some(opt_out)),
        _ => (mode, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::decode;
    use proptest::prelude::*;
    use std::path::Path;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("a time")
    }

    fn finding(account: &str, kind: &str) -> Finding {
        let value = serde_json::json!({"id": "f", "accountId": account, "region": "eu-central-1", "type": kind,
            "updatedAt": "2026-11-22T09:00:00Z"});
        decode(value.to_string().as_bytes()).remove(0).expect("a finding")
    }

    /// One opt-out as text, from small sets, so that they often apply.
    fn opt_out() -> impl Strategy<Value = String> {
        let selects = prop_oneof![
            Just("accounts = [\"111111111111\"]"),
            Just("accounts = [\"222222222222\", \"111111111111\"]"),
            Just("roles = [\"a*\"]"),
            Just("roles = [\"b\"]"),
            Just("types = [\"T1\"]"),
            Just("types = [\"*\"]"),
            Just("ous = [\"ou-ab12-cdefgh34\"]"),
            Just("tags = { t = \"v*\" }"),
            Just("regions = [\"eu-west-1\"]"),
        ];
        let ends =
            prop_oneof![Just("permanent = true"), Just("expires = 2026-11-22"), Just("expires = 2026-11-21")];
        (selects, ends, prop_oneof![Just("off"), Just("observe")]).prop_map(|(selects, ends, mode)| {
            format!("{selects}\n{ends}\nmode = \"{mode}\"\nowner = \"o\"\nreason = \"r\"\n")
        })
    }

    fn index(opt_outs: &[String]) -> OptOutIndex {
        let each =
            opt_outs.iter().enumerate().map(|(n, body)| format!("[[opt_out]]\nname = \"n{n}\"\n{body}"));
        let text = each.collect::<Vec<_>>().concat();
        OptOutIndex::new(&OptOuts::parse(&text, Path::new("x"), now()).expect("valid"))
    }

    proptest! {
        /// Adding an opt-out never makes a decision bolder, and their order does not matter.
        #[test]
        fn more_of_them_are_more_cautious_in_any_order(
            mut opt_outs in proptest::collection::vec(opt_out(), 1..8), role in "[abc]{1,2}",
            account in prop_oneof![Just("111111111111"), Just("222222222222"), Just("333333333333")],
            kind in prop_oneof![Just("T1"), Just("T2")], placed: bool, mode in prop_oneof![Just(Mode::Enforce), Just(Mode::Observe)],
        ) {
            let (finding, role) = (finding(account, kind), role.parse().expect("legal"));
            let there = Placement {
                ous: vec!["ou-ab12-cdefgh34".to_owned(), "r-ab12".to_owned()],
                tags: [("t".to_owned(), "value".to_owned())].into(),
            };
            let placement = if placed { there } else { Placement::default() };
            let outcome = |opt_outs: &[String]| {
                let index = index(opt_outs);
                let applying = index.applying(&finding, &role, Some(&placement), now()).expect("the placement is given");
                most_cautious(mode, &applying).0
            };
            let all = outcome(&opt_outs);
            prop_assert!(all >= mode);
            opt_outs.reverse();
            prop_assert_eq!(outcome(&opt_outs), all);
            opt_outs.pop();
            prop_assert!(outcome(&opt_outs) <= all);
        }
    }
}
