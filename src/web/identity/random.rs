//! Names that nobody can guess: of sessions, of logins, of forms.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 256 random bits, as text for a cookie or a form.
///
/// # Errors
/// When the system gives no random numbers.
pub(in crate::web) fn random() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
