//! Running what talks to AWS.

use std::time::Duration;

/// Runs something that talks to AWS.
pub fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(future);
    // What hangs in a read of a file is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}
