//! `report`, from a hub.

use super::client::{Client, not_over_a_hub};
use crate::cli::exit::BadInput;
use crate::cli::output::{GOOD, Screen, styled};
use crate::cli::{Exit, report};
use crate::digest::hex;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Write};

pub(super) async fn run(args: &report::Args, client: &Client, screen: &Screen) -> anyhow::Result<Exit> {
    let wanted = args.wanted_over_a_hub()?;
    not_over_a_hub(args.no_record, "--no-record")?;
    let mut response = client.download("/v1/report", &wanted.query).await?;
    let mut hash = Sha256::new();
    let Some(file) = &args.out else {
        let mut out = std::io::stdout().lock();
        while let Some(piece) = response.chunk().await.map_err(|error| client.cut_off(error))? {
            match out.write_all(&piece) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Done),
                written => written?,
            }
        }
        out.flush()?;
        return Ok(Exit::Done);
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
