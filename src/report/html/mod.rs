//! HTML: one page for people, by itself. Nothing is loaded, and nothing in it runs.
//!
//! The templates are in `templates/report/`. They escape what they show, and what they give passes
//! [`Cleaned`](crate::safe::Cleaned).

mod chart;
mod graph;
mod head;
mod incident;
mod page;
mod remediation;
mod shown;

pub(crate) use graph::Drawing;
pub(super) use page::Page;
