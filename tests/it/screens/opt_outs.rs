//! Where less may be done.

use super::Transcript;
use crate::scene::{SHOP, Scene};

#[test]
fn opt_outs() {
    let scene = Scene::new();
    scene.configure("mode = \"enforce\"\naccount_tag = \"\"\n");
    let by = ["--owner", "payments team", "--reason", "release week"];
    let mut screens = Transcript::new(&scene);
    let add =
        |screens: &mut Transcript, more: &[&str]| screens.run(&[&["opt-out", "add"], more, &by[..]].concat());
    let day = |days: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        at.strftime("%Y-%m-%d").to_string()
    };
    screens.run(&["opt-out", "list"]).code(0);
    let (soon, far) = (day(10), day(400));
    add(&mut screens, &["freeze", "--mode", "off", "--expires", &soon, "--account", SHOP, "--role", "w*"])
        .code(0);
    add(&mut screens, &["ci", "--mode", "approve", "--permanent", "--role", "ci-*", "--tag", "team=pay*"])
        .code(0);
    add(&mut screens, &["freeze", "--mode", "off", "--permanent", "--role", "x"]).code(2);
    add(&mut screens, &["far", "--mode", "off", "--expires", &far, "--role", "x"]).code(2);
    add(&mut screens, &["all", "--mode", "off", "--permanent"]).code(2);
    add(&mut screens, &["odd", "--mode", "off", "--permanent", "--account", "12"]).code(2);
    add(&mut screens, &["none", "--mode", "off", "--role", "x"]).code(2);
    screens.run(&["opt-out", "list"]).code(0);
    screens.run(&["opt-out", "explain", "--account", SHOP, "--role", "ci-1"]).code(0);
    screens.run(&["opt-out", "explain", "--account", SHOP, "--role", "web"]).code(0);
    screens.run(&["opt-out", "explain", "--account", SHOP]).code(0);
    let _ = scene.theft(SHOP, "web");
    screens.run(&["run", "--once"]).code(0);
    screens.run(&["opt-out", "remove", "nobody"]).code(2);
    screens.run(&["opt-out", "remove", "freeze"]).code(0);
    // None at all, though there were some.
    std::fs::write(scene.path("opt-outs.toml"), "").expect("written");
    screens.run(&["run", "--once"]).code(2);
    screens.run(&["doctor"]);
    std::fs::write(scene.path("opt-outs.toml"), "# none any more\n").expect("written");
    screens.run(&["run", "--once"]);
    let expired = format!(
        "[[opt_out]]\nname = \"old\"\nowner = \"o\"\nreason = \"r\"\naccounts = [\"{SHOP}\"]\nmode = \"off\"\nexpires = {}\n",
        day(-3)
    );
    std::fs::write(scene.path("opt-outs.toml"), expired).expect("written");
    screens.run(&["opt-out", "list"]).code(0);
    screens.run(&["run", "--once"]);
    screens.is("opt_outs");
}
