//! `--watch`: repeats a command until it is stopped.

use super::output::Screen;
use super::runtime::block_on;
use super::{Exit, signals};
use std::io::Write;
use std::time::Duration;

/// Interval between two looks at the ledger.
const AGAIN: Duration = Duration::from_secs(2);

/// The same, for what is asked of somebody else.
pub async fn again(
    watch: bool,
    screen: &Screen,
    mut once: impl AsyncFnMut() -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    if !watch {
        return once().await;
    }
    let stop = signals::quiet_stop_token();
    loop {
        screen.clear();
        let exit = once().await?;
        screen.end();
        screen.line("");
        if std::io::stdout().flush().is_err() {
            return Ok(exit);
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(exit),
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// Shows something once, or every two seconds until Ctrl-C or until whoever read it is gone.
pub fn show(
    watch: bool,
    screen: &Screen,
    mut once: impl FnMut() -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    if !watch {
        return once();
    }
    block_on(async {
        let stop = signals::quiet_stop_token();
        loop {
            screen.clear();
            let exit = once()?;
            screen.end();
            screen.line("");
            if std::io::stdout().flush().is_err() {
                return Ok(exit);
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(exit),
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    })
}
