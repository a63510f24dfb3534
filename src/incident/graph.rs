//! How one thing led to another: from a principal to its session, from there to the next principal, and to doors.

use super::door::{DoorStatus, IncidentDoor};
use super::names::Named;
use super::outcome::SessionStatus;
use super::session::Session;
use crate::ident::AccountId;
use crate::trail::Thing;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Maximum number of nodes. What is beyond them is counted.
const MOST: usize = 200;

/// How one thing led to another. It may have circles: two roles can assume each other.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Graph {
    /// Principals, sessions and doors.
    pub nodes: Vec<GraphNode>,
    /// The calls that led from one to another.
    pub edges: Vec<GraphEdge>,
    /// Sessions and doors that are not in it: there were too many.
    pub left_out: usize,
}

/// A principal, a session or a door.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    /// Its id within the graph.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// What it is, in words.
    pub label: String,
    /// What became of it; none of a principal.
    pub status: Option<String>,
    /// It needs attention: a session that is not denied, a door that is open.
    pub is_open: bool,
}

/// What a node of the graph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A role or a user.
    Principal,
    /// A session, or a key.
    Session,
    /// What the thief made or turned off.
    Door,
}

/// A call that led from one node to another.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct GraphEdge {
    /// The node that it comes from.
    pub from: String,
    /// The node that it leads to.
    pub to: String,
    /// The call; `stolen` for the credentials that were stolen.
    pub call: String,
    /// When it was made first.
    pub at: Timestamp,
    /// How often it was made.
    pub count: usize,
}

impl Graph {
    pub(super) fn of(sessions: &[Session], doors: &[&IncidentDoor]) -> Self {
        let mut builder = Builder::default();
        // All nodes come first: CloudTrail's times do not say what came before what within a second.
        for session in sessions.iter().filter(|session| session.is_stolen) {
            builder.session(session);
        }
        for door in doors {
            builder.door(door);
        }
        for session in sessions.iter().filter(|session| !session.is_stolen) {
            builder.session(session);
        }
        for session in sessions {
            builder.opening(session);
        }
        for door in doors {
            builder.making(door);
        }
        builder.graph
    }

    /// How many steps each node is away from the stolen credentials. What cannot be reached from there begins anew.
    #[must_use]
    pub fn depths(&self) -> Vec<usize> {
        let numbers: BTreeMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(number, node)| (node.id.as_str(), number)).collect();
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            if let (Some(from), Some(to)) = (numbers.get(edge.from.as_str()), numbers.get(edge.to.as_str())) {
                next[*from].push(*to);
            }
        }
        let mut depths: Vec<Option<usize>> = vec![None; self.nodes.len()];
        for root in 0..self.nodes.len() {
            if depths[root].is_some() {
                continue;
            }
            depths[root] = Some(0);
            let mut waiting = VecDeque::from([(root, 0)]);
            while let Some((at, depth)) = waiting.pop_front() {
                for to in &next[at] {
                    if depths[*to].is_none() {
                        depths[*to] = Some(depth + 1);
                        waiting.push_back((*to, depth + 1));
                    }
                }
            }
        }
        depths.into_iter().map(Option::unwrap_or_default).collect()
    }
}

#[derive(Default)]
struct Builder {
    graph: Graph,
    /// The node of each principal and each access key.
    known: BTreeMap<String, String>,
    /// The edge between two nodes for a call.
    between: BTreeMap<(String, String, String), usize>,
}

impl Builder {
    /// The node of this name, made when there is none; none when there are too many.
    fn node(&mut self, name: String, make: impl FnOnce(String) -> GraphNode) -> Option<String> {
        if let Some(id) = self.known.get(&name) {
            return Some(id.clone());
        }
        if self.graph.nodes.len() >= MOST {
            self.graph.left_out += 1;
            return None;
        }
        let id = format!("n{}", self.graph.nodes.len());
        self.graph.nodes.push(make(id.clone()));
        self.known.insert(name, id.clone());
        Some(id)
    }

    fn principal(&mut self, principal: &str, account: Option<&str>) -> Option<String> {
        let label =
            account.map_or_else(|| principal.to_owned(), |account| format!("{principal} in {account}"));
        self.node(format!("principal {label}"), |id| GraphNode {
            id,
            kind: NodeKind::Principal,
            label,
            status: None,
            is_open: false,
        })
    }

    fn edge(&mut self, from: &str, to: &str, call: &str, at: Timestamp) {
        let number = self.graph.edges.len();
        let (from, to, call) = (from.to_owned(), to.to_owned(), call.to_owned());
        let known = *self.between.entry((from.clone(), to.clone(), call.clone())).or_insert(number);
        if let Some(edge) = self.graph.edges.get_mut(known) {
            edge.count += 1;
            return;
        }
        self.graph.edges.push(GraphEdge { from, to, call, at, count: 1 });
    }

    /// The node of the credentials that made a call.
    fn caller(&mut self, by: Option<&str>, who: Option<&str>) -> Option<String> {
        if let Some(id) = by.and_then(|key| self.known.get(&format!("key {key}"))) {
            return Some(id.clone());
        }
        let named = Named::of(who?);
        self.principal(&named.principal, named.account.as_deref())
    }

    fn session(&mut self, session: &Session) {
        let account = session.account.as_ref().map(AccountId::as_str);
        let Some(principal) = self.principal(&session.principal, account) else { return };
        let name = name_of(session);
        let node = self.node(format!("key {name}"), |id| GraphNode {
            id,
            kind: NodeKind::Session,
            label: format!("{} {name}", session.thing),
            status: Some(session.status.words().to_owned()),
            is_open: session.is_open || session.status == SessionStatus::NotDenied,
        });
        if let Some(node) = node {
            let call = if session.is_stolen { "stolen" } else { "session" };
            self.edge(&principal, &node, call, session.at);
        }
    }

    /// The call by which the thief came to a session's principal.
    fn opening(&mut self, session: &Session) {
        let account = session.account.as_ref().map(AccountId::as_str);
        if let Some(caller) = self.caller(session.by.as_deref(), None)
            && let Some(principal) = self.principal(&session.principal, account)
        {
            self.edge(&caller, &principal, session.call.as_deref().unwrap_or("?"), session.at);
        }
    }

    fn door(&mut self, door: &IncidentDoor) {
        // A key is a node already.
        if door.activity.opened.is_some() {
            return;
        }
        self.node(name_of_door(door), |id| GraphNode {
            id,
            kind: NodeKind::Door,
            label: format!("{} {}", door.activity.thing, door.activity.object.as_deref().unwrap_or("?")),
            status: Some(door.status.words().to_owned()),
            is_open: door.status == DoorStatus::Open,
        });
    }

    /// The call that made a door.
    fn making(&mut self, door: &IncidentDoor) {
        let activity = &door.activity;
        let Some(node) = self.known.get(&name_of_door(door)).cloned() else { return };
        if let Some(caller) = self.caller(activity.by.as_deref(), activity.who.as_deref()) {
            self.edge(&caller, &node, &activity.call, activity.at);
        }
    }
}

fn name_of(session: &Session) -> String {
    let name = session.access_key.clone().or_else(|| session.name.clone());
    name.unwrap_or_else(|| format!("{} {}", session.thing, session.at))
}

/// A role or a user that the thief made is the principal of what he does with it.
fn name_of_door(door: &IncidentDoor) -> String {
    let named = door.activity.object.as_deref().map(Named::of);
    match (door.activity.thing, named) {
        (Thing::Role | Thing::User, Some(Named { account: Some(account), principal, .. })) => {
            format!("principal {principal} in {account}")
        }
        _ => format!("door {}", door.door),
    }
}
