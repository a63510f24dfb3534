//! What a person is asked, and what becomes of the answer.

use super::{SIGNED, Transcript, latest};
use crate::scene::{BARE, HOME, SECURITY, SHOP, Scene};
use crate::thief::Thief;
use serde_json::json;

fn answer<'a>(word: &'a str, id: &'a str) -> Vec<&'a str> {
    [&[word, id][..], &SIGNED[..]].concat()
}

#[test]
fn a_question_and_its_answers() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(SHOP, "web");
    screens.run(&["run", "--once", "--backlog"]).code(5);
    let id = latest(&scene);
    screens.run(&["show", &id]).code(0);
    screens.run(&["list"]).code(0);
    screens.run(&["status"]).code(5);
    screens.run(&answer("approve", "web")).code(2);
    screens.run(&answer("approve", "r-000000000000")).code(2);
    screens.run(&["approve", &id, "--by", " ", "--reason", "x"]).code(2);
    screens.run(&answer("done", &id)).code(2);
    screens.run(&answer("release", &id)).code(2);
    screens.run(&answer("reject", &id)).code(0);
    screens.run(&answer("approve", &id)).code(0);
    screens.run(&answer("approve", &id)).code(2);
    screens.run(&["run", "--once", "--backlog"]).code(0);
    screens.run(&["show", &id]).code(0);
    screens.is("answers");
}

#[test]
fn a_question_that_nobody_answers_or_that_cannot_be_looked_at() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(BARE, "web");
    screens.run(&["run", "--once", "--backlog"]).code(5);
    let id = latest(&scene);
    screens.run(&["show", &id]).code(0);
    scene.configure("mode = \"approve\"\napproval_timeout = \"1ms\"\n");
    screens.run(&["show", &id]).code(0);
    screens.run(&["run", "--once", "--backlog"]).code(5);
    screens.run(&["show", &id]).code(0);
    screens.is("answers_late");
}

#[test]
fn an_answer_that_came_to_nothing() {
    let scene = Scene::new();
    scene.configure("mode = \"approve\"\n");
    let mut screens = Transcript::new(&scene);
    let _ = scene.theft(SHOP, "web");
    scene.poll().code(5);
    let id = latest(&scene);
    std::fs::write(
        scene.path("opt-outs.toml"),
        format!("[[opt_out]]\nname = \"freeze\"\nowner = \"o\"\nreason = \"r\"\naccounts = [\"{SHOP}\"]\nmode = \"off\"\npermanent = true\n"),
    )
    .expect("written");
    scene.rescind(&answer("approve", &id)).code(0);
    screens.run(&["run", "--once", "--backlog"]).code(5);
    screens.run(&["show", &id]).code(0);
    std::fs::write(scene.path("opt-outs.toml"), "# none\n").expect("written");
    Thief::operator(&scene, SHOP).delete_role("web");
    scene.role(SHOP, "web");
    scene.rescind(&answer("approve", &id)).code(0);
    screens.run(&["run", "--once", "--backlog"]).code(5);
    screens.is("answers_in_vain");
}

#[test]
fn what_only_a_person_can_do() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    let finding = json!({"type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS", "severity": 8,
        "accountId": SHOP, "resource": {"resourceType": "AccessKey", "accessKeyDetails": {
            "userType": "AssumedRole", "userName": "AWSReservedSSO_Admin_0123456789abcdef",
            "principalId": "AROAEXAMPLEEXAMPLE000:ada", "accessKeyId": "ASIAEXAMPLEEXAMPLE00"}}});
    scene.post("findings", &json!({"account": SECURITY, "region": HOME, "findings": [finding]}));
    screens.run(&["run", "--once", "--backlog"]).code(5);
    let id = latest(&scene);
    screens.run(&["show", &id]).code(0);
    screens.run(&answer("approve", &id)).code(2);
    screens.run(&answer("done", &id)).code(0);
    screens.run(&["show", &id]).code(0);
    screens.is("by_hand");
}
