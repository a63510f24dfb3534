//! The organization's resource policy, which lets the hub's role write service control policies.

use super::{Deployed, collect, difference, filled, statements_of, with_path};
use crate::ident::AccountId;
use serde_json::Value;

const DELEGATION: &str = include_str!("../../policies/organization-deny-delegation.json");

/// To whom an organization delegates its service control policies.
#[derive(Debug, Clone)]
pub struct Delegate {
    pub hub_role_arn: String,
    /// The id of the organization: `o-…`.
    pub organization: String,
    /// The account that manages it, which has the policies.
    pub management: AccountId,
}

/// The statements with which an organization lets the hub's role write service control policies for its accounts.
#[must_use]
pub fn organization_delegation(to: &Delegate) -> Value {
    let (partition, account) = partition_and_account(&to.hub_role_arn);
    filled(
        DELEGATION,
        &[
            ("PARTITION", partition),
            ("HUB_ACCOUNT", account),
            ("HUB_ROLE_ARN", &to.hub_role_arn),
            ("MANAGEMENT_ACCOUNT", to.management.as_str()),
            ("ORG_ID", &to.organization),
        ],
    )
}

/// How much of [`organization_delegation`] an organization's resource policy has. It may have other statements as
/// well: an organization has one such policy for all that it delegates.
#[must_use]
pub fn delegation(to: &Delegate, content: &str) -> Deployed {
    let mut found: Value = serde_json::from_str(content).unwrap_or_default();
    let hub_role_arn = with_path(&to.hub_role_arn, &found);
    let wanted = organization_delegation(&Delegate { hub_role_arn, ..to.clone() });
    let sids: Vec<&Value> = statements_of(&wanted).iter().map(|statement| &statement["Sid"]).collect();
    let ours: Vec<Value> =
        statements_of(&found).iter().filter(|statement| sids.contains(&&statement["Sid"])).cloned().collect();
    if !names_hub(to, &found, ours.is_empty()) {
        return Deployed::Nothing;
    }
    if ours.is_empty() {
        return Deployed::Part("it names the hub in statements of its own".to_owned());
    }
    found["Statement"] = ours.into();
    difference(&wanted, &found).map_or(Deployed::Whole, Deployed::Part)
}

/// Whether the document has the hub's role somewhere, or its account as a whole where that counts.
fn names_hub(to: &Delegate, found: &Value, by_account: bool) -> bool {
    let (partition, account) = partition_and_account(&to.hub_role_arn);
    let root = format!("arn:{partition}:iam::{account}:root");
    let hub_role_arn = with_path(&to.hub_role_arn, found);
    let mut texts = Vec::new();
    collect(found, &mut texts);
    texts.iter().any(|text| *text == hub_role_arn || by_account && (*text == root || text == account))
}

fn partition_and_account(arn: &str) -> (&str, &str) {
    let mut parts = arn.split(':');
    (parts.nth(1).unwrap_or_default(), parts.nth(2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hub() -> Delegate {
        Delegate {
            hub_role_arn: "arn:aws-cn:iam::111111111111:role/Hub".to_owned(),
            organization: "o-a1b2c3d4e5".to_owned(),
            management: "888888888888".parse().expect("legal"),
        }
    }

    fn of(document: &Value) -> Deployed {
        delegation(&hub(), &document.to_string())
    }

    #[test]
    fn it_is_filled_in_from_the_role() {
        let text = organization_delegation(&hub()).to_string();
        assert!(!text.contains("${"), "{text}");
        for part in [
            "arn:aws-cn:iam::111111111111:root",
            "arn:aws-cn:iam::111111111111:role/Hub",
            "arn:aws-cn:organizations::888888888888:policy/o-a1b2c3d4e5/service_control_policy/*",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // Beside what others have delegated to them: 40,000 characters for all.
        assert!(text.len() < 40_000 / 10);
    }

    #[test]
    fn it_is_found_beside_other_statements_and_with_the_roles_path() {
        let path = Delegate { hub_role_arn: "arn:aws-cn:iam::111111111111:role/sec/Hub".to_owned(), ..hub() };
        for delegate in [hub(), path] {
            let mut document = organization_delegation(&delegate);
            let more = json!({"Sid": "Backups", "Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "organizations:ListPolicies", "Resource": "*"});
            document["Statement"].as_array_mut().expect("a list").push(more);
            assert_eq!(of(&document), Deployed::Whole);
        }
    }

    #[test]
    fn what_lacks_something_is_named_and_what_is_for_others_does_not_count() {
        let mut less = organization_delegation(&hub());
        less["Statement"]
            .as_array_mut()
            .expect("a list")
            .retain(|one| one["Sid"] != "RescindAttachToAccounts");
        assert_eq!(of(&less), Deployed::Part("RescindAttachToAccounts is missing".to_owned()));
        let other = Delegate { hub_role_arn: "arn:aws-cn:iam::111111111111:role/Other".to_owned(), ..hub() };
        assert_eq!(of(&organization_delegation(&other)), Deployed::Nothing);
        let whole = |principal: &str| json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "organizations:*", "Resource": "*"}});
        assert!(matches!(of(&whole("arn:aws-cn:iam::111111111111:root")), Deployed::Part(_)));
        assert_eq!(of(&whole("333333333333")), Deployed::Nothing);
        assert_eq!(delegation(&hub(), "no JSON"), Deployed::Nothing);
    }
}
