//! What is sent to each channel.

use super::{SIGNED, Transcript, latest};
use crate::scene::{BARE, HOME, POLICY, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::{Value, json};
use std::fmt::Write;

/// Each body of a webhook, as text or as JSON of many lines.
fn posted(scene: &Scene, name: &str) -> Vec<String> {
    let requests =
        scene.get(&format!("webhooks?name={name}"))["requests"].as_array().expect("a list").clone();
    let body = |request: &Value| {
        let body: Value = serde_json::from_str(request["body"].as_str().expect("a body")).expect("JSON");
        serde_json::to_string_pretty(&body).expect("JSON")
    };
    requests.iter().map(body).collect()
}

#[test]
fn messages() {
    let mut scene = Scene::new();
    let made = |kind: &str, name: &str| {
        let answer = scene.post(kind, &json!({"account": SECURITY, "region": HOME, "name": name}));
        answer["arn"].as_str().expect("an ARN").to_owned()
    };
    let (topic, bus) = (made("topics", "rescind-on-call"), made("buses", "rescind-bus"));
    let mut tables = format!(
        "[[notify]]\nname = \"mail\"\nsns = \"{topic}\"\n[[notify]]\nname = \"bus\"\nevent_bus = \"{bus}\"\n"
    );
    for style in ["slack", "teams", "json"] {
        std::fs::write(
            scene.path(&format!("{style}.url")),
            format!("{}/webhook/{style}\n", scene.endpoint()),
        )
        .expect("written");
        let _ = write!(
            tables,
            "[[notify]]\nname = \"{style}\"\nwebhook_file = \"{style}.url\"\nstyle = \"{style}\"\n"
        );
    }
    scene.more_tables = tables;
    scene.configure("mode = \"enforce\"\n");
    let mut screens = Transcript::new(&scene);
    screens.run(&["notify", "test", "pager"]).code(2);
    screens.run(&["notify", "test", "mail"]).code(0);
    // Revoked, refused, taken away by somebody, asked about, released.
    let _ = scene.theft(SHOP, "web");
    scene.poll().code(0);
    let id = latest(&scene);
    let _ = scene.theft(BARE, "job");
    scene.poll().code(5);
    Thief::operator(&scene, SHOP).delete_role_policy("web", POLICY).expect("deleted");
    scene.rescind(&["recheck"]).code(5);
    scene.configure("mode = \"approve\"\n");
    let _ = scene.theft(SHOP, "batch");
    scene.poll().code(5);
    scene.rescind(&[&["release", "--yes", &id], &SIGNED[..]].concat()).code(0);
    let mails = scene.get("topics?name=rescind-on-call")["messages"].as_array().expect("messages").clone();
    for mail in &mails {
        screens.note(mail["subject"].as_str().expect("a subject"), mail["message"].as_str().expect("a text"));
    }
    let revoked = scene.get("buses?name=rescind-bus")["events"][0].clone();
    screens.note("on the bus", &serde_json::to_string_pretty(&revoked["detail"]).expect("JSON"));
    for style in ["slack", "teams", "json"] {
        // A line of the message is a line here as well.
        screens.note(style, &posted(&scene, style).first().expect("one").replace("\\n", "\n"));
    }
    screens.is("messages");
}
