//! The binary: parse, run, exit code. Everything else is in the library.

use std::process::ExitCode;

/// What one thread allocates another one frees here, all the time: glibc's allocator makes them wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rescind::cli::run(rescind::cli::parse())
}
