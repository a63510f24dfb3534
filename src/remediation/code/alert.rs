//! The codes of alerts.

use super::codes;

codes! {
    /// What an alert is about. Each is raised at most once an hour about the same account and remediation, where its text does not say otherwise.
    AlertCode is "alert code" {
        NotRevoked "not_revoked"
            means "A remediation, its release or its retirement is still not done after `raise_after`; or whether it is done is not known."
            do "`rescind show ID` has the reason and what to do. If it is not known, read the role yourself: `aws iam get-role-policy --role-name ROLE --policy-name RescindRevokeOlderSessions`.";
        StillWorks "still_works"
            means "The stolen key made a call after the cutoff that was not denied."
            do "At once: `rescind show ID`, and `aws iam get-role-policy …` in the member account. If the deny is there, check that the call belongs to this role. Isolate what the key can reach.";
        Recurring "recurring"
            means "Another key of the same principal was used after the cutoff: the source hands out new tokens to the thief."
            do "Isolate the instance that the alert names, or find what hands them out. Each revocation without that only buys time.";
        OwnRoleStolen "own_role_stolen"
            means "rescind's own credentials are used from elsewhere. It never acts on its own role."
            do "This is the worst case: [The hub may be compromised](runbook.md#the-hub-may-be-compromised).";
        ProtectedStolen "protected_stolen"
            means "The stolen credentials belong to a protected principal, which rescind may not revoke."
            do "Judge it now, and revoke by hand; `rescind explain FINDING` says how.";
        FindingContradictory "finding_contradictory"
            means "The finding names a role, and its principal id belongs to something else. The remediation is held."
            do "Find out whose credentials these are: `rescind show ID`. If it is approved, the sessions of the role that is named are revoked.";
        DenyRemoved "deny_removed"
            means "The deny was gone or altered, also when it denied *more*: a cutoff in the future denies everybody. It is put back."
            do "Find out who did it. With `cloudtrail = true` the alert `deny_removed_by` says so; otherwise look for `DeleteRolePolicy` and `PutRolePolicy` in CloudTrail of the member account, in `us-east-1`. If it was the thief, revoke the thief as well. If it was a tool (Terraform with exclusive inline policies), make it leave this name alone. If it was intended: `rescind release`.";
        DenyRemovedBy "deny_removed_by"
            means "CloudTrail shows who removed or altered the deny, when and from where."
            do "As for `deny_removed`.";
        DenyNotKept "deny_not_kept"
            means "AWS accepted the deny, and a moment later it was gone or altered. It is written again and again; until it stays, the old session may be in."
            do "The thief watches the role. At once, by hand: see what the role can reach and who may change it (`rescind impact ID`). CloudTrail shows who it was, as for `deny_removed`.";
        Contested "contested"
            means "The deny was taken away at least twice within ten minutes. It is put back each time, and not called revoked until it has stayed. This is raised with each removal, at most once a minute for each remediation."
            do "The stolen session is not contained while this goes on. Deny the principal with a service control policy on the account, or isolate what it can reach; `rescind show ID` has how long the deny was in force, and who takes it away, if CloudTrail shows it.";
        DoorFound "door_found"
            means "CloudTrail shows that the stolen credentials made a way in for later (a key, a user, a role, a trust, a function and so on), or turned off what would show it. No deny reaches it. This is raised each time that something new is found."
            do "`rescind incident show ID` lists each with the commands to look at it and to take it away, and who may need it.";
        PursuitUnreadable "pursuit_unreadable"
            means "CloudTrail of an account cannot be read in a region, so it is not known what the thief did there."
            do "The alert says what is missing, mostly `cloudtrail:LookupEvents` for the remediation role. It is read again at each look.";
        PursuitLimit "pursuit_limit"
            means "The thief opened more than is followed: sessions more than 5 principals away from the stolen credentials, more than 100 keys, or more than 1,000 calls of one key that opened or made something."
            do "Look at these keys in CloudTrail by hand. If roles assume each other in a loop, break it.";
        ForeignPolicy "foreign_policy"
            means "Before rescind's first write there was a document under its name that it cannot have written: of another form, or with a cutoff in the future. It was replaced, is kept in the record, and does not come back."
            do "`rescind show ID` has the text; CloudTrail shows who wrote it (`PutRolePolicy`, `PutUserPolicy`). Assume that it was the thief.";
        StillAllowed "still_allowed"
            means "The deny is there as it was written, and IAM's simulator still allows the stolen session."
            do "At once: `rescind show ID`, the role's policies and boundary in the member account, and CloudTrail by the stolen key. It is checked again until the simulator denies it.";
        Reheld "reheld"
            means "What was approved cannot be done as it was judged: the principal was recreated, or something forbids it now. It is held again. This is raised each time."
            do "`rescind show ID` says why; answer again with `rescind approve` or `rescind reject`.";
        NobodyAnswered "nobody_answered"
            means "A remediation was held for longer than `approval_timeout` and is rejected: nothing is revoked."
            do "Judge it now: `rescind show ID`, `rescind approve ID …`. Then find out why nobody was reached.";
        ByHand "by_hand"
            means "Credentials are used from elsewhere, and rescind cannot change their principal."
            do "`rescind show ID` has the steps and the statement to paste. Then `rescind done ID --by NAME --reason TEXT`.";
        QuarantineStays "quarantine_stays"
            means "The policy `rescind/Quarantine` could not be detached from a role or user: all its sessions are denied, legitimate ones as well. It is tried again."
            do "The alert has the reason, and the command to detach it by hand.";
        QuarantineAltered "quarantine_altered"
            means "The policy `rescind/Quarantine` of an account does not deny everything any more, so it is not attached; where it was, it is detached. The deny goes on without it."
            do "Find out who changed it: `CreatePolicyVersion` and `SetDefaultPolicyVersion` in CloudTrail of the member account. Deploy the member role's stack again, and the [seal](deployment.md#the-seal-organization-sealjson), which prevents it.";
        NotReleased "not_released"
            means "A release stopped, because somebody changed the policy since it was written."
            do "`rescind release ID …` shows the difference. With `--force` their change is lost.";
        NotLookedAt "not_looked_at"
            means "A deny in force could not be read, so it is not known whether it is still there."
            do "The alert's last words say why; usually it is the remediation role. `rescind doctor --account ID`.";
        RechecksLate "rechecks_late"
            means "There are more denies than can be checked within `recheck_interval`, or an account does not answer."
            do "The log says which account. Otherwise raise `concurrency` or `recheck_interval`. `rescind recheck` checks all of them at once.";
        AccountBudgetUsedUp "account_budget_used_up"
            means "More was to be revoked in an account within the hour than its budget allows. What is beyond it is held."
            do "Find out whether it is an attack on many roles or a fault in what reports them: `rescind list`. Approve what is genuine; approvals may exceed the budget. Raise `budget` only for good reasons.";
        OrganizationBudgetUsedUp "organization_budget_used_up"
            means "More was to be revoked in the organization within the hour than its budget allows. What is beyond it is held."
            do "As for `account_budget_used_up`.";
        RolesBudgetUsedUp "roles_budget_used_up"
            means "A larger part of an account's roles was to be revoked within the hour than `budget.roles_percent` allows. What is beyond it is held."
            do "As for `account_budget_used_up`.";
        AccountUnknown "account_unknown"
            means "Organizations does not answer, and the account of a finding is not known as one of the organization."
            do "`rescind doctor`; allow `organizations:ListAccounts` to the hub's role. The findings wait, and are decided when it can be read.";
        IdTaken "id_taken"
            means "Two findings lead to the same remediation id. By chance that does not happen (96 bits): somebody made them, or wrote into the ledger. The finding stays undecided."
            do "Revoke the role's sessions by hand. Keep a copy of the ledger; `rescind ledger verify`, `rescind ledger rebuild --check`.";
        UnconfirmedNotFound "unconfirmed_not_found"
            means "The queue or the folder brought a finding that GuardDuty does not have. Nothing was done."
            do "Who may write to the queue? `aws sqs get-queue-attributes --queue-url URL --attribute-names Policy`. `rescind list --decisions` has what came. The poll finds whatever GuardDuty does have.";
        UnconfirmedRefusedId "unconfirmed_refused_id"
            means "The queue or the folder brought a finding whose id GuardDuty refuses. Nothing was done."
            do "As for `unconfirmed_not_found`.";
        UnconfirmedDiffers "unconfirmed_differs"
            means "The queue or the folder brought a finding that GuardDuty has with another account, type or principal. Nothing was done."
            do "As for `unconfirmed_not_found`.";
        UnconfirmedRegionNotWatched "unconfirmed_region_not_watched"
            means "The queue or the folder brought a finding of a region that is not watched. Nothing was done."
            do "Add the region to `regions`, or `\"*\"` at the end, and restart; or keep its events from the queue.";
        Unreadable "unreadable"
            means "A message or a document is not a readable finding. It is recorded, and stays in the queue for its redrive policy."
            do "The alert says what it looks like. \"an SNS subscription that waits for confirmation\": confirm it, or no event comes. Otherwise `rescind list --decisions`, and the dead-letter queue.";
        QueueFlooded "queue_flooded"
            means "1,000 messages within an hour were no findings, or the same true one over and over. Nothing is received until the hour is over."
            do "Stop whoever writes to it. `aws sqs purge-queue --queue-url URL`. Restart: it receives again. Polls continue.";
        FileRefused "file_refused"
            means "A file in the folder is too long, or most of it is not confirmed. It, or the rest of it, is left unread."
            do "Find out who put it there, and take it out. The polls find what GuardDuty has.";
        FolderFlooded "folder_flooded"
            means "1,000 items within an hour were no findings. Nothing more is read from the folder until the hour is over."
            do "Stop whoever writes there, take the files out, restart. Polls continue.";
        FolderLate "folder_late"
            means "A file in the folder was not read within `raise_after`."
            do "The log says why: it is still being written, GuardDuty does not answer about its findings, or it cannot be read.";
        NotConfirming "not_confirming"
            means "`confirm = false`: events are believed as they are, so whoever may write to the queue can have roles revoked."
            do "Allow `guardduty:GetFindings` to the hub's role, remove `confirm = false`, and restart.";
        NotWrittenBack "not_written_back"
            means "A finding cannot be archived in GuardDuty or updated in Security Hub, though `write_back` says so. Its remediation is not affected."
            do "Allow `guardduty:ArchiveFindings` or `securityhub:BatchUpdateFindings` to the hub's role (`rescind policies print hub-role`), or take the key out of `write_back`. It is tried again.";
        NotNotified "not_notified"
            means "A channel of notifications fails for longer than `raise_after`."
            do "`rescind status` says why; `rescind notify test CHANNEL`. Nothing is lost: what waits is delivered then.";
        IamUnchangeable "iam_unchangeable"
            means "A deny is due, and every change of IAM in its account has failed for 60 seconds (or for `raise_after`, if that is less) with a fault of the service or the network: errors of the server, no answer, throttling without end. IAM's control plane is in one region (`us-east-1`); authorization goes on everywhere. rescind goes on trying. An entry under the same code says when no deny waits any more."
            do "Contain it by what is regional: the instance's security group, the policies of the buckets and keys that the session can reach. The message and `rescind show ID` have the commands, filled in: [IAM cannot be changed](runbook.md#iam-cannot-be-changed).";
        LogUnreachable "log_unreachable"
            means "The table of the log does not answer. Nothing is done without a record, so nothing is done until it answers; findings go on being read. This is sent to the channels at once, and recorded when the log answers again."
            do "`rescind status` has the error. See DynamoDB's health, the hub's permissions (`policies/hub-role-log.json`) and the network. Another host takes over where only this one is cut off. If it lasts, contain by hand: [the log does not answer](runbook.md#the-log-does-not-answer).";
        WitnessUnreachable "witness_unreachable"
            means "For longer than `raise_after`, no checkpoint could be put into the witness's bucket. Containment goes on, and so do the checkpoints in the ledger. What is missing there is put when it answers: the latest one covers all before it."
            do "The alert has the error. See the bucket (`[ledger.witness]`), the hub's permissions (`policies/hub-role-witness.json`), the bucket's own policy and S3's health. Until then, keep a copy of `ledger.db.checkpoint` elsewhere.";
        WitnessDiffers "witness_differs"
            means "In the witness's bucket there is another object in the place of a checkpoint: somebody who may put objects there has forged one. Both are kept. This is raised each time."
            do "[The witness has another checkpoint](runbook.md#the-witness-has-another-checkpoint).";
        TagSetLate "tag_set_late"
            means "A tag that would keep rescind from acting was set when the theft had been seen already. It does not count: what was decided is done."
            do "The alert says who set it and when, where CloudTrail shows it. If it was the thief, revoke those credentials as well. If it was one of you: `rescind release ID`, and use an opt-out or `protected`.";
        OptOutsGone "opt_outs_gone"
            means "Opt-outs were removed or changed while rescind did not run. What they kept from being done is done from now on. This is raised once a start."
            do "Was that intended? `rescind opt-out list`, and the file's history. If not, put them back; they count within seconds.";
        Clock "clock"
            means "This machine's clock is more than 2 minutes off AWS's."
            do "`timedatectl set-ntp true`. See [what a wrong clock does](security.md#the-clock-is-wrong).";
        SigningKeyAdded "signing_key_added"
            means "A host offered a key of its own, and the key of the host that leads has signed for it. Its checkpoints count from now on."
            do "Did you add that host? Keep the key with the others. If not, somebody who can write to the log put a key in: [A key that nobody added](runbook.md#a-key-that-nobody-added).";
        SigningKeyRefused "signing_key_refused"
            means "A key was offered and is not signed for: its notes are not its own, it was replaced before, or the host that leads signs with a key in KMS, which signs for none. Or so many were offered that some wait: 8 keys are signed for in an hour."
            do "With KMS, give every host the same `signing_key`. If you add more than 8 hosts in an hour, wait, or copy the `ledger.key` of one that signs. Otherwise find out who can write to the log: [A key that nobody added](runbook.md#a-key-that-nobody-added).";
        SigningKeyNotEndorsed "signing_key_not_endorsed"
            means "This host leads with a key for which no key of the ledger has signed. It revokes as ever, and signs no checkpoints. This is raised once a start."
            do "Run `rescind ledger checkpoint` on a host that has signed before: it signs for this one as well. Or copy its `ledger.key` here. If no such key is left: `rescind ledger rotate-key --lost`, which auditors see.";
        SigningKeyUnavailable "signing_key_unavailable"
            means "The key in KMS that signs checkpoints does not answer, is disabled, or is a key of another kind. rescind keeps revoking, without checkpoints. This is raised once a start; it is tried again each minute."
            do "`rescind doctor`. See the key's state and policy in KMS, and the hub's permissions (`policies/hub-role-kms.json`).";
        LedgerTampered "ledger_tampered"
            means "Signed entries were changed. rescind keeps revoking, but signs no more checkpoints. This is raised once a start."
            do "[The ledger was changed](runbook.md#the-ledger-was-changed).";
        CosignerDiffers "cosigner_differs"
            means "A witness has seen another ledger under the same name and key, or a longer one: it refuses to cosign this one. What is in the ledger was changed or is missing, or somebody else has the signing key."
            do "[The ledger was changed](runbook.md#the-ledger-was-changed), and [a witness has seen something else](runbook.md#a-witness-has-seen-something-else).";
        NotCosigned "not_cosigned"
            means "A witness refuses to cosign checkpoints, or has not answered for longer than `raise_after`. What it would prove of the ledger from then on, it does not."
            do "The alert has its answer. 403 and 404: the witness's operator must add the ledger's public key (`rescind ledger key`). Otherwise see the URL and the key in `cosigners`, and the network. It is asked again.";
        LedgerReplaced "ledger_replaced"
            means "The checkpoint beside the ledger covers entries that the ledger does not have: an older copy or another ledger was put in its place. The checkpoint is kept, as `ledger.db.checkpoint.kept-…`."
            do "If you put a backup in place, move that file away. If not: [The ledger was changed](runbook.md#the-ledger-was-changed).";
    }
}
