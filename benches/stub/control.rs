//! What a program outside asks of the stub: `GET /stub/…`. It takes no time and is not counted.

use super::http::Message;
use super::listener::locked;
use super::tally::Tallies;
use super::world::World;

/// The answer; none when the request is one for AWS.
pub fn answer(world: &World, request: &Message) -> Option<Message> {
    let rest = request.target().strip_prefix("/stub/")?;
    let parts: Vec<&str> = rest.split('/').collect();
    Some(match parts.as_slice() {
        ["operations"] => text(locked(&world.log).calls.operations()),
        ["accounts"] => text(locked(&world.log).calls.accounts()),
        ["reset"] => {
            locked(&world.log).calls = Tallies::default();
            text(String::new())
        }
        // A stolen session of the role `web` in each of so many accounts.
        ["thefts", first, count] => match (first.parse(), count.parse()) {
            (Ok(first), Ok(count)) => text(thefts(world, first, count)),
            _ => Message::answer(400, "text/plain", "two numbers are needed"),
        },
        _ => Message::answer(404, "text/plain", "the stub has no such page"),
    })
}

fn text(text: String) -> Message {
    Message::answer(200, "application/json", text)
}

/// Findings, one a line.
fn thefts(world: &World, first: usize, count: usize) -> String {
    let mut findings = locked(&world.findings);
    let mut lines = String::new();
    for number in first..(first + count).min(world.members) {
        let id = findings.theft(&world.regions[0], &world.member(number), "web");
        lines.push_str(findings.get(&id).map_or("", |(_, finding)| &finding.document));
        lines.push('\n');
    }
    lines
}
