//! What the command line says in place of the environment: the profile, and the region.

use crate::ident::Region;
use std::sync::OnceLock;

static PROFILE: OnceLock<String> = OnceLock::new();
static REGION: OnceLock<Region> = OnceLock::new();

/// Takes credentials from this profile, as other AWS tools do for `--profile`: also where the environment has keys. Only the
/// first choice counts.
pub fn use_profile(name: String) {
    let _ = PROFILE.set(name);
}

/// Takes this for the region of this process, in place of `AWS_REGION`. Only the first choice counts.
pub fn use_region(region: Region) {
    let _ = REGION.set(region);
}

/// The profile that the command line names.
pub(super) fn profile() -> Option<&'static str> {
    PROFILE.get().map(String::as_str)
}

/// The region that the command line names.
pub(super) fn region() -> Option<&'static Region> {
    REGION.get()
}
