//! The finding that stands for a person's order: who is to be revoked, where, and by whose order.

use super::cause::{Cause, ORDER_TYPE, Order};
use super::occurrence::{Evidence, Finding};
use super::principal::{Principal, UserType};
use crate::canonical;
use crate::ident::{AccountId, Region, RoleName, UserName};
use jiff::Timestamp;
use serde_json::json;
use std::net::IpAddr;

/// What is known of the theft that is to be ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theft {
    /// The id of the stolen access key.
    pub access_key_id: Option<String>,
    /// When it began.
    pub since: Option<Timestamp>,
    /// The address at which the thief was seen.
    pub address: Option<IpAddr>,
}

/// Whose credentials are to be revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordered {
    /// A role's sessions.
    Role {
        /// The role's name, without its path.
        name: RoleName,
        /// The one session, as `aws:userid` has it: `AROA…:NAME`. None for all sessions of the role.
        session: Option<String>,
    },
    /// An IAM user's access key, and the sessions that were opened with it.
    User(UserName),
}

impl Finding {
    /// An order is about whatever is there when it is taken up, by AWS's clock: the clock of who gave it may be wrong.
    /// Anything else is about what was seen, and stays as it is.
    pub fn take_up(&mut self, now: Timestamp) {
        if self.cause.order().is_some_and(Order::is_by_person) {
            self.evidence.last_seen = Some(now);
        }
    }

    /// The finding that stands for `order`, given at `at`. Its `region` is the hub's own: an order is about
    /// no region. Two orders are never the same occurrence.
    #[must_use]
    pub fn ordered(
        account: AccountId,
        region: Region,
        who: &Ordered,
        theft: Theft,
        order: Order,
        at: Timestamp,
    ) -> Self {
        let Theft { access_key_id, since, address } = theft;
        let principal = match who {
            Ordered::Role { name, session } => Principal {
                user_type: UserType::AssumedRole,
                user_name: Some(name.to_string()),
                principal_id: session.clone(),
                access_key_id,
            },
            Ordered::User(name) => Principal {
                user_type: UserType::IamUser,
                user_name: Some(name.to_string()),
                principal_id: None,
                access_key_id,
            },
        };
        let said =
            json!({ "account": account, "principal": principal, "order": order, "at": at.to_string() });
        let sha256 = crate::digest::sha256(&canonical::of(&said).unwrap_or_default());
        let evidence = Evidence {
            first_seen: since,
            last_seen: Some(at),
            remote_ip: address.map(|address| address.to_string()),
            instance_id: principal.instance_id(),
            ..Evidence::default()
        };
        Self {
            id: sha256.chars().take(32).collect(),
            account,
            region,
            finding_type: ORDER_TYPE.to_owned(),
            severity: None,
            title: Some(order.reason.clone()),
            created_at: Some(at),
            updated_at_text: at.to_string(),
            updated_at: at,
            principal: Some(principal),
            evidence,
            archived: false,
            sample: false,
            sha256,
            detail: None,
            actor: false,
            inferred: None,
            notes: Vec::new(),
            pointer: false,
            cause: Cause::Order(Box::new(order)),
        }
    }
}
