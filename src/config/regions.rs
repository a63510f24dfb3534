//! The regions whose findings are read: all in one partition, the home region first.

use super::complaint::about;
use crate::ident::{Partition, Region, quoted};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>")]
#[schemars(inline, with = "Vec<String>")]
pub(super) struct Regions {
    pub named: Vec<Region>,
    /// And every other one that is enabled.
    pub and_all: bool,
}

impl TryFrom<Vec<String>> for Regions {
    type Error = String;
    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let (listed, and_all) = match texts.split_last() {
            Some((last, rest)) if last == "*" => (rest, true),
            _ => (texts.as_slice(), false),
        };
        let regions = listed.iter().enumerate().map(|(index, text)| match text.as_str() {
            "*" => Err("\"*\" stands at the end, for all other regions that are enabled".to_owned()),
            _ => text.parse::<Region>().map_err(|error| about(&format!("[{index}]"), error)),
        });
        let named = regions.collect::<Result<Vec<_>, _>>()?;
        let Some(home) = named.first() else {
            return Err(if and_all {
                "expected the home region before \"*\": STS is called there".to_owned()
            } else {
                "expected at least one region".to_owned()
            });
        };
        for (index, region) in named.iter().enumerate() {
            if named[..index].contains(region) {
                return Err(format!("{} is listed twice", quoted(region.as_str())));
            }
            if Partition::is_of_none(region) {
                let known = Partition::ALL.map(Partition::as_str).join(", ");
                return Err(format!(
                    "{} is in a partition that rescind does not know; it knows {known}",
                    quoted(region.as_str())
                ));
            }
            if Partition::of_region(region) != Partition::of_region(home) {
                return Err(format!(
                    "{} and {} are in different partitions: run one rescind for each",
                    quoted(home.as_str()),
                    quoted(region.as_str())
                ));
            }
        }
        Ok(Self { named, and_all })
    }
}
