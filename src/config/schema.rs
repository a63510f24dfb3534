//! JSON Schemas of the two files, for editors. They are in docs/schema/.

use super::opt_outs::RawFile;
use super::raw::RawConfig;

/// The schema of `rescind.toml`, as JSON.
#[must_use]
pub fn config_schema() -> String {
    text(&schemars::schema_for!(RawConfig))
}

/// The schema of `opt-outs.toml`, as JSON.
#[must_use]
pub fn opt_outs_schema() -> String {
    text(&schemars::schema_for!(RawFile))
}

fn text(schema: &schemars::Schema) -> String {
    format!("{:#}\n", schema.as_value())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn those_in_docs_are_those_of_the_code() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
        for (name, schema) in [
            ("rescind.schema.json", super::config_schema()),
            ("opt-outs.schema.json", super::opt_outs_schema()),
        ] {
            let path = docs.join(name);
            if std::env::var_os("RESCIND_WRITE_SCHEMAS").is_some() {
                std::fs::write(&path, &schema).expect("written");
            }
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                there == schema,
                "docs/schema/{name} is old: RESCIND_WRITE_SCHEMAS=1 cargo test writes it anew"
            );
        }
    }
}
