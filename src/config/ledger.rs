//! Where the ledger is: its file, the log that outlives the machine, and the witnesses of its checkpoints.

use super::bounded::{SECOND, Span};
use super::cosigner::CosignerSettings;
use super::endpoint::Endpoint;
use super::file_path::FilePath;
use super::witness::{Witness, WitnessSettings, Witnesses};
use crate::ident::{Region, quoted};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The log of a ledger: a DynamoDB table that several hosts share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// Name of the table.
    pub table: String,
    /// Region of the table; none for that of the first region that is watched.
    pub region: Option<Region>,
    /// The other regions that have it, with multi-Region strong consistency. A host in one of them uses what is there.
    pub replicas: Vec<Region>,
    /// Another endpoint than AWS's.
    pub endpoint: Option<String>,
    /// Time without a sign of life of the leader after which another host leads.
    pub lease: Duration,
}

impl LogSettings {
    /// The region whose table a host uses that runs in `own`: the one there, or that of the table, whose default is
    /// `home`.
    #[must_use]
    pub fn region_in<'a>(&'a self, own: Option<&'a Region>, home: &'a Region) -> &'a Region {
        let first = self.region.as_ref().unwrap_or(home);
        own.filter(|own| self.replicas.contains(own)).unwrap_or(first)
    }

    /// The regions that have the table; `home` is the default of the first.
    pub fn regions<'a>(&'a self, home: &'a Region) -> impl Iterator<Item = &'a Region> {
        let first = self.region.as_ref().unwrap_or(home);
        std::iter::once(first).chain(self.replicas.iter().filter(move |region| *region != first))
    }
}

/// The key `ledger`: a path, or a table of TOML.
#[derive(Default)]
pub(super) struct Ledger {
    /// Path of the file; none where it is not named.
    pub path: Option<PathBuf>,
    pub log: Option<LogSettings>,
    pub witness: Option<WitnessSettings>,
    pub cosigners: Vec<CosignerSettings>,
}

/// Name of the ledger's file where none is named.
const DEFAULT: &str = "ledger.db";

impl Ledger {
    /// The file, for a configuration in `directory`, whose own files lie in `state`.
    pub fn file(path: Option<PathBuf>, directory: &Path, state: &Path) -> PathBuf {
        path.map_or_else(|| state.join(DEFAULT), |path| directory.join(path))
    }
}

/// Where the ledger is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// File of the ledger (SQLite), relative to this file. Each host has its own.
    #[serde(default)]
    #[schemars(with = "String", extend("default" = DEFAULT))]
    path: Option<FilePath>,
    /// DynamoDB table of the log that outlives the machine. Without it the file is all there is.
    table: Option<TableName>,
    /// Region of that table. The default is the first region that is watched.
    region: Option<Region>,
    /// Other regions that have the table, as a global table with multi-Region strong consistency. A host that runs in one
    /// of them uses the table there.
    #[serde(default)]
    replicas: Vec<Region>,
    /// Endpoint of DynamoDB, where it is not AWS's own.
    endpoint: Option<Endpoint>,
    /// Time without a sign of life of the leader after which another host leads: 1s to 1m.
    #[serde(default)]
    lease: Span<{ 10 * SECOND }, SECOND, { 60 * SECOND }>,
    /// Who keeps the checkpoints so that nobody can replace them, or cosigns them.
    witness: Option<Witness>,
}

/// The name of a table, as DynamoDB has them: 3 to 255 letters, digits, `_`, `-` and `.`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(inline)]
struct TableName(String);

impl TryFrom<String> for TableName {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if (3..=255).contains(&name.len()) && name.bytes().all(legal) {
            Ok(Self(name))
        } else {
            Err(format!("{}: expected the name of a DynamoDB table, such as \"rescind-log\"", quoted(&name)))
        }
    }
}

impl<'de> Deserialize<'de> for Ledger {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathOrFields)
    }
}

struct PathOrFields;

impl<'de> Visitor<'de> for PathOrFields {
    type Value = Ledger;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a file, or a table with `path`, `table` and `witness`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ledger, E> {
        let path = FilePath::try_from(text.to_owned()).map_err(E::custom)?;
        Ok(Ledger { path: Some(path.0), ..Ledger::default() })
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Ledger, M::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(map))?;
        let is_placed = fields.region.is_some() || fields.endpoint.is_some() || !fields.replicas.is_empty();
        if fields.table.is_none() && is_placed {
            return Err(M::Error::custom(
                "`region`, `replicas` and `endpoint` are those of a `table`, which is not named",
            ));
        }
        let log = fields.table.map(|table| LogSettings {
            table: table.0,
            region: fields.region,
            replicas: fields.replicas,
            endpoint: fields.endpoint.map(|endpoint| endpoint.0),
            lease: fields.lease.0.unsigned_abs(),
        });
        let Witnesses { bucket, cosigners } = match fields.witness {
            Some(witness) => Witnesses::try_from(witness).map_err(M::Error::custom)?,
            None => Witnesses::default(),
        };
        Ok(Ledger { path: fields.path.map(|path| path.0), log, witness: bucket, cosigners })
    }
}

/// Either form, for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "only its schema is used")]
enum Form {
    /// Path of the file.
    Path(FilePath),
    /// The file and the log.
    Fields(Fields),
}

impl JsonSchema for Ledger {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Form::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Form::json_schema(generator)
    }
}
