//! Where CloudTrail may be read, it is named what the stolen credentials opened elsewhere, whoever they are of.

use super::subject::{NAME, Row, Subject};
use crate::scene::SHOP;
use crate::thief::Thief;
use serde_json::json;

on_each_row!(the_session_that_stolen_credentials_opened_is_named);

fn the_session_that_stolen_credentials_opened_is_named(row: Row) {
    let subject = Subject::at(row, 0, "");
    let scene = &subject.scene;
    scene.role(SHOP, "deploy");
    let kind = if row.is_user() { "user" } else { "role" };
    let principal = format!("arn:aws:iam::{SHOP}:{kind}/{NAME}");
    Thief::operator(scene, SHOP).trust("deploy", |trust| {
        let statement =
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        trust["Statement"].as_array_mut().expect("statements").push(statement);
    });
    let deploy = format!("arn:aws:iam::{SHOP}:role/deploy");
    // Whoever else may do so does it as well.
    for (_, other) in &subject.bystanders {
        let _ = other.assume(&deploy);
    }
    subject.stolen[0].assume(&deploy).expect("assumed");
    subject.revoke();
    scene.configure(&row.head("cloudtrail = true\npursue = \"observe\"\n", ""));
    subject.recheck();
    let shown = scene.rescind(&["show", &subject.id(), "-o", "jsonl"]).code(0).json_document();
    let found = shown["activities"].as_array().expect("a list");
    assert_eq!(found.len(), 1, "{row:?}: {found:?}");
    let session = format!("arn:aws:sts::{SHOP}:assumed-role/deploy/chain");
    assert_eq!(
        (&found[0]["thing"], &found[0]["object"]),
        (&json!("role_session"), &json!(session)),
        "{row:?}"
    );
    assert_eq!(
        (&found[0]["call"], &found[0]["by"]),
        (&json!("sts:AssumeRole"), &subject.named["access_key_id"])
    );
    subject.ledger_is_whole();
}
