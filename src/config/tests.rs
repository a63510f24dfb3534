use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

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

const REFUSED: &[&str] = &[
    "mode = \"on\"\n",
    "\nregions = []\n",
    "regions = [\"Frankfurt\"]\n",
    "regions = [\"eu-west-1\", \"eu-west-1\"]\n",
    "regions = [\"us-iso-east-1\"]\n",
    "regions = [\"eu-west-1\", \"cn-north-1\"]\n",
    "max_finding_age = \"1 fortnight\"\n",
    "poll_interval = \"1s\"\n",
    "regions = [\"*\"]\n",
    "regions = [\"*\", \"eu-west-1\"]\n",
    "calls_per_second = 0\n",
    "listen = \"7434\"\n",
    "drain_timeout = \"1h\"\n",
    "raise_after = \"0s\"\n",
    "[events]\nqueue = \"findings\"\n",
    "[events]\n",
    "concurrency = 0\n",
    "regions = [\"eu-west-1\"]\n",
    "[member]\nrole = \"a b\"\n",
    "[member]\nexternal_id = \"x\"\n",
    "[member]\nsource_identity = \"a b\"\n",
    "mode = [\n",
    "ledger = \"\"\n",
    "\nledger = \"audit/\"\n",
    "signing_key = \".\"\n",
    "signing_key = \"alias/rescind\"\n",
    "[ledger]\ntable = \"rescind-log\"\nendpoint = \"not a url\"\n",
    "[ledger.witness]\nbucket = \"example-witness\"\nendpoint = \"not a url\"\n",
    "opt_outs = \"\"\n",
    "[folder]\npath = \"\"\n",
    "mode = \"observe\"\n\nprotected = [\n  \"*\",\n  \"break-glass\",\n]\n",
    // Lists of tables in one line, and a header in a text.
    "# x\nrules = [\n{ name = \"a\", mode = \"never\" }]\n",
    "account_tag = \"\"\"\n[[notify]]\n\"\"\"\n[[notify]]\nname = \"x\"\n",
];

#[test]
fn errors_name_line_key_and_what_is_expected() {
    let error = |text: &&str| format!("{text}  {}\n", parse(text).expect_err(text));
    let refused: Vec<String> = REFUSED.iter().map(error).collect();
    insta::assert_snapshot!(refused.join("\n"), @r#"
    mode = "on"
      dir/rescind.toml:1:8: mode: "on": expected "observe", "approve" or "enforce"


    regions = []
      dir/rescind.toml:2:11: regions: []: expected at least one region

    regions = ["Frankfurt"]
      dir/rescind.toml:1:12: regions[0]: "Frankfurt": expected a region such as "eu-central-1"

    regions = ["eu-west-1", "eu-west-1"]
      dir/rescind.toml:1:11: regions: "eu-west-1" is listed twice

    regions = ["us-iso-east-1"]
      dir/rescind.toml:1:11: regions: "us-iso-east-1" is in a partition that rescind does not know; it knows aws, aws-cn, aws-us-gov, aws-eusc

    regions = ["eu-west-1", "cn-north-1"]
      dir/rescind.toml:1:11: regions: "eu-west-1" and "cn-north-1" are in different partitions: run one rescind for each

    max_finding_age = "1 fortnight"
      dir/rescind.toml:1:19: max_finding_age: "1 fortnight": expected a time span such as "24h" or "90s"

    poll_interval = "1s"
      dir/rescind.toml:1:17: poll_interval: "1s": expected between 5s and 1h

    regions = ["*"]
      dir/rescind.toml:1:11: regions: expected the home region before "*": STS is called there

    regions = ["*", "eu-west-1"]
      dir/rescind.toml:1:11: regions: "*" stands at the end, for all other regions that are enabled

    calls_per_second = 0
      dir/rescind.toml:1:20: calls_per_second: 0: expected 1 to 1000

    listen = "7434"
      dir/rescind.toml:1:10: listen: "7434": expected an address and a port, such as "127.0.0.1:7434"

    drain_timeout = "1h"
      dir/rescind.toml:1:17: drain_timeout: "1h": expected between 0s and 10m

    raise_after = "0s"
      dir/rescind.toml:1:15: raise_after: "0s": expected between 1s and 24h

    [events]
    queue = "findings"
      dir/rescind.toml:2:9: events.queue: "findings": expected a queue URL such as "https://sqs.eu-central-1.amazonaws.com/111122223333/rescind-findings"

    [events]
      dir/rescind.toml:1:1: events.queue: missing, and required: URL of the SQS queue to which EventBridge sends GuardDuty's findings of all regions; or a list of them, one for each region that has a queue of its own

    concurrency = 0
      dir/rescind.toml:1:15: concurrency: 0: expected 1 to 256

    regions = ["eu-west-1"]
      dir/rescind.toml:1:1: member: missing, and required: Access to member accounts

    [member]
    role = "a b"
      dir/rescind.toml:2:8: member.role: "a b": a role name has 1 to 64 of the characters A-Z a-z 0-9 + = , . @ _ -

    [member]
    external_id = "x"
      dir/rescind.toml:2:15: member.external_id: expected 2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / - (its text is not shown)

    [member]
    source_identity = "a b"
      dir/rescind.toml:2:19: member.source_identity: "a b": expected 2 to 64 of the characters A-Z a-z 0-9 _ + = , . @ -

    mode = [
      dir/rescind.toml:1:9: mode: [: unclosed array, expected `]`

    ledger = ""
      dir/rescind.toml:1:10: ledger: "": expected the path of a file


    ledger = "audit/"
      dir/rescind.toml:2:10: ledger: "audit/": expected the path of a file

    signing_key = "."
      dir/rescind.toml:1:15: signing_key: ".": expected the path of a file

    signing_key = "alias/rescind"
      dir/rescind.toml:1:15: signing_key: "alias/rescind": expected the ARN of that alias, such as arn:aws:kms:eu-central-1:111122223333:alias/NAME; for a file write "./alias/…"

    [ledger]
    table = "rescind-log"
    endpoint = "not a url"
      dir/rescind.toml:3:12: ledger.endpoint: "not a url": expected an http or https URL without a query, such as "https://vpce-example.amazonaws.com"

    [ledger.witness]
    bucket = "example-witness"
    endpoint = "not a url"
      dir/rescind.toml:3:12: ledger.witness.endpoint: "not a url": expected an http or https URL without a query, such as "https://vpce-example.amazonaws.com"

    opt_outs = ""
      dir/rescind.toml:1:12: opt_outs: "": expected the path of a file

    [folder]
    path = ""
      dir/rescind.toml:2:8: folder.path: "": expected the path of a folder

    mode = "observe"

    protected = [
      "*",
      "break-glass",
    ]
      dir/rescind.toml:5:3: protected[1]: "break-glass": expected the ARN of a role or an IAM user, such as "arn:aws:iam::*:role/break-glass*"

    # x
    rules = [
    { name = "a", mode = "never" }]
      dir/rescind.toml:3:22: rules[0].mode: "never": expected "enforce", "approve", "observe" or "off"

    account_tag = """
    [[notify]]
    """
    [[notify]]
    name = "x"
      dir/rescind.toml:4:1: notify[0]: "x": expected one of sns, event_bus, webhook, webhook_env, webhook_file, jira and servicenow
    "#);
    // There are too many to list them.
    let unknown = parse("retries = 3\n").expect_err("unknown");
    assert!(unknown.starts_with("dir/rescind.toml:1:1:") && unknown.contains(" retries: "), "{unknown}");
}

#[test]
fn what_is_there_twice_is_named_where_it_is() {
    let rule = "{ name = \"a\", types = [\"Recon:*\"], mode = \"off\" }";
    let error = parse(&format!("# x\nrules = [\n{rule},\n  {rule}]\n{LEAST}")).expect_err("twice");
    assert!(error.starts_with("dir/rescind.toml:4:12: rules[1].name:"), "{error}");
    let error =
        parse(&format!("drill = {{ role = \"RescindRemediation\" }}\n{LEAST}")).expect_err("the same role");
    assert!(error.starts_with("dir/rescind.toml:1:18: drill.role:"), "{error}");
}

#[test]
fn a_witness_that_cosigns_is_listed_once() {
    let known = |name: &str, first: u8| {
        let key = [&[4, first][..], &[7; 31]].concat();
        let id = crate::digest::sha256(&[name.as_bytes(), b"\n", &key].concat());
        format!("{name}+{}+{}", &id[..8], BASE64.encode(key))
    };
    let read = |all: &[(&str, String)]| {
        let one = |(url, key): &(&str, String)| format!("{{ url = \"{url}\", public_key = \"{key}\" }}");
        let all: Vec<String> = all.iter().map(one).collect();
        parse(&format!("{LEAST}[ledger.witness]\ncosigners = [{}]\n", all.join(", ")))
    };
    let (first, other) = ("https://a.example/w", "https://b.example/w");
    for other in [other, "https://a.example/W"] {
        let two = read(&[(first, known("a", 1)), (other, known("b", 2))]).expect("two witnesses");
        assert_eq!(two.cosigners.len(), 2);
    }
    // The same key, under one name or another.
    for name in ["a", "b"] {
        let error = read(&[(first, known("a", 1)), (other, known(name, 1))]).expect_err("one key");
        assert!(error.contains(first) && error.contains(other) && error.contains("public_key"), "{error}");
    }
    for url in [first, "https://a.example/w/", "https://A.example/w"] {
        let error = read(&[(first, known("a", 1)), (url, known("b", 2))]).expect_err("one URL");
        assert!(error.contains(&known("a", 1)) && error.contains(&known("b", 2)), "{error}");
        assert!(error.contains(": ledger"), "{error}");
    }
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
