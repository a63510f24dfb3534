//! As much of HTTP/1.1 as AWS SDKs speak: messages whose bodies have a length. Heads and bodies are
//! kept as they came, because what is passed on has to be what was signed.

use std::io::{self, BufRead, Read, Write};

/// A head longer than this is a mistake.
const LONGEST_HEAD: u64 = 64 << 10;

/// A request or an answer.
#[derive(Debug, Clone)]
pub struct Message {
    /// The request line or the status line.
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// The next message; none when the other side closed the connection between two of them.
    pub fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = from.by_ref().take(LONGEST_HEAD);
        let first = line(&mut head)?;
        if first.is_empty() {
            return Ok(None);
        }
        let mut message = Self { first, headers: Vec::new(), body: Vec::new() };
        loop {
            let text = line(&mut head)?;
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or_else(|| bad("a header without a colon"))?;
            message.headers.push((name.to_owned(), value.trim().to_owned()));
        }
        message.read_body(from)?;
        Ok(Some(message))
    }

    fn read_body(&mut self, from: &mut impl BufRead) -> io::Result<()> {
        if self.header("transfer-encoding").is_some() {
            return Err(bad("a body without a length"));
        }
        let length = self.header("content-length").unwrap_or("0");
        let length = length.parse().map_err(|_| bad("a length that is no number"))?;
        self.body = vec![0; length];
        from.read_exact(&mut self.body)
    }

    /// An answer of one's own.
    pub fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { first: format!("HTTP/1.1 {status} {}", reason(status)), headers, body: body.into() }
            .with_length()
    }

    fn with_length(mut self) -> Self {
        let length = self.body.len().to_string();
        self.set("content-length", &length);
        self
    }

    /// The value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Sets a header, in the place of any that was there.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Of a request: its method.
    pub fn method(&self) -> &str {
        self.first.split(' ').next().unwrap_or_default()
    }

    /// Of a request: its path and query.
    pub fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// Of an answer: its status.
    pub fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// This is the last message on its connection.
    pub fn closes(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// Everything before the body, with the empty line.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Sends the first `length` bytes of the body behind the whole head, in one piece.
    pub fn write_up_to(&self, length: usize, to: &mut impl Write) -> io::Result<()> {
        let mut bytes = self.head();
        bytes.extend_from_slice(&self.body[..length]);
        to.write_all(&bytes)
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        self.write_up_to(self.body.len(), to)
    }
}

/// A line without its end. It is empty at the end of the head, and at that of the connection.
fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(String::new());
    }
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| bad("a head that is not UTF-8"))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
