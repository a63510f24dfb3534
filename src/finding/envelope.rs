//! Unwraps the envelopes in which a finding travels, one by one.

use super::occurrence::Decoded;
use super::security_hub::{Around, Format};
use super::undecodable::{Undecodable, broken, broken_value, kind};
use super::{asff, looks, ocsf, product, wire};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Maximum depth of wrapping. Real findings are three deep (SQS body → SNS message → event).
const MAX_DEPTH: usize = 8;

/// Maximum number of items in a wrapping. GetFindings answers with 50 at most, and a Lambda batch has 10,000.
const MAX_ITEMS: usize = 10_000;

/// Maximum number of other products of a document of which it is said that their findings name no credentials.
const MAX_PRODUCTS: usize = 20;

/// Takes off every wrapping of `value` and decodes each finding in it. What is no finding at all, as in
/// another service's log, is one item for the whole document.
pub(super) fn unwrap(value: &Value, place: &str, out: &mut Vec<Decoded>) {
    let mut unwrapper = Unwrapper {
        place,
        out,
        actors: 0,
        region: None,
        event: None,
        products: HashSet::new(),
        foreign: None,
        foreigners: 0,
    };
    unwrapper.value(value, "", 0);
    let Some(first) = unwrapper.foreign.take() else { return };
    let item = match unwrapper.foreigners {
        1 => first,
        count => {
            let error = format!("{count} items that are no findings of GuardDuty's; the first is {first}");
            let whole = broken_value("", error, value);
            let path = format!("{place}{}", whole.path)
                .trim_end_matches("(input)")
                .trim_end_matches(": ")
                .to_owned();
            Undecodable {
                path: if path.is_empty() { whole.path.clone() } else { path },
                finding_id: None,
                ..whole
            }
        }
    };
    unwrapper.out.push(Err(item));
}

struct Unwrapper<'a> {
    place: &'a str,
    out: &'a mut Vec<Decoded>,
    /// How many actors the sequences had so far.
    actors: usize,
    /// The region of the event around it, for a finding that names none.
    region: Option<String>,
    /// The event of Security Hub around it, without its findings.
    event: Option<Map<String, Value>>,
    /// The other products whose findings name no credentials.
    products: HashSet<String>,
    /// The first item that is no finding at all, and how many there are.
    foreign: Option<Undecodable>,
    foreigners: usize,
}

impl Unwrapper<'_> {
    fn value(&mut self, value: &Value, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return self.fail(path, format!("wrapped more than {MAX_DEPTH} deep: not a finding"), value);
        }
        match value {
            Value::Array(items) => self.each(items, path, depth),
            Value::Object(object) => self.object(object, value, path, depth),
            other => {
                self.foreign(path, || format!("expected a GuardDuty finding, found {}", kind(other)), value);
            }
        }
    }

    fn each(&mut self, items: &[Value], path: &str, depth: usize) {
        if items.is_empty() {
            return self.fail(path, "the list is empty: it holds no finding".to_owned(), &Value::Null);
        }
        if items.len() > MAX_ITEMS || self.out.len() > MAX_ITEMS {
            let error = format!("more than {MAX_ITEMS} items: put one finding on each line");
            return self.fail(path, error, &Value::Array(items.to_vec()));
        }
        for (index, item) in items.iter().enumerate() {
            self.value(item, &format!("{path}[{index}]"), depth + 1);
        }
    }

    fn object(&mut self, object: &Map<String, Value>, value: &Value, path: &str, depth: usize) {
        if let Some(detail_type) = object.get("detail-type") {
            return self.event(object, detail_type, value, path, depth);
        }
        // What a Lambda destination gets has the event that the function got.
        if let (Some(Value::Object(_)), Some(event @ Value::Object(_))) =
            (object.get("requestContext"), object.get("requestPayload"))
        {
            return self.value(event, &join(path, "requestPayload"), depth + 1);
        }
        // An event of which somebody has taken only a part.
        if object.get("source").is_some_and(|source| source == "aws.guardduty" || source == "aws.securityhub")
            && object.get("detail").is_some_and(Value::is_object)
        {
            return self.detail(object, value, path, depth);
        }
        // SNS, also as it stands in a Lambda record.
        let is_confirmation =
            object.get("Type").is_some_and(|t| t != "Notification") && object.contains_key("Token");
        if let Some(Value::String(message)) = object.get("Message")
            && !is_confirmation
            && (object.get("Type").is_some_and(|t| t == "Notification") || object.contains_key("TopicArn"))
        {
            return self.text(message, &join(path, "Message"), depth);
        }
        if let Some(sns @ Value::Object(_)) = object.get("Sns") {
            return self.value(sns, &join(path, "Sns"), depth + 1);
        }
        // SQS: ReceiveMessage's answer, one of its messages, or a Lambda batch.
        for key in ["Messages", "Records", "findings", "Findings"] {
            if let Some(Value::Array(items)) = object.get(key) {
                return self.each(items, &join(path, key), depth);
            }
        }
        for key in ["body", "Body"] {
            if let Some(Value::String(body)) = object.get(key) {
                return self.text(body, &join(path, key), depth);
            }
        }
        let formats = [(asff::is_one(object), asff::FORMAT), (ocsf::is_one(object), ocsf::FORMAT)];
        if let Some((_, format)) = formats.into_iter().find(|(is_one, _)| *is_one) {
            return self.of_security_hub(&format, value, path);
        }
        let is_finding = |names: [&str; 2]| names.iter().any(|name| object.contains_key(*name));
        if is_confirmation || !is_finding(["type", "Type"]) && !is_finding(["accountId", "AccountId"]) {
            return self.foreign(path, || looks::object(object), value);
        }
        let decoded = wire::decode(value, path, self.region.as_deref());
        if decoded.len() > 1 {
            self.actors += decoded.len();
            if self.actors > MAX_ITEMS {
                let error = format!("more than {MAX_ITEMS} actors: put one finding on each line");
                return self.fail(path, error, value);
            }
        }
        for item in decoded {
            let item = item.map_err(|e| self.placed(e));
            self.out.push(item);
        }
    }

    /// A finding as Security Hub has it.
    fn of_security_hub(&mut self, format: &Format, value: &Value, path: &str) {
        let product = format.product(value);
        let region = self.region.clone();
        let around = Around { region: region.as_deref(), event: self.event.as_ref() };
        let items = if product.is_guardduty() {
            vec![format.pointer(value, path, around.region)]
        } else {
            product::orders(format, &product, value, path, &around)
        };
        if items.is_empty() {
            return self.without_credentials(&product.name);
        }
        for item in items {
            let item = item.map_err(|e| self.placed(e));
            self.out.push(item);
        }
    }

    /// A finding of another product that names no credentials: one item for all of the product.
    fn without_credentials(&mut self, product: &str) {
        let item = Undecodable::without_credentials(product);
        if self.products.len() < MAX_PRODUCTS && self.products.insert(item.sha256.clone()) {
            self.out.push(Err(item));
        }
    }

    /// EventBridge. Its `account` is the account whose bus saw the event, so it is not looked at.
    fn event(
        &mut self,
        event: &Map<String, Value>,
        detail_type: &Value,
        value: &Value,
        path: &str,
        depth: usize,
    ) {
        let is_hub =
            detail_type.as_str().is_some_and(|text| asff::EVENTS.contains(&text) || text == ocsf::EVENT);
        if detail_type != "GuardDuty Finding" && !is_hub {
            let error =
                || format!("expected an event of type \"GuardDuty Finding\", found {}", kind(detail_type));
            return self.foreign(&join(path, "detail-type"), error, value);
        }
        self.detail(event, value, path, depth);
    }

    /// What an event carries.
    fn detail(&mut self, event: &Map<String, Value>, value: &Value, path: &str, depth: usize) {
        let is_hub = event.get("source").is_some_and(|source| source == "aws.securityhub")
            || event.get("detail-type").is_some_and(|kind| kind != "GuardDuty Finding");
        match event.get("detail") {
            Some(detail) => {
                let region = event.get("region").and_then(Value::as_str).map(str::to_owned);
                let around = std::mem::replace(&mut self.region, region);
                let event_around =
                    std::mem::replace(&mut self.event, is_hub.then(|| without_findings(event)));
                self.value(detail, &join(path, "detail"), depth + 1);
                (self.region, self.event) = (around, event_around);
            }
            None => self.fail(
                &join(path, "detail"),
                "missing field: an event carries its finding here".to_owned(),
                value,
            ),
        }
    }

    /// JSON documents inside a string: one, or several one behind the other.
    fn text(&mut self, text: &str, path: &str, depth: usize) {
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>().peekable();
        if documents.peek().is_none() {
            let undecodable = broken(path, "not JSON: it is empty", text.as_bytes());
            self.out.push(Err(self.placed(undecodable)));
        }
        for document in documents {
            match document {
                Ok(_) if self.out.len() > MAX_ITEMS => {
                    let error = format!("more than {MAX_ITEMS} items: put one finding on each line");
                    return self.fail(path, error, &Value::from(text));
                }
                Ok(inner) => self.value(&inner, path, depth + 1),
                Err(error) => {
                    let undecodable = broken(path, &format!("not JSON: {error}"), text.as_bytes());
                    self.out.push(Err(self.placed(undecodable)));
                }
            }
        }
    }

    fn fail(&mut self, path: &str, error: String, value: &Value) {
        let undecodable = broken_value(path, error, value);
        self.out.push(Err(self.placed(undecodable)));
    }

    /// It is no finding at all. Only the first such item of a document is described.
    fn foreign(&mut self, path: &str, error: impl Fn() -> String, value: &Value) {
        self.foreigners += 1;
        if self.foreign.is_none() {
            let path = if path.is_empty() { "(finding)" } else { path };
            self.foreign = Some(self.placed(broken_value(path, error(), value)));
        }
    }

    fn placed(&self, undecodable: Undecodable) -> Undecodable {
        Undecodable { path: format!("{}{}", self.place, undecodable.path), ..undecodable }
    }
}

/// An event of Security Hub's without its findings.
fn without_findings(event: &Map<String, Value>) -> Map<String, Value> {
    let but = |object: &Map<String, Value>, left_out: &str| -> Map<String, Value> {
        let kept = object.iter().filter(|(key, _)| *key != left_out);
        kept.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let mut without = but(event, "detail");
    if let Some(Value::Object(detail)) = event.get("detail") {
        without.insert("detail".to_owned(), Value::Object(but(detail, "findings")));
    }
    without
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
