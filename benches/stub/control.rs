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
        ["accounts", id] => text(locked(&world.log).calls.account(id)),
        ["accounts"] => text(locked(&world.log).calls.accounts()),
        ["puts"] => text(locked(&world.log).calls.puts()),
        ["reset"] => {
            locked(&world.log).calls = Tallies::default();
            text(String::new())
        }
        // A stolen session of the role `web` in each of so many accounts.
        ["thefts", first, count] => match (first.parse(), count.parse()) {
            (Ok(first), Ok(count)) => text(thefts(world, first, count)),
            _ => Message::answer(400, "text/plain", "two numbers are needed"),
        },
        // The same, but GuardDuty sends an event of each.
        ["events", first, count] => match (first.parse(), count.parse()) {
            (Ok(first), Ok(count)) => text(events(world, first, count)),
            _ => Message::answer(400, "text/plain", "two numbers are needed"),
        },
        ["trail"] => text(world.trail.read()),
        // The thieves in these accounts made so many calls each; with `opens`, the newest one opened a session.
        ["trail", first, end, events, opens] => match (first.parse(), end.parse(), events.parse()) {
            (Ok(first), Ok(end), Ok(events)) => {
                world.trail.write(world, first..end, events, *opens == "opens");
                text(String::new())
            }
            _ => Message::answer(400, "text/plain", "three numbers are needed"),
        },
        _ => Message::answer(404, "text/plain", "the stub has no such page"),
    })
}

fn text(text: String) -> Message {
    Message::answer(200, "application/json", text)
}

/// Findings, one a line.
fn thefts(world: &World, first: usize, count: usize) -> String {
    let ids = stolen(world, first, count);
    let findings = locked(&world.findings);
    let documents = ids.iter().filter_map(|id| Some(findings.get(id)?.1.document.as_str()));
    documents.flat_map(|document| [document, "\n"]).collect()
}

/// Puts the events into the queue.
fn events(world: &World, first: usize, count: usize) -> String {
    for id in stolen(world, first, count) {
        let event = locked(&world.findings).event(&id);
        if let Some(event) = event {
            world.queue.put(event);
        }
    }
    String::new()
}

/// The ids of new findings.
fn stolen(world: &World, first: usize, count: usize) -> Vec<String> {
    let mut findings = locked(&world.findings);
    let numbers = first..(first + count).min(world.members);
    numbers.map(|number| findings.theft(&world.regions[0], &world.member(number), "web")).collect()
}
