//! Which commit this is, for `rescind --version`.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=RESCIND_COMMIT");
    let commit = std::env::var("RESCIND_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty())
        .or_else(of_git)
        .or_else(of_package);
    let suffix = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    println!("cargo:rustc-env=RESCIND_VERSION={}{suffix}", env!("CARGO_PKG_VERSION"));
}

/// The commit of the work tree, when this crate is at its root.
fn of_git() -> Option<String> {
    let git = |args: &[&str]| {
        let done = Command::new("git").args(args).output().ok().filter(|done| done.status.success())?;
        let text = String::from_utf8(done.stdout).ok()?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let root = std::fs::canonicalize(git(&["rev-parse", "--show-toplevel"])?).ok()?;
    if root != std::fs::canonicalize(env!("CARGO_MANIFEST_DIR")).ok()? {
        return None;
    }
    // It grows with each commit, checkout and reset.
    println!("cargo:rerun-if-changed={}/logs/HEAD", git(&["rev-parse", "--git-dir"])?);
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// The commit that a published package was made from.
fn of_package() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\": \"")?;
    rest.get(..12).map(str::to_owned)
}
