//! What the document says beside what the handlers and their schemas say: parameters of addresses, headers, refusals.

use crate::web::problem::Problem;
use aide::generate::in_context;
use aide::openapi::{
    OpenApi, Operation, Parameter, ParameterSchemaOrContent, ReferenceOr, Response, StatusCode,
};
use axum::http;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Operations that look something up in AWS each time: nobody has their document already.
const LOOKED_UP: [&str; 2] = ["impact", "release_plan"];

/// Adds to each operation what holds for all of its kind.
pub(super) fn complete(document: &mut OpenApi) {
    let problem = in_context(|context| context.schema.subschema_for::<Problem>().to_value());
    for (path, item) in document.paths.iter_mut().flat_map(|paths| &mut paths.paths) {
        let ReferenceOr::Item(item) = item else { continue };
        if let Some(operation) = &mut item.get {
            in_address(path, operation);
            lists(operation);
            kept(operation);
            refusals(operation, &problem, &[]);
        }
        if let Some(operation) = &mut item.post {
            in_address(path, operation);
            sent_again(operation);
            refusals(operation, &problem, &[400, 408, 409, 413, 415, 422]);
        }
    }
}

/// A success that is no document: its types of content, and the schema of each.
pub(super) fn other(operation: &mut Operation, description: &str, kinds: &[(&str, Value)]) {
    let content: serde_json::Map<String, Value> =
        kinds.iter().map(|(kind, schema)| ((*kind).to_owned(), json!({"schema": schema}))).collect();
    add(operation, 200, json!({"description": description, "content": content}));
}

/// The parts of the address that a path has in braces.
fn in_address(path: &str, operation: &mut Operation) {
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let (description, schema) = match path.split('/').nth(2) {
            _ if name == "entry" => {
                ("The number of the ledger's entry.", json!({"type": "integer", "format": "int64"}))
            }
            Some("remediations") if path.ends_with('}') => (
                "The id of a remediation, the beginning of it, or the id of its finding.",
                json!({"type": "string", "pattern": "^(r-.{4,}|[^r].*)$"}),
            ),
            Some("remediations") => (
                "The id of a remediation, or the beginning of it.",
                json!({"type": "string", "pattern": "^r-.{4,}$"}),
            ),
            Some("incidents") => (
                "The id of an incident or of one of its remediations, or the beginning of it.",
                json!({"type": "string", "pattern": "^[ir]-.{4,}$"}),
            ),
            _ => ("The id.", json!({"type": "string", "minLength": 1})),
        };
        let parameter = json!({
            "in": "path", "name": name, "required": true, "style": "simple",
            "description": description, "schema": schema,
        });
        operation.parameters.push(ReferenceOr::Item(part(parameter)));
    }
}

/// Lists in a query are separated by commas.
fn lists(operation: &mut Operation) {
    for parameter in &mut operation.parameters {
        let ReferenceOr::Item(Parameter::Query { parameter_data, .. }) = parameter else { continue };
        if let ParameterSchemaOrContent::Schema(schema) = &parameter_data.format
            && schema.json_schema.get("items").is_some()
        {
            parameter_data.explode = Some(false);
        }
    }
}

/// Documents that whoever has them need not be sent again.
fn kept(operation: &mut Operation) {
    let is_looked_up = operation.operation_id.as_deref().is_some_and(|id| LOOKED_UP.contains(&id));
    let responses = operation.responses.as_mut();
    let document = responses.and_then(|all| all.responses.get_mut(&StatusCode::Code(200)));
    let Some(ReferenceOr::Item(document)) = document else { return };
    if is_looked_up || !document.content.contains_key("application/json") || document.content.len() > 1 {
        return;
    }
    document.headers.insert("ETag".to_owned(), ReferenceOr::Item(part(etag())));
    add(
        operation,
        304,
        json!({"description": "The document is the one of `If-None-Match`.", "headers": {"ETag": etag()}}),
    );
    operation.parameters.push(ReferenceOr::Item(part(json!({
        "in": "header", "name": "If-None-Match", "style": "simple",
        "description": "The ETag of the document that is there already.", "schema": {"type": "string"},
    }))));
}

fn etag() -> Value {
    json!({"style": "simple", "required": true, "description": "Which document it is.",
        "schema": {"type": "string", "pattern": "^\"[0-9a-f]{32}\"$"}})
}

/// What changes something can be sent again.
fn sent_again(operation: &mut Operation) {
    operation.parameters.push(ReferenceOr::Item(part(json!({
        "in": "header", "name": "Idempotency-Key", "style": "simple",
        "description": "With the same key the same request is answered as the first time.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }))));
    for (status, response) in operation.responses.iter_mut().flat_map(|all| &mut all.responses) {
        let ReferenceOr::Item(response) = response else { continue };
        if matches!(status, StatusCode::Code(200..300)) {
            let replayed = json!({"style": "simple", "description": "It is the answer of the first request.",
                "schema": {"type": "string", "enum": ["true"]}});
            response.headers.insert("Idempotency-Replayed".to_owned(), ReferenceOr::Item(part(replayed)));
        }
    }
}

/// The refusals of every operation, of those with parameters, and these.
fn refusals(operation: &mut Operation, problem: &Value, own: &[u16]) {
    let mut statuses = vec![401, 403, 421, 429, 503];
    statuses.extend(own);
    let is = |which: fn(&Parameter) -> bool| {
        operation.parameters.iter().any(|one| matches!(one, ReferenceOr::Item(one) if which(one)))
    };
    if is(|one| matches!(one, Parameter::Query { .. })) {
        statuses.push(400);
    }
    if is(|one| matches!(one, Parameter::Path { .. })) {
        statuses.extend([400, 404, 409]);
    }
    // Of an account that one may not see there is nothing.
    if operation.operation_id.as_deref() == Some("report") {
        statuses.push(404);
    }
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut refusal = json!({
            "description": title.unwrap_or_default(),
            "content": {"application/problem+json": {"schema": problem}},
        });
        if status == 429 {
            refusal["headers"] = json!({"Retry-After": {"style": "simple", "description": "Number of seconds to wait.",
                "schema": {"type": "integer"}}});
        }
        add(operation, status, refusal);
    }
}

fn add(operation: &mut Operation, status: u16, response: Value) {
    let responses = operation.responses.get_or_insert_default();
    let response: Response = part(response);
    responses.responses.entry(StatusCode::Code(status)).or_insert(ReferenceOr::Item(response));
}

/// A part of the document: each is a literal above.
fn part<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a part of an OpenAPI document")
}
