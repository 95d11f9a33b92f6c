//! How a client is put together.

use std::path::PathBuf;
use std::time::Duration;

use ureq::http::{HeaderValue, Uri};

use crate::client::{Client, Deployment};
use crate::clock::{Clock, SystemClock};
use crate::fingerprint::Fingerprint;
use crate::keys::{KeyError, KeyRing};
use crate::lease::{Expected, Subject};
use crate::metadata::EcsMetadata;
use crate::store::Store;
use crate::wire::Wire;

/// Characters an id may have.
const ID_MAX: usize = 128;

/// A client cannot be put together like this. All of these show at the first start of a program.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The server's address is not `https://…`; `http://` is for loopback only.
    #[error("{0:?} is no address of a license server: it begins with https://, or with http:// for this machine alone")]
    Server(String),
    /// A root key is none.
    #[error(transparent)]
    RootKey(#[from] KeyError),
    /// Neither a license nor a deployment is named, or both.
    #[error("name either a license or a deployment")]
    Subject,
    /// An id is empty or too long.
    #[error("{0} has 1 to 128 characters")]
    Id(&'static str),
    /// A deployment is its own machine.
    #[error("a deployment takes no machine: the ECS is the machine")]
    MachineOfDeployment,
    /// A language is no value of `Accept-Language`.
    #[error("{0:?} is no value of Accept-Language, like zh-CN or en")]
    Language(String),
    /// There is no state folder.
    #[error("name a state folder that outlives the program: without it, a restart during an outage is a denial")]
    StateDir,
}

/// Puts a [`Client`] together.
#[must_use]
pub struct Builder {
    server: String,
    root_keys: Vec<String>,
    product: String,
    issuer: String,
    license: Option<String>,
    deployment: Option<EcsMetadata>,
    machine: Option<Fingerprint>,
    seller: Option<String>,
    version: Option<String>,
    language: Option<String>,
    state_dir: Option<PathBuf>,
    first_run_grace: Duration,
    connect_timeout: Duration,
    total_timeout: Duration,
    clock: Box<dyn Clock>,
}

impl Builder {
    pub(crate) fn new(server: String, root_key: String, product: String) -> Self {
        Self {
            server,
            root_keys: vec![root_key],
            product,
            issuer: "chopmark".to_owned(),
            license: None,
            deployment: None,
            machine: None,
            seller: None,
            version: None,
            language: None,
            state_dir: None,
            first_run_grace: Duration::from_hours(24),
            connect_timeout: Duration::from_secs(3),
            total_timeout: Duration::from_secs(8),
            clock: Box::new(SystemClock),
        }
    }

    /// One more key to compile in, base64url: the next one, kept in a safe, that takes over should the first be lost.
    pub fn root_key(mut self, root_key: impl Into<String>) -> Self {
        self.root_keys.push(root_key.into());
        self
    }

    /// The license that the customer entered: an instance id or a license code.
    pub fn license(mut self, id: impl Into<String>) -> Self {
        self.license = Some(id.into());
        self
    }

    /// The ECS that an image product runs on, instead of a license.
    pub fn deployment(mut self, metadata: EcsMetadata) -> Self {
        self.deployment = Some(metadata);
        self
    }

    /// The machine that a license is used on. For products that count machines, and good for all: a lease made for
    /// one machine then holds on no other.
    pub fn machine(mut self, fingerprint: Fingerprint) -> Self {
        self.machine = Some(fingerprint);
        self
    }

    /// The seller's id in the installation. Needed where two sellers of one installation may have the same license id.
    pub fn seller(mut self, seller: impl Into<String>) -> Self {
        self.seller = Some(seller.into());
        self
    }

    /// The version of the program, told to the server.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The language of [`reason`](crate::Facts::reason) where it is the server's: a value of `Accept-Language`, like
    /// `zh-CN`. English unless said otherwise.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }

    /// Where to keep the lease. The folder must outlive the program (in containers: a volume) and is made if need be.
    pub fn state_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(folder.into());
        self
    }

    /// How long a program may run that has never reached the server, from its first check on: 24 hours unless said
    /// otherwise. Zero for programs that must not run before they are known.
    pub fn first_run_grace(mut self, grace: Duration) -> Self {
        self.first_run_grace = grace;
        self
    }

    /// How long to wait for a connection, and in a call in all: 3 and 8 seconds unless said otherwise. The second is for
    /// everything that a call waits for: the answer, the server's keys where they are needed, and other processes that
    /// share the state folder.
    pub fn timeouts(mut self, connect: Duration, total: Duration) -> Self {
        (self.connect_timeout, self.total_timeout) = (connect, total);
        self
    }

    /// Who issues the leases: `chopmark`, unless the server is configured otherwise (`[keys] issuer`).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The client. Nothing is asked or written yet.
    ///
    /// # Errors
    /// [`BuildError`] where a mistake was made in the program or its configuration.
    pub fn build(self) -> Result<Client, BuildError> {
        let keys = KeyRing::pinned(self.root_keys.iter().map(String::as_str))?;
        let server = server(&self.server).ok_or(BuildError::Server(self.server))?;
        named("a product", &self.product)?;
        let (subject, deployment) = match (self.license, self.deployment) {
            (Some(id), None) => {
                named("a license", &id)?;
                (Subject::License { id, machine: self.machine }, None)
            }
            (None, Some(_)) if self.machine.is_some() => return Err(BuildError::MachineOfDeployment),
            (None, Some(ecs)) => (Subject::Deployment { uuid: ecs.uuid.clone() }, Some(Deployment(ecs))),
            _ => return Err(BuildError::Subject),
        };
        let accepted =
            |language: &str| HeaderValue::from_str(language).map_err(|_| BuildError::Language(language.into()));
        let language = self.language.as_deref().map(accepted).transpose()?;
        let state_dir = self.state_dir.ok_or(BuildError::StateDir)?;
        Ok(Client {
            wire: Wire::new(server, language, self.connect_timeout),
            patience: self.total_timeout,
            pinned: keys,
            store: Store::new(&state_dir, &self.product, &subject),
            expected: Expected { issuer: self.issuer, product: self.product, subject, seller: self.seller },
            deployment,
            version: self.version,
            first_run_grace: i64::try_from(self.first_run_grace.as_secs()).unwrap_or(i64::MAX),
            clock: self.clock,
        })
    }
}

/// The address to put paths behind.
fn server(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let loopback = matches!(uri.host()?, "localhost" | "127.0.0.1" | "[::1]");
    let safe = uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && loopback);
    (safe && uri.query().is_none()).then(|| address.trim_end_matches('/').to_owned())
}

fn named(what: &'static str, id: &str) -> Result<(), BuildError> {
    if id.is_empty() || id.len() > ID_MAX { Err(BuildError::Id(what)) } else { Ok(()) }
}
