//! What happened. The kinds are a closed list.

use super::{
    AlertCode, Answer, CallRecord, Change, Check, DoorsClosed, Drilled, Impact, LoggedIn, Origin, Proof,
    ReasonCode, Recurrence, Refused, ReleaseAsked, Reported, RequestRefused, State, Target, Ticket, Trace,
    Undo, VerdictName, WrittenBack,
};
use crate::config::{Approval, Mode, OptOut};
use crate::finding::{Finding, Unconfirmed, Undecodable};
use crate::ident::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an entry of the ledger records. In JSON, `kind` is the event's name in snake case, and `data` has its
/// fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// rescind started to act.
    Started {
        /// The version of rescind, for example `0.1.0`.
        version: String,
        /// The subcommand that was run, for example `run` or `handle`.
        command: String,
        /// The mode it runs in.
        mode: Mode,
        /// SHA-256 of the configuration file.
        config_sha256: String,
        /// It also acts on what was there before it began to watch, and on what was only observed.
        backlog: bool,
    },
    /// A process leads from now on: whoever led before can append nothing more.
    TookOver {
        /// The process: the host's name, and a number of that process.
        host: String,
        /// Number of the leadership. Each has a higher one than the one before it.
        epoch: u64,
    },
    /// The opt-outs were read, at the start or because the file changed.
    OptOuts {
        /// SHA-256 of the file, in hexadecimal; empty when there is none.
        sha256: String,
        /// Those that apply now, by name.
        in_force: Vec<String>,
        /// Those that are new since the last reading.
        added: Vec<OptOut>,
        /// Those that are not the same as at the last reading.
        changed: Vec<OptOut>,
        /// Those that are gone since the last reading, by name.
        removed: Vec<String>,
    },
    /// The opt-outs' file changed and cannot be used: those that were read before still apply.
    OptOutsRefused {
        /// What is wrong with it.
        error: String,
    },
    /// A person must look at something. It is said once, not each time.
    Alert {
        /// What it is about.
        code: AlertCode,
        /// What happened, in one sentence.
        text: String,
        /// What to do about it.
        what_to_do: String,
    },
    /// Checkpoints are signed with this key from now on.
    SigningKey {
        /// The public part of the key, as `rescind ledger key` prints it: `NAME+KEYID+BASE64`.
        public_key: String,
        /// The key before it signed this note for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endorsed: Option<String>,
        /// Its own note that it followed the key before it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        follows: Option<String>,
        /// Its own notes for the keys that sign beside it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        accepts: Vec<String>,
    },
    /// A host has a key of its own, for which no key of the ledger has signed yet. Until one does, it signs nothing.
    KeyOffered {
        /// The host's name, as it says.
        host: String,
        /// The public part of its key.
        public_key: String,
        /// The key's own notes for the keys that sign already.
        accepts: Vec<String>,
    },
    /// A witness of another operator cosigned a checkpoint: the ledger goes on from all that it had seen of it.
    Cosigned {
        /// Name of the witness.
        witness: String,
        /// Number of entries that the checkpoint covers.
        size: u64,
        /// When the witness says that this was the largest tree that it had seen.
        at: Timestamp,
        /// Its signature line, as it stands under the checkpoint.
        cosignature: String,
    },
    /// Closed entries were moved to an archive. Of each, the number, the time and the leaf hash stay.
    Archive {
        /// Name of the archive's file.
        file: String,
        /// Its SHA-256, in hexadecimal.
        sha256: String,
        /// What was closed before this was moved.
        before: Timestamp,
        /// Number of entries that were moved.
        entries: usize,
        /// SHA-256 over what is left of them, in hexadecimal: of each its number in decimal, a space, its
        /// time as the column has it, and a line feed.
        left_sha256: String,
        /// The remediations among them.
        remediations: Vec<String>,
        /// The key's note for all of this: that an entry says so is not enough to believe that a text was
        /// moved, for whoever can write the file can add an entry.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        signed: String,
    },
    /// A checkpoint stands where nobody can replace it.
    Witnessed {
        /// Number of entries that the checkpoint covers.
        size: u64,
        /// The root of the tree over them, in hexadecimal.
        root: String,
        /// The object that has it: `s3://BUCKET/KEY`.
        object: String,
        /// SHA-256 of the object, in hexadecimal.
        sha256: String,
        /// It was found there: another host had put it, or this one, and the answer was lost.
        found_in_place: bool,
        /// Until when nobody can delete it, where rescind asked for that; otherwise the bucket's default holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retained_until: Option<Timestamp>,
        /// The signature lines of witnesses that cosigned it, where it has any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        cosignatures: Vec<String>,
    },
    /// A region is watched from now on: what was there before is only observed.
    Watching,
    /// The hub's credentials are known.
    Connected {
        /// The account of the credentials that rescind runs with.
        hub_account: AccountId,
        /// The ARN of those credentials, as `sts:GetCallerIdentity` gives it.
        hub_arn: String,
    },
    /// The run ended in good order. A run that was killed has no such entry.
    Stopped {
        /// Why it ended, in a word: `done` or `interrupted`, or what a command was for (`released`,
        /// `drilled`).
        reason: String,
    },
    /// The organization's accounts were read.
    Organization {
        /// How many accounts it has.
        accounts: usize,
        /// How many of them are active.
        active: usize,
        /// The account that manages it.
        management: AccountId,
        /// Its delegated administrators, where they could be read.
        delegated_administrators: Option<Vec<AccountId>>,
    },
    /// Findings or accounts could not be read.
    FeedFailed {
        /// What could not be read, and the error.
        error: String,
        /// What to do about it.
        what_to_do: String,
    },
    /// An occurrence of a finding was seen for the first time.
    Finding {
        /// How it came in.
        origin: Origin,
        /// Since when the region is watched, when the finding is older than that.
        before_watch: Option<Timestamp>,
        /// The finding, with its full text as canonical JSON in `detail`.
        finding: Box<Finding>,
    },
    /// A person handed an occurrence in, or ordered it, while another process acted on this ledger. It is decided, and
    /// decided again if it was before.
    HandedIn {
        /// How it came in.
        origin: Origin,
        /// The id of the occurrence.
        occurrence: String,
        /// The user of the operating system that it came from.
        os_user: String,
    },
    /// Something came that is not a readable finding.
    Undecodable {
        /// How it came in.
        origin: Origin,
        /// What is wrong, and where in it.
        undecodable: Undecodable,
    },
    /// An event or an export claims a finding that GuardDuty does not confirm. Nothing is done about it.
    Unconfirmed {
        /// How it came in.
        origin: Origin,
        /// Which message or line it was.
        item: String,
        /// Why it is not confirmed.
        why: Unconfirmed,
        /// What is claimed, without the finding's full text.
        claim: Box<Finding>,
    },
    /// A region is not read, and that is as it should be.
    RegionSkipped {
        /// Why it is not read: the region is not enabled, or has no detector.
        reason: String,
    },
    /// The configuration was read again, and applies from now on.
    Reloaded {
        /// The mode from now on.
        mode: Mode,
        /// SHA-256 of the file.
        config_sha256: String,
        /// What changed and applies only after a start.
        needs_restart: Vec<String>,
    },
    /// The configuration was to be read again and cannot be used: that from before still applies.
    ReloadRefused {
        /// What is wrong with it.
        error: String,
    },
    /// A file was read to its end.
    FileRead {
        /// SHA-256 of the file, in hexadecimal.
        sha256: String,
        /// Path of the file within the folder.
        file: String,
        /// How many findings it had, with those that could not be read.
        findings: u64,
    },
    /// What is done about an occurrence, and why.
    Decision {
        /// The id of the occurrence that was decided about.
        occurrence: String,
        /// What is done about the occurrence, by the rules, the opt-outs and what is known of it.
        verdict: VerdictName,
        /// The reason as a code; docs/codes.md has them all.
        code: ReasonCode,
        /// The reason in words.
        reason: String,
        /// What a person must do, where rescind does not act.
        what_to_do: Option<String>,
        /// The rule that was followed, once it came so far.
        rule: Option<String>,
        /// Who must approve it where it is held, as that rule said then; one person, where it is not given.
        #[serde(default, skip_serializing_if = "Approval::is_of_anybody")]
        approval: Approval,
        /// The opt-outs that apply, by name.
        opt_outs: Vec<String>,
        /// Each check that was made, in order; the last one decided.
        checks: Vec<Check>,
        /// The remedy, when there is something to remedy.
        remedy: Option<String>,
        /// The principal that the remedy is for.
        target: Option<Target>,
        /// The remediation that takes care of it, when another occurrence led to that.
        covered_by: Option<String>,
        /// The incident that it belongs to, when it follows from what CloudTrail shows of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<String>,
        /// It follows an earlier remediation of the same principal that should have ended this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recurrence: Option<Recurrence>,
        /// When the credentials were last seen in use.
        last_seen: Timestamp,
        /// When the accounts that the decision rests on were read.
        organization_read_at: Timestamp,
        /// When the account's OUs and tags were read, where they were looked at.
        placement_read_at: Option<Timestamp>,
    },
    /// What would be done if a held remediation were approved.
    Proposed {
        /// The change; none when it could not be looked at.
        change: Option<Change>,
        /// Why it could not be looked at.
        problem: Option<String>,
    },
    /// A person approved a held remediation.
    Approved(Answer),
    /// A person approved a held remediation for which others must approve as well: it is still held.
    ApprovalGiven(Answer),
    /// A person rejected a held remediation, or nobody answered in time.
    Rejected(Answer),
    /// A remediation that was about to begin is held: a person must judge it (again).
    Reheld {
        /// The reason as a code; docs/codes.md has them all.
        code: ReasonCode,
        /// The reason in words.
        reason: String,
    },
    /// What kept a held remediation from being decided is gone, so no person is needed.
    Cleared {
        /// What is different now.
        reason: String,
    },
    /// Another remediation has revoked these sessions meanwhile.
    Superseded {
        /// The id of the remediation that revoked them.
        by: String,
    },
    /// An AWS call was made.
    Call(CallRecord),
    /// A change is about to be made.
    Intent {
        /// The change, with the policy before and after.
        change: Change,
    },
    /// The quarantine is about to be attached, beside the change.
    Quarantining {
        /// ARN of the managed policy.
        policy: String,
    },
    /// AWS accepted that the quarantine is attached.
    Quarantined {
        /// ARN of the managed policy.
        policy: String,
    },
    /// The quarantine could not be attached. The deny goes on without it.
    NotQuarantined {
        /// ARN of the managed policy.
        policy: String,
        /// Why it was refused.
        reason: String,
        /// What a person must do so that it can be attached the next time.
        what_to_do: String,
    },
    /// The quarantine is about to be detached.
    Lifting {
        /// ARN of the managed policy.
        policy: String,
    },
    /// The quarantine was seen not to be attached any more, or is left to another remediation.
    Lifted {
        /// Something that a reader should know.
        note: Option<String>,
    },
    /// AWS accepted the change.
    Accepted {
        /// It was found in place by a later look, not answered for.
        found_in_place: bool,
        /// AWS's time then. Cutoffs and what GuardDuty sees are AWS's, so it is what they are compared with.
        aws_time: Option<Timestamp>,
    },
    /// The change did not take effect.
    NotApplied {
        /// What was found instead.
        found: String,
    },
    /// Whether the change took effect is not known yet.
    Uncertain {
        /// Why that is not known, or why the change could not be looked at.
        error: String,
    },
    /// A remediation that had failed is tried again, because a person asked for it.
    Reopened {
        /// How it was asked for.
        by: String,
    },
    /// The remedy was not carried out.
    Refused(Refused),
    /// How far the change is proved.
    Proof(Proof),
    /// The impact of the change.
    Impact(Box<Impact>),
    /// What CloudTrail has of an access key that the thief holds.
    Trace(Box<Trace>),
    /// A person asked that CloudTrail is searched for what the credentials of a held remediation were used for.
    PursuitAsked(Answer),
    /// A person has closed doors that the thief had opened.
    DoorsClosed(DoorsClosed),
    /// A finding is about to be archived in GuardDuty, or updated in Security Hub.
    WritingBack(WrittenBack),
    /// A finding is archived in GuardDuty, or updated in Security Hub.
    WrittenBack(WrittenBack),
    /// A ticket of the incident is about to be opened, is open, or is closed.
    Ticket(Ticket),
    /// The deny was in place, and is not any more.
    Drift {
        /// How what was found differs from what rescind had written.
        what: String,
        /// The policy's text as it was found; none when there is none.
        found: Option<String>,
        /// When a look last saw it in place, or AWS accepted it.
        seen_in_place: Option<Timestamp>,
    },
    /// The deny is taken away again and again: it is not called revoked until it stays.
    Contested {
        /// How often it was taken away within the last ten minutes.
        removals: usize,
        /// When the first of these was noticed.
        since: Timestamp,
    },
    /// A contested deny has stayed in place for long enough to be called revoked.
    Settled {
        /// Seconds for which it has stayed.
        seconds: u64,
    },
    /// A person asked for the release of a remediation.
    ReleaseAsked(ReleaseAsked),
    /// What was changed is about to be taken back.
    Undoing {
        /// The policy as it was found and as it is to be left, and the key that is activated again.
        undo: Undo,
    },
    /// What was changed is taken back.
    Undone {
        /// It was found so.
        found_in_place: bool,
        /// AWS's time, where it was asked.
        aws_time: Option<Timestamp>,
        /// Something that a reader should know.
        note: Option<String>,
    },
    /// It was not released: what is there is not what was written.
    NotReleased {
        /// Why it was not released.
        why: String,
        /// The state from which it was asked for.
        was: State,
    },
    /// No token that it denies can be alive any more.
    Expired {
        /// Why none can be: the last of them ran out, or the principal was deleted.
        reason: String,
    },
    /// A person has done by hand what rescind cannot.
    DoneByHand(Answer),
    /// A person has seen to an alert.
    AlertAcknowledged {
        /// Number of the alert's entry.
        alert: i64,
        /// Who has seen to it, and how.
        answer: Answer,
    },
    /// Somebody logged in to the console.
    LoggedIn(LoggedIn),
    /// A request to the console or the API that carried an identity was refused.
    RequestRefused(RequestRefused),
    /// A report was made from the ledger.
    Report(Box<Reported>),
    /// A fire drill was held.
    Drill(Box<Drilled>),
}

impl Event {
    /// The name of the kind, as the entry has it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        super::kind::tag(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_serde_writes() {
        let events = [
            Event::Watching,
            Event::Stopped { reason: String::new() },
            Event::FileRead { sha256: String::new(), file: String::new(), findings: 0 },
            Event::DoneByHand(Answer {
                by: String::new(),
                reason: String::new(),
                os_user: String::new(),
                aws_identity: None,
                identity: None,
                judged: None,
            }),
        ];
        for event in events {
            let written = serde_json::to_value(&event).expect("JSON");
            assert_eq!(written["kind"], event.kind());
        }
        assert_eq!(Event::Watching.kind(), "watching");
        // What is no enum has no tag.
        assert_eq!(crate::remediation::kind::tag(&"text"), "");
    }
}
