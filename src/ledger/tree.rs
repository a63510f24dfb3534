//! The hash tree over the entries (RFC 9162, section 2.1): roots and proofs. Pure. `audit` checks them.

use sha2::{Digest, Sha256};

/// The SHA-256 hash of a leaf or a subtree.
pub type Hash = [u8; 32];

/// The hash of a leaf: SHA-256(0x00 || entry).
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    Sha256::new_with_prefix([0_u8]).chain_update(entry).finalize().into()
}

/// The hash of two subtrees side by side: SHA-256(0x01 || left || right).
pub(super) fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1_u8]).chain_update(left).chain_update(right).finalize().into()
}

/// The right edge of a tree: enough to append leaves and to give the root at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the complete subtrees, from the largest to the smallest.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends the hash of the next entry.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Each complete subtree of the same height becomes the left half of a larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root. That of no leaves is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root_with(&Self::default())
    }

    /// The root of a tree of which this one is over the first part, in whole subtrees of one size, and
    /// `rest` over the leaves behind it, fewer than one of those has.
    #[must_use]
    pub fn root_with(&self, rest: &Self) -> Hash {
        let mut peaks = self.peaks.iter().chain(&rest.peaks).rev();
        match peaks.next() {
            None => Sha256::digest([]).into(),
            Some(smallest) => peaks.fold(*smallest, |right, left| node(left, &right)),
        }
    }
}

impl Frontier {
    /// The tree over what is behind the last whole subtree of `size` leaves, a power of two.
    #[must_use]
    pub fn behind(&self, size: u64) -> Self {
        let rest = self.size & (size - 1);
        let peaks = self.peaks[self.peaks.len() - rest.count_ones() as usize..].to_vec();
        Self { size: rest, peaks }
    }

    /// The subtrees' roots, one after the other.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// What [`Self::save`] gave for so many leaves; none when it cannot be that.
    #[must_use]
    pub fn restore(size: i64, bytes: &[u8]) -> Option<Self> {
        let size = u64::try_from(size).ok()?;
        let peaks: Vec<Hash> = bytes.chunks(32).map(|peak| peak.try_into().ok()).collect::<Option<_>>()?;
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }
}

/// Where proofs take leaves from: leaf number `index`, from 0.
pub trait Leaves {
    /// Why a leaf cannot be had.
    type Error;
    /// The hashes of `count` leaves from `first` on, in order.
    ///
    /// # Errors
    /// When one cannot be had.
    fn each(&self, first: u64, count: u64, take: &mut dyn FnMut(Hash)) -> Result<(), Self::Error>;

    /// The root of the tree over `count` leaves from `first` on.
    ///
    /// # Errors
    /// When a leaf cannot be had.
    fn subtree(&self, first: u64, count: u64) -> Result<Hash, Self::Error> {
        let mut frontier = Frontier::default();
        self.each(first, count, &mut |leaf| frontier.push(leaf))?;
        Ok(frontier.root())
    }
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The proof that leaf `index` is in the tree of the first `size` leaves, from the leaf upwards.
///
/// # Errors
/// When a leaf cannot be had.
pub fn inclusion_proof<L: Leaves>(leaves: &L, index: u64, size: u64) -> Result<Vec<Hash>, L::Error> {
    let (mut first, mut count, mut proof) = (0, size, Vec::new());
    while count > 1 {
        let half = split(count);
        if index - first < half {
            proof.push(leaves.subtree(first + half, count - half)?);
            count = half;
        } else {
            proof.push(leaves.subtree(first, half)?);
            (first, count) = (first + half, count - half);
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of the first `size` leaves goes on from that of the first `old` ones (RFC 6962, section
/// 2.1.2), in the order of the RFC. It is empty for a tree of none and for the same tree.
///
/// # Errors
/// When a leaf cannot be had.
pub fn consistency_proof<L: Leaves>(leaves: &L, old: u64, size: u64) -> Result<Vec<Hash>, L::Error> {
    let (mut first, mut count, mut proof) = (0, size, Vec::new());
    if old == 0 || old >= size {
        return Ok(proof);
    }
    while old - first < count {
        let half = split(count);
        if old - first <= half {
            proof.push(leaves.subtree(first + half, count - half)?);
            count = half;
        } else {
            proof.push(leaves.subtree(first, half)?);
            (first, count) = (first + half, count - half);
        }
    }
    // The whole old tree is known to whoever checks; a part of it is not.
    if first > 0 {
        proof.push(leaves.subtree(first, count)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether a proof shows that the tree with `root` over `size` leaves goes on from the one with `old_root` over `old`
/// (RFC 9162, section 2.1.4.2).
#[must_use]
pub fn is_consistent(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old >= size {
        return proof.is_empty() && old <= size && (old == 0 || old_root == root);
    }
    let mut proof = proof.iter();
    // A whole old tree is where both ways begin.
    let begin = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(begin) = begin else { return false };
    let shift = (old - 1).trailing_ones();
    let (mut place, mut last) = ((old - 1) >> shift, (size - 1) >> shift);
    let (mut before, mut now) = (*begin, *begin);
    for step in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            (before, now) = (node(step, &before), node(step, &now));
            while place & 1 == 0 && place > 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            now = node(&now, step);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && before == *old_root && now == *root
}

/// The root to which an inclusion proof of this tree leads.
#[must_use]
pub fn root_of(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Hash {
    let (mut hash, mut index, mut last) = (leaf, index, size.saturating_sub(1));
    for step in proof {
        // A node without a sister goes up by itself.
        while index == last && index & 1 == 0 && last > 0 {
            (index, last) = (index >> 1, last >> 1);
        }
        hash = if index & 1 == 1 { node(step, &hash) } else { node(&hash, step) };
        (index, last) = (index >> 1, last >> 1);
    }
    hash
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation)] // small trees
    use super::*;
    use crate::digest::hex;

    /// The test vectors of the Certificate Transparency implementations.
    const ENTRIES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    struct Memory(Vec<Hash>);

    impl Leaves for Memory {
        type Error = std::convert::Infallible;
        fn each(&self, first: u64, count: u64, take: &mut dyn FnMut(Hash)) -> Result<(), Self::Error> {
            let (first, count) = (first as usize, count as usize);
            self.0[first..first + count].iter().for_each(|leaf| take(*leaf));
            Ok(())
        }
    }

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let mut frontier = Frontier::default();
        assert_eq!(hex(&frontier.root()), ROOTS[0]);
        for (entry, wanted) in ENTRIES.iter().zip(&ROOTS[1..]) {
            frontier.push(leaf(entry));
            assert_eq!(hex(&frontier.root()), *wanted);
            let size = i64::try_from(frontier.size()).expect("small");
            assert_eq!(Frontier::restore(size, &frontier.save()), Some(frontier.clone()));
            assert_eq!(Frontier::restore(size, &frontier.save()[1..]), None);
        }
    }

    #[test]
    fn a_tree_is_the_same_in_pieces() {
        let leaves = Memory((0_u8..40).map(|n| leaf(&[n])).collect());
        for size in 0..=40_u64 {
            let mut whole = Frontier::default();
            for first in (0..size / 8 * 8).step_by(8) {
                whole.push(leaves.subtree(first, 8).expect("in memory"));
            }
            let mut all = Frontier::default();
            leaves.each(0, size, &mut |leaf| all.push(leaf)).expect("in memory");
            let rest = all.behind(8);
            assert_eq!(rest.size(), size % 8);
            assert_eq!(whole.root_with(&rest), all.root(), "{size}");
        }
    }

    /// As RFC 6962 writes it in section 2.1, word for word.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&mth(left), &mth(right))
            }
        }
    }

    /// As RFC 6962 writes it in section 2.1.2, word for word.
    fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
        if old == leaves.len() {
            return if whole { Vec::new() } else { vec![mth(leaves)] };
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        if old <= left.len() {
            [subproof(old, left, whole), vec![mth(right)]].concat()
        } else {
            [subproof(old - left.len(), right, false), vec![mth(left)]].concat()
        }
    }

    /// The consistency proofs of the Certificate Transparency implementations over the entries above.
    #[test]
    fn consistency_proofs_are_those_of_certificate_transparency() {
        let leaves = Memory(ENTRIES.iter().map(|entry| leaf(entry)).collect());
        let proof = |old, size| -> Vec<String> {
            let Ok(proof) = consistency_proof(&leaves, old, size);
            proof.iter().map(|hash| hex(hash)).collect()
        };
        assert!(proof(1, 1).is_empty() && proof(0, 8).is_empty());
        let first_half = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
        let last_half = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
        assert_eq!(
            proof(1, 8),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                last_half,
            ]
        );
        assert_eq!(
            proof(6, 8),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                first_half,
            ]
        );
        assert_eq!(
            proof(2, 5),
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
    }

    #[test]
    fn a_tree_goes_on_from_each_of_its_beginnings_and_from_nothing_else() {
        let leaves = Memory((0_u8..40).map(|n| leaf(&[n])).collect());
        for size in 0..=40_u64 {
            let root = mth(&leaves.0[..size as usize]);
            for old in 0..=size {
                let before = mth(&leaves.0[..old as usize]);
                let Ok(proof) = consistency_proof(&leaves, old, size);
                if old > 0 {
                    assert_eq!(proof, subproof(old as usize, &leaves.0[..size as usize], true));
                }
                assert!(is_consistent(old, &before, size, &root, &proof), "{old} of {size}");
                let longer = [proof.as_slice(), &[[0; 32]]].concat();
                assert!(!is_consistent(old, &before, size, &root, &longer), "{old} of {size}");
                if old > 0 {
                    assert!(!is_consistent(old, &[0; 32], size, &root, &proof), "{old} of {size}");
                    assert!(!is_consistent(old, &before, size, &[0; 32], &proof), "{old} of {size}");
                    assert!(!is_consistent(size + 1, &before, size, &root, &proof), "{old} of {size}");
                }
                for step in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[step][0] ^= 1;
                    assert!(!is_consistent(old, &before, size, &root, &changed), "{old} of {size}");
                    changed.remove(step);
                    assert!(!is_consistent(old, &before, size, &root, &changed), "{old} of {size}");
                }
            }
        }
    }
}
