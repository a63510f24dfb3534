//! The hash tree (RFC 9162, section 2.1.1), built from its leaves.

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// The hash of an entry's text.
pub fn leaf(text: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0_u8]);
    hash.update(text);
    hash.finalize().into()
}

pub fn inner(left: &Hash, right: &Hash) -> Hash {
    let mut both = [1_u8; 65];
    both[1..33].copy_from_slice(left);
    both[33..].copy_from_slice(right);
    Sha256::digest(both).into()
}

/// A tree that is being built: the roots of its complete subtrees, with their heights.
#[derive(Debug, Default, Clone)]
pub struct Tree(Vec<(u32, Hash)>);

impl Tree {
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf);
    }

    fn push_subtree(&mut self, height: u32, root: Hash) {
        let mut top = (height, root);
        while let Some((height, left)) = self.0.last()
            && *height == top.0
        {
            top = (top.0 + 1, inner(left, &top.1));
            self.0.pop();
        }
        self.0.push(top);
    }

    /// Puts a tree behind this one. The size of this one is a multiple of the largest subtree in it.
    pub fn append(&mut self, other: &Self) {
        for (height, root) in &other.0 {
            self.push_subtree(*height, *root);
        }
    }

    pub fn root(&self) -> Hash {
        let mut peaks = self.0.iter().rev().map(|(_, hash)| *hash);
        let Some(mut root) = peaks.next() else { return Sha256::digest([]).into() };
        for left in peaks {
            root = inner(&left, &root);
        }
        root
    }
}
