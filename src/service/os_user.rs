//! Who this process runs as.

/// The user of the operating system and its number, by the system's word.
#[must_use]
pub fn os_user() -> String {
    let name = whoami::username().unwrap_or_else(|_| "(no name)".to_owned());
    #[cfg(unix)]
    let name = format!("{name}, uid {}", rustix::process::getuid().as_raw());
    name.chars().take(200).collect()
}

/// The name of the person at this terminal, as far as the operating system knows it: of who became another user with
/// sudo, their own. None where nobody has one.
#[must_use]
pub fn login_name() -> Option<String> {
    let sudo = std::env::var("SUDO_USER").ok();
    let name = sudo.filter(|name| !name.trim().is_empty()).or_else(|| whoami::username().ok())?;
    let name: String = name.trim().chars().take(200).collect();
    (!name.is_empty() && name != crate::remediation::NOBODY).then_some(name)
}
