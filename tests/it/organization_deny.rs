//! `organization_deny` keeps the promises that every remedy keeps, for each kind of principal. The oracle is the
//! thief's own call.

mod contested;
mod shared;
mod subject;

use serde_json::{Value, json};
use subject::{ROWS, Row, Subject};

const RUN: [&str; 3] = ["run", "--once", "--backlog"];
const WHENS: [&str; 2] = ["before", "after"];

/// Each of these functions for each row, as a test of its own.
macro_rules! on_each_row {
    ($($property:ident),+ $(,)?) => { $(
        mod $property {
            use super::subject::Row;

            #[test]
            fn role() {
                super::$property(Row::Role);
            }

            #[test]
            fn identity_center() {
                super::$property(Row::IdentityCenter);
            }

            #[test]
            fn user() {
                super::$property(Row::User);
            }

            #[test]
            fn root() {
                super::$property(Row::Root);
            }

            #[test]
            fn federated() {
                super::$property(Row::Federated);
            }
        }
    )+ };
}

on_each_row!(
    a_plan_is_read_only,
    the_thief_is_out_and_nobody_else,
    twice_is_once,
    a_later_session_is_spared_unless_it_is_held,
    what_somebody_takes_away_is_put_back,
    a_release_gives_back_what_was_there,
    a_release_stops_before_what_somebody_changed,
    it_ends_when_no_session_is_left_or_never,
);

fn a_plan_is_read_only(row: Row) {
    let subject = Subject::new(row);
    let plan = subject.scene.rescind(&["plan", "-o", "jsonl"]).code(0).json();
    assert_eq!((plan.len(), &plan[0]["decision"]), (1, &json!("remediate")), "{plan:?}");
    assert_eq!(plan[0]["change"]["means"], "service_control_policy", "{plan:?}");
    assert_eq!(subject.scene.writes(), 0, "{:?}", subject.scene.calls());
    subject.is_allowed();
}

fn the_thief_is_out_and_nobody_else(row: Row) {
    let subject = Subject::new(row);
    let (names, _) = subject.there();
    subject.revoke();
    assert_eq!(subject.state(), "revoked", "{row:?}");
    assert_eq!(subject.scene.steps(), ["decision", "intent", "accepted", "proof"], "{row:?}");
    let (now, ours) = subject.there();
    assert_eq!(now.len(), names.len() + 1, "{now:?}");
    assert_eq!(ours.expect("a policy")["Statement"].as_array().map(Vec::len), Some(1));
    subject.ledger_is_whole();
    // It has the name of no inline policy, and says what it denies.
    subject
        .scene
        .rescind(&["show", &subject.id()])
        .code(0)
        .says("service control policy rescind-222222222222");
}

fn twice_is_once(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let (there, writes) = (subject.there(), subject.scene.writes());
    subject.scene.run_once().counts(json!({"seen_before": 1}));
    subject.report();
    subject.scene.run_once();
    subject.scene.rescind(&["recheck", "-o", "jsonl"]).code(0);
    assert_eq!((subject.there(), subject.scene.writes()), (there, writes), "{row:?}");
    subject.is_denied();
}

/// Sessions are denied by the time at which they began; a leaked key and root are held until a release.
fn a_later_session_is_spared_unless_it_is_held(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    subject.scene.advance_clock(60);
    let again = match row {
        Row::Role => subject.scene.session("222222222222", "web", "i-0123456789abcdef0"),
        Row::IdentityCenter => subject.scene.post(
            "sessions",
            &json!({"account": "222222222222", "role": "AWSReservedSSO_Admin_0123456789abcdef", "session_name": "alice@example.com"}),
        ),
        Row::User => subject.scene.post("sessions", &json!({"account": "222222222222", "user": "eve"})),
        Row::Root => subject.scene.post("sessions", &json!({"account": "222222222222", "root": true})),
        Row::Federated => subject.scene.post(
            "sessions",
            &json!({"account": "222222222222", "user": "broker", "federated_user": "carol"}),
        ),
    };
    let again = subject.scene.thief(&again).list_users();
    let expected = if row == Row::Root { Err("AccessDenied".to_owned()) } else { Ok(()) };
    assert_eq!(again, expected, "{row:?}");
    subject.is_denied();
}

fn what_somebody_takes_away_is_put_back(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let (_, ours) = subject.there();
    subject.management.remove_scp("222222222222", "rescind-222222222222");
    subject.is_allowed();
    subject.scene.rescind(&["recheck", "-o", "jsonl"]).code(5);
    subject.is_denied();
    assert_eq!(subject.there().1, ours, "{row:?}");
    assert!(subject.scene.codes("alert").contains(&"deny_removed".to_owned()));
    // Also when it only says less.
    let less = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}]});
    subject.management.update_scp("222222222222", "rescind-222222222222", &less);
    subject.is_allowed();
    subject.scene.rescind(&["recheck", "-o", "jsonl"]);
    subject.is_denied();
    subject.ledger_is_whole();
}

fn a_release_gives_back_what_was_there(row: Row) {
    let subject = Subject::new(row);
    let before = subject.there();
    subject.revoke();
    subject.release(&[]).code(0).says("released");
    assert_eq!(subject.there(), before, "{row:?}");
    assert!(!subject.management.scp_names().contains(&"rescind-222222222222".to_owned()));
    subject.is_allowed();
    assert_eq!(subject.state(), "released");
    subject.ledger_is_whole();
}

fn a_release_stops_before_what_somebody_changed(row: Row) {
    let subject = Subject::new(row);
    subject.revoke();
    let some = json!({"StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE00:*"}});
    let theirs = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": some}]});
    subject.management.update_scp("222222222222", "rescind-222222222222", &theirs);
    subject.release(&[]).code(5);
    assert_eq!(subject.there().1, Some(theirs), "{row:?}");
    subject.release(&["--force"]).code(0);
    assert_eq!(subject.there().1, None, "{row:?}");
    subject.is_allowed();
}

/// A session ends by itself; a key and root do not.
fn it_ends_when_no_session_is_left_or_never(row: Row) {
    let keys = "max_finding_age = \"100h\"\nsweep = \"on\"\n";
    let subject = Subject::at(row, -40 * 3600, keys);
    subject.revoke();
    subject.scene.advance_clock(40 * 3600);
    subject.scene.rescind(&["recheck", "-o", "jsonl"]);
    let ends = !matches!(row, Row::User | Row::Root);
    assert_eq!(subject.state(), if ends { "retired" } else { "revoked" }, "{row:?}");
    assert_eq!(subject.there().1.is_none(), ends, "{row:?}");
}

/// Killed at each write, the next start ends in one policy on the account; and released, none is left.
#[test]
fn killed_at_each_write() {
    for (operation, when) in
        ["CreatePolicy", "AttachPolicy"].into_iter().flat_map(|one| WHENS.map(|when| (one, when)))
    {
        let subject = Subject::new(Row::IdentityCenter);
        let before = subject.there();
        subject.kill(&RUN, operation, when);
        subject.scene.run_once();
        subject.is_denied();
        assert_eq!(subject.state(), "revoked", "{operation} {when}");
        subject.release(&[]).code(0);
        assert_eq!(subject.there(), before, "{operation} {when}");
        assert_eq!(
            subject.management.scp_names().iter().filter(|name| name.starts_with("rescind-")).count(),
            0
        );
        subject.is_allowed();
        subject.ledger_is_whole();
    }
}

#[test]
fn a_release_that_is_killed_is_taken_up() {
    for (operation, when) in
        ["DetachPolicy", "DeletePolicy"].into_iter().flat_map(|one| WHENS.map(|when| (one, when)))
    {
        let subject = Subject::new(Row::Root);
        subject.revoke();
        let id = subject.id();
        let args = [&["release", "--yes", &id][..], &subject::SIGNED[..]].concat();
        subject.kill(&args, operation, when);
        subject.scene.run_once();
        assert_eq!(subject.state(), "released", "{operation} {when}");
        assert_eq!(subject.there().1, None, "{operation} {when}");
        subject.is_allowed();
        subject.ledger_is_whole();
    }
}

/// What Organizations accepts and does not do is not called revoked, nor released.
#[test]
fn what_is_not_done_is_not_called_done() {
    for switch in ["organizations_create_policy_ignored", "organizations_attach_policy_ignored"] {
        let subject = Subject::new(Row::Federated);
        subject.set(switch, json!(true));
        subject.scene.poll().code(5);
        assert_ne!(subject.state(), "revoked", "{switch}");
        subject.is_allowed();
        subject.set(switch, json!(false));
        subject.scene.poll();
        subject.is_denied();
        subject.ledger_is_whole();
    }
    let subject = Subject::new(Row::Root);
    subject.revoke();
    subject.set("organizations_detach_policy_ignored", json!(true));
    subject.release(&[]).code(5);
    assert_ne!(subject.state(), "released");
    subject.is_denied();
}

/// A full account, and a hub that may not: recorded, with what to do; and done when there is room.
#[test]
fn without_room_or_permission_a_person_is_needed() {
    let subject = Subject::new(Row::Root);
    subject.set("organizations_attachments_quota", json!(1));
    subject.scene.poll().code(5).has_code("quota_exceeded");
    assert_eq!(subject.state(), "blocked");
    subject.set("organizations_attachments_quota", json!(10));
    subject.scene.run_once();
    subject.is_denied();
    let subject = Subject::new(Row::Root);
    subject.management.delete_resource_policy();
    subject.scene.poll().code(5).has_code("access_denied");
    let shown = subject.scene.rescind(&["show", &subject.id()]).code(0);
    shown.says("delegation policy").says("organizations:CreatePolicy");
    subject.is_allowed();
}

/// Unless the rule says that it is done.
#[test]
fn a_person_is_asked_first() {
    let scene = subject::delegated("");
    let (thief, _) = subject::theft(&scene, Row::Root, "222222222222");
    scene.poll().code(5);
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    let id = list[0]["remediation"].as_str().expect("an id");
    assert_eq!((&list[0]["state"], &list[0]["held_code"]), (&json!("held"), &json!("organization_deny")));
    assert_eq!((scene.writes(), thief.list_users()), (0, Ok(())));
    // It says what an approval does.
    scene.rescind(&["show", id]).code(0).says("service control policy").says("until this is released");
    scene.rescind(&[&["approve", id][..], &subject::SIGNED[..]].concat()).code(0);
    scene.run_once();
    assert_eq!(thief.list_users(), Err("AccessDenied".to_owned()));
}

/// No service control policy binds it.
#[test]
fn the_management_account_is_left_to_a_person() {
    for row in ROWS {
        let scene = subject::delegated(subject::ENFORCE);
        let (thief, _) = subject::theft(&scene, row, "999999999999");
        scene.poll().code(5);
        let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
        assert_eq!(list[0]["held_code"], "management_account", "{row:?}: {list:?}");
        assert_eq!((scene.writes(), thief.list_users()), (0, Ok(())), "{row:?}");
    }
}

/// It is for whom nothing else is, and off unless a rule names it.
#[test]
fn without_the_remedy_they_are_left_to_a_person_as_before() {
    let scene = subject::delegated(subject::ENFORCE);
    scene.configure(
        "mode = \"enforce\"\n[[rules]]\nname = \"all\"\ntypes = [\"UnauthorizedAccess:IAMUser/*\"]\n",
    );
    for row in [Row::IdentityCenter, Row::Root, Row::Federated] {
        subject::theft(&scene, row, "222222222222");
    }
    scene.poll().code(5);
    let list = scene.rescind(&["-o", "jsonl", "list"]).code(0).json();
    let codes: Vec<&Value> = list.iter().map(|one| &one["held_code"]).collect();
    assert_eq!(codes.len(), 3);
    for code in ["identity_center_role", "root_user", "federated_user"] {
        assert!(codes.contains(&&json!(code)), "{codes:?}");
    }
    assert_eq!(scene.writes(), 0);
}
