//! A proof that was taken out of a ledger, checked without the ledger.

use super::canonical::Members;
use super::cosigned::Keys;
use super::tree::{Hash, inner, leaf};
use crate::ledger::note::{Checkpoint, PublicKey};
use crate::ledger::{BadCosignature, Cosignature, CosignerKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

/// A proof as its file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProofFile {
    format: String,
    entry: String,
    index: u64,
    path: Vec<String>,
    checkpoint: String,
}

/// What a proof shows.
#[derive(Debug)]
pub struct Shown {
    /// Number of the entry that the proof is about.
    pub seq: u64,
    /// Canonical JSON of that entry.
    pub entry: String,
    /// The signed tree that it is in.
    pub checkpoint: Checkpoint,
    /// The public key that signed the checkpoint.
    pub key: PublicKey,
    /// The witnesses whose keys were given, and what each cosigned.
    pub cosigned: Vec<(CosignerKey, Option<Cosignature>)>,
}

/// Why a proof shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum BadProof {
    /// It is not a proof at all.
    #[error("not a proof of rescind")]
    Form(#[source] serde_json::Error),
    /// A later version may have written it.
    #[error("a format that this version does not know: {}", crate::ident::quoted(.0))]
    Format(String),
    /// Nobody that is trusted has signed it.
    #[error("its checkpoint is not signed by a key given with --public-key, or was changed")]
    Checkpoint,
    /// It has a cosignature that is none.
    #[error(transparent)]
    Cosignature(#[from] BadCosignature),
    /// Its path was altered.
    #[error("its inclusion path is not a list of hashes")]
    Path,
    /// What is signed is something else.
    #[error("the entry is not in the signed tree: it or its path was changed")]
    Entry,
    /// The text is that of another entry.
    #[error("its text is not that of entry {0}")]
    Number(u64),
}

/// Checks a proof: what it shows, if one of the signers' keys signed for it.
///
/// # Errors
/// What does not hold.
pub fn check(text: &str, keys: &Keys) -> Result<Shown, BadProof> {
    let proof: ProofFile = serde_json::from_str(text).map_err(BadProof::Form)?;
    if proof.format != "rescind-proof/1" {
        return Err(BadProof::Format(proof.format));
    }
    let signed = keys.signers.iter().find_map(|key| Some((key, key.open(&proof.checkpoint).ok()?)));
    let (key, checkpoint) = signed.ok_or(BadProof::Checkpoint)?;
    let cosigned = keys.cosigners.iter().map(|key| Ok((key.clone(), key.on(&proof.checkpoint)?)));
    let cosigned = cosigned.collect::<Result<_, BadCosignature>>()?;
    let decoded = |step: &String| BASE64.decode(step).ok().and_then(|hash| Hash::try_from(hash).ok());
    let path: Option<Vec<Hash>> = proof.path.iter().map(decoded).collect();
    let path = path.ok_or(BadProof::Path)?;
    let root = root(leaf(proof.entry.as_bytes()), proof.index, checkpoint.size, &path);
    if root != Some(checkpoint.root) {
        return Err(BadProof::Entry);
    }
    let seq = proof.index + 1;
    let own = Members::of(proof.entry.as_bytes()).and_then(|entry| entry.raw("seq")?.parse().ok());
    if own != Some(seq) {
        return Err(BadProof::Number(seq));
    }
    Ok(Shown { seq, entry: proof.entry, checkpoint, key: key.clone(), cosigned })
}

/// The root to which a path leads from leaf `index` of `size`; none when the path is too long or too
/// short. From the root downwards: the left half has the largest power of two of leaves below `size`
/// (RFC 9162, section 2.1.3.1).
pub fn root(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let Some((beside, path)) = path.split_last() else { return (size == 1).then_some(leaf) };
    if size == 1 {
        return None;
    }
    let left = 1 << (size - 1).ilog2();
    if index < left {
        Some(inner(&root(leaf, index, left, path)?, beside))
    } else {
        Some(inner(beside, &root(leaf, index - left, size - left, path)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::ledger::tree::{Leaves, inclusion_proof};

    struct Memory(Vec<Hash>);

    impl Leaves for Memory {
        type Error = std::num::TryFromIntError;
        fn each(&self, first: u64, count: u64, take: &mut dyn FnMut(Hash)) -> Result<(), Self::Error> {
            let (first, count) = (usize::try_from(first)?, usize::try_from(count)?);
            self.0[first..first + count].iter().for_each(|leaf| take(*leaf));
            Ok(())
        }
    }

    #[test]
    fn a_path_leads_to_the_root_and_only_from_its_leaf() {
        let leaves = Memory((0_u8..40).map(|n| leaf(&[n])).collect());
        let mut tree = Tree::default();
        for size in 1..=40_u64 {
            tree.push(leaves.0[usize::try_from(size).expect("small") - 1]);
            for index in 0..size {
                let this = leaves.0[usize::try_from(index).expect("small")];
                let path = inclusion_proof(&leaves, index, size).expect("in memory");
                assert_eq!(root(this, index, size, &path), Some(tree.root()), "{index} of {size}");
                assert_ne!(root(leaf(b"x"), index, size, &path), Some(tree.root()), "{index} of {size}");
                assert_ne!(root(this, index + 1, size, &path), Some(tree.root()), "{index} of {size}");
                let longer = [path.as_slice(), &[[0; 32]]].concat();
                assert_eq!(root(this, index, size, &longer), None, "{index} of {size}");
            }
        }
    }
}
