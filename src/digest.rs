//! SHA-256 in hexadecimal: fingerprints of what was read.

use sha2::{Digest, Sha256};
use std::fmt::Write;

/// A writer that hashes what goes through it.
pub struct Hashed<W> {
    /// Where it goes.
    pub out: W,
    hash: Sha256,
}

impl<W> Hashed<W> {
    /// Of which nothing was written yet.
    pub fn new(out: W) -> Self {
        Self { out, hash: Sha256::new() }
    }

    /// The SHA-256 of what was written, in hexadecimal.
    #[must_use]
    pub fn hex(self) -> String {
        hex(&self.hash.finalize())
    }
}

impl<W: std::io::Write> std::io::Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes any text");
        text
    })
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// When it cannot be read, or `give_up` says so.
pub fn sha256_of(path: &std::path::Path, give_up: impl Fn() -> bool) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let count = std::io::Read::read(&mut file, &mut buffer)?;
        if count == 0 {
            return Ok(hex(&digest.finalize()));
        }
        if give_up() {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        digest.update(&buffer[..count]);
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
