//! The two databases: moto's DynamoDB in the emulated organization, and dynalite.

use crate::scene::{HOME, SECURITY, Scene, Setting};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb as dynamodb;
use dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use rescind::LogTable;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub const TABLE: &str = "rescind-log";
const ANOTHER: &str = "rescind-log-2";

/// A database with an empty table for logs.
pub struct Database {
    endpoint: String,
    /// Those of the hub's role, and those of the account's operator.
    credentials: Credentials,
    operator: Credentials,
    kept: Kept,
}

/// What the database lives as long as.
enum Kept {
    Moto(Box<Scene>),
    Dynalite(Child),
}

impl Database {
    pub fn moto() -> Self {
        let scene = Scene::with(Setting::default().with_log(TABLE));
        scene.log_table(TABLE);
        let (endpoint, credentials) = (scene.endpoint().to_owned(), of_session(&scene.hub));
        let operator = of_session(&scene.operators[SECURITY]);
        Self { endpoint, credentials, operator, kept: Kept::Moto(Box::new(scene)) }
    }

    /// None where there is no node: then nothing can be tested.
    pub async fn dynalite() -> Option<Self> {
        let directory = installed()?;
        let mut process = Command::new("node")
            .arg("server.mjs")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("its address");
        let endpoint = line.trim().strip_prefix("listening on ").expect("its address").to_owned();
        let credentials = Credentials::new("AKIADYNALITE", "any", None, None, "test");
        let operator = credentials.clone();
        let database = Self { endpoint, credentials, operator, kept: Kept::Dynalite(process) };
        database.create_table().await;
        Some(database)
    }

    /// A log in the table. Each has a client of its own.
    pub fn log(&self, name: &str) -> LogTable {
        self.log_of(self.credentials.clone(), TABLE, name)
    }

    /// A log as another host reaches it, with a session of the hub's role.
    pub fn log_of_host(&self, session: &Value, name: &str) -> LogTable {
        self.log_of(of_session(session), TABLE, name)
    }

    /// A log in a table that does not exist.
    pub fn log_nowhere(&self) -> LogTable {
        self.log_of(self.operator.clone(), ANOTHER, "prod")
    }

    /// A log in a table for which the hub's role has no permission.
    pub fn log_in_another_table(&self) -> LogTable {
        self.log_of(self.credentials.clone(), ANOTHER, "prod")
    }

    fn log_of(&self, credentials: Credentials, table: &str, name: &str) -> LogTable {
        let region = HOME.parse().expect("a region");
        LogTable::with(&config(credentials), &region, table, Some(&self.endpoint), name)
    }

    /// What belongs to the emulated organization: its faults.
    pub fn scene(&self) -> &Scene {
        match &self.kept {
            Kept::Moto(scene) => scene,
            Kept::Dynalite(_) => panic!("dynalite has no faults"),
        }
    }

    /// A client that does what rescind never does.
    pub fn client(&self) -> dynamodb::Client {
        let config = dynamodb::config::Builder::from(&config(self.credentials.clone()));
        let region = dynamodb::config::Region::new(HOME);
        dynamodb::Client::from_conf(config.region(region).endpoint_url(&self.endpoint).build())
    }

    async fn create_table(&self) {
        let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let text = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let request = self
            .client()
            .create_table()
            .table_name(TABLE)
            .key_schema(key.build().expect("whole"))
            .attribute_definitions(text.build().expect("whole"))
            .billing_mode(BillingMode::PayPerRequest);
        request.send().await.expect("a table");
        // It is made in the next turn of dynalite's loop.
        while self.log("prod").describe().await.expect("a description").status != "ACTIVE" {}
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kept::Dynalite(process) = &mut self.kept {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn config(credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
        .build()
}

fn of_session(session: &Value) -> Credentials {
    let text = |name: &str| session[name].as_str().expect(name).to_owned();
    Credentials::new(
        text("access_key_id"),
        text("secret_access_key"),
        session["session_token"].as_str().map(str::to_owned),
        None,
        "test",
    )
}

/// Where dynalite is, after npm has installed exactly what the lock file names: once, whoever comes first.
#[allow(clippy::print_stderr)] // as the Makefile says what is not run
fn installed() -> Option<PathBuf> {
    for program in ["node", "npm"] {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
            eprintln!("NOT RUN: there is no {program}, which dynalite needs");
            return None;
        }
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dynalite");
    let lock = File::open(directory.join("package-lock.json")).expect("the lock file");
    lock.lock().expect("one test installs it");
    let wanted = std::fs::read(directory.join("package-lock.json")).expect("the lock file");
    let stamp = directory.join("node_modules/.of-lock-file");
    if std::fs::read(&stamp).ok().as_ref() != Some(&wanted) {
        let npm = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&directory)
            .output()
            .expect("npm runs");
        assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
        std::fs::write(stamp, wanted).expect("a file");
    }
    Some(directory)
}
