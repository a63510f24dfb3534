//! Where files are: the configuration by its order, the ledger and its key beside it or where such files belong; and the
//! profile and the region, as every AWS tool takes them.

use crate::scene::{EXTERNAL_ID, HOME, OTHER, Ran, Scene};
use serde_json::json;
use std::path::Path;
use std::process::Command;

fn ran(command: &mut Command) -> Ran {
    Ran::new(&command.output().expect("the binary runs"))
}

/// A configuration that names neither a ledger nor a key.
fn least() -> String {
    format!("regions = [\"{HOME}\", \"{OTHER}\"]\nlisten = \"\"\n[member]\nexternal_id = \"{EXTERNAL_ID}\"\n")
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

#[test]
fn the_first_file_that_is_there_is_taken() {
    let scene = Scene::new();
    let folder = |name: &str| scene.path(name);
    let command = |args: &[&str]| {
        let mut command = scene.command(args);
        command.current_dir(folder("here")).env("HOME", folder("home"));
        command
    };
    std::fs::create_dir(folder("here")).expect("made");
    // Each of them is broken, so that the error has its path.
    let taken = |command: &mut Command, path: &Path| {
        let error = ran(command).code(2).err;
        assert!(error.contains(&format!("{}:1:1: ", path.display())), "{}\n{error}", path.display());
    };
    let error = ran(&mut command(&["list"])).code(2).err;
    let own = folder("home/.config/rescind/rescind.toml");
    assert!(
        error.contains(&own.display().to_string()) && error.contains("/etc/rescind/rescind.toml"),
        "{error}"
    );
    write(&own, "a = 1\n");
    taken(&mut command(&["list"]), &own);
    let xdg = folder("xdg/rescind/rescind.toml");
    write(&xdg, "a = 1\n");
    taken(command(&["list"]).env("XDG_CONFIG_HOME", folder("xdg")), &xdg);
    write(&folder("here/rescind.toml"), "a = 1\n");
    taken(command(&["list"]).env("XDG_CONFIG_HOME", folder("xdg")), Path::new("rescind.toml"));
    let named = folder("named.toml");
    write(&named, "a = 1\n");
    taken(command(&["list"]).env("RESCIND_CONFIG", &named), &named);
    let given = folder("given.toml");
    write(&given, "a = 1\n");
    let given_text = given.display().to_string();
    taken(command(&["-c", &given_text, "list"]).env("RESCIND_CONFIG", &named), &given);
    // One that is named and is not there is not replaced by another.
    ran(&mut command(&["-c", "none.toml", "list"])).code(2).says("none.toml");
}

#[test]
fn a_file_in_the_users_folder_keeps_its_ledger_where_state_belongs() {
    let scene = Scene::new();
    let (config, state) = (scene.path("xdg/rescind/rescind.toml"), scene.path("state/rescind"));
    let command = |args: &[&str]| {
        let mut command = scene.command(args);
        command.env("XDG_CONFIG_HOME", scene.path("xdg")).env("XDG_STATE_HOME", scene.path("state"));
        command.current_dir(scene.path("elsewhere"));
        command
    };
    std::fs::create_dir(scene.path("elsewhere")).expect("made");
    let file = config.display().to_string();
    ran(&mut command(&["-c", &file, "init", "--region", HOME, "--region", OTHER])).code(0);
    assert!(state.join("ledger.key").exists() && config.with_file_name("opt-outs.toml").exists());
    ran(&mut command(&["run", "--once", "-o", "jsonl"])).code(0).counts(json!({}));
    assert!(state.join("ledger.db").exists() && !config.with_file_name("ledger.db").exists());
    ran(&mut command(&["list"])).code(0);
    // The same where the file says nothing about it.
    let key = std::fs::read(state.join("ledger.key")).expect("a key");
    std::fs::write(&config, least()).expect("written");
    ran(&mut command(&["run", "--once", "-o", "jsonl"])).code(0).counts(json!({}));
    assert_eq!(std::fs::read(state.join("ledger.key")).expect("a key"), key);
    // A path in the file is relative to the file.
    std::fs::write(&config, format!("ledger = \"own.db\"\nsigning_key = \"own.key\"\n{}", least()))
        .expect("written");
    ran(&mut command(&["run", "--once", "-o", "jsonl"])).code(0).counts(json!({}));
    assert!(config.with_file_name("own.db").exists() && config.with_file_name("own.key").exists());
}

#[cfg(unix)]
#[test]
fn init_for_a_whole_machine_writes_where_the_service_finds_it() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let scene = Scene::new();
    let root = scene.path("image");
    // The user of the service is whoever runs this: nobody else's files may be handed over.
    let own = std::fs::metadata(scene.path("rescind.toml")).expect("there");
    write(&root.join("etc/passwd"), &format!("root:x:0:0::/:\nrescind:x:{}:{}::/:\n", own.uid(), own.gid()));
    write(&root.join("etc/group"), &format!("root:x:0:\nrescind:x:{}:\n", own.gid()));
    let at = root.display().to_string();
    let args = ["init", "--system", "--root", &at, "--region", HOME];
    scene.rescind(&args).code(0);
    let mode = |name: &str| std::fs::metadata(root.join(name)).expect(name).permissions().mode() & 0o777;
    for (name, wanted) in [
        ("etc/rescind", 0o750),
        ("etc/rescind/rescind.toml", 0o640),
        ("etc/rescind/opt-outs.toml", 0o640),
        ("var/lib/rescind", 0o700),
        ("var/lib/rescind/ledger.key", 0o600),
    ] {
        assert_eq!(mode(name), wanted, "{name}");
    }
    let text = std::fs::read_to_string(root.join("etc/rescind/rescind.toml")).expect("there");
    let table: toml::Table = text.parse().expect("TOML");
    assert_eq!(table["ledger"].as_str(), Some("/var/lib/rescind/ledger.db"));
    assert_eq!(table["signing_key"].as_str(), Some("/var/lib/rescind/ledger.key"));
    // Nothing is written over, and nothing is half written.
    scene.rescind(&args).code(2).says("rescind.toml");
    assert_eq!(std::fs::read_to_string(root.join("etc/rescind/rescind.toml")).expect("there"), text);
    scene.rescind(&["-c", "other.toml", "init", "--system", "--root", &at]).code(2).says("--config");
    scene.rescind(&["init", "--root", &at]).code(2).says("--system");
    // Where nobody may write, it says what.
    scene.rescind(&["init", "--system", "--root", "/proc"]).code(2).says("/proc/etc");
}

#[test]
fn a_profile_that_is_named_counts_more_than_keys_of_the_environment() {
    let scene = Scene::new();
    let text = |key: &str| scene.hub[key].as_str().expect("a text").to_owned();
    let profiles = format!(
        "[profile hub]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n[profile empty]\n",
        text("access_key_id"),
        text("secret_access_key"),
        text("session_token")
    );
    std::fs::write(scene.path("aws-config"), profiles).expect("written");
    let with = |args: &[&str]| {
        let mut command = scene.command(args);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env(name, "of-nobody");
        }
        ran(command.env("AWS_CONFIG_FILE", scene.path("aws-config")))
    };
    with(&["run", "--once"]).code(3);
    with(&["run", "--once", "-o", "jsonl", "--profile", "hub"]).code(0).counts(json!({}));
    with(&["--profile", "hub", "run", "--once", "-o", "jsonl"]).code(0).counts(json!({}));
    with(&["--profile", "hubb", "plan"]).code(3).says("\"hubb\"");
    with(&["--profile", "empty", "plan"]).code(3).says("\"empty\"");
}

#[test]
fn the_region_that_is_named_is_whose_sts_is_asked_first() {
    let scene = Scene::new();
    let regions = |args: &[&str]| {
        let before = scene.calls_of("GetCallerIdentity").len();
        scene.rescind(args).code(0);
        let calls = scene.calls_of("GetCallerIdentity");
        calls[before..]
            .iter()
            .map(|call| call["region"].as_str().expect("a region").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(regions(&["plan"]), [HOME]);
    assert_eq!(regions(&["plan", "--region", OTHER]), [OTHER]);
    assert_eq!(regions(&["--region", OTHER, "plan"]), [OTHER]);
    // Which regions are read, the configuration says.
    let read = scene.calls_of("ListFindings");
    assert!(
        read.iter().any(|call| call["region"] == HOME) && read.iter().any(|call| call["region"] == OTHER)
    );
    scene.rescind(&["--region", "Frankfurt", "plan"]).code(2).says("Frankfurt");
}
