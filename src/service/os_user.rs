//! Who this process runs as.

/// The user of the operating system and its number, by the system's word.
#[must_use]
pub fn os_user() -> String {
    let name = whoami::username().unwrap_or_else(|_| "(no name)".to_owned());
    #[cfg(unix)]
    let name = format!("{name}, uid {}", rustix::process::getuid().as_raw());
    name.chars().take(200).collect()
}
