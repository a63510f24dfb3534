//! Principals, as their ARNs name them.

/// Whom an ARN names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub account: Option<String>,
    /// In words: `role web`.
    pub principal: String,
    /// The name of the session, when it is one of a role.
    pub session: Option<String>,
}

impl Named {
    /// Whom this ARN names; what is no ARN of IAM or STS is a name by itself.
    pub fn of(arn: &str) -> Self {
        let plain = || Self { account: None, principal: arn.to_owned(), session: None };
        let mut parts = arn.splitn(6, ':').skip(4);
        let (Some(account), Some(resource)) = (parts.next(), parts.next()) else { return plain() };
        let account = Some(account.to_owned()).filter(|account| !account.is_empty());
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let last = rest.rsplit('/').next().unwrap_or_default();
        let (principal, session) = match kind {
            "assumed-role" => {
                let (role, session) = rest.split_once('/').unwrap_or((rest, ""));
                (format!("role {role}"), Some(session.to_owned()).filter(|name| !name.is_empty()))
            }
            "role" => (format!("role {last}"), None),
            "user" => (format!("user {last}"), None),
            "federated-user" => (format!("federated user {rest}"), None),
            "root" => ("root user".to_owned(), None),
            _ => return plain(),
        };
        Self { account, principal, session }
    }
}

/// Whom an ARN names, with the account: `role web in 111122223333`.
#[must_use]
pub fn in_words(arn: &str) -> String {
    let Named { account, principal, .. } = Named::of(arn);
    account.map_or_else(|| principal.clone(), |account| format!("{principal} in {account}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_arn_has_its_words() {
        let named = |arn| {
            let named = Named::of(arn);
            (named.principal, named.session.unwrap_or_default())
        };
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(named("arn:aws:sts::111122223333:assumed-role/web/i-1"), pair("role web", "i-1"));
        assert_eq!(named("arn:aws:iam::111122223333:role/path/web"), pair("role web", ""));
        assert_eq!(named("arn:aws:iam::111122223333:user/path/eve"), pair("user eve", ""));
        assert_eq!(named("arn:aws:sts::111122223333:federated-user/bob"), pair("federated user bob", ""));
        assert_eq!(named("arn:aws:iam::111122223333:root"), pair("root user", ""));
        assert_eq!(named("AIDAEXAMPLE"), pair("AIDAEXAMPLE", ""));
        assert_eq!(Named::of("arn:aws:iam::111122223333:root").account.as_deref(), Some("111122223333"));
    }
}
