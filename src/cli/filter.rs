//! Which remediations are shown: filters by state and by proof.

use crate::remediation::{Rung, Selection, State};

#[derive(Debug, clap::Args)]
pub struct Filter {
    /// Only remediations in this state; several times, or with commas, for several.
    #[arg(long = "status", value_name = "STATE", value_delimiter = ',', value_enum)]
    states: Vec<State>,

    /// Only remediations with this proof, and no more; several times, or with commas, for several.
    #[arg(long = "proof", value_name = "PROOF", value_delimiter = ',', value_enum)]
    proofs: Vec<Rung>,
}

impl Filter {
    /// Nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.proofs.is_empty()
    }

    /// As the ledger and the reports take it.
    pub fn selection(&self) -> Selection {
        Selection { states: self.states.clone(), proofs: self.proofs.clone(), ..Selection::default() }
    }
}
