//! How many files the process may have open.

/// As many as the system allows: connections to AWS must not fail because somebody else holds some to
/// `/metrics`.
pub(super) fn raise() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let now = getrlimit(Resource::Nofile);
        if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum })
        {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
}
