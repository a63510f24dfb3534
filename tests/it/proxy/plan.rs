//! Which faults are planned, and what came of them.

use super::call::Call;
use super::fault::{Fault, Which};
use super::listener::locked;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// How often somebody who waits looks whether the client still does.
const LOOK: Duration = Duration::from_millis(50);

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub service: String,
    pub operation: String,
    pub region: String,
    /// Whose credentials it was signed with.
    pub access_key: String,
    /// The name of the fault that was applied.
    pub fault: Option<String>,
    /// The status that was answered; none when there was no answer, or is none yet.
    pub status: Option<u16>,
}

/// What is planned for one call.
#[derive(Default)]
pub struct Chosen {
    /// Where in the list the call stands.
    pub number: usize,
    pub delay: Duration,
    pub fault: Option<Fault>,
    /// How often the plan had been cleared.
    pub cleared: usize,
}

#[derive(Default)]
pub struct Plan {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    counted: Vec<(Which, Fault, usize)>,
    always: Vec<(Which, Fault)>,
    random: Option<Random>,
    seen: Vec<Seen>,
    cleared: usize,
    stopped: bool,
}

impl Plan {
    pub fn times(&self, times: usize, which: Which, fault: Fault) {
        locked(&self.state).counted.push((which, fault, times));
    }

    pub fn always(&self, which: Which, fault: Fault) {
        locked(&self.state).always.push((which, fault));
    }

    pub fn at_random(&self, seed: u64, percent: u32, faults: &[Fault]) {
        let percent = u64::from(percent);
        locked(&self.state).random = Some(Random { state: seed, percent, faults: faults.to_vec() });
    }

    pub fn clear(&self) {
        let mut state = locked(&self.state);
        (state.counted, state.always, state.random) = (Vec::new(), Vec::new(), None);
        state.cleared += 1;
        self.changed.notify_all();
    }

    /// From now on nobody waits for anything.
    pub fn stop(&self) {
        locked(&self.state).stopped = true;
        self.changed.notify_all();
    }

    pub fn stopped(&self) -> bool {
        locked(&self.state).stopped
    }

    pub fn seen(&self) -> Vec<Seen> {
        locked(&self.state).seen.clone()
    }

    /// Enters a call into the list, and chooses what is done to it.
    pub fn arrived(&self, call: &Call, body: &[u8]) -> Chosen {
        let mut state = locked(&self.state);
        let (delay, fault) = state.choose(call, body);
        let name = fault.as_ref().map(Fault::name);
        let latency = (!delay.is_zero()).then(|| Fault::Latency(delay).name());
        let number = state.seen.len();
        state.seen.push(Seen {
            service: call.service.clone(),
            operation: call.operation.clone(),
            region: call.region.clone(),
            access_key: call.access_key.clone(),
            fault: name.or(latency),
            status: None,
        });
        Chosen { number, delay, fault, cleared: state.cleared }
    }

    pub fn answered(&self, number: usize, status: u16) {
        locked(&self.state).seen[number].status = Some(status);
    }

    /// Waits for `delay`. False when the proxy is stopped or the client gone before.
    pub fn delay(&self, delay: Duration, gone: impl Fn() -> bool) -> bool {
        let end = Instant::now() + delay;
        self.wait(gone, |_| end.saturating_duration_since(Instant::now()))
    }

    /// Waits until the plan is cleared. False when the proxy is stopped or the client gone before.
    pub fn hang(&self, cleared: usize, gone: impl Fn() -> bool) -> bool {
        self.wait(gone, |state| if state.cleared > cleared { Duration::ZERO } else { LOOK })
    }

    /// Waits while there is something `left` to wait for.
    fn wait(&self, gone: impl Fn() -> bool, left: impl Fn(&State) -> Duration) -> bool {
        loop {
            let state = locked(&self.state);
            let left = left(&state);
            if state.stopped || left.is_zero() {
                return !state.stopped;
            }
            let waited = self.changed.wait_timeout(state, left.min(LOOK));
            drop(waited);
            if gone() {
                return false;
            }
        }
    }
}

impl State {
    /// Latencies that are there for all calls add up. Beside them there is one fault at most: the
    /// oldest of those that are counted, or the oldest that stays, or a random one.
    fn choose(&mut self, call: &Call, body: &[u8]) -> (Duration, Option<Fault>) {
        let mut delay = Duration::ZERO;
        let mut lasting = None;
        for (_, fault) in self.always.iter().filter(|(which, _)| which.matches(call, body)) {
            match fault {
                Fault::Latency(more) => delay += *more,
                other => lasting = lasting.or(Some(other.clone())),
            }
        }
        // Drawn for each call, so that the sequence does not depend on the other faults.
        let random = self.random.as_mut().and_then(Random::draw);
        let fault = self.count_down(call, body).or(lasting).or(random);
        match fault {
            Some(Fault::Latency(more)) => (delay + more, None),
            other => (delay, other),
        }
    }

    fn count_down(&mut self, call: &Call, body: &[u8]) -> Option<Fault> {
        let mut left = self.counted.iter_mut().filter(|(_, _, times)| *times > 0);
        let (_, fault, times) = left.find(|(which, _, _)| which.matches(call, body))?;
        *times -= 1;
        Some(fault.clone())
    }
}

/// Faults by chance: the same ones for the same seed.
struct Random {
    state: u64,
    percent: u64,
    faults: Vec<Fault>,
}

impl Random {
    fn draw(&mut self) -> Option<Fault> {
        let (chance, choice) = (self.next(), self.next());
        let count = u64::try_from(self.faults.len()).ok().filter(|count| *count > 0)?;
        let index = usize::try_from(choice % count).ok()?;
        (chance % 100 < self.percent).then(|| self.faults[index].clone())
    }

    /// SplitMix64 (Steele, Lea and Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
