//! The graph of an incident as SVG: what is as many steps away from the stolen credentials stands in one column.

use crate::incident::{Graph, GraphEdge, NodeKind};
use crate::safe::short_line;

/// Width and height of a box.
const BOX: (usize, usize) = (230, 42);

/// Distance from one column to the next, and from one row to the next.
const STEP: (usize, usize) = (380, 70);

/// Space around everything.
const MARGIN: usize = 12;

/// Maximum number of characters of a line in a box.
const LINE: usize = 30;

/// Maximum number of characters beside an arrow.
const LABEL: usize = 24;

/// What an incident's graph looks like.
#[derive(Default)]
pub(crate) struct Drawing {
    pub width: usize,
    pub height: usize,
    pub boxes: Vec<Drawn>,
    pub arrows: Vec<Arrow>,
}

/// A box.
pub(crate) struct Drawn {
    pub x: usize,
    pub y: usize,
    pub width: usize,
    pub height: usize,
    pub rounding: usize,
    pub text_x: usize,
    pub first_y: usize,
    pub second_y: usize,
    pub first: String,
    pub second: String,
    pub title: String,
    pub class: &'static str,
}

/// An arrow from one box to another.
pub(crate) struct Arrow {
    pub path: String,
    /// The points of its head.
    pub head: String,
    pub label: String,
    pub x: usize,
    pub y: usize,
}

impl Drawing {
    pub fn of(graph: &Graph) -> Self {
        let mut rows: Vec<usize> = Vec::new();
        let mut places: Vec<(usize, usize)> = Vec::new();
        for depth in graph.depths() {
            rows.resize(rows.len().max(depth + 1), 0);
            places.push((MARGIN + depth * STEP.0, MARGIN + rows[depth] * STEP.1));
            rows[depth] += 1;
        }
        let boxes = graph.nodes.iter().zip(&places).map(|(node, (x, y))| {
            let (first, rest) = match node.kind {
                NodeKind::Principal => node.label.split_once(" in ").unwrap_or((&node.label, "")),
                NodeKind::Session | NodeKind::Door => (node.label.as_str(), ""),
            };
            let status = node.status.as_deref().unwrap_or(rest);
            Drawn {
                x: *x,
                y: *y,
                width: BOX.0,
                height: BOX.1,
                rounding: if node.kind == NodeKind::Session { 20 } else { 4 },
                text_x: x + 12,
                first_y: y + 18,
                second_y: y + 33,
                first: short_line(&named(first), LINE),
                second: short_line(status, LINE),
                title: format!("{} {}", node.label, node.status.as_deref().unwrap_or_default()),
                class: if node.is_open { "open_node" } else { "node" },
            }
        });
        let place =
            |id: &str| graph.nodes.iter().position(|node| node.id == id).and_then(|at| places.get(at));
        let arrows = graph.edges.iter().enumerate().filter_map(|(number, edge)| {
            let is_beside = |other: &&GraphEdge| other.from == edge.from && other.to == edge.to;
            let beside = graph.edges.iter().take(number).filter(is_beside).count();
            let times = if edge.count > 1 { format!(" ×{}", edge.count) } else { String::new() };
            let label = short_line(&format!("{}{times}", edge.call), LABEL);
            let mut arrow = arrow(*place(&edge.from)?, *place(&edge.to)?, label);
            // Two calls between the same two things have their names one above the other.
            arrow.y = arrow.y.saturating_sub(beside * 13);
            Some(arrow)
        });
        let (columns, longest) = (rows.len(), rows.iter().copied().max().unwrap_or(0));
        Self {
            width: 2 * MARGIN + columns.saturating_sub(1) * STEP.0 + BOX.0,
            height: 2 * MARGIN + longest.saturating_sub(1) * STEP.1 + BOX.1,
            arrows: arrows.collect(),
            boxes: boxes.collect(),
        }
    }
}

/// A label with the bare name in place of an ARN: what follows its last slash or colon.
fn named(label: &str) -> String {
    match label.split_once("arn:") {
        Some((before, arn)) => format!("{before}{}", arn.rsplit(['/', ':']).next().unwrap_or(arn)),
        None => label.to_owned(),
    }
}

/// From the right side of one box to the left side of another; from below to below when that leads back.
fn arrow(from: (usize, usize), to: (usize, usize), label: String) -> Arrow {
    if to.0 > from.0 {
        let (x1, y1) = (from.0 + BOX.0, from.1 + BOX.1 / 2);
        let (x2, y2) = (to.0, to.1 + BOX.1 / 2);
        let bend = x1.midpoint(x2);
        Arrow {
            path: format!("M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"),
            head: format!("{x2},{y2} {},{} {},{}", x2 - 7, y2 - 4, x2 - 7, y2 + 4),
            label,
            x: bend,
            // Beside the end that is its own: arrows from one box begin together.
            y: y2.saturating_sub(6),
        }
    } else {
        let (x1, y1) = (from.0 + BOX.0 / 2, from.1 + BOX.1);
        let (x2, y2) = (to.0 + BOX.0 / 2, to.1 + BOX.1);
        let low = y1.max(y2) + 22;
        Arrow {
            path: format!("M{x1} {y1}C{x1} {low} {x2} {low} {x2} {y2}"),
            head: format!("{x2},{y2} {},{} {},{}", x2 - 4, y2 + 7, x2 + 4, y2 + 7),
            label,
            x: x1.midpoint(x2),
            y: low - 4,
        }
    }
}
