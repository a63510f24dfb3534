//! AWS, as rescind uses it: the hub's clients, and sessions in member accounts.
//!
//! Every call goes through `record::recorded`, which hands a [`CallRecord`](crate::remediation::CallRecord) to a
//! [`CallSink`](crate::remediation::CallSink) whatever the answer. Nothing here knows of findings or decisions.

mod account_policy;
mod archive;
mod assume_role;
mod attachments;
mod bucket;
mod ca_bundle;
mod caller_check;
mod caller_proof;
mod chosen;
mod clock;
mod endpoint;
mod environment;
mod error;
mod health;
mod hint;
mod hub;
mod instances;
mod kms_key;
mod listed;
mod log_attributes;
mod log_table;
mod managed_policy;
mod member;
mod organizations;
mod own_region;
mod pool;
mod profile_files;
mod publish;
mod queue;
mod record;
mod regions;
mod roles;
mod security_hub;
mod service_controls;
mod signed;
mod simulate;
mod sts_endpoint;
mod token_service;
mod trail;
mod trail_pace;
mod user;

pub use account_policy::AccountPolicy;
pub use assume_role::AssumeRole;
pub use bucket::{Bucket, ObjectRetention, ObjectVersion, Stored, VersionMarker};
pub use ca_bundle::{CaBundle, UnusableCaBundle};
pub use caller_check::{CallerCheck, NotIdentified};
pub use caller_proof::{
    HUB_HEADER, LONGEST, NONCE_HEADER, ProofFor, Prover, REQUEST_HEADER, SCHEME, SIGNED_HEADERS, new_nonce,
    request_digest,
};
pub use chosen::{use_profile, use_region};
pub use clock::AwsClock;
pub use health::Detector;
pub use hint::{hub_hint, who_hint};
pub use hub::{FindingKinds, FindingQuery, Hub};
pub use kms_key::KmsKey;
pub use listed::Listed;
pub use log_table::{LogTable, TableFacts};
pub use member::{MemberSession, RoleFacts};
pub use own_region::own_region;
pub use publish::SnsMessage;
pub use queue::{Depth, Message, Queue, SQS_BATCH};
pub use record::within;
pub use regions::RegionStatus;
pub use security_hub::{HubFindingId, NotImported};
pub use service_controls::ServiceControl;
pub use simulate::{Caller, Simulation};
pub use sts_endpoint::{StsEndpoint, recognize as recognize_sts};
pub use trail::{Lookup, TrailPage, TrailQuery};
pub use user::AccessKey;
