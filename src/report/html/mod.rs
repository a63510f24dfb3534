//! HTML: one page for people, by itself. Nothing is loaded, and nothing in it runs.
//!
//! The templates are in `templates/report/`. They escape what they show, and what they give passes
//! [`Cleaned`](crate::safe::Cleaned).

mod appendix;
mod chart;
mod figures;
mod graph;
mod head;
mod incident;
mod page;
mod period;
mod prose;
mod remediation;
mod shown;

pub(crate) use graph::Drawing;
pub(super) use page::Page;
pub(crate) use prose::Prose;
