//! A stub of AWS for benchmarks: the few operations that rescind calls, answered over real HTTP after
//! a latency that is always the same.
//!
//! The emulated organization of the tests enforces IAM and takes milliseconds of computing for each
//! call; what is measured against it is mostly the emulator. This one computes next to nothing, so
//! what is measured is rescind. It believes every request: any role of any member can be
//! assumed, and every role exists.

#![allow(dead_code)] // each benchmark uses its part of it

#[path = "../../tests/it/proxy/call.rs"]
mod call;
#[path = "../../tests/it/proxy/civil.rs"]
mod civil;
#[path = "../../tests/it/proxy/http.rs"]
mod http;
#[path = "../../tests/it/proxy/listener.rs"]
mod listener;

mod attachments;
pub mod bare;
mod control;
mod findings;
mod guardduty;
mod iam;
pub mod identity;
mod json;
mod md5;
mod organizations;
mod queue;
mod reply;
mod sqs;
mod sts;
mod tables;
mod tally;
mod trail;
mod world;

use call::Call;
use http::Message;
use listener::{Listener, locked};
use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use world::World;

/// The stub. It is closed when it is dropped.
pub struct Stub {
    world: Arc<World>,
    listener: Listener,
}

impl Stub {
    /// An organization of the hub, the management account and so many members, in these regions.
    /// Each call takes `latency`, half of it on the way there.
    pub fn start(latency: Duration, accounts: usize, regions: &[&str]) -> Self {
        Self::start_with_tables(latency, latency, accounts, regions)
    }

    /// The same, with another latency of DynamoDB.
    pub fn start_with_tables(
        latency: Duration,
        of_tables: Duration,
        accounts: usize,
        regions: &[&str],
    ) -> Self {
        let world = Arc::new(World::new(accounts, regions));
        let shared = Arc::clone(&world);
        let listener = Listener::start(move |stream| {
            // An error is that of a client that is gone.
            let _ = serve(&shared, (latency, of_tables), stream);
        });
        Self { world, listener }
    }

    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// The id of a member account.
    pub fn account(&self, index: usize) -> String {
        self.world.member(index)
    }

    /// GuardDuty reports, now and in the first region, that a session of this role was stolen. Gives
    /// the finding's id.
    pub fn theft(&self, account_index: usize, role: &str) -> String {
        let region = self.world.regions[0].clone();
        self.theft_in(&region, account_index, role)
    }

    /// The same in a certain region.
    pub fn theft_in(&self, region: &str, account_index: usize, role: &str) -> String {
        let account = self.world.member(account_index);
        locked(&self.world.findings).theft(region, &account, role)
    }

    /// Puts the finding's event into the queue, now.
    ///
    /// # Panics
    /// When there is no such finding.
    pub fn event(&self, finding_id: &str) {
        let body = locked(&self.world.findings).event(finding_id).expect("a finding of this stub");
        let queued = self.world.queue.put(body);
        locked(&self.world.log).queued.push((finding_id.to_owned(), queued));
    }

    /// When each PutRolePolicy took effect, by `ACCOUNT/ROLE`, in their order.
    pub fn denied_at(&self) -> Vec<(String, Instant)> {
        locked(&self.world.log).denied.clone()
    }

    /// When each finding's event was put into the queue, in their order.
    pub fn queued_at(&self) -> Vec<(String, Instant)> {
        locked(&self.world.log).queued.clone()
    }

    /// How many messages are in the queue, in flight or not.
    pub fn queued(&self) -> usize {
        let (visible, in_flight) = self.world.queue.count();
        visible + in_flight
    }

    /// How often each operation was called.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        locked(&self.world.log).calls.counts()
    }

    /// The most calls that were under way at once. A ReceiveMessage that waits is one of them.
    pub fn busy(&self) -> usize {
        self.world.most.load(Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.world.queue.stop();
    }
}

fn serve(world: &World, (latency, of_tables): (Duration, Duration), mut stream: TcpStream) -> io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    while let Some(request) = Message::read(&mut requests)? {
        let arrived = Instant::now();
        if let Some(answer) = control::answer(world, &request) {
            answer.write(&mut stream)?;
            continue;
        }
        world.enters();
        let call = Call::of(&request);
        let is_of_table = call.as_ref().is_some_and(|call| call.service == "dynamodb");
        let latency = if is_of_table { of_tables } else { latency };
        let there = arrived + latency / 2;
        sleep_until(there);
        let started = Instant::now();
        let answer = call.as_ref().map_or_else(unsigned, |call| answer(world, call, &request));
        // Sleeping too long on the way there is made up for on the way back.
        sleep_until(there + started.elapsed() + latency / 2);
        world.leaves();
        // Before it is sent: who has the answer finds it counted.
        if let Some(call) = &call {
            locked(&world.log).calls.add(call, &request, &answer, arrived);
        }
        answer.write(&mut stream)?;
        if request.closes() {
            break;
        }
    }
    Ok(())
}

fn sleep_until(then: Instant) {
    let left = then.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        std::thread::sleep(left);
    }
}

fn unsigned() -> Message {
    reply::xml_error(403, "MissingAuthenticationToken", "the request is not signed")
}

fn answer(world: &World, call: &Call, request: &Message) -> Message {
    match call.service.as_str() {
        "sts" => sts::answer(world, call, request),
        "iam" => iam::answer(world, call, request),
        "organizations" | "account" => organizations::answer(world, call, request),
        "guardduty" => guardduty::answer(world, call, request),
        "sqs" => sqs::answer(world, call, request),
        "dynamodb" => world.tables.answer(call, request),
        "cloudtrail" => trail::answer(world, call, request),
        other => reply::xml_error(501, "NotImplemented", &format!("the stub has no {other}")),
    }
}
