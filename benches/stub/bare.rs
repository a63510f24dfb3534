//! The bound: a client that does nothing but send a request and read its answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long it takes for so many calls, one after the other on one connection.
///
/// # Panics
/// When the stub is gone.
pub fn bare(url: &str, calls: usize) -> Duration {
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    chain(url, &request("sts", "content-type: application/x-www-form-urlencoded", body), calls)
}

/// The same for so many puts of an item of 3 KB into a table.
pub fn bare_puts(url: &str, puts: usize) -> Duration {
    let payload = "x".repeat(3000);
    let body =
        format!(r#"{{"TableName":"bare","Item":{{"pk":{{"S":"bare"}},"payload":{{"S":"{payload}"}}}}}}"#);
    chain(url, &request("dynamodb", "x-amz-target: DynamoDB_20120810.PutItem", &body), puts)
}

fn request(service: &str, header: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: stub\r\n{header}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/eu-central-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn chain(url: &str, request: &str, calls: usize) -> Duration {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("connected");
    stream.set_nodelay(true).expect("no delay");
    let begun = Instant::now();
    for _ in 0..calls {
        stream.write_all(request.as_bytes()).expect("sent");
        read_answer(&mut stream);
    }
    begun.elapsed()
}

/// The same for many clients at once. Each has its share of the chains of so many calls.
pub fn bare_at_once(url: &str, chains: usize, calls: usize, clients: usize) -> Duration {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..clients.min(chains) {
            let share = chains / clients + usize::from(client < chains % clients);
            scope.spawn(move || bare(url, share * calls));
        }
    });
    begun.elapsed()
}

fn read_answer(stream: &mut TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).expect("an answer") > 0, "the stub closed the connection");
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
}
