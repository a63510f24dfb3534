//! Lambda: code that runs with a role. CloudTrail writes a version behind many of its operations.
//!
//! GetFunction only looks: it answers with a link to the code, which is downloaded without a further record, but
//! secrets are not meant to be there, and every deployment tool calls it.

use super::row::{Row, row};
use crate::trail::Meaning::Persists;
use crate::trail::Thing;

const CALLERS: &str = "Everything that invokes this function.";

pub(super) const ROWS: &[Row] = &[
    row(&["lambda:CreateFunction"], Persists, Thing::Function)
        .object(&["out.functionArn", "in.functionName"])
        .names(&[("function", &["out.functionName", "in.functionName"]), ("role", &["in.role"])])
        .why("Its code runs with the role's rights whenever it is invoked.")
        .look(&[
            "aws lambda get-function --function-name {function}",
            "aws lambda list-event-source-mappings --function-name {function}",
            "aws lambda list-function-url-configs --function-name {function}",
        ])
        .take_away(&[
            "aws lambda put-function-concurrency --function-name {function} --reserved-concurrent-executions 0",
            "aws lambda delete-function --function-name {function}",
        ])
        .source("Lambda API Reference, CreateFunction; ATT&CK T1648, T1546; hackingthe.cloud, Lambda Persistence"),
    row(&["lambda:UpdateFunctionCode"], Persists, Thing::FunctionCode)
        .object(&["out.functionArn", "in.functionName"])
        .names(&[("function", &["in.functionName"])])
        .why(
            "The thief's code runs with the function's role whenever it is invoked. The earlier code is in a published \
             version or with those who deploy it; the last command lets the function run again.",
        )
        .look(&[
            "aws lambda get-function --function-name {function}",
            "aws lambda list-versions-by-function --function-name {function}",
        ])
        .take_away(&[
            "aws lambda put-function-concurrency --function-name {function} --reserved-concurrent-executions 0",
            "aws lambda update-function-code --function-name {function} --zip-file 'fileb://<EARLIER_CODE>.zip'",
            "aws lambda delete-function-concurrency --function-name {function}",
        ])
        .needed_by(CALLERS)
        .source("Lambda API Reference, UpdateFunctionCode; Stratus Red Team lambda-overwrite-code; ATT&CK T1546, T1525"),
    row(&["lambda:UpdateFunctionConfiguration"], Persists, Thing::FunctionConfiguration)
        .object(&["out.functionArn", "in.functionName"])
        .names(&[("function", &["in.functionName"]), ("role", &["in.role"]), ("layers", &["in.layers.*"])])
        .why(
            "A layer, a handler, a role or a variable of the thief changes what the function does. The earlier ones are \
             in AWS Config or in the templates; the last command lets the function run again.",
        )
        .look(&["aws lambda get-function-configuration --function-name {function}"])
        .take_away(&[
            "aws lambda put-function-concurrency --function-name {function} --reserved-concurrent-executions 0",
            "aws lambda update-function-configuration --function-name {function} --cli-input-json 'file://<EARLIER_CONFIGURATION>.json'",
            "aws lambda delete-function-concurrency --function-name {function}",
        ])
        .needed_by(CALLERS)
        .source("Lambda API Reference, UpdateFunctionConfiguration; Stratus Red Team lambda-layer-extension; ATT&CK T1546"),
    row(&["lambda:PublishLayerVersion"], Persists, Thing::Layer)
        .object(&["out.layerVersionArn", "in.layerName"])
        .names(&[("layer", &["in.layerName"]), ("version", &["out.version"])])
        .why("Functions with the layer run its code.")
        .look(&["aws lambda get-layer-version --layer-name {layer} --version-number {version}"])
        .take_away(&["aws lambda delete-layer-version --layer-name {layer} --version-number {version}"])
        .source("Lambda API Reference, PublishLayerVersion; hackingthe.cloud, Lambda Persistence; ATT&CK T1525"),
    row(&["lambda:AddLayerVersionPermission"], Persists, Thing::Layer)
        .object(&["in.layerName"])
        .names(&[
            ("layer", &["in.layerName"]),
            ("version", &["in.versionNumber"]),
            ("statement", &["in.statementId"]),
        ])
        .principals(&["in.principal"])
        .why("Others may use the layer, and read what is in it.")
        .look(&["aws lambda get-layer-version-policy --layer-name {layer} --version-number {version}"])
        .take_away(&[
            "aws lambda remove-layer-version-permission --layer-name {layer} --version-number {version} --statement-id {statement}",
        ])
        .source("Lambda API Reference, AddLayerVersionPermission; ATT&CK T1098"),
    row(&["lambda:AddPermission"], Persists, Thing::FunctionPolicy)
        .object(&["in.functionName"])
        .names(&[
            ("function", &["in.functionName"]),
            ("statement", &["in.statementId"]),
            ("qualifier", &["in.qualifier"]),
        ])
        .principals(&["in.principal"])
        .why("Whoever it names can invoke the function, and so act with its role.")
        .look(&["aws lambda get-policy --function-name {function} [--qualifier {qualifier}]"])
        .take_away(&[
            "aws lambda remove-permission --function-name {function} --statement-id {statement} [--qualifier {qualifier}]",
        ])
        .source("Lambda API Reference, AddPermission; Stratus Red Team lambda-backdoor-function; ATT&CK T1546"),
    row(&["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"], Persists, Thing::FunctionUrl)
        .object(&["out.functionArn", "in.functionName"])
        .names(&[
            ("function", &["in.functionName"]),
            ("qualifier", &["in.qualifier"]),
            ("auth", &["in.authType"]),
            ("url", &["out.functionUrl"]),
        ])
        .principals(&["in.authType"])
        .why("The function answers on the internet; with the type NONE to anybody.")
        .look(&["aws lambda get-function-url-config --function-name {function} [--qualifier {qualifier}]"])
        .take_away(&["aws lambda delete-function-url-config --function-name {function} [--qualifier {qualifier}]"])
        .needed_by("Those who call the function by its URL, if it had one before.")
        .source("Lambda API Reference, CreateFunctionUrlConfig; SigmaHQ on CreateFunctionUrlConfig; ATT&CK T1098, T1648"),
    row(&["lambda:CreateEventSourceMapping"], Persists, Thing::EventSource)
        .object(&["out.eventSourceMappingArn", "out.uUID", "in.functionName"])
        .names(&[("mapping", &["out.uUID"]), ("function", &["in.functionName"]), ("from", &["in.eventSourceArn"])])
        .why("What arrives at its source runs the function.")
        .look(&["aws lambda get-event-source-mapping --uuid {mapping}"])
        .take_away(&["aws lambda delete-event-source-mapping --uuid {mapping}"])
        .source("Lambda API Reference, CreateEventSourceMapping; ATT&CK T1546"),
];
