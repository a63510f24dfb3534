//! Which opt-outs apply to a finding. Indexed by what each of them names: an organization may have
//! thousands.

use crate::config::{Glob, OptOut, OptOuts};
use crate::finding::Finding;
use crate::ident::{AccountId, Region};
use crate::org::Placement;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// The decision depends on where the account stands or how it is tagged, and that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} depends on the account's OU or tags, and they are not known")]
pub struct PlacementNeeded(pub String);

/// The opt-outs of a file, ready to be asked. Each is in the list of one kind only, the narrowest
/// that it names.
#[derive(Debug, Clone, Default)]
pub struct OptOutIndex {
    all: Arc<[OptOut]>,
    by_account: Lists,
    by_ou: Lists,
    by_tag: Lists,
    by_role: Lists,
    by_type: Lists,
    by_region: Lists,
    /// Those that only have wildcards.
    others: Vec<usize>,
    /// Some depend on OUs.
    uses_ous: bool,
    uses_tags: bool,
}

type Lists = HashMap<String, Vec<usize>>;

impl OptOutIndex {
    /// Prepares the opt-outs of a file.
    #[must_use]
    pub fn new(opt_outs: &OptOuts) -> Self {
        let mut index = Self { all: opt_outs.all.clone().into(), ..Self::default() };
        for (number, opt_out) in opt_outs.all.iter().enumerate() {
            let selects = &opt_out.selects;
            index.uses_ous |= !selects.ous.is_empty();
            index.uses_tags |= !selects.tags.is_empty();
            let literal = |globs: &[Glob]| {
                let keys =
                    globs.iter().map(|glob| glob.is_literal().then(|| glob.as_str().to_ascii_lowercase()));
                keys.collect::<Option<Vec<_>>>().unwrap_or_default()
            };
            let tag = selects.tags.iter().find(|(_, value)| value.is_literal());
            let (lists, keys) = if !selects.accounts.is_empty() {
                (&mut index.by_account, selects.accounts.iter().map(ToString::to_string).collect())
            } else if let keys @ [_, ..] = &literal(&selects.roles)[..] {
                (&mut index.by_role, keys.to_vec())
            } else if !selects.ous.is_empty() {
                (&mut index.by_ou, selects.ous.iter().map(|ou| ou.as_str().to_owned()).collect())
            } else if let Some((key, value)) = tag {
                (&mut index.by_tag, vec![tag_key(key, value.as_str())])
            } else if let keys @ [_, ..] = &literal(&selects.types)[..] {
                (&mut index.by_type, keys.to_vec())
            } else if !selects.regions.is_empty() {
                (&mut index.by_region, selects.regions.iter().map(ToString::to_string).collect())
            } else {
                index.others.push(number);
                continue;
            };
            for key in keys {
                lists.entry(key).or_default().push(number);
            }
        }
        index
    }

    /// Some opt-outs depend on the account's OUs.
    #[must_use]
    pub fn uses_ous(&self) -> bool {
        self.uses_ous
    }

    /// Some opt-outs depend on the account's OUs or tags.
    #[must_use]
    pub fn uses_placement(&self) -> bool {
        self.uses_ous || self.uses_tags
    }

    /// The opt-outs that apply to a finding about the principal of this name (`web`, `user/alice`) at
    /// `now`, in the order of the file. Expired ones do not apply.
    ///
    /// # Errors
    /// When one depends on the account's placement and that is not given.
    pub fn applying(
        &self,
        finding: &Finding,
        name: &str,
        placement: Option<&Placement>,
        now: Timestamp,
    ) -> Result<Vec<&OptOut>, PlacementNeeded> {
        let of = |lists: &'_ Lists, key: &str| lists.get(key).cloned().unwrap_or_default();
        let mut numbers = of(&self.by_account, finding.account.as_str());
        numbers.extend(of(&self.by_role, &name.to_ascii_lowercase()));
        numbers.extend(of(&self.by_type, &finding.finding_type.to_ascii_lowercase()));
        numbers.extend(of(&self.by_region, finding.region.as_str()));
        numbers.extend(&self.others);
        match placement.and_then(|p| p.ous.as_ref()) {
            Some(ous) => ous.iter().for_each(|ou| numbers.extend(of(&self.by_ou, ou))),
            None => numbers.extend(self.by_ou.values().flatten()),
        }
        match placement {
            Some(placement) => {
                placement.tags.iter().for_each(|(k, v)| numbers.extend(of(&self.by_tag, &tag_key(k, v))));
            }
            None => numbers.extend(self.by_tag.values().flatten()),
        }
        numbers.sort_unstable();
        numbers.dedup();
        let mut applying = Vec::new();
        let case = Case {
            account: &finding.account,
            role: Some(name),
            kind: Some(&finding.finding_type),
            region: Some(&finding.region),
            placement,
        };
        for opt_out in numbers.into_iter().map(|number| &self.all[number]) {
            match case.is_for(opt_out, now) {
                Applies::Yes => applying.push(opt_out),
                Applies::No => {}
                Applies::Perhaps => return Err(PlacementNeeded(format!("the opt-out {:?}", opt_out.name))),
            }
        }
        Ok(applying)
    }
}

/// Values of tags are compared as names are, without regard to case.
fn tag_key(key: &str, value: &str) -> String {
    format!("{key}={}", value.to_ascii_lowercase())
}

/// What an opt-out is asked about. What is not given is open.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The account that the finding is in.
    pub account: &'a AccountId,
    /// The name of the role that the credentials belong to; none when it is not known, or they are not a
    /// role's.
    pub role: Option<&'a str>,
    /// The type of the finding, as GuardDuty has it.
    pub kind: Option<&'a str>,
    /// The region that the finding is in.
    pub region: Option<&'a Region>,
    /// Where the account stands.
    pub placement: Option<&'a Placement>,
}

/// Whether an opt-out applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// Every condition of the opt-out is met.
    Yes,
    /// A condition of the opt-out is not met.
    No,
    /// That depends on what is not given.
    Perhaps,
}

impl Case<'_> {
    /// Whether an opt-out applies to the case at `now`.
    #[must_use]
    pub fn is_for(&self, opt_out: &OptOut, now: Timestamp) -> Applies {
        let selects = &opt_out.selects;
        let globs = |globs: &[Glob], text: Option<&str>| match text {
            _ if globs.is_empty() => Applies::Yes,
            None => Applies::Perhaps,
            Some(text) => Applies::from(globs.iter().any(|glob| glob.matches(text))),
        };
        let ous = self.placement.and_then(|placement| placement.ous.as_ref());
        let tags = self.placement.map(|placement| &placement.tags);
        let all = [
            Applies::from(opt_out.applies(now)),
            Applies::from(selects.accounts.is_empty() || selects.accounts.contains(self.account)),
            globs(&selects.roles, self.role),
            globs(&selects.types, self.kind),
            match self.region {
                _ if selects.regions.is_empty() => Applies::Yes,
                None => Applies::Perhaps,
                Some(region) => Applies::from(selects.regions.contains(region)),
            },
            match ous {
                _ if selects.ous.is_empty() => Applies::Yes,
                None => Applies::Perhaps,
                Some(ous) => {
                    Applies::from(selects.ous.iter().any(|ou| ous.iter().any(|there| there == ou.as_str())))
                }
            },
            match tags {
                _ if selects.tags.is_empty() => Applies::Yes,
                None => Applies::Perhaps,
                Some(tags) => {
                    let has =
                        |(key, wanted): (&String, &Glob)| tags.get(key).is_some_and(|v| wanted.matches(v));
                    Applies::from(selects.tags.iter().all(has))
                }
            },
        ];
        if all.contains(&Applies::No) {
            Applies::No
        } else if all.contains(&Applies::Perhaps) {
            Applies::Perhaps
        } else {
            Applies::Yes
        }
    }
}

impl From<bool> for Applies {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The most cautious of the opt-outs that apply. The order of the opt-outs does not matter.
#[must_use]
pub fn most_cautious<'a>(applying: &[&'a OptOut]) -> Option<&'a OptOut> {
    applying.iter().copied().max_by(|a, b| (a.mode, &b.name).cmp(&(b.mode, &a.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;
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
            Just("regions = [\"eu-central-1\"]\nroles = [\"b\"]"),
            Just("types = [\"t1\"]\ntags = { t = \"VALUE\" }"),
            Just("ous = [\"ou-ab12-cdefgh34\", \"r-ab12\"]\nroles = [\"*\"]"),
        ];
        let ends =
            prop_oneof![Just("permanent = true"), Just("expires = 2026-11-22"), Just("expires = 2026-11-21")];
        (selects, ends, prop_oneof![Just("off"), Just("observe"), Just("approve")]).prop_map(
            |(selects, ends, mode)| {
                format!("{selects}\n{ends}\nmode = \"{mode}\"\nowner = \"o\"\nreason = \"r\"\n")
            },
        )
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
            let finding = finding(account, kind);
            let there = Placement {
                ous: Some(vec!["ou-ab12-cdefgh34".to_owned(), "r-ab12".to_owned()]),
                tags: [("t".to_owned(), "value".to_owned())].into(),
                read_at: now(),
                earlier: Vec::new(),
            };
            let placement = if placed { there } else { Placement { ous: Some(Vec::new()), ..Placement::default() } };
            let outcome = |opt_outs: &[String]| {
                let index = index(opt_outs);
                let applying = index.applying(&finding, &role, Some(&placement), now()).expect("the placement is given");
                most_cautious(&applying).map_or(mode, |opt_out| mode.max(opt_out.mode))
            };
            let all = outcome(&opt_outs);
            prop_assert!(all >= mode);
            opt_outs.reverse();
            prop_assert_eq!(outcome(&opt_outs), all);
            opt_outs.pop();
            prop_assert!(outcome(&opt_outs) <= all);
            // The index finds what a look at each of them finds.
            let index = index(&opt_outs);
            let case = Case { account: &finding.account, role: Some(role.as_str()), kind: Some(&finding.finding_type),
                region: Some(&finding.region), placement: Some(&placement) };
            let scanned: Vec<&OptOut> = index.all.iter().filter(|o| case.is_for(o, now()) == Applies::Yes).collect();
            prop_assert_eq!(index.applying(&finding, &role, Some(&placement), now()).expect("given"), scanned);
        }
    }
}
