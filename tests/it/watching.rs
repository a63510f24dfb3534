//! A service that runs, and the lines of its log.

use crate::log;
use crate::scene::Scene;
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);

/// `rescind run`, until it is dropped.
pub struct Watching {
    process: Child,
    log: Receiver<String>,
    pub lines: Vec<String>,
}

impl Watching {
    /// Starts it, and waits until it watches.
    pub fn start(scene: &Scene, args: &[&str]) -> Self {
        Self::of(scene.spawn(&[&["run", "--log", "debug"], args].concat()))
    }

    pub fn of(process: Child) -> Self {
        match Self::try_of(process) {
            Ok(watching) => watching,
            Err(log) => panic!("it does not watch:\n{}", log.join("\n")),
        }
    }

    /// None of it when the process ends before it watches; then what it said.
    pub fn try_of(mut process: Child) -> Result<Self, Vec<String>> {
        let mut first = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
        let (send, log) = channel();
        let lines = BufReader::new(process.stderr.take().expect("piped")).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let watching = Self { process, log, lines: Vec::new() };
        if !first.is_empty() {
            return Ok(watching);
        }
        Err(watching.log.iter().collect())
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Reads the log up to a line with this text.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.lines.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("the log has no {text:?} ({error}):\n{}", self.lines.join("\n")),
            }
        }
    }

    /// When the service wrote a line of its log.
    pub fn at(line: &str) -> jiff::Timestamp {
        line.split(' ').next().and_then(|time| time.parse().ok()).expect("a line begins with its time")
    }

    /// Waits until each of so many regions was polled to the end: what happens now, no first poll sees.
    #[track_caller]
    pub fn polled(mut self, regions: usize) -> Self {
        for _ in 0..regions {
            self.until(log::REGION_READ);
        }
        self
    }

    /// As systemd and every container runtime does it: TERM.
    pub fn signal(&self, name: &str) {
        let done =
            std::process::Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(done.expect("kill runs").success());
    }

    /// Stops it and waits for its end.
    pub fn stop(self) -> i32 {
        self.signal("TERM");
        self.end()
    }

    /// Stops it, and gives its whole log.
    pub fn whole_log(mut self) -> String {
        self.signal("TERM");
        self.process.wait().expect("it ends");
        self.lines.extend(self.log.iter());
        self.lines.join("\n")
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("its state").is_some()
    }

    /// Waits for its end, after a signal.
    pub fn end(mut self) -> i32 {
        self.process.wait().expect("it ends").code().unwrap_or(-1)
    }

    /// As a crash does it.
    pub fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("dead");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
