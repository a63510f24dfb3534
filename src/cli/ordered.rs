//! The principal of `rescind revoke`, as a person names it: a name, a path, or an ARN.

use crate::finding::Ordered;
use crate::ident::{AccountId, RoleId, is_name_byte, quoted};
use crate::remediation::is_session_id;

/// What a person may write, as an error lists it.
const EXPECTED: &str =
    "expected a role (web, role/web), a user (user/alice), or an ARN of one or of a role's session";

/// A role or user, as a person names it; of a session's ARN its name as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub who: Ordered,
    /// The session's name, where the ARN has it.
    pub session: Option<String>,
}

/// Reads what a person wrote.
///
/// # Errors
/// When it names no role or user, or one of another account.
pub(super) fn named(text: &str, account: &AccountId) -> Result<Named, String> {
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

/// What `--session` says of a session of the role: its name, or its whole `aws:userid`.
///
/// # Errors
/// When it is neither: then it must not be taken for something wider.
pub(super) fn session(text: &str, account: &AccountId, of: &Ordered) -> Result<String, String> {
    let name = match named(text, account) {
        Ok(Named { session: Some(session), who }) if who == *of => session,
        Ok(Named { session: Some(_), .. }) => {
            return Err(format!("--session {}: it is a session of another role", quoted(text)));
        }
        _ => text.to_owned(),
    };
    let is_name = (2..=64).contains(&name.len()) && name.bytes().all(is_name_byte);
    let is_role_id = name.parse::<RoleId>().is_ok();
    if is_session_id(&name) || is_name && !is_role_id {
        return Ok(name);
    }
    let why = "expected a session's name (i-0123456789abcdef0: 2 to 64 of A-Z a-z 0-9 + = , . @ _ -), AROA…:NAME, or its ARN";
    Err(format!("--session {}: {why}", quoted(text)))
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
            let named = session(text, &account, &web).expect(text);
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
            assert!(session(text, &account, &web).is_err(), "{text}");
        }
    }
}
