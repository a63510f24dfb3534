//! What a shell completes: the completions are asked for as bash does it.

use crate::scene::{SHOP, Scene};
use std::process::Command;

/// What bash completes after these words; the last one is begun.
fn completed(scene: &Scene, words: &[&str]) -> Vec<String> {
    let inner = scene.command(&[]);
    let bin = scene.path("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let program = bin.join("rescind");
    if !program.exists() {
        std::os::unix::fs::symlink(inner.get_program(), &program).expect("a link");
    }
    let script = r#"source <(rescind completions bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        _clap_complete_rescind rescind "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash", "rescind"]).args(words).current_dir(scene.path(""));
    command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.env("PATH", path).output().expect("bash");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    out.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_shell_completes_commands_states_ids_accounts_and_levels() {
    let scene = Scene::new();
    let completed = |words: &[&str]| completed(&scene, words);
    // Without a ledger there are no ids, and nobody is disturbed.
    assert!(completed(&["approve", "r-"]).is_empty());
    scene.configure("mode = \"approve\"\n");
    let _ = (scene.theft(SHOP, "web"), scene.theft(SHOP, "cards"));
    scene.poll().code(5);
    let lines = scene.rescind(&["list", "-o", "jsonl"]).json();
    let mut ids: Vec<&str> = lines.iter().filter_map(|line| line["remediation"].as_str()).collect();
    ids.sort_unstable();
    let sorted = |mut found: Vec<String>| {
        found.sort();
        found
    };
    assert_eq!(completed(&["app"]), ["approve"]);
    assert_eq!(sorted(completed(&["approve", "r-"])), ids);
    assert_eq!(completed(&["show", &ids[0][..10]]), [ids[0]]);
    // What is held cannot be released, and what is answered is not held.
    assert!(completed(&["release", "r-"]).is_empty());
    scene.rescind(&["reject", ids[0], "--reason", "ours"]).code(0);
    assert_eq!(completed(&["approve", "r-"]), [ids[1]]);
    assert_eq!(completed(&["revoke", &SHOP[..3]]), [SHOP]);
    assert_eq!(completed(&["--log", "de"]), ["debug"]);
    assert_eq!(completed(&["report", "-o", "oc"]), ["ocsf"]);
    assert_eq!(completed(&["incident", "show", &ids[0].replace("r-", "i-")[..8]]).len(), 1);
    // Of another configuration, none.
    assert!(completed(&["-c", "nowhere.toml", "approve", "r-"]).is_empty());
}
