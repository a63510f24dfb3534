//! Findings from a file or from standard input.

use std::io::Read;
use std::path::Path;

/// The bytes of `input`: a file, or `-` for standard input; and the name under which the
/// ledger knows it.
///
/// # Errors
/// When it cannot be read; the text names it.
pub fn read_input(input: &Path) -> std::io::Result<(Vec<u8>, String)> {
    let mut bytes = Vec::new();
    if input == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok((bytes, "standard input".to_owned()));
    }
    let named =
        |error: std::io::Error| std::io::Error::new(error.kind(), format!("{}: {error}", input.display()));
    std::fs::File::open(input).map_err(named)?.read_to_end(&mut bytes).map_err(named)?;
    let name = input.file_name().unwrap_or(input.as_os_str());
    Ok((bytes, format!("file {}", name.display())))
}
