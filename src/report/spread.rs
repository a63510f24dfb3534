//! How durations spread.

use schemars::JsonSchema;
use serde::Serialize;

/// How durations spread, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// Number of durations measured.
    pub count: u64,
    /// Half of them took so long at most.
    pub median: f64,
    /// Nine of ten took so long at most.
    pub p90: f64,
    /// The longest of them.
    pub worst: f64,
}

impl Spread {
    /// The spread of durations in seconds. Of an even number of them the median is the mean of the two in the middle;
    /// the 90th percentile is the smallest that is not below nine of ten (nearest rank).
    #[must_use]
    pub fn of(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        let upper = *all.get(all.len() / 2)?;
        let lower = *all.get(all.len().saturating_sub(1) / 2)?;
        let p90 = *all.get((all.len() * 9).div_ceil(10).saturating_sub(1))?;
        let median = f64::midpoint(lower, upper);
        Some(Self { count: all.len() as u64, median, p90, worst: *all.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_a_median_a_percentile_and_a_worst() {
        assert_eq!(Spread::of(Vec::new()), None);
        let one = Spread::of(vec![3.0]).expect("one");
        assert!((one.median, one.p90, one.worst) == (3.0, 3.0, 3.0) && one.count == 1);
        let ten = Spread::of((1..=10).map(f64::from).rev().collect()).expect("ten");
        assert!((ten.median, ten.p90, ten.worst) == (5.5, 9.0, 10.0), "{ten:?}");
    }
}
