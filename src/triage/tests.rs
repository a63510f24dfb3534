use super::*;
use crate::config::{Budget, Mode, OptOuts, Sweep};
use crate::finding::{Finding, decode};
use crate::ident::{AccountId, Partition};
use crate::org::{Account, AccountState, Placement, Snapshot};
use crate::remediation::{Cutoff, PriorRemediation, ReasonCode, State, VerdictName};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

fn policy(mode: Mode) -> Policy {
    Policy {
        mode,
        rules: RuleIndex::new(&[], &[crate::config::RemedyName::RoleSessions]),
        max_finding_age: SignedDuration::from_hours(24),
        remediation_role: "RescindRemediation".parse().expect("legal"),
        hub_account: "111111111111".parse().expect("legal"),
        hub_role: Some("RescindHub".to_owned()),
        partition: Partition::Aws,
        opt_outs: OptOutIndex::default(),
        account_tag: None,
        principal_tag: None,
        late_tags: crate::config::LateTags::Ignore,
        budget: Budget::default(),
        recheck_interval: std::time::Duration::from_mins(15),
        contested: crate::config::WhenContested::PutBack,
        pursue: crate::config::Pursue::Approve,
        contain: Vec::new(),
        quarantine: SignedDuration::ZERO,
        settles: SignedDuration::from_mins(2),
        sweep: Sweep::Report,
        cloudtrail: false,
        protected: vec!["arn:aws:iam::*:role/break-glass*".to_owned().try_into().expect("legal")],
    }
}

fn organization() -> Snapshot {
    let account = |id: &str| Account {
        id: id.parse().expect("legal"),
        name: id.to_owned(),
        state: AccountState::Active,
    };
    let accounts = vec![account("111111111111"), account("222222222222")];
    let management: AccountId = "111111111111".parse().expect("legal");
    Snapshot::new(accounts, management.clone(), None, management, time("2026-11-21T23:00:00Z"))
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn finding(account: &str, role: &str, last_seen: &str) -> Finding {
    let value = json!({
        "id": "f", "accountId": account, "region": "eu-central-1", "type": OUTSIDE,
        "updatedAt": "2026-11-21T23:50:00Z", "service": {"eventLastSeen": last_seen},
        "resource": {"accessKeyDetails": {"userType": "AssumedRole", "userName": role,
            "principalId": "AROAEXAMPLEEXAMPLE00:i-0abc", "accessKeyId": "ASIAEXAMPLEEXAMPLE00"}},
    });
    decode(value.to_string().as_bytes()).remove(0).expect("a finding")
}

fn earlier(state: State, cutoff: Option<&str>, role_id: &str) -> PriorRemediation {
    PriorRemediation {
        remediation: "r-1".to_owned(),
        name: "web".to_owned(),
        state,
        cutoff: cutoff.map(|text| Cutoff::round_up(time(text))),
        accepted_at: None,
        long_term_key: None,
        is_quarantine: false,
        id: Some(role_id.to_owned()),
        session: None,
        access_keys: Vec::new(),
        is_doubted: false,
        keeps_cutoff: false,
        ended_at: None,
        held: None,
    }
}

/// With all that is needed to decide.
fn decided(finding: &Finding, policy: &Policy, history: &[PriorRemediation]) -> Decision {
    let organization = organization();
    let usage = BudgetUsage::default();
    let context = DecisionContext {
        organization: &organization,
        placement: None,
        history,
        usage: &usage,
        before_watch: None,
        is_archived_here: false,
        stage: Stage::New,
        now: time(NOW),
        here: time(NOW),
    };
    decide(finding, policy, context).expect("nothing depends on the placement")
}

const OUTSIDE: &str = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS";
const INSIDE: &str = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.InsideAWS";

/// A suffix that GuardDuty does not have yet.
const NEW: &str = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideOrg";

const SAME: &str = "AROAEXAMPLEEXAMPLE00";
const NOW: &str = "2026-11-21T23:55:00Z";

fn code(history: &[PriorRemediation], last_seen: &str) -> &'static str {
    let finding = finding("222222222222", "web", last_seen);
    decided(&finding, &policy(Mode::Enforce), history).verdict.code().name()
}

#[test]
fn a_cutoff_covers_what_was_seen_before_it_and_nothing_after() {
    let revoked = [earlier(State::Revoked, Some("2026-11-21T23:40:00Z"), SAME)];
    assert_eq!(code(&revoked, "2026-11-21T23:39:59Z"), "already_revoked");
    assert_eq!(code(&revoked, "2026-11-21T23:40:00Z"), "stolen_role_session");
    assert_eq!(code(&revoked, "2026-11-21T23:41:00Z"), "stolen_role_session");
}

#[test]
fn only_a_deny_that_is_in_place_covers() {
    let cutoff = Some("2026-11-21T23:59:00Z");
    let seen = "2026-11-21T23:50:00Z";
    for (state, wanted) in [
        (State::Verifying, "under_way"),
        (State::Revoked, "already_revoked"),
        (State::Failed, "stolen_role_session"),
        (State::Unverified, "already_revoked"),
        (State::Queued, "under_way"),
        (State::Approved, "under_way"),
        (State::Revoking, "under_way"),
        (State::Blocked, "under_way"),
        (State::Retrying, "under_way"),
    ] {
        assert_eq!(code(&[earlier(state, cutoff, SAME)], seen), wanted, "{state}");
    }
}

#[test]
fn a_cutoff_that_is_chosen_already_covers_nothing_after_it() {
    let cutoff = Some("2026-11-21T23:45:00Z");
    let seen = "2026-11-21T23:50:00Z";
    for (state, wanted) in [
        (State::Revoking, "stolen_role_session"),
        (State::Verifying, "stolen_role_session"),
        (State::Queued, "under_way"),
        (State::Blocked, "under_way"),
    ] {
        assert_eq!(code(&[earlier(state, cutoff, SAME)], seen), wanted, "{state}");
    }
}

#[test]
fn a_cutoff_far_ahead_is_not_relied_on() {
    let mut planted = earlier(State::Revoked, Some("2099-01-01T00:00:00Z"), SAME);
    planted.accepted_at = Some(time("2026-11-21T23:30:00Z"));
    assert_eq!(code(std::slice::from_ref(&planted), "2026-11-21T23:31:59Z"), "already_revoked");
    assert_eq!(code(&[planted], "2026-11-21T23:32:00Z"), "stolen_role_session");
}

#[test]
fn observing_looks_at_what_is_in_place_and_not_at_what_is_under_way() {
    let verdict = |state| {
        let finding = finding("222222222222", "web", "2026-11-21T23:50:00Z");
        let history = [earlier(state, Some("2026-11-21T23:59:00Z"), SAME)];
        decided(&finding, &policy(Mode::Observe), &history).verdict.code().name()
    };
    assert_eq!(verdict(State::Blocked), "mode_observe");
    assert_eq!(verdict(State::Revoking), "mode_observe");
    assert_eq!(verdict(State::Revoked), "already_revoked");
}

#[test]
fn a_role_that_was_made_again_is_another_role() {
    let history = [earlier(State::Revoked, Some("2026-11-21T23:59:00Z"), "AROAOTHEROTHEROTHER0")];
    assert_eq!(code(&history, "2026-11-21T23:50:00Z"), "stolen_role_session");
}

#[test]
fn the_hubs_role_is_protected_in_the_hubs_account_only() {
    let verdict = |account: &str, role: &str| {
        let finding = finding(account, role, "2026-11-21T23:50:00Z");
        decided(&finding, &policy(Mode::Enforce), &[]).verdict.code().name()
    };
    assert_eq!(verdict("111111111111", "rescindhub"), "own_role");
    assert_eq!(verdict("222222222222", "RescindHub"), "stolen_role_session");
    assert_eq!(verdict("222222222222", "rescindremediation"), "own_role");
}

#[test]
fn the_age_is_that_of_the_activity() {
    assert_eq!(code(&[], "2026-11-20T23:55:00Z"), "stolen_role_session");
    assert_eq!(code(&[], "2026-11-20T23:54:59Z"), "too_old");
}

/// `InsideAWS`, used by this account of which GuardDuty says this.
fn used_by(remote: Option<&str>, affiliated: Option<bool>, kind: &str) -> Verdict {
    let mut finding = finding("222222222222", "web", "2026-11-21T23:50:00Z");
    finding.finding_type = kind.to_owned();
    finding.evidence.remote_account = remote.map(str::to_owned);
    finding.evidence.remote_account_affiliated = affiliated;
    decided(&finding, &policy(Mode::Enforce), &[]).verdict
}

#[test]
fn an_account_of_ones_own_organization_is_asked_about_whatever_guardduty_says_of_it() {
    for kind in [INSIDE, "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS"] {
        for affiliated in [None, Some(false), Some(true)] {
            // The hub, and the finding's own account: both are active.
            for own in ["111111111111", "222222222222"] {
                let verdict = used_by(Some(own), affiliated, kind);
                assert_eq!(
                    (verdict.name().name(), verdict.code().name()),
                    ("hold", "rule_approve"),
                    "{own} {affiliated:?}"
                );
            }
        }
        assert_eq!(used_by(Some("333333333333"), Some(true), kind).code().name(), "rule_approve");
        for strange in [Some("333333333333"), Some("somebody"), None] {
            assert_eq!(used_by(strange, Some(false), kind).name(), VerdictName::Remediate, "{strange:?}");
            assert_eq!(used_by(strange, None, kind).name(), VerdictName::Remediate, "{strange:?}");
        }
    }
}

/// From outside of AWS the caller's account is that of the stolen credentials.
#[test]
fn from_outside_it_is_theft_whosever_the_account() {
    for kind in [OUTSIDE, NEW] {
        assert_eq!(used_by(Some("222222222222"), Some(true), kind).name(), VerdictName::Remediate, "{kind}");
    }
}

#[test]
fn a_new_suffix_of_a_family_is_decided_on() {
    assert_eq!(used_by(None, None, NEW).name(), VerdictName::Remediate);
    assert_eq!(used_by(None, None, "UnauthorizedAccess:IAMUser/TorIPCaller").code().name(), "other_type");
}

/// A finding whose principal says this.
fn about(principal: &serde_json::Value) -> Verdict {
    let mut value = json!({
        "id": "f", "accountId": "222222222222", "region": "eu-central-1", "type": OUTSIDE,
        "updatedAt": "2026-11-21T23:50:00Z", "resource": {"accessKeyDetails": principal},
    });
    value["resource"]["accessKeyDetails"]["accessKeyId"] = json!("ASIAEXAMPLEEXAMPLE00");
    let finding = decode(value.to_string().as_bytes()).remove(0).expect("a finding");
    decided(&finding, &policy(Mode::Enforce), &[]).verdict
}

#[test]
fn a_role_that_cannot_be_placed_is_held_and_never_skipped() {
    for principal in [
        json!({"userType": "AssumedRole"}),
        json!({"userType": "ASSUMED_ROLE", "principalId": "AROAEXAMPLEEXAMPLE00:i-0abc"}),
        json!({"userType": "AssumedRole", "userName": "apps/web"}),
        json!({"userType": "AssumedRole", "userName": "arn:aws:iam::333333333333:role/web"}),
        json!({"userType": "Toaster", "userName": "web"}),
        json!({"userType": "Unknown"}),
    ] {
        let verdict = about(&principal);
        assert_eq!(
            (verdict.name().name(), verdict.code().name()),
            ("hold", "principal_unclear"),
            "{principal}"
        );
    }
    let own = about(
        &json!({"userType": "AssumedRole", "userName": "aws:ec2-instance", "principalId": "AROAEXAMPLEEXAMPLE00:i-0abc"}),
    );
    assert_eq!((own.name(), own.code().name()), (VerdictName::Hold, "instance_identity"));
    assert!(own.to_string().contains("i-0abc") && !own.to_string().contains("cannot exist"));
    let odd = about(&json!({"userType": "AssumedRole", "userName": "web", "principalId": "<id>:i-0abc"}));
    assert_eq!((odd.name(), odd.code().name()), (VerdictName::Hold, "principal_doubtful"));
    assert!(odd.target().is_some_and(|target| target.name() == "web"), "approved, it is that role");
    assert!(odd.code().is_for_approval() && !ReasonCode::PrincipalUnclear.is_for_approval());
}

#[test]
fn what_a_person_must_find_out_comes_with_what_is_known() {
    let value = json!({
        "id": "f", "accountId": "222222222222", "region": "eu-central-1", "type": OUTSIDE, "updatedAt": "2026-11-21T23:50:00Z",
        "resource": {"accessKeyDetails": {"userType": "AssumedRole", "principalId": "AROAEXAMPLEEXAMPLE00:i-0abc",
            "accessKeyId": "ASIAEXAMPLEEXAMPLE00"}},
    });
    let finding = decode(value.to_string().as_bytes()).remove(0).expect("a finding");
    let to_do = decided(&finding, &policy(Mode::Enforce), &[]).what_to_do.expect("something");
    for known in [
        "222222222222",
        "Roles[?RoleId=='AROAEXAMPLEEXAMPLE00']",
        "--instance-ids i-0abc",
        "ASIAEXAMPLEEXAMPLE00",
    ] {
        assert!(to_do.contains(known), "{known}: {to_do}");
    }
}

proptest! {
    /// Whatever a finding says: a decision with a reason, the same each time, and in observe
    /// mode never a remediation.
    #[test]
    fn a_decision_is_determined_and_has_a_reason(
        account in "[1-3]{12}|111111111111|222222222222", role in "[a-zA-Z0-9+=,.@_-]{1,64}",
        kind in proptest::sample::select(vec![OUTSIDE, INSIDE, "Recon:IAMUser/X", ""]),
        seen in 0_i64..3_000_000_000, sample: bool, archived: bool,
    ) {
        let mut finding = finding(&account, &role, NOW);
        finding.finding_type = kind.to_owned();
        finding.evidence.last_seen = Timestamp::from_second(seen).ok();
        (finding.sample, finding.archived) = (sample, archived);
        let decision = |mode| decided(&finding, &policy(mode), &[]);
        prop_assert_eq!(decision(Mode::Enforce), decision(Mode::Enforce));
        for mode in [Mode::Enforce, Mode::Observe] {
            let verdict = decision(mode).verdict;
            prop_assert!(verdict.to_string().len() > 10);
            prop_assert!(!verdict.code().name().is_empty());
            let checks = decision(mode).checks;
            let decided: Vec<bool> = checks.iter().map(|check| check.decided).collect();
            prop_assert_eq!(decided.iter().filter(|d| **d).count(), 1);
            // Why a person is asked may be found before the last check.
            let is_held = matches!(verdict, Verdict::Hold { .. });
            prop_assert!(is_held || decided.last() == Some(&true));
            prop_assert!(checks.iter().all(|check| !check.check.is_empty() && !check.result.is_empty()));
            let acts = matches!(verdict, Verdict::Remediate { .. });
            prop_assert!(!(acts && (mode == Mode::Observe || sample || archived)));
        }
    }
}

/// How cautious a verdict is.
fn caution(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Remediate { .. } => 0,
        Verdict::Hold { .. } => 1,
        Verdict::Observe { .. } => 2,
        Verdict::Skip(_) => 3,
    }
}

fn opt_outs(of: &[(usize, usize)]) -> OptOuts {
    let selects = [
        "accounts = [\"222222222222\"]",
        "accounts = [\"111111111111\"]",
        "ous = [\"ou-ab12-cdefgh34\"]",
        "ous = [\"r-ab12\"]\nroles = [\"w*\"]",
        "tags = { team = \"sh*\" }",
        "tags = { team = \"bank\" }",
        "types = [\"*.OutsideAWS\"]",
        "regions = [\"eu-west-1\"]",
        "roles = [\"web\"]\nexpires = 2026-11-20",
    ];
    let text = of.iter().enumerate().map(|(n, (select, mode))| {
        let (select, mode) = (selects[*select], ["approve", "observe", "off"][*mode]);
        let ends = if select.contains("expires") { "" } else { "permanent = true\n" };
        format!(
            "[[opt_out]]\nname = \"n{n}\"\nowner = \"o\"\nreason = \"r\"\nmode = \"{mode}\"\n{select}\n{ends}"
        )
    });
    let text: String = text.collect();
    OptOuts::parse(&text, std::path::Path::new("x"), time(NOW)).expect("valid")
}

proptest! {
    /// Adding an opt-out never makes a decision bolder, and their order does not matter: whatever the
    /// rules, the account's tag, the mode and the budget say.
    #[test]
    fn an_opt_out_never_makes_a_decision_bolder(
        mut of in proptest::collection::vec((0_usize..9, 0_usize..3), 1..6), role in prop_oneof![Just("web"), Just("batch")],
        mode in prop_oneof![Just(Mode::Enforce), Just(Mode::Approve), Just(Mode::Observe)],
        kind in prop_oneof![Just(OUTSIDE), Just(INSIDE)], affiliated: bool, spent in 0_u32..2,
        tag in proptest::option::of(prop_oneof![Just("off"), Just("approve"), Just("enforce"), Just("what?")]),
        before_watch: bool,
    ) {
        let mut finding = finding("222222222222", role, "2026-11-21T23:50:00Z");
        finding.finding_type = kind.to_owned();
        finding.evidence.remote_account_affiliated = Some(affiliated);
        let mut tags = std::collections::BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
        tags.extend(tag.map(|value| ("rescind:mode".to_owned(), value.to_owned())));
        let ous = Some(vec!["ou-ab12-cdefgh34".to_owned(), "r-ab12".to_owned()]);
        let placement = Placement { ous, tags, read_at: time(NOW), earlier: Vec::new() };
        let (organization, usage) = (organization(), BudgetUsage::default());
        let decided = |of: &[(usize, usize)]| {
            let mut policy = policy(mode).with_opt_outs(&opt_outs(of));
            policy.account_tag = Some("rescind:mode".to_owned());
            policy.budget.account_per_hour = spent;
            let context = DecisionContext {
                organization: &organization, placement: Some(&placement), history: &[], usage: &usage,
                before_watch: before_watch.then(|| time(NOW)), stage: Stage::New, now: time(NOW), here: time(NOW), is_archived_here: false,
            };
            decide(&finding, &policy, context).expect("the placement is given").verdict
        };
        let all = decided(&of);
        prop_assert_eq!(&decided(&of), &all);
        of.reverse();
        prop_assert_eq!(caution(&decided(&of)), caution(&all));
        of.pop();
        prop_assert!(caution(&decided(&of)) <= caution(&all));
    }
}
