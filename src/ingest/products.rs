//! Findings of other products than GuardDuty: taken in only where a rule names the product.
//!
//! Nobody can be asked whether they are so. They are held for a person, whatever the mode.

use crate::aws::Hub;
use crate::finding::{Decoded, ForeignReason, Undecodable};
use crate::triage::Types;
use tokio::sync::watch;

/// Says of other products' findings whether they are wanted.
#[derive(Debug)]
pub struct Products {
    hub: Hub,
    /// What some rule could be for, as of now.
    types: watch::Receiver<Types>,
}

impl Products {
    #[must_use]
    pub fn new(hub: Hub, types: watch::Receiver<Types>) -> Self {
        Self { hub, types }
    }

    /// What was decoded, as the rules are now: a finding of a product that no rule is for is none.
    pub fn admitted(&self, decoded: Decoded) -> Decoded {
        let types = self.types.borrow();
        match decoded {
            Ok(finding) => match finding.product() {
                Some(product) if !types.wants_of_product(&finding, &self.hub.identity().account) => {
                    Err(Undecodable::of_unnamed_product(product))
                }
                _ => Ok(finding),
            },
            Err(undecodable) => Err(match &undecodable.foreign {
                Some(foreign)
                    if foreign.why == ForeignReason::Unnamed || types.names_product(&foreign.product) =>
                {
                    undecodable
                }
                // A pattern can be for it, and cannot be asked.
                Some(foreign) if foreign.why == ForeignReason::Broken && types.has_hub_patterns() => {
                    undecodable
                }
                Some(foreign) => Undecodable::of_unnamed_product(&foreign.product),
                None => undecodable,
            }),
        }
    }
}
