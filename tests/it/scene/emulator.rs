//! The emulator's process.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The emulator's process. It ends when this is dropped, so also with a test that dies.
pub struct Emulator {
    pub url: String,
    _lifeline: OwnedFd,
}

impl Emulator {
    pub fn start() -> Self {
        // `make test` has one forked: its imports take half a second.
        let (lifeline, line) = if let Some(server) = std::env::var_os("RESCIND_EMULATORS") {
            let mut connection = UnixStream::connect(server).expect("the fork server");
            let line = first_line(&mut connection);
            (connection.into(), line)
        } else {
            let (mut process, line) = start_python("emulated_org", &["--exit-with-stdin"]);
            (process.stdin.take().expect("piped").into(), line)
        };
        let url = line.trim().strip_prefix("listening on ").expect("the emulator's address").to_owned();
        Self { url, _lifeline: lifeline }
    }
}

/// The emulator's Python.
pub fn python() -> PathBuf {
    std::env::var_os("RESCIND_EMULATOR_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/emulator-venv/bin/python"),
        PathBuf::from,
    )
}

/// A process of the emulator's Python, which ends with its standard input, and its first line.
pub fn start_python(module: &str, args: &[&str]) -> (Child, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python();
    let mut process = Command::new(&python)
        .args(["-m", module])
        .args(args)
        .current_dir(root.join("tests/emulator"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}; `make emulator` installs it", python.display()));
    let line = first_line(process.stdout.take().expect("piped"));
    (process, line)
}

fn first_line(said: impl Read) -> String {
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line).expect("its first line");
    line
}
