//! The regions whose STS stands in for that of the home region.

use crate::ident::{Partition, Region, quoted};

/// The regions that every account has enabled, and cannot disable (Account Management Guide, "Enable or disable AWS
/// Regions"). In the other partitions every region is.
const ENABLED_BY_DEFAULT: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The regions that stand in, in the order in which they are asked. Where nothing says which, it is the first one of
/// those that are watched, after the home region, that every account has.
///
/// # Errors
/// When one is the home region, is there twice, or is of another partition.
pub(super) fn sts_regions(wanted: Option<Vec<Region>>, watched: &[Region]) -> Result<Vec<Region>, String> {
    let [home, others @ ..] = watched else { return Ok(Vec::new()) };
    let Some(wanted) = wanted else {
        let is_everywhere = |region: &&Region| {
            Partition::of_region(region) != Partition::Aws || ENABLED_BY_DEFAULT.contains(&region.as_str())
        };
        return Ok(others.iter().find(is_everywhere).cloned().into_iter().collect());
    };
    for (index, region) in wanted.iter().enumerate() {
        let name = quoted(region.as_str());
        if region == home {
            return Err(format!("{name} is asked first anyway: name those that stand in for it"));
        }
        if wanted[..index].contains(region) {
            return Err(format!("{name} is listed twice"));
        }
        if Partition::is_of_none(region) || Partition::of_region(region) != Partition::of_region(home) {
            return Err(format!("{name} is in another partition than {}", quoted(home.as_str())));
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(names: &[&str]) -> Vec<Region> {
        names.iter().map(|name| name.parse().expect("legal")).collect()
    }

    #[test]
    fn where_nothing_is_said_it_is_the_first_watched_region_that_every_account_has() {
        for (watched, stands_in) in [
            (&["eu-central-1", "me-south-1", "eu-west-1", "us-east-1"][..], &["eu-west-1"][..]),
            (&["eu-central-1", "me-south-1"], &[]),
            (&["eu-central-1"], &[]),
            (&["cn-north-1", "cn-northwest-1"], &["cn-northwest-1"]),
        ] {
            assert_eq!(sts_regions(None, &regions(watched)), Ok(regions(stands_in)), "{watched:?}");
        }
    }

    #[test]
    fn what_is_said_counts_and_has_to_make_sense() {
        let watched = regions(&["eu-central-1", "eu-west-1"]);
        for wanted in [&[][..], &["me-south-1"], &["us-east-1", "eu-west-1"]] {
            assert_eq!(sts_regions(Some(regions(wanted)), &watched), Ok(regions(wanted)));
        }
        for wanted in [&["eu-central-1"][..], &["eu-west-1", "eu-west-1"], &["cn-north-1"]] {
            assert!(sts_regions(Some(regions(wanted)), &watched).is_err(), "{wanted:?}");
        }
    }
}
