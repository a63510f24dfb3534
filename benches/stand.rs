//! The stub of AWS as a process of its own, for programs that are measured from outside.
//!
//! `stand serve MILLISECONDS ACCOUNTS REGIONS [MILLISECONDS]` prints its address, and serves until its standard input
//! ends. The last number is the latency of DynamoDB, if that is another.
//! `stand bare URL CHAINS CALLS CLIENTS` makes chains of so many bare calls, and prints the seconds that took.
//! `stand puts URL PUTS` makes so many bare puts of an item, one after the other.
//! `benches/driver` starts it. Without a word it does nothing.

#![allow(clippy::print_stdout)] // it is for reading

mod stub;

use std::io::Read;
use std::time::Duration;
use stub::Stub;
use stub::bare::{bare_at_once, bare_puts};

/// The regions that every account has.
const REGIONS: [&str; 17] = [
    "eu-central-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "sa-east-1",
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<usize>().expect("a number");
    match words.as_slice() {
        ["serve", milliseconds, accounts, regions, of_tables @ ..] => {
            let latency = |word: &str| Duration::from_millis(number(word).try_into().expect("not so long"));
            let of_tables = latency(of_tables.first().unwrap_or(milliseconds));
            let regions = &REGIONS[..number(regions)];
            let stub = Stub::start_with_tables(latency(milliseconds), of_tables, number(accounts), regions);
            println!("{}", stub.url());
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            // Connections that hang need not be waited for.
            std::process::exit(0);
        }
        ["bare", url, chains, calls, clients] => {
            let took = bare_at_once(url, number(chains), number(calls), number(clients));
            println!("{:.6}", took.as_secs_f64());
        }
        ["puts", url, puts] => println!("{:.6}", bare_puts(url, number(puts)).as_secs_f64()),
        _ => println!(
            "stand serve MILLISECONDS ACCOUNTS REGIONS [MILLISECONDS] | stand bare URL CHAINS CALLS CLIENTS | stand puts URL PUTS"
        ),
    }
}
