//! An order to revoke: whom it is for, as a person names them, and how it is recorded.

use super::DeskError;
use crate::finding::{Finding, Order, Ordered, OrderedBy, Theft};
use crate::ident::{AccountId, Region, RoleId, is_name_byte, quoted};
use crate::ledger::{Append, Ledger};
use crate::remediation::{Answer, Draft, Origin, is_session_id};
use jiff::Timestamp;
use std::net::IpAddr;

/// Maximum length of an access key's id (IAM API Reference, `AccessKeyId`: 16 to 128).
const LONGEST_KEY: usize = 128;

/// What a person asks to have revoked, as they write it.
#[derive(Debug, Clone)]
pub struct OrderAsked {
    /// The account that the role or user is in.
    pub account: AccountId,
    /// A role (web, role/web), an IAM user (user/alice), or an ARN of one or of a role's session.
    pub principal: String,
    /// Only this session of the role: its name, or AROA…:NAME.
    pub session: Option<String>,
    /// The access key that was stolen.
    pub key: Option<String>,
    /// When the theft began, if that is known.
    pub since: Option<Timestamp>,
    /// The address at which the thief was seen.
    pub address: Option<IpAddr>,
}

/// Whom an order is for, once it was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The role or user. A role's session is in it where it is named in full.
    pub who: Ordered,
    /// The name of the session, where the role's id is missing: only IAM knows that.
    pub missing: Option<String>,
}

/// An order that is recorded.
#[derive(Debug, Clone)]
pub struct Given {
    /// The finding that the order became.
    pub finding: Finding,
    /// Number of the entry that hands it in.
    pub entry: i64,
}

/// Whether a text can be the id of an access key.
#[must_use]
pub fn is_access_key(text: &str) -> bool {
    (16..=LONGEST_KEY).contains(&text.len())
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

impl OrderAsked {
    /// Whom it is for.
    ///
    /// # Errors
    /// When it names nobody, or what does not belong together.
    pub fn principal(&self) -> Result<Principal, DeskError> {
        let Named { mut who, session } = named(&self.principal, &self.account).map_err(DeskError::Invalid)?;
        let given = self.session.as_ref().or(session.as_ref());
        let invalid = |text: String| Err(DeskError::Invalid(text));
        if self.key.as_deref().is_some_and(|key| !is_access_key(key)) {
            return invalid("key: expected AKIA… or ASIA…".to_owned());
        }
        match (&who, given, &self.key) {
            (Ordered::User(user), Some(_), _) => {
                return invalid(format!(
                    "session: it is for a role, and {} is a user",
                    quoted(user.as_str())
                ));
            }
            (Ordered::Role { name, .. }, _, Some(key)) if key.starts_with("AKIA") => {
                return invalid(format!(
                    "key: {key} is a user's key, and {} a role: name the user as user/NAME",
                    quoted(name.as_str())
                ));
            }
            (Ordered::User(user), _, Some(key)) if key.starts_with("ASIA") => {
                return invalid(format!(
                    "key: {key} is a session's key, and does not say which long-term key opened it. Give AKIA…, or none: then {} is denied everything",
                    quoted(user.as_str())
                ));
            }
            _ => {}
        }
        if let Some(since) = self.since.filter(|since| *since > Timestamp::now()) {
            return invalid(format!("since: {since} is yet to come"));
        }
        let session = given.map(|text| session_of(text, &self.account, &who)).transpose();
        let session = session.map_err(DeskError::Invalid)?;
        let is_complete = session.as_deref().is_none_or(is_session_id);
        if let (Ordered::Role { session: whole, .. }, Some(session), true) = (&mut who, &session, is_complete)
        {
            *whole = Some(session.clone());
        }
        Ok(Principal { who, missing: session.filter(|_| !is_complete) })
    }

    /// The finding that the order becomes, given now.
    #[must_use]
    pub fn finding(&self, who: &Ordered, answer: &Answer, region: &Region) -> Finding {
        let theft = Theft { access_key_id: self.key.clone(), since: self.since, address: self.address };
        let from = OrderedBy::Person {
            by: answer.by.clone(),
            os_user: answer.os_user.clone(),
            aws_identity: answer.aws_identity.clone(),
            identity: answer.identity.clone(),
        };
        let order = Order { from, reason: answer.reason.clone() };
        Finding::ordered(self.account.clone(), region.clone(), who, theft, order, Timestamp::now())
    }
}

/// Records an order. Whatever happens then, it is not lost.
///
/// # Errors
/// When the ledger cannot be written.
pub async fn ask(
    ledger: &Ledger,
    order: &OrderAsked,
    who: &Ordered,
    answer: &Answer,
    region: &Region,
) -> Result<Given, DeskError> {
    let finding = order.finding(who, answer, region);
    let origin = Origin::Order { by: answer.by.clone() };
    let entries = vec![
        Draft::finding(&origin, finding.clone(), None),
        Draft::handed_in(&origin, &finding, &answer.os_user),
    ];
    let written = ledger.append(Append { entries, ..Append::default() }).await?;
    let entry = written.into_iter().flatten().next_back().unwrap_or_default();
    Ok(Given { finding, entry })
}

/// What a person may write, as an error lists it.
const EXPECTED: &str =
    "expected a role (web, role/web), a user (user/alice), or an ARN of one or of a role's session";

/// A role or user, as a person names it; of a session's ARN its name as well.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    who: Ordered,
    /// The session's name, where the ARN has it.
    session: Option<String>,
}

/// Reads what a person wrote.
///
/// # Errors
/// When it names no role or user, or one of another account.
fn named(text: &str, account: &AccountId) -> Result<Named, String> {
    let resource = match text.strip_prefix("arn:") {
        None => text,
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            let [partition, "iam" | "sts", "", owner, resource] = parts[..] else {
                return Err(format!("{}: {EXPECTED}", quoted(text)));
            };
            let is_session = resource.starts_with("assumed-role/");
            if !partition.starts_with("aws") || is_session != (parts[1] == "sts") {
                return Err(format!("{}: {EXPECTED}", quoted(text)));
            }
            if owner != account.as_str() {
                return Err(format!(
                    "{}: it is of account {}, not of {account}",
                    quoted(text),
                    quoted(owner)
                ));
            }
            resource
        }
    };
    let parts: Vec<&str> = resource.split('/').collect();
    let (kind, name, session) = match parts[..] {
        [name] if text == resource => ("role", name, None),
        ["assumed-role", name, session] => ("role", name, Some(session.to_owned())),
        [kind @ ("role" | "user"), .., name] if !parts.contains(&"") => (kind, name, None),
        _ => return Err(format!("{}: {EXPECTED}", quoted(text))),
    };
    let who = match kind {
        "user" => Ordered::User(name.parse().map_err(|error| format!("{error}"))?),
        _ => Ordered::Role { name: name.parse().map_err(|error| format!("{error}"))?, session: None },
    };
    Ok(Named { who, session })
}

/// What is said of a session of the role: its name, or its whole `aws:userid`.
///
/// # Errors
/// When it is neither: then it must not be taken for something wider.
fn session_of(text: &str, account: &AccountId, of: &Ordered) -> Result<String, String> {
    let name = match named(text, account) {
        Ok(Named { session: Some(session), who }) if who == *of => session,
        Ok(Named { session: Some(_), .. }) => {
            return Err(format!("session {}: it is a session of another role", quoted(text)));
        }
        _ => text.to_owned(),
    };
    let is_name = (2..=64).contains(&name.len()) && name.bytes().all(is_name_byte);
    let is_role_id = name.parse::<RoleId>().is_ok();
    if is_session_id(&name) || is_name && !is_role_id {
        return Ok(name);
    }
    let why = "expected a session's name (i-0123456789abcdef0: 2 to 64 of A-Z a-z 0-9 + = , . @ _ -), AROA…:NAME, or its ARN";
    Err(format!("session {}: {why}", quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_named_in_each_usual_form() {
        let account: AccountId = "222222222222".parse().expect("an account");
        let name = |text: &str| match named(text, &account) {
            Ok(Named { who: Ordered::Role { name, .. }, session }) => {
                format!(
                    "{text}: role {name}{}",
                    session.map_or_else(String::new, |one| format!(", session {one}"))
                )
            }
            Ok(Named { who: Ordered::User(name), .. }) => format!("{text}: user {name}"),
            Err(error) => error,
        };
        let named: Vec<String> = [
            "web",
            "role/web",
            "role/apps/shop/web",
            "user/alice",
            "user/staff/alice",
            "arn:aws:iam::222222222222:role/apps/web",
            "arn:aws-cn:iam::222222222222:user/alice",
            "arn:aws:sts::222222222222:assumed-role/web/i-0abc",
            "arn:aws:iam::333333333333:role/web",
            "arn:aws:iam::222222222222:root",
            "arn:aws:s3:::bucket",
            "group/admins",
            "",
            "role/",
        ]
        .into_iter()
        .map(name)
        .collect();
        insta::assert_snapshot!(named.join("\n"), @r#"
        web: role web
        role/web: role web
        role/apps/shop/web: role web
        user/alice: user alice
        user/staff/alice: user alice
        arn:aws:iam::222222222222:role/apps/web: role web
        arn:aws-cn:iam::222222222222:user/alice: user alice
        arn:aws:sts::222222222222:assumed-role/web/i-0abc: role web, session i-0abc
        "arn:aws:iam::333333333333:role/web": it is of account "333333333333", not of 222222222222
        "arn:aws:iam::222222222222:root": expected a role (web, role/web), a user (user/alice), or an ARN of one or of a role's session
        "arn:aws:s3:::bucket": expected a role (web, role/web), a user (user/alice), or an ARN of one or of a role's session
        "group/admins": expected a role (web, role/web), a user (user/alice), or an ARN of one or of a role's session
        "": a role name has 1 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -
        "role/": expected a role (web, role/web), a user (user/alice), or an ARN of one or of a role's session
        "#);
    }

    #[test]
    fn a_session_is_named_exactly_or_not_at_all() {
        let account: AccountId = "222222222222".parse().expect("an account");
        let web = Ordered::Role { name: "web".parse().expect("a name"), session: None };
        for text in [
            "i-0123456789abcdef0",
            "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0",
            "arn:aws:sts::222222222222:assumed-role/web/i-0123456789abcdef0",
            "alice@example.com",
        ] {
            let named = session_of(text, &account, &web).expect(text);
            assert!(text.ends_with(&named), "{named}");
        }
        for text in [
            "",
            "x",
            " i-0123456789abcdef0",
            "i-0123456789abcdef0 ",
            "aroaexampleexample00:i-0123456789abcdef0",
            "AROAEXAMPLEEXAMPLE00",
            "AROAEXAMPLEEXAMPLE00:",
            "AROAEXAMPLEEXAMPLE00:i-1,AROAEXAMPLEEXAMPLE00:i-2",
            "i-*",
            "${aws:userid}",
            ":x",
            "arn:aws:sts::333333333333:assumed-role/web/i-0123456789abcdef0",
            "arn:aws:sts::222222222222:assumed-role/web/i-*",
            "arn:aws:sts::222222222222:assumed-role/batch/i-0123456789abcdef0",
        ] {
            assert!(session_of(text, &account, &web).is_err(), "{text}");
        }
    }
}
