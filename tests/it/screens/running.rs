//! A service, a drill, and the doctor.

use super::Transcript;
use crate::scene::{BARE, MANAGEMENT, OTHER, SHOP, Scene};
use crate::service::address;
use crate::thief::Thief;
use crate::watching::Watching;
use serde_json::json;

#[test]
fn a_service() {
    let scene = Scene::new();
    scene.watch();
    let mut screens = Transcript::new(&scene);
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\nlisten = \"\"\n");
    screens.run(&["health"]).code(2);
    scene.configure("mode = \"enforce\"\npoll_interval = \"1h\"\nlisten = \"127.0.0.1:0\"\n");
    screens.run(&["health"]).code(5);
    let _ = scene.theft(SHOP, "web");
    scene.hold_all("ListFindings");
    let mut service = Watching::start(&scene, &["--backlog"]);
    address(&mut service);
    scene.held("ListFindings");
    scene.wait(|| scene.rescind(&["health"]).code == 0);
    screens.run(&["health"]).code(0);
    screens.run(&["health", "--ready"]).code(5);
    scene.release("ListFindings");
    scene.wait(|| scene.rescind(&["health", "--ready"]).code == 0);
    service.until(crate::log::REVOKED);
    scene.wait(|| scene.rescind(&["status", "-o", "jsonl"]).json_document()["live"]["in_flight"] == 0);
    screens.run(&["health", "--ready"]).code(0);
    screens.run(&["status"]).code(0);
    std::fs::write(scene.path("rescind.toml"), "mode = \"enforce\"\nregion = []\n").expect("written");
    service.signal("HUP");
    let refused = service.until(crate::log::CONFIGURATION_REFUSED);
    screens.note("log", &refused);
    assert_eq!(service.stop(), 0);
    scene.configure("mode = \"enforce\"\n");
    screens.run(&["status"]).code(5);
    screens.is("service");
}

#[test]
fn the_doctor() {
    let scene = Scene::new();
    let mut screens = Transcript::new(&scene);
    screens.run(&["doctor"]).code(5);
    let scp = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "iam:PutRolePolicy", "Resource": "*"}]});
    Thief::operator(&scene, MANAGEMENT).attach_scp(SHOP, &scp);
    let denied = json!({"error": {"code": "AccessDeniedException", "message": "no", "status": 403}});
    scene.fault("members", json!({"operation": "ListMembers", "region": OTHER}), "before", denied.clone(), 0);
    screens.run(&["doctor", "--account", SHOP]).code(5);
    screens.run(&["doctor", "--account", "123456789012"]).code(5);
    scene.fault("accounts", json!({"operation": "ListAccounts"}), "before", denied, 0);
    screens.run(&["doctor", "--account", BARE]).code(5);
    screens.is("doctor");
}
