//! The graph as text that other programs draw: Mermaid and Graphviz. Names in it come from a thief.

use super::graph::{Graph, GraphNode, NodeKind};
use crate::safe;
use std::fmt::Write;

impl Graph {
    /// As a flowchart of Mermaid.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut out = "flowchart LR\n".to_owned();
        for node in &self.nodes {
            let (open, close) = match node.kind {
                NodeKind::Principal => ("[", "]"),
                NodeKind::Session => ("([", "])"),
                NodeKind::Door => ("{{", "}}"),
            };
            let class = if node.is_open { ":::open" } else { "" };
            let _ = writeln!(out, "  {}{open}\"{}\"{close}{class}", node.id, entities(&text(node)));
        }
        for edge in &self.edges {
            let label = entities(&format!("{}{}", edge.call, times(edge.count)));
            let _ = writeln!(out, "  {} -->|\"{label}\"| {}", edge.from, edge.to);
        }
        out + "  classDef open stroke:#c00,stroke-width:3px\n"
    }

    /// As a digraph of Graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut out = "digraph incident {\n  rankdir=LR;\n".to_owned();
        for node in &self.nodes {
            let shape = match node.kind {
                NodeKind::Principal => "box",
                NodeKind::Session => "ellipse",
                NodeKind::Door => "hexagon",
            };
            let colour = if node.is_open { ", color=\"red\", penwidth=2" } else { "" };
            let _ = writeln!(out, "  {} [shape={shape}, label={}{colour}];", node.id, quoted(&text(node)));
        }
        for edge in &self.edges {
            let label = quoted(&format!("{}{}", edge.call, times(edge.count)));
            let _ = writeln!(out, "  {} -> {} [label={label}];", edge.from, edge.to);
        }
        out + "}\n"
    }

    /// Each call in a line of its own: the graph for those who cannot see it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let named = |id: &str| self.nodes.iter().find(|node| node.id == id).map_or("?".to_owned(), text);
        self.edges
            .iter()
            .map(|edge| {
                let at = edge.at.strftime("%Y-%m-%d %H:%M:%SZ");
                let (from, to) = (named(&edge.from), named(&edge.to));
                format!("{from} → {to}: {}{} ({at})", edge.call, times(edge.count))
            })
            .collect()
    }
}

/// The label of a node, with what became of it.
fn text(node: &GraphNode) -> String {
    match &node.status {
        Some(status) => format!("{}, {status}", node.label),
        None => node.label.clone(),
    }
}

fn times(count: usize) -> String {
    if count == 1 { String::new() } else { format!(", {count} times") }
}

/// A text in which only letters, digits and marks without a meaning stand as they are. Mermaid shows the others by
/// their numbers.
fn entities(text: &str) -> String {
    let mut out = String::new();
    for c in safe::line(text).chars() {
        if c.is_alphanumeric() || " .,:/_-+=@→".contains(c) {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// A quoted string of the DOT language. A backslash begins an order there.
fn quoted(text: &str) -> String {
    let text = safe::line(text).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::graph::GraphEdge;

    fn hostile() -> Graph {
        let node = |id: &str, label: &str| GraphNode {
            id: id.to_owned(),
            kind: NodeKind::Door,
            label: label.to_owned(),
            status: None,
            is_open: true,
        };
        let edge = |from: &str, to: &str| GraphEdge {
            from: from.to_owned(),
            to: to.to_owned(),
            call: "sts:AssumeRole".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            count: 2,
        };
        Graph {
            nodes: vec![
                node("n0", "role \"]; click n0 href \"javascript:alert(1)\" <b>\n%% x"),
                node("n1", "a\\\" ]; evil [label=\"x"),
            ],
            edges: vec![edge("n0", "n1"), edge("n1", "n0")],
            left_out: 0,
        }
    }

    #[test]
    fn a_name_of_a_thief_gives_no_orders() {
        let graph = hostile();
        let mermaid = graph.mermaid();
        assert_eq!(mermaid.lines().count(), 6, "{mermaid}");
        assert!(mermaid.contains("n0{{\"role #34;#93;#59; click n0 href #34;javascript:alert#40;1#41;#34;"));
        assert!(!mermaid.contains('<') && !mermaid.contains('%'));
        let dot = graph.dot();
        assert_eq!(dot.lines().count(), 7, "{dot}");
        assert!(dot.contains(r#"label="a\\\" ]; evil [label=\"x", color="#), "{dot}");
        assert_eq!(graph.depths(), [0, 1]);
        assert_eq!(
            graph.lines()[1].split(": ").last(),
            Some("sts:AssumeRole, 2 times (1970-01-01 00:00:00Z)")
        );
    }
}
