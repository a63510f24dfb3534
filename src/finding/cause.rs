//! What says that credentials are stolen: a finding of GuardDuty's, CloudTrail, or an order.

use super::derived::Derived;
use crate::identity::Identity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What says that credentials are stolen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A finding of GuardDuty's.
    #[default]
    #[serde(rename = "guardduty")]
    GuardDuty,
    /// CloudTrail shows that stolen credentials opened or made it. GuardDuty does not have this finding.
    Pursuit(Box<Derived>),
    /// Somebody ordered it. GuardDuty does not have this finding.
    Order(Box<Order>),
}

/// The type of a finding that is a person's order. Rules can match it like any other.
pub const ORDER_TYPE: &str = "rescind:Order/Revoke";

/// The type of another product's finding that has no type of its own.
pub const PRODUCT_ORDER_TYPE: &str = "rescind:Order/Product";

/// An order to revoke, by somebody who need not be GuardDuty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Who gave it.
    pub from: OrderedBy,
    /// The reason: a person's in their words, or the title of another product's finding.
    pub reason: String,
}

/// Who gave an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderedBy {
    /// A person, who has seen what would be done.
    Person {
        /// Their name, as they say.
        by: String,
        /// The user of the operating system that it came from.
        os_user: String,
        /// The AWS identity that it came from, where it was asked for.
        aws_identity: Option<String>,
        /// Who it is by a proof that rescind checked, where the order came by the console or the API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<Identity>,
    },
    /// A product whose finding names the credentials. Nobody confirms it, so a person is asked.
    Product {
        /// The product's name, as Security Hub has it. Whoever imports a finding chooses it.
        product: String,
        /// The end of the product's ARN, which nobody chooses: `aws/macie`, `111122223333/default`.
        path: String,
        /// The product's id of its finding.
        finding: String,
    },
}

impl Cause {
    /// Nothing but a finding of GuardDuty's.
    #[must_use]
    pub fn is_guardduty(&self) -> bool {
        matches!(self, Self::GuardDuty)
    }

    /// What times are counted from, in words.
    #[must_use]
    pub fn beginning(&self) -> &'static str {
        match self {
            Self::GuardDuty => "the last activity that GuardDuty saw",
            Self::Pursuit(_) => "the call that led to it",
            Self::Order(order) if order.is_by_person() => "the order",
            Self::Order(_) => "the last activity that the product saw",
        }
    }

    /// What happened when the finding's credentials were last seen, as the name of that time.
    #[must_use]
    pub fn time_name(&self) -> &'static str {
        match self {
            Self::GuardDuty => "Thief last seen",
            Self::Pursuit(_) => "Call that led to it",
            Self::Order(order) if order.is_by_person() => "Ordered",
            Self::Order(_) => "Last seen by the product",
        }
    }

    /// What it follows from, when CloudTrail shows that stolen credentials opened or made it.
    #[must_use]
    pub fn derived(&self) -> Option<&Derived> {
        match self {
            Self::Pursuit(derived) => Some(derived),
            Self::GuardDuty | Self::Order(_) => None,
        }
    }

    /// The order, when it is one.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Order(order) => Some(order),
            Self::GuardDuty | Self::Pursuit(_) => None,
        }
    }
}

impl fmt::Display for OrderedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person { identity: Some(identity), .. } => write!(f, "{identity}"),
            Self::Person { by, os_user, aws_identity, identity: None } => {
                write!(f, "{by} ({os_user}")?;
                aws_identity.iter().try_for_each(|arn| write!(f, ", {arn}"))?;
                f.write_str(")")
            }
            Self::Product { product, path, finding } => write!(f, "{product} ({path}), finding {finding}"),
        }
    }
}

impl Order {
    /// The product whose finding it is, when a product gave it.
    #[must_use]
    pub fn product(&self) -> Option<&str> {
        match &self.from {
            OrderedBy::Product { product, .. } => Some(product),
            OrderedBy::Person { .. } => None,
        }
    }

    /// A person gave it, who has seen what would be done: an approval was given with it.
    #[must_use]
    pub fn is_by_person(&self) -> bool {
        matches!(self.from, OrderedBy::Person { .. })
    }
}
