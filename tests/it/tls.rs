//! The service's own TLS, with a certificate of a private CA.

use crate::scene::{Ran, SECURITY, Scene};
use crate::watching::Watching;
use crate::way_out::Network;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// A hub with a certificate, which a program may read.
struct Hub {
    scene: Scene,
    port: u16,
    reader: Value,
}

impl Hub {
    fn start(network: &Network) -> (Self, Watching) {
        let scene = Scene::new();
        scene.watch();
        scene.role(SECURITY, "Reader");
        let certificate = scene.path("web.pem");
        std::fs::copy(network.certificate(), &certificate).expect("copied");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        scene.configure(&format!(
            "listen = \"127.0.0.1:{port}\"\n[web]\nurl = \"https://localhost:{port}\"\ntls_certificates = \"web.pem\"\ntls_key = \"web.pem\"\n[[web.access]]\nrole = \"viewer\"\narns = [\"arn:aws:iam::{SECURITY}:role/Reader\"]\n"
        ));
        let mut service = Watching::start(&scene, &[]);
        service.until("answers on https://");
        let reader = scene.session(SECURITY, "Reader", "laptop");
        (Self { scene, port, reader }, service)
    }

    /// A command from elsewhere that trusts this CA, or only those of the system.
    fn list(&self, ca: Option<&Path>) -> Ran {
        let address = format!("https://localhost:{}", self.port);
        let mut command = self.scene.command(&["--hub", &address, "list"]);
        for (variable, field) in [
            ("AWS_ACCESS_KEY_ID", "access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "secret_access_key"),
            ("AWS_SESSION_TOKEN", "session_token"),
        ] {
            command.env(variable, self.reader[field].as_str().expect("a text"));
        }
        command.envs(ca.map(|ca| ("AWS_CA_BUNDLE", ca)));
        Ran::new(&command.output().expect("it runs"))
    }
}

#[test]
fn a_certificate_is_used_trusted_and_read_again() {
    let scene = Scene::new();
    let (network, other) = (Network::before(&scene), Network::before(&scene));
    let (hub, mut service) = Hub::start(&network);
    hub.list(Some(&network.ca())).code(0);
    // Whoever does not know the CA learns what to do, and nothing of libraries.
    for ca in [None, Some(other.ca())] {
        let refused = hub.list(ca.as_deref()).code(3).says("cannot be trusted").says("AWS_CA_BUNDLE");
        assert!(!refused.err.contains("WARN") && !refused.err.contains("ERROR"), "{}", refused.err);
    }
    // On this machine its own health is asked for, whoever has signed it.
    hub.scene.rescind(&["health"]).code(0).says("https://");
    // What is not encrypted is not answered.
    let mut plain = TcpStream::connect(format!("127.0.0.1:{}", hub.port)).expect("it listens");
    plain.write_all(b"GET /v1/status HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    // What cannot be read changes nothing; what can be takes its place.
    std::fs::write(hub.scene.path("web.pem"), "no certificate").expect("written");
    let heard = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // The file is looked at when somebody asks.
        scope.spawn(|| {
            while !heard.load(Ordering::Relaxed) {
                hub.list(Some(&network.ca()));
            }
        });
        service.until("what was read before stays in effect");
        heard.store(true, Ordering::Relaxed);
    });
    hub.list(Some(&network.ca())).code(0);
    std::fs::copy(other.certificate(), hub.scene.path("web.pem")).expect("copied");
    hub.scene.wait(|| hub.list(Some(&other.ca())).code == 0);
    hub.list(Some(&network.ca())).code(3).says("cannot be trusted");
    assert_eq!(service.stop(), 0);
}
