//! The binary: parse, run, exit code. Everything else is in the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    rescind::cli::run(rescind::cli::Cli::parse())
}
