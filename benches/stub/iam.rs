//! AWS IAM: roles that exist as soon as somebody asks for them, and a simulator that knows nothing
//! but their denials by the time of issue.

use super::attachments;
use super::call::{Call, field, form};
use super::civil;
use super::http::Message;
use super::identity::account_of;
use super::json::Json;
use super::listener::locked;
use super::reply::{escaped, percent_encoded, xml, xml_error};
use super::world::{Role, World};
use std::time::Instant;

pub const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const QUARANTINE: &str = include_str!("../../policies/quarantine.json");
/// How many roles each account says it has, so that a share of them can be denied.
const ROLES: usize = 1000;

pub type Form = [(String, String)];

pub fn answer(world: &World, call: &Call, request: &Message) -> Message {
    let form = form(&request.body);
    let account = account_of(&call.access_key);
    let operation = call.operation.as_str();
    let done = |result: &str| xml(NAMESPACE, operation, result);
    match operation {
        "GetRole" => with_role(world, account, field(&form, "RoleName"), |role| {
            done(&format!("<Role>{}</Role>", described(role)))
        }),
        "GetRolePolicy" => with_role(world, account, field(&form, "RoleName"), |role| {
            let name = field(&form, "PolicyName");
            match role.policies.get(name) {
                Some(document) => done(&policy(role, name, document)),
                None => no_policy(name),
            }
        }),
        "PutRolePolicy" => put(world, account, &form),
        "GetPolicy" => done("<Policy><DefaultVersionId>v1</DefaultVersionId></Policy>"),
        "GetPolicyVersion" => {
            let document = percent_encoded(QUARANTINE);
            done(&format!("<PolicyVersion><Document>{document}</Document></PolicyVersion>"))
        }
        "CreatePolicy" | "AttachRolePolicy" | "DetachRolePolicy" | "ListAttachedRolePolicies" => {
            attachments::answer(world, account, operation, &form)
        }
        "ListRolePolicies" => with_role(world, account, field(&form, "RoleName"), |role| {
            let names: Vec<String> = role.policies.keys().map(|name| member(&escaped(name))).collect();
            let names = names.concat();
            done(&format!("<PolicyNames>{names}</PolicyNames><IsTruncated>false</IsTruncated>"))
        }),
        "ListRoles" => done(&list(world, account)),
        "GetAccountSummary" => {
            done(&format!("<SummaryMap><entry><key>Roles</key><value>{ROLES}</value></entry></SummaryMap>"))
        }
        "SimulatePrincipalPolicy" => simulate(world, account, &form),
        other => xml_error(400, "InvalidAction", &format!("the stub has no iam:{other}")),
    }
}

/// Finds the role, or makes it.
pub fn with_role<T>(world: &World, account: &str, name: &str, then: impl FnOnce(&mut Role) -> T) -> T {
    let key = (account.to_owned(), name.to_lowercase());
    then(locked(&world.roles).entry(key).or_insert_with(|| Role::new(account, name)))
}

fn described(role: &Role) -> String {
    format!(
        "<Path>/</Path><RoleName>{}</RoleName><RoleId>{}</RoleId><Arn>{}</Arn>\
         <CreateDate>2024-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>\
         <MaxSessionDuration>3600</MaxSessionDuration>",
        escaped(&role.name),
        role.id,
        escaped(&role.arn()),
        percent_encoded(TRUST)
    )
}

fn policy(role: &Role, name: &str, document: &str) -> String {
    format!(
        "<RoleName>{}</RoleName><PolicyName>{}</PolicyName><PolicyDocument>{}</PolicyDocument>",
        escaped(&role.name),
        escaped(name),
        percent_encoded(document)
    )
}

fn no_policy(name: &str) -> Message {
    xml_error(404, "NoSuchEntity", &format!("The role policy with name {name} cannot be found."))
}

fn put(world: &World, account: &str, form: &Form) -> Message {
    let (name, document) = (field(form, "PolicyName"), field(form, "PolicyDocument"));
    if Json::read(document.as_bytes()).get("Statement") == &Json::Null {
        return xml_error(400, "MalformedPolicyDocument", "Syntax errors in policy.");
    }
    let role = with_role(world, account, field(form, "RoleName"), |role| {
        role.policies.insert(name.to_owned(), document.to_owned());
        format!("{account}/{}", role.name)
    });
    locked(&world.log).denied.push((role, Instant::now()));
    xml(NAMESPACE, "PutRolePolicy", "")
}

pub fn member(xml: &str) -> String {
    format!("<member>{xml}</member>")
}

fn list(world: &World, account: &str) -> String {
    let roles = locked(&world.roles);
    let mut own: Vec<&Role> = roles.values().filter(|role| role.account == account).collect();
    own.sort_by(|a, b| a.name.cmp(&b.name));
    let members: Vec<String> = own.into_iter().map(described).map(|role| member(&role)).collect();
    let members = members.concat();
    format!("<Roles>{members}</Roles><IsTruncated>false</IsTruncated>")
}

fn simulate(world: &World, account: &str, form: &Form) -> Message {
    let source = field(form, "PolicySourceArn");
    let role = source.rsplit('/').next().unwrap_or_default();
    if !source.starts_with(&format!("arn:aws:iam::{account}:role/")) {
        return xml_error(404, "NoSuchEntity", &format!("Entity {source} does not exist"));
    }
    let context = context(form);
    let matched = with_role(world, account, role, |role| {
        let denies = role.policies.iter().filter(|(_, document)| denies(document, &context));
        denies.map(|(name, _)| statement(&format!("role_{}_{name}", role.name))).collect::<String>()
    });
    let decision = if matched.is_empty() { "allowed" } else { "explicitDeny" };
    let actions = numbered(form, "ActionNames.member.", "");
    let results: String = actions.iter().map(|action| result(action, decision, &matched)).collect();
    let result = format!("<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>");
    xml(NAMESPACE, "SimulatePrincipalPolicy", &result)
}

fn result(action: &str, decision: &str, matched: &str) -> String {
    format!(
        "<member><EvalActionName>{}</EvalActionName><EvalResourceName>*</EvalResourceName>\
         <EvalDecision>{decision}</EvalDecision><MatchedStatements>{matched}</MatchedStatements>\
         <MissingContextValues/></member>",
        escaped(action)
    )
}

fn statement(policy: &str) -> String {
    format!(
        "<member><SourcePolicyId>{}</SourcePolicyId><SourcePolicyType>IAM Policy</SourcePolicyType>\
         <StartPosition><Line>1</Line><Column>38</Column></StartPosition>\
         <EndPosition><Line>1</Line><Column>200</Column></EndPosition></member>",
        escaped(policy)
    )
}

/// The values of `PREFIX1SUFFIX`, `PREFIX2SUFFIX` and so on.
fn numbered<'a>(form: &'a Form, prefix: &str, suffix: &str) -> Vec<&'a str> {
    let value = |n: usize| field(form, &format!("{prefix}{n}{suffix}"));
    (1..=form.len()).map(value).take_while(|value| !value.is_empty()).collect()
}

/// The keys of the context in lower case, with the first value of each.
fn context(form: &Form) -> Vec<(String, &str)> {
    let keys = numbered(form, "ContextEntries.member.", ".ContextKeyName");
    let values = numbered(form, "ContextEntries.member.", ".ContextKeyValues.member.1");
    keys.into_iter().map(str::to_lowercase).zip(values).collect()
}

/// A statement of the document denies everything in this context.
fn denies(document: &str, context: &[(String, &str)]) -> bool {
    let document = Json::read(document.as_bytes());
    let mut denials =
        document.get("Statement").items().iter().filter(|s| s.get("Effect").text() == Some("Deny"));
    denials.any(|statement| {
        let operators = statement.get("Condition").fields();
        operators.iter().all(|(operator, keys)| {
            keys.fields().iter().all(|(key, wanted)| {
                let have = context.iter().find(|(name, _)| *name == key.to_lowercase());
                have.is_some_and(|(_, have)| wanted.texts().any(|wanted| holds(operator, have, wanted)))
            })
        })
    })
}

fn holds(operator: &str, have: &str, wanted: &str) -> bool {
    match operator {
        "DateLessThan" => civil::parsed(have) < civil::parsed(wanted),
        "StringEquals" => have == wanted,
        _ => false,
    }
}
