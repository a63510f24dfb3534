//! Whose credentials an attack sequence may be about that names none: the roles of what was attacked.
//!
//! Sequences about instances, clusters and tasks name resources in `service.detection.sequence.resources` (GuardDuty API
//! Reference, "ResourceV2", "ResourceData"): access keys, instance profiles, and instances with theirs. Of a task or a pod
//! they do not name the role.

use super::fields::Fields;
use super::occurrence::Finding;
use super::principal::{Principal, UserType, named_in_arn};
use crate::ident::{AccountId, quoted};
use serde_json::Value;

/// Maximum number of resources that are looked at. The API Reference allows 400.
const MOST_RESOURCES: usize = 400;

/// Maximum number of resources that are named where no role is found.
const NAMED: usize = 5;

/// A principal that a resource leads to.
struct Candidate {
    account: AccountId,
    principal: Principal,
    /// The instances that have its credentials.
    instances: Vec<String>,
    /// The instance profile that it is taken from, if it is.
    profile: Option<String>,
}

/// A finding for each principal that the resources of a sequence lead to, without those that `named` are about.
pub(super) fn of(finding: &Value, whole: &Finding, named: &[&Finding]) -> Vec<Finding> {
    let mut all: Vec<Candidate> = Vec::new();
    for candidate in
        resources(finding).filter_map(|resource| read(resource, whole)).chain(of_instance(finding, whole))
    {
        match all.iter_mut().find(|one| one.is_same(&candidate)) {
            Some(one) => one.instances.extend(candidate.instances),
            None => all.push(candidate),
        }
    }
    let keys: Vec<String> = all
        .iter()
        .filter(|one| one.profile.is_none())
        .filter_map(|one| one.principal.instance_id())
        .collect();
    // Whose session is named, by an actor or as a resource, is known better than by the profile.
    all.retain(|one| one.profile.is_none() || !one.instances.iter().any(|instance| keys.contains(instance)));
    all.retain(|one| !named.iter().any(|finding| one.is_about(finding)));
    all.into_iter().map(|candidate| candidate.finding(whole)).collect()
}

/// What is known of a sequence in which no principal is found.
pub(super) fn unknown(finding: &Value) -> String {
    let mut known: Vec<String> = resources(finding)
        .filter_map(|resource| {
            let kind = resource.get("resourceType")?.as_str()?;
            let task = resource.pointer("/data/ecsTask/taskDefinitionArn");
            let name = task.or_else(|| resource.get("name")).or_else(|| resource.get("uid"))?.as_str()?;
            Some(format!("{} {}", quoted(kind), quoted(name)))
        })
        .collect();
    known.dedup();
    let more = known.len().saturating_sub(NAMED);
    known.truncate(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let about =
        if known.is_empty() { String::new() } else { format!(": it is about {}{more}", known.join(", ")) };
    format!("the finding names no credentials, and no role can be found in it{about}")
}

fn resources(finding: &Value) -> impl Iterator<Item = &Value> {
    let resources = finding.pointer("/service/detection/sequence/resources").and_then(Value::as_array);
    resources.into_iter().flatten().take(MOST_RESOURCES)
}

/// What one resource leads to.
fn read(resource: &Value, whole: &Finding) -> Option<Candidate> {
    let fields = Fields::of(resource);
    let account = fields.account("accountId").ok().flatten().unwrap_or_else(|| whole.account.clone());
    // Whole, or not at all: a name that is cut is another one.
    let text = |path: &str| fields.exact(path).ok().flatten();
    let (uid, name) = (text("uid"), text("name"));
    let candidate = |account: AccountId, principal, instances, profile| {
        Some(Candidate { account, principal, instances, profile })
    };
    if let Some((owner, role)) = uid.as_deref().and_then(|uid| named_in_arn(uid, "role")) {
        return candidate(owner, role_named(role), Vec::new(), None);
    }
    if fields.is_object("data.accessKey").unwrap_or(false) {
        let is_key = |text: &String| text.starts_with("AKIA") || text.starts_with("ASIA");
        let principal = Principal {
            user_type: UserType::from(text("data.accessKey.userType").unwrap_or_default()),
            user_name: text("data.accessKey.userName"),
            principal_id: text("data.accessKey.principalId"),
            access_key_id: name.filter(is_key),
        };
        let instances = principal.instance_id().into_iter().collect();
        return candidate(account, principal, instances, None);
    }
    if text("resourceType").as_deref() == Some("IAM_INSTANCE_PROFILE") {
        let in_arn = uid.as_deref().and_then(profile_in_arn);
        let (owner, profile) = in_arn.or_else(|| Some((account, last_part(&name?).to_owned())))?;
        let instances =
            resource.pointer("/data/iamInstanceProfile/ec2InstanceUids").and_then(Value::as_array);
        let instances = instances.into_iter().flatten().filter_map(Value::as_str).map(last_part);
        return candidate(
            owner,
            role_named(profile.clone()),
            instances.map(str::to_owned).collect(),
            Some(profile),
        );
    }
    // The one field of the API that begins with a capital.
    let arn = ["iamInstanceProfile", "IamInstanceProfile"]
        .iter()
        .find_map(|key| text(&format!("data.ec2Instance.{key}.arn")))?;
    let (owner, profile) = profile_in_arn(&arn)?;
    let instance = uid.as_deref().or(name.as_deref()).map(last_part).filter(|id| id.starts_with("i-"));
    candidate(
        owner,
        role_named(profile.clone()),
        instance.map(str::to_owned).into_iter().collect(),
        Some(profile),
    )
}

/// The instance that stands where other findings have it.
fn of_instance(finding: &Value, whole: &Finding) -> Option<Candidate> {
    let arn = finding.pointer("/resource/instanceDetails/iamInstanceProfile/arn")?.as_str()?;
    let (account, profile) = profile_in_arn(arn)?;
    let instances = whole.evidence.instance_id.iter().cloned().collect();
    Some(Candidate { account, principal: role_named(profile.clone()), instances, profile: Some(profile) })
}

fn role_named(name: String) -> Principal {
    Principal { user_type: UserType::Role, user_name: Some(name), principal_id: None, access_key_id: None }
}

fn profile_in_arn(arn: &str) -> Option<(AccountId, String)> {
    named_in_arn(arn, "instance-profile")
}

/// `i-0abc` of an instance's ARN.
fn last_part(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

impl Candidate {
    /// Names of roles ignore case. Sessions and keys of one role are distinguished.
    fn is_same(&self, other: &Self) -> bool {
        let name = |one: &Self| one.principal.user_name.as_deref().map(str::to_ascii_lowercase);
        self.account == other.account
            && name(self) == name(other)
            && self.principal.principal_id == other.principal.principal_id
            && self.principal.access_key_id == other.principal.access_key_id
    }

    /// A finding about an actor is about the same principal, or about the session of one of its instances.
    fn is_about(&self, finding: &Finding) -> bool {
        let Some(named) = &finding.principal else { return false };
        let has_instance = named.instance_id().is_some_and(|instance| self.instances.contains(&instance));
        let is_named = match (&named.user_name, &self.principal.user_name) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => named.principal_id == self.principal.principal_id,
        };
        has_instance || (is_named && finding.account == self.account)
    }

    fn finding(self, whole: &Finding) -> Finding {
        let inferred = match &self.profile {
            None => "it is among the resources of the sequence".to_owned(),
            Some(profile) => {
                let of = if self.instances.is_empty() {
                    String::new()
                } else {
                    let some: Vec<&str> = self.instances.iter().take(NAMED).map(String::as_str).collect();
                    let more = self.instances.len().saturating_sub(NAMED);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    format!(" of {}{more}", some.join(", "))
                };
                format!(
                    "it has the name of the instance profile {}{of}, whose role may have another one",
                    quoted(profile)
                )
            }
        };
        let mut finding =
            Finding { actor: true, account: self.account, inferred: Some(inferred), ..whole.clone() };
        let instance = finding.evidence.instance_id.take().or_else(|| self.instances.first().cloned());
        finding.evidence.instance_id = instance;
        finding.principal = Some(self.principal);
        finding
    }
}

#[cfg(test)]
mod tests;
