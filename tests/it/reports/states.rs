//! Remediations in every state, for reports that count them.

use crate::made::{changed, story, then, until};
use jiff::{SignedDuration, Timestamp};
use rescind::remediation::{
    AlertCode, Answer, Disposition, Draft, Event, NOBODY, ReasonCode, RefusalCode, Refused, RefusedBy,
    ReleaseAsked, State,
};
use serde_json::json;

/// The life that others are made from, of a role and a key of its own: another theft. GuardDuty saw it just now.
fn theft(role: &str, severity: f64) -> Vec<Draft> {
    let key = format!("ASIA{:0>16}", role.to_uppercase().replace('-', ""));
    let seen = Timestamp::now().saturating_sub(SignedDuration::from_secs(40)).expect("a time");
    let found = changed(story(), "finding", |data| {
        let finding = &mut data["finding"];
        finding["principal"]["access_key_id"] = json!(key);
        finding["principal"]["user_name"] = json!(role);
        finding["evidence"]["last_seen"] = json!(seen);
        finding["severity"] = json!(severity);
    });
    let decided = changed(found, "decision", |data| {
        data["target"]["role"] = json!(role);
        data["reason"] =
            json!(format!("the credentials of role {role} in 222222222222 are used from elsewhere"));
    });
    changed(decided, "intent", |data| {
        data["change"]["name"] = json!(role);
        data["change"]["arn"] = json!(format!("arn:aws:iam::222222222222:role/{role}"));
    })
}

pub fn answer(by: &str) -> Answer {
    Answer {
        by: by.to_owned(),
        reason: "looked at it".to_owned(),
        os_user: "ann".to_owned(),
        aws_identity: None,
        identity: None,
        judged: None,
    }
}

fn held(role: &str) -> Vec<Draft> {
    changed(until(theft(role, 8.0), "decision"), "decision", |data| {
        data["verdict"] = json!("hold");
        data["code"] = json!("mode_approve");
        data["reason"] = json!("mode approve: a person is asked");
    })
}

fn refused(role: &str, disposition: Disposition) -> Vec<Draft> {
    let (reason, what_to_do) =
        ("the role may not do it".to_owned(), "Allow it: `rescind doctor`.".to_owned());
    let code = RefusedBy::Remedy(RefusalCode::AccessDenied);
    then(
        until(theft(role, 5.0), "decision"),
        Event::Refused(Refused { code, reason, what_to_do, disposition }),
    )
}

fn alert(story: Vec<Draft>, code: AlertCode) -> Vec<Draft> {
    let (text, what_to_do) = ("it is not contained".to_owned(), "Look at it: `rescind show ID`.".to_owned());
    then(story, Event::Alert { code, text, what_to_do })
}

fn released(role: &str) -> Vec<Draft> {
    let asked = ReleaseAsked { answer: answer("Ann"), force: false, attached: false, was: State::Revoked };
    let asked = then(theft(role, 8.0), Event::ReleaseAsked(asked));
    then(asked, Event::Undone { found_in_place: false, aws_time: None, note: None })
}

/// Eight that need a person: in each state in which one does, and whatever their decisions were.
pub fn need_a_person() -> Vec<Vec<Draft>> {
    let lost = Event::Drift { what: "the policy is gone".to_owned(), found: None, seen_in_place: None };
    let doubted = changed(theft("unverified", 8.0), "proof", |data| {
        data["rung"] = json!("present");
        data["old_token"] = json!("allowed");
    });
    vec![
        held("held"),
        then(
            until(theft("reheld", 9.5), "decision"),
            Event::Reheld { code: ReasonCode::BudgetAccount, reason: "the budget is used up".to_owned() },
        ),
        refused("blocked", Disposition::Blocked),
        refused("failed", Disposition::Final),
        then(theft("lost", 8.0), lost),
        doubted,
        then(held("unanswered"), Event::Rejected(answer(NOBODY))),
        alert(refused("stuck", Disposition::Retry), AlertCode::NotRevoked),
    ]
}

/// Seven that need nobody.
pub fn need_nobody() -> Vec<Vec<Draft>> {
    vec![
        theft("revoked", 8.0),
        refused("retrying", Disposition::Retry),
        until(theft("verifying", 8.0), "accepted"),
        then(held("rejected"), Event::Rejected(answer("Ann"))),
        released("released"),
        then(theft("expired", 2.0), Event::Expired { reason: "every session has ended".to_owned() }),
        then(held("by-hand"), Event::DoneByHand(answer("Ann"))),
    ]
}

/// One whose key works though it is revoked.
pub fn still_works() -> Vec<Draft> {
    alert(theft("works", 8.0), AlertCode::StillWorks)
}

/// Twelve that were revoked, each with all that belongs to it.
pub fn twelve() -> Vec<Vec<Draft>> {
    (0..12).map(|number| theft(&format!("shop-{number}"), 8.0)).collect()
}
