//! Managed policies, and what they are attached to.

use super::call::field;
use super::http::Message;
use super::iam::{Form, NAMESPACE, member, with_role};
use super::listener::locked;
use super::reply::{escaped, xml, xml_error};
use super::world::World;
use std::time::Instant;

/// What each account has from the start.
const QUARANTINE: &str = "policy/rescind/Quarantine";

pub fn answer(world: &World, account: &str, operation: &str, form: &Form) -> Message {
    match operation {
        "CreatePolicy" => create(world, account, form),
        "AttachRolePolicy" => attach(world, account, form),
        "DetachRolePolicy" => detach(world, account, form),
        _ => list(world, account, form),
    }
}

/// A managed policy. Its document counts for nobody but the caller.
fn create(world: &World, account: &str, form: &Form) -> Message {
    let name = field(form, "PolicyName");
    if !locked(&world.managed).insert((account.to_owned(), name.to_owned())) {
        let text = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return xml_error(409, "EntityAlreadyExists", &text);
    }
    let result = format!(
        "<Policy><PolicyName>{0}</PolicyName><PolicyId>ANPAEXAMPLEEXAMPLE123</PolicyId>\
         <Arn>arn:aws:iam::{account}:policy/{0}</Arn><Path>/</Path>\
         <DefaultVersionId>v1</DefaultVersionId></Policy>",
        escaped(name)
    );
    xml(NAMESPACE, "CreatePolicy", &result)
}

fn attach(world: &World, account: &str, form: &Form) -> Message {
    let arn = field(form, "PolicyArn");
    let name = arn.rsplit('/').next().unwrap_or_default();
    let is_quarantine = arn.ends_with(QUARANTINE);
    if !is_quarantine && !locked(&world.managed).contains(&(account.to_owned(), name.to_owned())) {
        return xml_error(404, "NoSuchEntity", &format!("Policy {arn} does not exist."));
    }
    let role = with_role(world, account, field(form, "RoleName"), |role| {
        role.attached.insert(arn.to_owned());
        format!("{account}/{}", role.name)
    });
    // The quarantine is beside a deny, which is counted itself.
    if !is_quarantine {
        locked(&world.log).denied.push((role, Instant::now()));
    }
    xml(NAMESPACE, "AttachRolePolicy", "")
}

fn detach(world: &World, account: &str, form: &Form) -> Message {
    let arn = field(form, "PolicyArn");
    if with_role(world, account, field(form, "RoleName"), |role| role.attached.remove(arn)) {
        return xml(NAMESPACE, "DetachRolePolicy", "");
    }
    xml_error(404, "NoSuchEntity", &format!("Policy {arn} was not found."))
}

fn list(world: &World, account: &str, form: &Form) -> Message {
    let attached = with_role(world, account, field(form, "RoleName"), |role| role.attached.clone());
    let one = |arn: &String| {
        let name = escaped(arn.rsplit('/').next().unwrap_or_default());
        let arn = escaped(arn);
        member(&format!("<PolicyName>{name}</PolicyName><PolicyArn>{arn}</PolicyArn>"))
    };
    let members: String = attached.iter().map(one).collect();
    let result = format!("<AttachedPolicies>{members}</AttachedPolicies><IsTruncated>false</IsTruncated>");
    xml(NAMESPACE, "ListAttachedRolePolicies", &result)
}
