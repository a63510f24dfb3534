//! The seal as it is found in an organization.

use super::{Deployed, difference, organization_seal, statements_of};
use serde_json::Value;

/// How much of [`organization_seal`] a service control policy has, whoever its deployers are. Other statements beside
/// it only deny more.
#[must_use]
pub fn sealing(member_role: &str, content: &str) -> Deployed {
    let mut found: Value = serde_json::from_str(content).unwrap_or_default();
    let deployers = deployers(&found);
    let wanted = organization_seal(member_role, &deployers);
    let sids: Vec<&Value> = statements_of(&wanted).iter().map(|statement| &statement["Sid"]).collect();
    let ours: Vec<Value> =
        statements_of(&found).iter().filter(|statement| sids.contains(&&statement["Sid"])).cloned().collect();
    if ours.is_empty() {
        return Deployed::Nothing;
    }
    if let Some(everybody) = deployers.iter().find(|pattern| is_everybody(pattern)) {
        return Deployed::Part(format!("{everybody} exempts everybody"));
    }
    found["Statement"] = ours.into();
    difference(&wanted, &found).map_or(Deployed::Whole, Deployed::Part)
}

/// Who may alter the remediation role, by the SCP.
fn deployers(found: &Value) -> Vec<String> {
    let keeping = statements_of(found).iter().find(|statement| statement["Sid"] == "KeepTheRemediationRole");
    let exempt = keeping.and_then(|statement| statement.pointer("/Condition/ArnNotLike/aws:PrincipalArn"));
    match exempt {
        Some(Value::Array(all)) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Whether an ARN pattern names nobody in particular.
fn is_everybody(pattern: &str) -> bool {
    let resource = pattern.splitn(6, ':').nth(5).unwrap_or_default();
    let name = resource.strip_prefix("role/").or_else(|| resource.strip_prefix("user/")).unwrap_or(resource);
    name.trim_matches(['*', '?', '/']).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployed() -> Value {
        organization_seal("a/Remediation", &["arn:aws:iam::*:role/stacksets-exec-*".to_owned()])
    }

    fn of(document: &Value) -> Deployed {
        sealing("a/Remediation", &document.to_string())
    }

    #[test]
    fn it_is_found_whoever_deploys_and_beside_other_statements() {
        let mut seal = deployed();
        assert_eq!(of(&seal), Deployed::Whole);
        let more = json!({"Sid": "NoRegions", "Effect": "Deny", "Action": "*", "Resource": "*"});
        seal["Statement"].as_array_mut().expect("a list").push(more);
        assert_eq!(of(&seal), Deployed::Whole);
        let two = ["arn:aws:iam::*:role/deploy/*".to_owned(), "arn:aws:iam::*:user/terraform".to_owned()];
        assert_eq!(of(&organization_seal("a/Remediation", &two)), Deployed::Whole);
    }

    #[test]
    fn what_lacks_something_or_exempts_everybody_does_not_count() {
        for sid in
            ["KeepTheQuarantine", "KeepTheQuarantinePolicy", "KeepTheRemediationRole", "KeepTheDeployers"]
        {
            let mut seal = deployed();
            seal["Statement"].as_array_mut().expect("a list").retain(|one| one["Sid"] != sid);
            assert!(matches!(of(&seal), Deployed::Part(why) if why.contains(sid)), "{sid}");
        }
        assert!(matches!(sealing("Other", &deployed().to_string()), Deployed::Part(_)));
        for everybody in ["*", "arn:aws:iam::*:role/*", "arn:*:iam::*:*"] {
            let seal = organization_seal("a/Remediation", &[everybody.to_owned()]);
            assert_eq!(of(&seal), Deployed::Part(format!("{everybody} exempts everybody")));
        }
        for other in [json!({}), json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})] {
            assert_eq!(of(&other), Deployed::Nothing);
        }
        assert_eq!(sealing("Other", "no JSON"), Deployed::Nothing);
    }
}
