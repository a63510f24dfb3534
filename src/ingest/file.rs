//! Findings from a file or from standard input.

use crate::finding::Findings;
use crate::remediation::Origin;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An input that is being read.
#[derive(Debug)]
pub struct Input {
    pub origin: Origin,
    /// What is in it.
    pub findings: Findings<'static>,
    /// How long it is, where that is known, in bytes.
    pub length: Option<u64>,
    /// How much of it was read, in bytes.
    pub read: Arc<AtomicU64>,
}

impl Input {
    /// A file, or `-` for standard input.
    ///
    /// # Errors
    /// When it cannot be read; the text names it.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        if path == Path::new("-") {
            return Self::of(std::io::stdin(), "-", None, u64::MAX);
        }
        Self::open_up_to(path, u64::MAX)
    }

    /// A file, of which so much at most is read when it is unpacked, in bytes.
    ///
    /// # Errors
    /// When it cannot be read; the text names it.
    pub fn open_up_to(path: &Path, most: u64) -> std::io::Result<Self> {
        let named =
            |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(named)?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|meta| meta.len());
        let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
        Self::of(file, &name, length, most).map_err(named)
    }

    fn of(
        input: impl Read + Send + 'static,
        name: &str,
        length: Option<u64>,
        most: u64,
    ) -> std::io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let counted = Counted { input: BufReader::with_capacity(1 << 16, input), read: Arc::clone(&read) };
        let origin = Origin::File { file: name.to_owned() };
        Ok(Self { origin, findings: Findings::up_to(counted, most)?, length, read })
    }
}

/// Counts what is read.
struct Counted<R> {
    input: BufReader<R>,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.read.fetch_add(amount as u64, Ordering::Relaxed);
        self.input.consume(amount);
    }
}
