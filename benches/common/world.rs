//! A finding, and what it is decided by.

use jiff::{SignedDuration, Timestamp};
use rescind::config::{Config, Mode, OptOuts};
use rescind::finding::{Finding, decode};
use rescind::org::{Account, AccountState, Placement, Snapshot};
use rescind::triage::{OptOutIndex, Policy, RuleIndex};
use std::fmt::Write;
use std::path::Path;

/// What one finding is decided by.
pub struct World {
    pub policy: Policy,
    pub organization: Snapshot,
    pub placement: Placement,
    pub finding: Finding,
    pub now: Timestamp,
}

fn account(number: usize) -> String {
    format!("{:012}", 100_000_000_000 + number)
}

/// Rules of every kind: patterns, exact types, types with wildcards. None is for the finding but the
/// built-in one, so all have to be looked at.
fn rules(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let body = match n % 4 {
            0 => format!(
                "pattern = '{{\"detail\": {{\"accountId\": [\"{}\"], \"severity\": [{{\"numeric\": [\">=\", 9]}}]}}}}'",
                account(n)
            ),
            1 => format!(
                "pattern = '{{\"detail\": {{\"resource\": {{\"accessKeyDetails\": {{\"userName\": [{{\"prefix\": \"team-{n}-\"}}]}}}}}}}}'"
            ),
            2 => format!("types = [\"UnauthorizedAccess:IAMUser/Number{n}\"]"),
            _ => format!("types = [\"UnauthorizedAccess:IAMUser/Number{n}*\"]"),
        };
        let _ = write!(text, "[[rules]]\nname = \"rule {n}\"\n{body}\nmode = \"observe\"\n");
    }
    text
}

/// Opt-outs of every kind. Ten of them apply to the finding.
fn opt_outs(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let selects = match (n * 10 / count.max(10), n % 5) {
            (_, 0) if n % (count / 10).max(5) == 0 => {
                "regions = [\"eu-central-1\"]\nroles = [\"web\"]".to_owned()
            }
            (_, 0) => format!("accounts = [\"{}\"]", account(n)),
            (_, 1) => format!("ous = [\"ou-ab12-{n:08}\"]"),
            (_, 2) => format!("tags = {{ team = \"team-{n}\" }}"),
            (_, 3) => format!("roles = [\"role-{n}\"]"),
            _ => format!("types = [\"Recon:IAMUser/Number{n}\"]\nroles = [\"ci-*\"]"),
        };
        let _ = write!(
            text,
            "[[opt_out]]\nname = \"o{n}\"\n{selects}\nmode = \"approve\"\nowner = \"o\"\nreason = \"r\"\npermanent = true\n"
        );
    }
    text
}

/// So many rules, opt-outs and accounts.
pub fn world(size: (usize, usize, usize)) -> World {
    let (rule_count, opt_out_count, accounts) = size;
    let now = Timestamp::now();
    let text = format!(
        "mode = \"enforce\"\nregions = [\"eu-central-1\"]\n{}[member]\nexternal_id = \"0123456789abcdef\"\n",
        rules(rule_count)
    );
    let config = Config::parse(&text, Path::new("rescind.toml")).expect("valid");
    let opt_outs = OptOuts::parse(&opt_outs(opt_out_count), Path::new("opt-outs.toml"), now).expect("valid");
    let hub: rescind::ident::AccountId = account(0).parse().expect("legal");
    let all = (0..accounts).map(|n| Account {
        id: account(n).parse().expect("legal"),
        name: format!("account {n}"),
        state: AccountState::Active,
    });
    let seen = now - SignedDuration::from_mins(5);
    let finding = serde_json::json!({
        "schemaVersion": "2.0", "accountId": account(accounts / 2), "region": "eu-central-1", "partition": "aws",
        "id": "16afba5c5c43e07c9e3e5e2e544e95df", "severity": 8.0, "createdAt": seen, "updatedAt": seen,
        "type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "title": "Credentials for the EC2 instance role web were used from an external IP address.",
        "description": "Credentials created exclusively for an EC2 instance are used from an external IP address.",
        "resource": {"resourceType": "AccessKey", "accessKeyDetails": {"accessKeyId": "ASIAEXAMPLEEXAMPLE00",
            "principalId": "AROAEXAMPLEEXAMPLE00:i-0123456789abcdef0", "userType": "AssumedRole", "userName": "web"},
            "instanceDetails": {"instanceId": "i-0123456789abcdef0", "instanceType": "m5.large", "imageId": "ami-0123456789abcdef0",
                "tags": [{"key": "team", "value": "shop"}], "networkInterfaces": [{"privateIpAddress": "10.0.0.1"}]}},
        "service": {"serviceName": "guardduty", "archived": false, "count": 3, "eventFirstSeen": seen, "eventLastSeen": seen,
            "action": {"actionType": "AWS_API_CALL", "awsApiCallAction": {"api": "ListBuckets", "serviceName": "s3.amazonaws.com",
                "callerType": "Remote IP", "remoteIpDetails": {"ipAddressV4": "203.0.113.77", "country": {"countryName": "Nowhere"},
                    "organization": {"asn": "64496", "asnOrg": "Example", "isp": "Example", "org": "Example"}}}}},
    });
    World {
        policy: Policy {
            mode: Mode::Enforce,
            rules: RuleIndex::new(&config.rules, &config.remedies),
            max_finding_age: config.max_finding_age,
            remediation_role: config.member.role_name.clone(),
            hub_account: hub.clone(),
            hub_role: Some("RescindHub".to_owned()),
            partition: config.partition(),
            opt_outs: OptOutIndex::new(&opt_outs),
            account_tag: config.account_tag.clone(),
            principal_tag: config.principal_tag.clone(),
            late_tags: config.late_tags,
            protected: vec!["arn:aws:iam::*:role/break-glass*".to_owned().try_into().expect("legal")],
            budget: config.budget.clone(),
            quarantine: jiff::SignedDuration::ZERO,
            contested: config.contested,
            pursue: config.pursue,
            contain: config.contain.clone(),
            settles: jiff::SignedDuration::from_mins(2),
            recheck_interval: std::time::Duration::from_mins(15),
            sweep: rescind::config::Sweep::Report,
            cloudtrail: false,
        },
        organization: Snapshot::new(all.collect(), hub.clone(), None, hub, now),
        placement: Placement {
            ous: Some(["ou-ab12-aaaaaaaa", "ou-ab12-bbbbbbbb", "r-ab12"].map(str::to_owned).to_vec()),
            tags: [("team".to_owned(), "shop".to_owned()), ("env".to_owned(), "prod".to_owned())].into(),
            read_at: now,
            earlier: Vec::new(),
        },
        finding: decode(finding.to_string().as_bytes()).remove(0).expect("a finding"),
        now,
    }
}
