//! `report`, from a hub.

use super::client::{Client, not_over_a_hub};
use crate::cli::exit::BadInput;
use crate::cli::output::{GOOD, Screen, clean, styled};
use crate::cli::{Exit, report};
use crate::digest::hex;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, IsTerminal, Write};

/// Length at which a line is printed on a terminal though its end has not come, in bytes.
const LONGEST_LINE: usize = 1024 * 1024;

pub(super) async fn run(args: &report::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let wanted = args.wanted_over_a_hub()?;
    not_over_a_hub(args.no_record, "--no-record")?;
    let mut response = client.download("/v1/report", &wanted.query).await?;
    let mut hash = Sha256::new();
    let Some(file) = &args.out else {
        let mut out = Shown { is_terminal: std::io::stdout().is_terminal(), rest: Vec::new() };
        let mut done = Ok(());
        while let Some(piece) = response.chunk().await.map_err(|error| client.cut_off(error))? {
            done = out.write(&piece);
            if done.is_err() {
                break;
            }
        }
        return match done.and_then(|()| out.end()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(Exit::Done),
        };
    };
    let failed = |error: std::io::Error| BadInput(format!("{}: {error}", file.display()));
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut new = NewFile::beside(directory.unwrap_or(std::path::Path::new(".")), file).map_err(failed)?;
    while let Some(piece) = response.chunk().await.map_err(|error| client.cut_off(error))? {
        hash.update(&piece);
        new.write(&piece).map_err(failed)?;
    }
    new.keep(file).map_err(failed)?;
    let sha256 = hex(&hash.finalize());
    screen.json(&json!({ "written": file, "format": wanted.format, "sha256": sha256 }))?;
    screen.line(styled(GOOD, format!("Wrote {}.", file.display())));
    screen.line(format!("  SHA-256 {sha256}"));
    Ok(Exit::Done)
}

/// Standard output. Nothing that a hub sends controls a terminal.
struct Shown {
    is_terminal: bool,
    /// The beginning of a line whose end has not come.
    rest: Vec<u8>,
}

impl Shown {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<()> {
        if !self.is_terminal {
            return std::io::stdout().write_all(piece);
        }
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(line);
            if line.ends_with(b"\n") || self.rest.len() > LONGEST_LINE {
                self.line()?;
            }
        }
        Ok(())
    }

    fn line(&mut self) -> std::io::Result<()> {
        let text = clean(String::from_utf8_lossy(&self.rest).trim_end());
        self.rest.clear();
        writeln!(std::io::stdout(), "{text}")
    }

    fn end(&mut self) -> std::io::Result<()> {
        if !self.rest.is_empty() {
            self.line()?;
        }
        std::io::stdout().flush()
    }
}

/// A file that is being written, and takes its place when it is whole.
struct NewFile {
    path: std::path::PathBuf,
    file: std::fs::File,
}

impl NewFile {
    fn beside(directory: &std::path::Path, file: &std::path::Path) -> std::io::Result<Self> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(format!(".new-{}", std::process::id()));
        let path = directory.join(name);
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: options.open(&path)?, path })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all(bytes)
    }

    fn keep(self, file: &std::path::Path) -> std::io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, file)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Once it is in its place, there is nothing under this name any more.
        let _ = std::fs::remove_file(&self.path);
    }
}
