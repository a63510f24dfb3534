//! The bucket of the witness, and what stands in it.

use super::{SECURITY, Scene, Setting};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// The bucket of the witness.
pub const WITNESS: &str = "example-witness";

/// The configuration of a ledger whose checkpoints are kept there.
pub const WITNESSED: &str = "ledger = { witness = { bucket = \"example-witness\" } }\n";

impl Scene {
    /// A scene with a bucket that keeps what is put into it for 400 days, which the hub may use.
    pub fn with_witness(setting: Setting) -> Self {
        let scene = Self::with(setting.with_witness(WITNESS));
        scene.witness_bucket(json!({"mode": "COMPLIANCE", "days": 400}));
        scene
    }

    /// Makes the bucket, with a lock or, for null, without.
    pub fn witness_bucket(&self, lock: Value) {
        let bucket =
            json!({"account": SECURITY, "region": self.setting.regions[0], "name": WITNESS, "lock": lock});
        self.post("buckets", &bucket);
    }

    /// The objects of the bucket, by key.
    pub fn witness_objects(&self) -> Vec<Value> {
        self.get(&format!("buckets?name={WITNESS}"))["objects"].as_array().expect("objects").clone()
    }

    /// All checkpoints that stand in the bucket: how many entries each covers, and the root of the tree over them,
    /// in hexadecimal.
    pub fn witnessed(&self) -> Vec<(u64, String)> {
        let read = |object: &Value| tree_head(object["text"].as_str().expect("a text"));
        self.witness_objects().iter().map(read).collect()
    }

    /// Puts a text in the place of whatever stands under these keys, as no client can.
    pub fn forge_objects(&self, keys: &[String], text: &str) {
        let put: Vec<Value> = keys.iter().map(|key| json!({"key": key, "text": text})).collect();
        self.post("buckets/objects", &json!({"bucket": WITNESS, "put": put}));
    }

    /// The name of the log that this scene's ledger is.
    pub fn log_name(&self) -> String {
        let key = self.rescind(&["ledger", "key", "-o", "jsonl"]).code(0).json_document();
        key["public_key"].as_str().expect("a key").split('+').next().expect("a name").to_owned()
    }
}

/// What a checkpoint says: the number of entries that it covers, and the root of the tree over them in hexadecimal.
pub fn tree_head(note: &str) -> (u64, String) {
    let lines: Vec<&str> = note.lines().collect();
    let root = BASE64.decode(lines[2]).expect("a root");
    (lines[1].parse().expect("a number"), rescind::digest::hex(&root))
}
