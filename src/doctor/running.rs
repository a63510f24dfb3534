//! The service: whether one is running, and whether it is healthy.

use super::{Doctor, Level, Problem};
use crate::config::Mode;
use crate::ingest::Unreadable;
use crate::ledger::Lock;
use crate::remediation::Event;
use crate::service::Live;
use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Doctor<'_> {
    /// Looks at the service of this ledger.
    pub(super) fn running(&self) -> Vec<Problem> {
        if Lock::holder(&self.config.ledger).is_none() {
            return vec![self.nobody()];
        }
        let Some(live) = Live::of_holder(&self.config.ledger) else { return Vec::new() };
        let problem =
            |code, text: String, fix: &str| Problem::new(Level::Problem, code, "service", text, fix);
        let mut problems = Vec::new();
        if !live.is_alive() {
            let text = format!("the service has not reported since {}", live.last_sign());
            problems.push(problem("hangs", text, "systemctl restart rescind"));
        }
        problems.extend(live.blind().into_iter().map(|reason| {
            let text = format!("the service does not receive all findings: {reason}");
            problem("not_ready", text, "rescind status   # what it is doing; docs/runbook.md: what to do")
        }));
        if let Some(text) = live.rechecks.problem() {
            let fix = "Raise `concurrency`, or set a longer `recheck_interval`; the log says which account does not answer";
            problems.push(problem("rechecks_late", text, fix));
        }
        if let Some(why) = &live.refused {
            let text = format!("the service still uses the previous version of a file: {why}");
            problems.push(problem("refused", text, "Correct the file, then: systemctl reload rescind"));
        }
        problems
    }

    /// What came within a day and could not be read: there may be a theft in it, or the feed brings nothing
    /// else.
    pub(super) fn brought_in_vain(&self) -> Vec<Problem> {
        let since = Timestamp::now().saturating_sub(DAY).unwrap_or(Timestamp::MIN);
        let feeds = Unreadable::since(self.reader, since).unwrap_or_default();
        let problem = |feed: Unreadable| {
            let text =
                format!("{} in the last 24 h could not be read; the latest: {}", feed.count, feed.latest);
            let fix = "rescind list --decisions   # what came; docs/runbook.md: what to do";
            Problem::new(Level::Problem, "unreadable", feed.feed, text, fix)
        };
        feeds.into_iter().map(problem).collect()
    }

    /// Where one has run, one should.
    fn nobody(&self) -> Problem {
        let is_run = |event: &Event| matches!(event, Event::Started { command, .. } if command == "run");
        let has_run =
            self.reader.of_kind("started").is_ok_and(|all| all.iter().any(|one| is_run(&one.event)));
        let level = if has_run && self.config.mode < Mode::Observe { Level::Problem } else { Level::Warning };
        Problem::new(
            level,
            "not_running",
            "service",
            "no service is running: findings are not processed",
            "systemctl start rescind   # or: rescind run",
        )
    }
}
