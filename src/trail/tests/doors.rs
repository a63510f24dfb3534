//! The commands of doors, as a person reads them.

use super::records::all;
use super::{activity, record};
use crate::trail::{Activity, Door};
use serde_json::{Value, json};

#[test]
fn the_doors_of_records() {
    let texts: Vec<String> = all()
        .iter()
        .map(|record| {
            let activity = activity(record);
            let Door { why, look, take_away, needed_by } = activity.door().expect("a door");
            let commands =
                [vec![activity.call, why], look, vec!["---".to_owned()], take_away, vec![needed_by]];
            commands.concat().join("\n")
        })
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("doors", texts.join("\n\n"));
    });
}

#[test]
fn a_door_is_the_same_after_the_ledger() {
    for record in all() {
        let activity = activity(&record);
        let text = serde_json::to_string(&activity).expect("JSON");
        let read: Activity = serde_json::from_str(&text).expect("an activity");
        assert_eq!(read, activity);
        let door = activity.door().expect("a door");
        let text = serde_json::to_string(&door).expect("JSON");
        assert_eq!(serde_json::from_str::<Door>(&text).expect("a door"), read.door().expect("a door"));
    }
}

#[test]
fn a_name_that_looks_like_an_option_or_a_file_is_neither() {
    let door = |role: &str| {
        let sent = json!({"roleName": role, "policyName": "p"});
        activity(&record("iam", "PutRolePolicy", sent, Value::Null)).door().expect("a door").take_away
    };
    assert_eq!(door("--debug"), ["aws iam delete-role-policy --role-name=--debug --policy-name p"]);
    assert_eq!(
        door("file:///etc/passwd"),
        ["aws iam delete-role-policy --role-name '<ROLE>' --policy-name p"]
    );
    assert_eq!(door("a;reboot"), ["aws iam delete-role-policy --role-name 'a;reboot' --policy-name p"]);
    assert_eq!(door("it's"), [r"aws iam delete-role-policy --role-name 'it'\''s' --policy-name p"]);
}

#[test]
fn what_a_record_does_not_have_is_left_out_or_in_angle_brackets() {
    let mut key = record(
        "iam",
        "CreateAccessKey",
        Value::Null,
        json!({"accessKey": {"accessKeyId": "AKIAEXAMPLEEXAMPLE02"}}),
    );
    let door = activity(&key).door().expect("a door");
    assert_eq!(
        door.take_away[0],
        "aws iam update-access-key --access-key-id AKIAEXAMPLEEXAMPLE02 --status Inactive"
    );
    key["responseElements"] = Value::Null;
    let door = activity(&key).door().expect("a door");
    assert_eq!(door.take_away[0], "aws iam update-access-key --access-key-id '<KEY>' --status Inactive");

    let mut session = record("ssm", "StartSession", json!({"target": "i-1"}), Value::Null);
    session["awsRegion"] = Value::Null;
    let door = activity(&session).door().expect("a door");
    assert_eq!(door.take_away, ["aws ssm terminate-session --session-id '<SESSION>' --region '<REGION>'"]);
}
