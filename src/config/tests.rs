use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("dir/rescind.toml")).map_err(|e| e.to_string())
}

const LEAST: &str = "regions = [\"eu-central-1\"]\n[member]\nexternal_id = \"0123456789abcdef\"\n";

#[test]
fn a_least_configuration_observes() {
    let config = parse(LEAST).expect("valid");
    assert_eq!(config.mode, Mode::Observe);
    assert_eq!(config.ledger, Path::new("dir/ledger.db"));
    assert_eq!(config.max_finding_age, SignedDuration::from_hours(24));
    assert_eq!(config.member.path_and_name(), "RescindRemediation");
    assert_eq!(config.concurrency, 32);
}

#[test]
fn what_init_writes_is_valid_and_observes() {
    let regions = ["eu-west-1".parse().expect("legal")];
    let text = template(&regions, "abcdef0123456789", None);
    let config = parse(&text).expect("valid");
    assert_eq!(config.mode, Mode::Observe);
    assert_eq!(config.regions, regions);
}

#[test]
fn what_init_writes_are_the_defaults() {
    let regions = ["eu-central-1".parse().expect("legal")];
    let written = parse(&template(&regions, "0123456789abcdef", None)).expect("valid");
    let mut least = parse(LEAST).expect("valid");
    // It names the file of the opt-outs, which the other leaves to the default.
    (least.sha256, least.opt_outs_named) = (written.sha256.clone(), true);
    assert_eq!(format!("{least:#?}"), format!("{written:#?}"));
}

#[test]
fn errors_name_line_key_and_what_is_expected() {
    for (text, wanted) in [
        (
            "mode = \"on\"\n",
            "dir/rescind.toml:1:8: mode: unknown variant `on`, expected one of `observe`, `approve`, `enforce`",
        ),
        ("\nregions = []\n", ":2:11: regions: expected at least one region"),
        (
            "regions = [\"Frankfurt\"]\n",
            "regions: [0]: \"Frankfurt\": expected a region such as \"eu-central-1\"",
        ),
        ("regions = [\"eu-west-1\", \"eu-west-1\"]\n", "regions: \"eu-west-1\" is listed twice"),
        (
            "regions = [\"us-iso-east-1\"]\n",
            "regions: \"us-iso-east-1\" is in a partition that rescind does not know; it knows aws, aws-cn, aws-us-gov, aws-eusc",
        ),
        (
            "regions = [\"eu-west-1\", \"cn-north-1\"]\n",
            "regions: \"eu-west-1\" and \"cn-north-1\" are in different partitions",
        ),
        (
            "max_finding_age = \"1 fortnight\"\n",
            ":1:19: max_finding_age: \"1 fortnight\": expected a time span such as \"24h\"",
        ),
        ("poll_interval = \"1s\"\n", "poll_interval: \"1s\": expected between 5s and 1h"),
        ("regions = [\"*\"]\n", "regions: expected the home region before \"*\""),
        ("regions = [\"*\", \"eu-west-1\"]\n", "regions: \"*\" stands at the end"),
        ("calls_per_second = 0\n", "calls_per_second: 0: expected 1 to 1000"),
        ("listen = \"7434\"\n", "listen: \"7434\": expected an address and a port"),
        ("drain_timeout = \"1h\"\n", "drain_timeout: \"1h\": expected between 0s and 10m"),
        ("raise_after = \"0s\"\n", "raise_after: \"0s\": expected between 1s and 24h"),
        ("[events]\nqueue = \"findings\"\n", ":2:9: events.queue: \"findings\": expected a queue URL"),
        ("[events]\n", "missing field `queue`"),
        ("concurrency = 0\n", "concurrency: 0: expected 1 to 256"),
        ("retries = 3\n", ":1:1: unknown field `retries`, expected one of"),
        ("regions = [\"eu-west-1\"]\n", "missing field `member`"),
        ("[member]\nrole = \"a b\"\n", ":2:8: member.role: \"a b\": a role name has"),
        ("[member]\nexternal_id = \"x\"\n", "member.external_id: expected 2 to 1224"),
        ("[member]\nsource_identity = \"a b\"\n", "member.source_identity: \"a b\": expected 2 to 64"),
        ("mode = [\n", ":1:9: unclosed array, expected `]`"),
        ("ledger = \"\"\n", ":1:10: ledger: \"\": expected the path of a file"),
        ("\nledger = \"audit/\"\n", ":2:10: ledger: \"audit/\": expected the path of a file"),
        ("signing_key = \".\"\n", ":1:15: signing_key: \".\": expected the path of a file"),
        ("opt_outs = \"\"\n", ":1:12: opt_outs: \"\": expected the path of a file"),
        ("[folder]\npath = \"\"\n", ":2:8: folder.path: \"\": expected the path of a folder"),
        (
            "mode = \"observe\"\n\nprotected = [\n  \"*\",\n  \"break-glass\",\n]\n",
            ":5:3: protected[1]: \"break-glass\": expected the ARN of a role",
        ),
        // Lists of tables in one line, and a header in a text.
        ("# x\nrules = [\n{ name = \"a\", mode = \"never\" }]\n", ":3:"),
        ("account_tag = \"\"\"\n[[notify]]\n\"\"\"\n[[notify]]\nname = \"x\"\n", ":4:1: notify[0]: "),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.contains(wanted), "{text:?} gave\n  {error}\nwanted\n  {wanted}");
    }
}

#[test]
fn what_is_there_twice_is_named_where_it_is() {
    let rule = "{ name = \"a\", types = [\"Recon:*\"], mode = \"off\" }";
    let error = parse(&format!("# x\nrules = [\n{rule},\n  {rule}]\n{LEAST}")).expect_err("twice");
    assert!(error.starts_with("dir/rescind.toml:4:3: rules[1]: name:"), "{error}");
    let error =
        parse(&format!("drill = {{ role = \"RescindRemediation\" }}\n{LEAST}")).expect_err("the same role");
    assert!(error.starts_with("dir/rescind.toml:1:18: drill.role:"), "{error}");
}

#[test]
fn a_byte_order_mark_is_not_part_of_it() {
    let marked = |text: &str| parse(&format!("\u{feff}{}", text.replace('\n', "\r\n")));
    assert_eq!(marked(LEAST).expect("valid").home_region().as_str(), "eu-central-1");
    assert!(marked("mode = \"on\"\n").expect_err("bad").contains(":1:8: mode: "));
}

#[test]
fn the_external_id_is_not_in_an_error() {
    let error = parse("[member]\nexternal_id = \"hunter 2 hunter 2\"\n").expect_err("bad");
    assert!(!error.contains("hunter"), "{error}");
    for value in ["12345678901234567", "[\"4567\"]", "{ a = 4567 }", "4567.5"] {
        let error =
            parse(&format!("regions = [\"eu-west-1\"]\n[member]\nexternal_id = {value}\n")).expect_err("bad");
        assert!(error.contains(":3:15: member.external_id:"), "{error}");
        assert!(!error.contains("4567"), "{error}");
    }
}
