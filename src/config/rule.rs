//! Rules: which findings are acted on, how, and in which mode. The first that matches decides.

use super::bounded::Number;
use super::complaint::about;
use super::contested::WhenContested;
use super::event_pattern::EventPattern;
use super::mode::Mode;
use super::nearest_type::nearest;
use super::pattern::Glob;
use super::pursue::{Contain, Pursue};
use crate::finding::ORDER_TYPE;
use crate::ident::{Region, quoted};
use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A rule: which findings it is for, and what is done about them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name, unique in the file.
    pub name: String,
    /// Which findings it is for.
    pub matches: Matches,
    /// What is done to the principal: of these the first that is for its kind.
    pub remedies: Vec<RemedyName>,
    /// Sessions of a role that are revoked.
    pub scope: Scope,
    /// When one session is revoked and the policy has no room for one more, or the finding does not name
    /// the session, all sessions of the role are.
    pub widen: bool,
    /// What may be done at most; none when the mode of the installation is all that counts.
    pub mode: Option<Mode>,
    /// What is done about a contested deny; none when that is as the installation says.
    pub contested: Option<WhenContested>,
    /// What is done about sessions that were opened with the credentials; none when that is as the installation says.
    pub pursue: Option<Pursue>,
    /// What of that which was made with them is denied as well; none when that is as the installation says.
    pub contain: Option<Vec<Contain>>,
    /// Who must approve what it holds.
    pub approval: Approval,
}

impl Rule {
    /// It is for the orders of people.
    #[must_use]
    pub fn is_for_orders(&self) -> bool {
        matches!(&self.matches, Matches::Fields(fields) if fields.types.iter().any(|types| types.matches(ORDER_TYPE)))
    }
}

/// Who must approve what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// How many people must approve it.
    pub approvers: u32,
    /// Whoever ordered it does not approve it.
    pub four_eyes: bool,
}

impl Approval {
    /// Whoever ordered something has not approved it by that.
    #[must_use]
    pub fn asks_for_others(self) -> bool {
        self.approvers > 1 || self.four_eyes
    }

    /// One person must approve it, whoever that is.
    // By reference: that is what serde asks with.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn is_of_anybody(&self) -> bool {
        !self.asks_for_others()
    }

    /// What either asks for.
    pub(crate) fn stricter(self, other: Self) -> Self {
        Self { approvers: self.approvers.max(other.approvers), four_eyes: self.four_eyes || other.four_eyes }
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.approvers {
            1 => f.write_str("one person")?,
            count => write!(f, "{count} people")?,
        }
        if self.four_eyes { f.write_str(", not who ordered it") } else { Ok(()) }
    }
}

impl Default for Approval {
    fn default() -> Self {
        Self { approvers: 1, four_eyes: false }
    }
}

/// Which findings a rule is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Matches {
    /// Those whose event an EventBridge pattern matches.
    Pattern(EventPattern),
    /// Those that fit all that is given.
    Fields(Fields),
}

/// The short way to say which findings a rule is for. What is empty fits all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    /// Types of findings, with wildcards.
    pub types: Vec<Glob>,
    /// Minimum severity: 0.1 to 10.
    pub min_severity: Option<f64>,
    /// Regions in which GuardDuty made the finding.
    pub regions: Vec<Region>,
    /// The call came from an account of the same organization.
    pub affiliated: Option<bool>,
    /// Other products than GuardDuty, by their names in Security Hub. What is empty is for GuardDuty's findings.
    pub products: Vec<Glob>,
}

/// What is done to a principal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RemedyName {
    /// Deny everything to the role's sessions that were issued before a cutoff.
    #[default]
    RoleSessions,
    /// Deactivate the IAM user's access key that leaked, and deny everything to the user's sessions that
    /// were issued before a cutoff.
    UserKeys,
    /// Attach the managed policy rescind/Quarantine to the role or user, which denies it everything until a person
    /// releases it.
    Quarantine,
    /// Deny the principal by a service control policy on its account. A person is asked first, unless the rule says
    /// mode = "enforce".
    OrganizationDeny,
}

/// The remedy by which what a thief made is denied.
impl From<Contain> for RemedyName {
    fn from(what: Contain) -> Self {
        match what {
            Contain::Keys => Self::UserKeys,
            Contain::Users | Contain::Roles => Self::Quarantine,
        }
    }
}

/// One remedy, or a list of them.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged, rename = "Remedies")]
pub(super) enum OneOrMore {
    /// One remedy, by its name.
    One(RemedyName),
    /// Of these the one that is for the principal's kind.
    More(Vec<RemedyName>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::One(RemedyName::default())
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Remedies)
    }
}

struct Remedies;

impl<'de> Visitor<'de> for Remedies {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a remedy in quotes, or a list of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore, E> {
        let name: StrDeserializer<'_, E> = text.into_deserializer();
        RemedyName::deserialize(name).map(OneOrMore::One)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut names: S) -> Result<OneOrMore, S::Error> {
        let mut remedies = Vec::new();
        while let Some(name) = names.next_element()? {
            remedies.push(name);
        }
        Ok(OneOrMore::More(remedies))
    }
}

impl OneOrMore {
    /// The remedies, in the order in which they are written.
    pub fn all(self) -> Vec<RemedyName> {
        match self {
            Self::One(remedy) => vec![remedy],
            Self::More(remedies) => remedies,
        }
    }
}

/// To which sessions it is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All sessions of the role that were issued before the cutoff.
    #[default]
    Role,
    /// Only the session that the finding names. The role's other sessions go on.
    Session,
}

/// The rules that stand behind those of the file, with the remedies of the installation.
///
/// # Panics
/// Never: the patterns are legal ones.
#[must_use]
pub fn built_in(remedies: &[RemedyName]) -> Vec<Rule> {
    let glob = |text: &str| Glob::try_from(text.to_owned()).expect("a legal pattern");
    let rule = |name: &str, types: &[&str], affiliated, mode| Rule {
        name: name.to_owned(),
        matches: Matches::Fields(Fields {
            types: types.iter().map(|text| glob(text)).collect(),
            affiliated,
            ..Fields::default()
        }),
        remedies: remedies.to_vec(),
        scope: Scope::Role,
        widen: false,
        mode,
        contested: None,
        pursue: None,
        contain: None,
        approval: Approval::default(),
    };
    vec![
        rule("built-in: affiliated account", &INSIDE, Some(true), Some(Mode::Approve)),
        rule(EXFILTRATION_RULE, &EXFILTRATION, None, None),
        rule("built-in: attack sequence", &SEQUENCES, None, Some(Mode::Approve)),
        rule("built-in: misused credentials", &MISUSE, None, Some(Mode::Approve)),
        rule("built-in: order", &ORDERS, None, None),
    ]
}

/// Name of the built-in rule for credentials that are used from elsewhere.
pub const EXFILTRATION_RULE: &str = "built-in: credential exfiltration";

/// Credentials made for an instance, a function or a container, in use elsewhere (GuardDuty User
/// Guide, "IAM finding types"). Families, because AWS has given such a type other suffixes before.
const EXFILTRATION: [&str; 2] = [
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration*",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration*",
];

/// Of these, those that another AWS account used. From an account of the same organization it is
/// mostly a shared network or service, not theft.
const INSIDE: [&str; 2] = [
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS*",
    "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.InsideAWS*",
];

/// Attack sequences. Such a finding names every actor, or only what was attacked, and not all of the credentials need to be
/// stolen, so a person decides.
const SEQUENCES: [&str; 5] = [
    "AttackSequence:IAM/CompromisedCredentials*",
    "AttackSequence:S3/CompromisedData*",
    "AttackSequence:EC2/*",
    "AttackSequence:ECS/*",
    "AttackSequence:EKS/*",
];

/// Credentials that are said to be compromised or misused, without a sign of where they were taken: of those that deploy
/// models at odd hours most are an engineer's, so a person decides.
const MISUSE: [&str; 3] = [
    "CredentialAccess:IAMUser/CompromisedCredentials*",
    "Impact:IAMUser/CostHarvesting*",
    "Impact:IAMUser/AnomalousModelInvocation*",
];

/// What a person orders.
const ORDERS: [&str; 1] = [ORDER_TYPE];

/// Purpose:Resource/Name, each beginning with a capital: GuardDuty is asked for exactly this type.
fn looks_like_a_type(text: &str) -> bool {
    if text == ORDER_TYPE {
        return true;
    }
    let capital = |part: &str| part.starts_with(|c: char| c.is_ascii_uppercase());
    text.split_once(':').is_some_and(|(purpose, rest)| {
        capital(purpose)
            && rest.split_once('/').is_some_and(|(resource, name)| capital(resource) && capital(name))
    })
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(try_from = "RawFields")]
struct RawRule(Rule);

#[derive(Default, Deserialize)]
#[serde(try_from = "Vec<RawRule>")]
pub(super) struct Rules(pub Vec<Rule>);

impl TryFrom<Vec<RawRule>> for Rules {
    type Error = String;
    fn try_from(raw: Vec<RawRule>) -> Result<Self, String> {
        Ok(Self(raw.into_iter().map(|raw| raw.0).collect()))
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
pub(super) struct RawFields {
    /// Name of the rule, unique in the file. Each decision records it.
    name: String,
    /// EventBridge event pattern, as a string of JSON. Replaces types, min_severity, regions, affiliated and products.
    #[schemars(with = "Option<String>")]
    pattern: Option<EventPattern>,
    /// Types of findings, with * and ?.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    types: Vec<Glob>,
    /// Minimum severity: 0.1 to 10.
    #[schemars(range(min = 0.1, max = 10.0))]
    min_severity: Option<f64>,
    /// Regions in which GuardDuty made the finding.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    regions: Vec<Region>,
    /// Whether the call came from an account of the same organization.
    affiliated: Option<bool>,
    /// Names of other products whose findings in Security Hub the rule is for, with * and ?. A person always approves first.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    products: Vec<Glob>,
    /// Remedies: of these the first that is for the principal. Without it, those of the installation.
    remedy: Option<OneOrMore>,
    /// Sessions of a role that are revoked.
    #[serde(default)]
    scope: Scope,
    /// With scope = "session": revoke all sessions of the role if the policy has no room for one more session, or the finding names none. Otherwise a person is asked.
    #[serde(default)]
    widen: bool,
    /// What is done about a contested deny. Without it, what the installation says.
    contested: Option<WhenContested>,
    /// What is done about the sessions that were opened with the stolen credentials. Without it, what the installation says.
    pursue: Option<Pursue>,
    /// What of that which was made with them is denied as well. Without it, what the installation says.
    contain: Option<Vec<Contain>>,
    /// The boldest action allowed. It never exceeds the mode of the installation.
    mode: Option<Mode>,
    /// Number of people who must approve what is held: 1 to 5.
    #[serde(default)]
    approvers: Number<1, 1, 5>,
    /// Whether whoever ordered a revocation may not approve it.
    #[serde(default)]
    four_eyes: bool,
}

impl TryFrom<RawFields> for RawRule {
    type Error = String;
    fn try_from(raw: RawFields) -> Result<Self, String> {
        let RawFields {
            name,
            pattern,
            types,
            min_severity,
            regions,
            affiliated,
            products,
            remedy,
            scope,
            widen,
            contested,
            pursue,
            contain,
            mode,
            approvers,
            four_eyes,
        } = raw;
        if name.trim().is_empty() || name.starts_with("built-in") {
            return Err(about("name", format!("{}: expected a name of your own", quoted(&name))));
        }
        let own = products.iter().position(|name| name.is_literal() && name.matches("GuardDuty"));
        if let Some(index) = own {
            let own = quoted(products[index].as_str());
            let text = format!("{own}: leave it out: a rule without products is for GuardDuty's findings");
            return Err(about(&format!("products[{index}]"), text));
        }
        let fields = Fields { types, min_severity, regions, affiliated, products };
        if min_severity.is_some_and(|least| !(0.1..=10.0).contains(&least)) {
            return Err(about("min_severity", "expected 0.1 to 10"));
        }
        // Other products write their types in other ways.
        let misshapen = fields
            .types
            .iter()
            .position(|kind| kind.is_literal() && !looks_like_a_type(kind.as_str()))
            .filter(|_| fields.products.is_empty());
        if let Some(index) = misshapen {
            let kind = fields.types[index].as_str();
            let text = format!(
                "{}: expected a type as GuardDuty writes it, such as {:?} (case counts), or a pattern with *",
                quoted(kind),
                nearest(kind)
            );
            return Err(about(&format!("types[{index}]"), text));
        }
        let matches = match (pattern, fields == Fields::default()) {
            (Some(pattern), true) => Matches::Pattern(pattern),
            (None, false) => Matches::Fields(fields),
            (Some(_), false) => {
                let text =
                    "expected `pattern`, or types, min_severity, regions, affiliated and products, not both";
                return Err(about("pattern", text));
            }
            (None, true) => {
                return Err(format!(
                    "{}: it says not for which findings: give `pattern`, or types, min_severity, regions, affiliated or products (types = [\"*\"] is all)",
                    quoted(&name)
                ));
            }
        };
        let is_given = remedy.is_some();
        let remedies = remedy.map(OneOrMore::all).unwrap_or_default();
        if is_given && remedies.is_empty() {
            return Err(about("remedy", "expected a remedy, or a list of them"));
        }
        if widen && scope == Scope::Role {
            let text = "it is for scope = \"session\": without that all sessions are revoked anyway";
            return Err(about("widen", text));
        }
        let approval = Approval { approvers: approvers.0, four_eyes };
        Ok(Self(Rule { name, matches, remedies, scope, widen, mode, contested, pursue, contain, approval }))
    }
}
