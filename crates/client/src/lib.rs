//! What a seller links into the software that phones home. It asks a Chopmark server whether this installation is
//! licensed, keeps the proof on disk, and goes on answering from it when the server cannot be reached.
//!
//! ```no_run
//! use chopmark_client::{Answer, Client, Fingerprint};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let product = "a63ee5c9-0000";
//! let client = Client::builder("https://license.example.com", "<the root key, base64url>", product)
//!     .license("10e758d0-31ad-4c4b-8f1b-81d03469a10e")
//!     .machine(Fingerprint::of_this_machine(product, "/var/lib/example")?)
//!     .state_dir("/var/lib/example")
//!     .build()?;
//!
//! match client.check() {
//!     Answer::Licensed(_) => {}
//!     Answer::InGrace(facts) => eprintln!("licensed for now: {}", facts.reason),
//!     Answer::Denied(denial) => eprintln!("not licensed: {}", denial.reason),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What it stands on:
//!
//! - **A yes is signed.** The program runs because of a [lease](verify_lease) whose signature leads to a key compiled
//!   into it. What the server says beside the lease is never believed for a yes.
//! - **A no is a well-formed answer to our own question.** All else (no connection, a timeout, a status of 500,
//!   something that is not JSON, a wrong nonce, a bad signature) is trouble, and in trouble the last good lease counts
//!   until it ends.
//! - **Nothing here fails or panics in a running program.** [`Client::check`] always has an answer.
//!
//! Calls block. They wait for the network, and for other processes that share the folder, for eight seconds in all at
//! the most unless [told otherwise](Builder::timeouts). In async programs, call from a thread made for it:
//! `tokio::task::spawn_blocking(move || client.check())`; a [`Client`] is `Send` and `Sync`.

mod answer;
mod builder;
mod client;
mod clock;
mod code;
mod deadline;
mod disk;
mod fingerprint;
mod judgement;
mod jws;
mod keys;
mod lease;
mod machines;
mod metadata;
mod state;
mod store;
mod trouble;
mod wire;

pub use answer::{Answer, Contact, Denial, Facts, Source};
pub use builder::{BuildError, Builder};
pub use client::Client;
pub use clock::{Clock, SystemClock};
pub use code::Code;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use keys::{KeyError, KeyRing};
pub use lease::{Expected, Lease, LeaseRefusal, Phase, Subject, verify_lease};
pub use machines::{ActivateError, Activation, FreeError};
pub use metadata::{EcsMetadata, MetadataError};
pub use trouble::Trouble;
