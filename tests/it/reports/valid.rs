//! Whether a report is what its format promises, by validators that are not ours.

use super::lines;
use serde_json::Value;
use std::process::Command;

/// Checked by Python: what is checked comes in on its standard input.
fn python(script: &str, input: &str) {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = std::env::var_os("RESCIND_EMULATOR_PYTHON")
        .unwrap_or_else(|| format!("{root}/target/emulator-venv/bin/python").into());
    let mut process = Command::new(python)
        .args(["-c", script])
        .current_dir(root)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("Python");
    let mut stdin = process.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, input.as_bytes()).expect("written");
    drop(stdin);
    let done = process.wait_with_output().expect("it ends");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// It is as docs/schema/report.schema.json says, by a validator that is not ours.
pub fn is_valid(report: &str) {
    const CHECK: &str = "import json, sys, jsonschema\n\
        schema = json.load(open('docs/schema/report.schema.json', encoding='utf-8'))\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        jsonschema.Draft202012Validator(schema).validate(json.load(sys.stdin))\n";
    python(CHECK, report);
}

/// It is as a schema in docs/schema says, by a validator that is not ours.
pub fn is_as(schema: &str, document: &str) {
    const CHECK: &str = "import json, sys, jsonschema\n\
        given = json.load(sys.stdin)\n\
        schema = json.load(open('docs/schema/' + given['schema'], encoding='utf-8'))\n\
        jsonschema.Draft202012Validator.check_schema(schema)\n\
        jsonschema.Draft202012Validator(schema).validate(json.loads(given['document']))\n";
    python(CHECK, &serde_json::json!({ "schema": schema, "document": document }).to_string());
}

/// Each line is valid by OCSF's own schema, which a package that is not ours makes.
pub fn is_ocsf(text: &str) {
    const CHECK: &str = "import json, sys, jsonschema\n\
        from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema\n\
        made = OcsfJsonSchemaEmbedded(get_ocsf_schema(version='1.8.0'))\n\
        schema = made.get_class_schema('remediation_activity', profiles=['cloud'])\n\
        validator = jsonschema.Draft202012Validator(schema)\n\
        for line in sys.stdin:\n    \
            validator.validate(json.loads(line))\n";
    python(CHECK, text);
    for event in lines(text) {
        let activity = event["activity_id"].as_u64().expect("a number");
        assert_eq!(event["type_uid"], 700_100 + activity);
        // Each observable points to where its value is.
        for one in event["observables"].as_array().expect("a list") {
            let path = one["name"].as_str().expect("a name").replace('.', "/");
            assert_eq!(event.pointer(&format!("/{path}")), Some(&one["value"]), "{one}");
        }
    }
}

/// Security Hub would take it: by botocore's model of BatchImportFindings, and its limits.
pub fn is_asff(text: &str) {
    const CHECK: &str = "import json, sys, botocore.session, botocore.validate\n\
        findings = json.load(sys.stdin)\n\
        model = botocore.session.get_session().get_service_model('securityhub')\n\
        shape = model.operation_model('BatchImportFindings').input_shape\n\
        for finding in findings:\n    \
            report = botocore.validate.ParamValidator().validate({'Findings': [finding]}, shape)\n    \
            assert not report.has_errors(), report.generate_report()\n    \
            known = shape.members['Findings'].member.members\n    \
            assert not set(finding) - set(known), set(finding) - set(known)\n    \
            resource = known['Resources'].member\n    \
            for one in finding['Resources']:\n        \
                for kind, details in one.get('Details', {}).items():\n            \
                    names = set(resource.members['Details'].members[kind].members)\n            \
                    assert not set(details) - names, set(details) - names\n\
        ";
    python(CHECK, text);
    let findings: Vec<Value> = serde_json::from_str(text).expect("JSON");
    for finding in &findings {
        let account = finding["AwsAccountId"].as_str().expect("an account");
        let arn = finding["ProductArn"].as_str().expect("an ARN");
        assert!(arn.ends_with(&format!(":{account}:product/{account}/default")), "{arn}");
        let length = |field: &str| finding[field].as_str().map_or(0, |text| text.chars().count());
        assert!(length("Title") <= 256 && length("Description") <= 1024 && length("Id") <= 512, "{finding}");
        assert!(finding.to_string().len() <= 240_000);
    }
}
