//! The thief of a drill: a session of the role for drills, and the answers that it gets.

use super::error::DrillError;
use crate::aws::{AssumeRole, Hub, MemberSession, RoleFacts};
use crate::config::Config;
use crate::ident::{AccountId, RoleName};
use crate::policies;
use crate::remediation::{CallError, CallScope, ErrorKind};
use jiff::Timestamp;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Interval between two calls of the thief.
const PAUSE: Duration = Duration::from_secs(1);

/// What a call of the thief is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    Denied,
    /// No answer that says either.
    Unclear,
}

/// Why what a drill waits for was not seen.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSeen {
    #[error("not within {} s, in {calls} calls", longest.as_secs())]
    Late { longest: Duration, calls: u32 },
    #[error("no new session can be opened: {0}")]
    NoSession(CallError),
    #[error("a session that begins after the cutoff is denied as well")]
    NewSessionDenied,
    #[error("a session after the cutoff was not answered")]
    NoAnswer,
    #[error("AWS's clock did not come to the cutoff within {} s", _0.as_secs())]
    CutoffAhead(Duration),
    #[error("there is no cutoff")]
    NoCutoff,
    #[error("it was stopped")]
    Stopped,
}

/// A session of the role for drills.
pub(super) struct Thief<'a> {
    hub: &'a Hub,
    config: &'a Config,
    account: &'a AccountId,
    arn: &'a str,
    role: &'a RoleName,
    session: MemberSession,
}

impl<'a> Thief<'a> {
    /// The name of its session.
    pub const SESSION: &'static str = "rescind-drill";

    pub async fn enter(
        hub: &'a Hub,
        config: &'a Config,
        account: &'a AccountId,
        arn: &'a str,
        role: &'a RoleName,
    ) -> Result<Self, DrillError> {
        let session = enter(hub, config, account, arn).await.map_err(|error| match error.kind {
            ErrorKind::Denied => DrillError::Asked(format!(
                "the role {arn} cannot be assumed: it is not there, or does not trust the hub as `rescind policies print member-trust` prints it, or the hub's role may not assume it (`rescind policies print hub-role`)"
            )),
            _ => error.into(),
        })?;
        Ok(Self { hub, config, account, arn, role, session })
    }

    pub fn aws_now(&self) -> Timestamp {
        self.session.aws_now()
    }

    pub fn access_key_id(&self) -> &str {
        self.session.access_key_id()
    }

    /// The call that it makes: it looks at its own role.
    pub async fn look(&self) -> Result<RoleFacts, CallError> {
        self.session.role(self.role).await
    }

    async fn ask(session: &MemberSession, role: &RoleName) -> Answer {
        match session.role(role).await {
            Ok(_) => Answer::Allowed,
            Err(error) if error.kind == ErrorKind::Denied => Answer::Denied,
            Err(_) => Answer::Unclear,
        }
    }

    /// Calls until it is answered so. Gives the number of calls.
    pub async fn until(
        &self,
        longest: Duration,
        stop: &CancellationToken,
        is_it: impl Fn(Answer) -> bool,
    ) -> Result<u32, NotSeen> {
        let (begun, mut tries) = (Instant::now(), 0);
        loop {
            tries += 1;
            if is_it(Self::ask(&self.session, self.role).await) {
                return Ok(tries);
            }
            if begun.elapsed() > longest {
                return Err(NotSeen::Late { longest, calls: tries });
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return Err(NotSeen::Stopped),
            }
        }
    }

    /// Opens sessions until one begins after the cutoff, and makes its call, which must be allowed.
    pub async fn another_after(
        &self,
        cutoff: Timestamp,
        longest: Duration,
        stop: &CancellationToken,
    ) -> Result<(), NotSeen> {
        let begun = Instant::now();
        loop {
            let session =
                enter(self.hub, self.config, self.account, self.arn).await.map_err(NotSeen::NoSession)?;
            if session.opened_at() >= cutoff {
                return match Self::ask(&session, self.role).await {
                    Answer::Allowed => Ok(()),
                    Answer::Denied => Err(NotSeen::NewSessionDenied),
                    Answer::Unclear => Err(NotSeen::NoAnswer),
                };
            }
            if begun.elapsed() > longest {
                return Err(NotSeen::CutoffAhead(longest));
            }
            // AWS gives whole seconds.
            let left = cutoff.duration_since(session.aws_now()).unsigned_abs() + Duration::from_secs(1);
            tokio::select! {
                () = tokio::time::sleep(left.min(PAUSE * 2)) => {}
                () = stop.cancelled() => return Err(NotSeen::Stopped),
            }
        }
    }
}

async fn enter(
    hub: &Hub,
    config: &Config,
    account: &AccountId,
    arn: &str,
) -> Result<MemberSession, CallError> {
    let request = AssumeRole {
        account,
        role_arn: arn,
        session_name: Thief::SESSION,
        external_id: &config.member.external_id,
        source_identity: &config.member.source_identity,
        session_policy: &policies::session_of_doctor(arn),
    };
    hub.assume_role(&request, &CallScope::default()).await
}
