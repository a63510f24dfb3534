//! docs/configuration-reference.md is made from the schemas, and docs/codes.md from the enums of codes.

use rescind::remediation::{AlertCode, Code, ReasonCode, RefusalCode, State};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// Every key of the two files, as the schemas have them.
fn reference() -> String {
    let mut page = String::from(
        "# Configuration reference\n\nEvery key, made from [the schema of rescind.toml](schema/rescind.schema.json) and\n[that of opt-outs.toml](schema/opt-outs.schema.json). [Configuration](configuration.md) explains what they are for.\n",
    );
    for (file, name) in [("rescind.schema.json", "rescind.toml"), ("opt-outs.schema.json", "opt-outs.toml")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(file);
        let schema: Value =
            serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON");
        let _ = write!(page, "\n## {name}\n\n| key | type | default | |\n|---|---|---|---|\n");
        keys(&schema, &schema, "", &mut page);
    }
    page
}

/// What a schema stands for: itself, what it refers to, or the one that is not null.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str() {
        let there = name.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return resolved(root, there.expect("what it refers to"));
    }
    match schema["anyOf"].as_array().map(Vec::as_slice) {
        Some([one, null] | [null, one]) if null["type"] == "null" => resolved(root, one),
        _ => schema,
    }
}

fn keys(root: &Value, schema: &Value, before: &str, page: &mut String) {
    let needed =
        |key: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == key));
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let inner = resolved(root, property);
        let items = resolved(root, &inner["items"]);
        // Of several forms one may be a table.
        let forms = inner["anyOf"].as_array().into_iter().flatten().map(|form| resolved(root, form));
        let table = std::iter::once(inner).chain(forms).find(|form| form["properties"].is_object());
        let (below, is_list) =
            if items["properties"].is_object() { (items, true) } else { (table.unwrap_or(inner), false) };
        let name = format!("{before}{key}");
        let default = match (property.get("default"), needed(key)) {
            (Some(default), _) if !default.is_object() => format!("`{default}`"),
            (_, true) => "required".to_owned(),
            _ => String::new(),
        };
        let text = property["description"].as_str().or(inner["description"].as_str()).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {} | {default} | {text} |", kind(root, inner));
        if below["properties"].is_object() {
            keys(root, below, &format!("{name}{}.", if is_list { "[]" } else { "" }), page);
        }
    }
}

fn kind(root: &Value, schema: &Value) -> String {
    let choices = |all: &Value| {
        let all = all.as_array().into_iter().flatten();
        let texts =
            all.filter_map(|one| one.as_str().or(one["const"].as_str()).map(|text| format!("`\"{text}\"`")));
        texts.collect::<Vec<_>>().join(", ")
    };
    for all in [&schema["enum"], &schema["oneOf"]] {
        let text = choices(all);
        if !text.is_empty() {
            return text;
        }
    }
    let one = schema["type"].as_str().map(str::to_owned).or_else(|| {
        let all = schema["type"].as_array()?.iter().filter_map(Value::as_str).filter(|one| *one != "null");
        Some(all.collect::<Vec<_>>().join(" or "))
    });
    match one.as_deref() {
        Some("object") => "table".to_owned(),
        Some("array") => format!("list of {}", kind(root, resolved(root, &schema["items"]))),
        Some(one) => one.to_owned(),
        None => {
            let any = schema["anyOf"].as_array().into_iter().flatten();
            any.map(|one| kind(root, resolved(root, one))).collect::<Vec<_>>().join(" or ")
        }
    }
}

#[test]
fn the_reference_is_that_of_the_schemas() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration-reference.md");
    let made = reference();
    if std::env::var_os("RESCIND_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    assert!(made.contains("| `member.external_id` | string | required |"), "{made}");
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == made,
        "docs/configuration-reference.md is old: RESCIND_WRITE_SCHEMAS=1 cargo test writes it anew"
    );
}

/// The states are drawn where they are decided and where they are promised: line by line the same. The page
/// says what each one means.
#[test]
fn the_states_are_drawn_once_and_each_is_explained() {
    let read = |file: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("it is there")
    };
    let drawing = |text: &str, from: &str| -> Vec<String> {
        let lines =
            text.lines().skip_while(|line| !line.contains(from)).take_while(|line| !line.ends_with("```"));
        lines.map(|line| line.trim_start_matches("//!").trim().to_owned()).collect()
    };
    let page = read("docs/SEMANTICS.md");
    let drawn = drawing(&page, "┌────── reheld");
    assert!(drawn.len() > 10);
    assert_eq!(drawn, drawing(&read("src/remediation/lifecycle.rs"), "┌────── reheld"));
    let runbook = read("docs/runbook.md");
    for state in State::all() {
        assert!(page.contains(&format!("**{state}**")), "{state}");
        assert!(runbook.contains(&format!("`{state}`")), "{state}");
    }
}

/// A group of codes as a table.
fn group<C: Code>(title: &str, about: &str, page: &mut String) {
    let _ = write!(page, "\n## {title}\n\n{about}\n\n| code | meaning | what to do |\n|---|---|---|\n");
    for code in C::ALL {
        let _ = writeln!(page, "| `{}` | {} | {} |", code.name(), code.meaning(), code.what_to_do());
    }
}

fn codes() -> String {
    let mut page = String::from(
        "# Codes\n\nEvery code of the ledger, of `-o json`, of the metrics and of messages, made from the code. No name stands for two\nthings.\n",
    );
    let about = "Raised in the log, in the ledger, by the channels of [notifications](notifications.md) and as\n`rescind_alerts_total{code}`. [How to list them](runbook.md#alerts).";
    group::<AlertCode>("Alerts", about, &mut page);
    let about = "Why rescind decided as it did; in `refused`, why a decision could no longer be carried out. It is the `code` of the\nentries `decision`, `reheld` and `refused`.";
    group::<ReasonCode>("Decisions", about, &mut page);
    let about = "Why AWS, or what was found there, kept a remedy from being carried out: `code` of the entry `refused`.";
    group::<RefusalCode>("Refusals", about, &mut page);
    page
}

#[test]
fn the_page_of_codes_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    let made = codes();
    if std::env::var_os("RESCIND_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &made).expect("written");
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == made,
        "docs/codes.md is old: RESCIND_WRITE_SCHEMAS=1 cargo test writes it anew"
    );
}

/// Each command of the help is in docs/commands.md, and its completions and manual pages can be made.
#[test]
fn every_command_is_in_the_docs_the_completions_and_the_manual() {
    let binary = env!("CARGO_BIN_EXE_rescind");
    let run = |args: &[&str]| {
        let done = std::process::Command::new(binary).args(args).output().expect("it runs");
        assert!(done.status.success(), "{args:?}");
        String::from_utf8(done.stdout).expect("UTF-8")
    };
    let help = run(&["--help"]);
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 20, "{commands:?}");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md"))
        .expect("there");
    let directory = tempfile::tempdir().expect("a directory");
    run(&["man", &directory.path().to_string_lossy()]);
    for command in &commands {
        assert!(page.contains(&format!("`rescind {command}")), "{command} is not in docs/commands.md");
        assert!(directory.path().join(format!("rescind-{command}.1")).exists(), "{command} has no page");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).contains("RESCIND_COMPLETE"), "{shell}");
    }
    let page = std::fs::read_to_string(directory.path().join("rescind-release.1")).expect("a page");
    assert!(page.contains(".SH \"EXAMPLES\"") && page.contains("\\-\\-dry\\-run"), "{page}");
    let page = std::fs::read_to_string(directory.path().join("rescind.1")).expect("a page");
    assert!(page.contains(".SH \"EXIT STATUS\""), "{page}");
    let version = run(&["--version"]);
    assert!(version.starts_with(&format!("rescind {}", env!("CARGO_PKG_VERSION"))), "{version}");
}
