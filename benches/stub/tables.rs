//! Amazon DynamoDB: tables whose only key is the text `pk`, in memory.
//!
//! Every table exists. A condition is that nothing stands under the key, or that all of some attributes are as they are
//! given: what a log needs.

use super::call::Call;
use super::http::Message;
use super::json::{Json, quoted};
use super::listener::locked;
use super::reply::{json, json_error};
use std::collections::HashMap;
use std::sync::Mutex;

/// An answer of BatchGetItem is not larger.
const BATCH: usize = 16 << 20;

/// All tables, by their names.
#[derive(Default)]
pub struct Tables(Mutex<HashMap<String, Table>>);

/// A table's items, by their keys.
type Table = HashMap<String, Item>;

struct Item {
    attributes: Json,
    /// The same as JSON, made once: they are read more often than put.
    text: String,
}

impl Tables {
    pub fn answer(&self, call: &Call, request: &Message) -> Message {
        let body = Json::read(&request.body);
        let mut tables = locked(&self.0);
        match call.operation.as_str() {
            "PutItem" => {
                let name = body.get("TableName").text().unwrap_or_default();
                put(tables.entry(name.to_owned()).or_default(), &body)
            }
            "GetItem" => {
                let table = tables.get(body.get("TableName").text().unwrap_or_default());
                let item = table.and_then(|table| table.get(key(body.get("Key"))));
                json(item.map_or_else(|| "{}".to_owned(), |item| format!(r#"{{"Item":{}}}"#, item.text)))
            }
            "BatchGetItem" => get_batch(&tables, &body),
            other => {
                json_error(400, "UnknownOperationException", &format!("the stub has no dynamodb:{other}"))
            }
        }
    }
}

fn put(table: &mut Table, body: &Json) -> Message {
    let item = body.get("Item");
    let key = key(item);
    let there = table.get(key).map_or(&Json::Null, |item| &item.attributes);
    let holds = match body.get("ConditionExpression").text() {
        None => true,
        Some("attribute_not_exists(pk)") => *there == Json::Null,
        Some(_) => {
            let values = body.get("ExpressionAttributeValues");
            let names = body.get("ExpressionAttributeNames").fields();
            names.iter().filter_map(|(_, name)| name.text()).all(|name| {
                let wanted = values.get(&format!(":{name}"));
                wanted != &Json::Null && there.get(name) == wanted
            })
        }
    };
    if !holds {
        let text = "The conditional request failed";
        return json_error(400, "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", text);
    }
    let mut text = String::new();
    write(item, &mut text);
    table.insert(key.to_owned(), Item { attributes: item.clone(), text });
    json("{}")
}

/// What does not fit is left for the next call.
fn get_batch(tables: &HashMap<String, Table>, body: &Json) -> Message {
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for (name, wanted) in body.get("RequestItems").fields() {
        let (mut items, mut size, mut unread) = (Vec::new(), 0, Vec::new());
        for wanted in wanted.get("Keys").items() {
            let Some(item) = tables.get(name).and_then(|table| table.get(key(wanted))) else { continue };
            if size + item.text.len() > BATCH {
                unread.push(format!(r#"{{"pk":{{"S":{}}}}}"#, quoted(key(wanted))));
                continue;
            }
            size += item.text.len();
            items.push(item.text.as_str());
        }
        found.push(format!("{}:[{}]", quoted(name), items.join(",")));
        if !unread.is_empty() {
            let keys = unread.join(",");
            left.push(format!(r#"{}:{{"Keys":[{keys}],"ConsistentRead":true}}"#, quoted(name)));
        }
    }
    json(format!(r#"{{"Responses":{{{}}},"UnprocessedKeys":{{{}}}}}"#, found.join(","), left.join(",")))
}

fn key(item: &Json) -> &str {
    item.get("pk").get("S").text().unwrap_or_default()
}

/// The attributes that a log has: texts, numbers and bytes are texts in JSON.
fn write(value: &Json, text: &mut String) {
    match value {
        Json::Null => text.push_str("null"),
        Json::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Json::Number(value) => text.push_str(&value.to_string()),
        Json::Text(value) => text.push_str(&quoted(value)),
        Json::List(values) => {
            text.push('[');
            for (number, value) in values.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { "," });
                write(value, text);
            }
            text.push(']');
        }
        Json::Object(fields) => {
            text.push('{');
            for (number, (name, value)) in fields.iter().enumerate() {
                text.push_str(if number == 0 { "" } else { "," });
                text.push_str(&quoted(name));
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
    }
}
