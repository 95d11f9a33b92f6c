//! A PostgreSQL for tests: Debian's, in a temporary folder, reached by a socket in there.
//!
//! Tests that ask and write share one server ([`shared_url`]) and use a [`TestSchema`] each. Those that stop it, pause it or
//! want settings start a [`Server`] of their own.

mod proxy;

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio_postgres::NoTls;

pub use self::proxy::Proxy;

/// A running server to use instead of starting one: `postgres://…`, of a user who may create schemas.
pub const URL_VARIABLE: &str = "CHOPMARK_TEST_POSTGRES_URL";

const MISSING: &str = "this test needs PostgreSQL: on Debian, `apt-get install postgresql`; or name a running server in \
                       CHOPMARK_TEST_POSTGRES_URL";

/// Whom the server runs as where the tests run as root, which PostgreSQL refuses.
const USER: &str = "postgres";

/// Where Debian keeps the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Starts the server, says so, and waits until nobody holds the other end of its input any more: that is when the test
/// has ended, however it ended. Then server and folder go.
const WATCH: &str = r#"
"$1/pg_ctl" --pgdata data --wait --silent --log log --options "$2" start >/dev/null 2>&1 && echo ready
cat >/dev/null
"$1/pg_ctl" --pgdata data --mode immediate --silent stop >/dev/null 2>&1
cd / && rm -rf "$3"
"#;

/// A server that ends when it is dropped, or when the process ends.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    watch: Child,
}

/// The URL of a server that all tests of a process share. Each test uses a schema or a database of its own.
///
/// # Panics
/// PostgreSQL is not installed or does not start. The text says what to install.
#[must_use]
#[expect(clippy::panic, reason = "a test that cannot run fails and says why")]
pub fn shared_url() -> String {
    static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return url;
    }
    match SHARED.get_or_init(|| Server::start(&[], &[])) {
        Ok(server) => server.url(),
        Err(reason) => panic!("{reason}"),
    }
}

impl Server {
    /// Starts a server with files in its folder, which only it can read, and settings like `ssl_key_file=../server.key`.
    ///
    /// # Errors
    /// PostgreSQL is not installed or does not start, in words.
    pub fn start(files: &[(&str, &str)], settings: &[&str]) -> Result<Self, String> {
        let programs = programs().ok_or(MISSING)?;
        let folder = folder()?;
        files.iter().try_for_each(|(name, text)| keep(&folder.join(name), text))?;
        run(as_user(&programs.join("initdb"), &folder).args([
            "--pgdata=data",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]))?;
        // What tests write need not outlive them.
        let mut options = format!("-c unix_socket_directories={} -c fsync=off", folder.display());
        for setting in ["listen_addresses=", "max_connections=200"].iter().chain(settings) {
            options.push_str(&format!(" -c {setting}"));
        }
        let mut watch = as_user(Path::new("/bin/sh"), &folder);
        watch.args(["-c", WATCH, "watch"]).arg(&programs).arg(options).arg(&folder);
        watch.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut watch = watch.spawn().map_err(|error| format!("{watch:?}: {error}"))?;
        let mut said = String::new();
        if let Some(stdout) = watch.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut said);
        }
        let server = Self { folder, watch };
        if said == "ready\n" { Ok(server) } else { Err(format!("PostgreSQL does not start:\n{}", server.log())) }
    }

    /// Its URL; of a user who may do everything.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.folder.display().to_string().replace('/', "%2F"))
    }

    /// Ends it at once, as a power cut would, and starts it again.
    ///
    /// # Errors
    /// It does not start again, in words.
    pub fn restart(&self) -> Result<(), String> {
        self.control(&["--log", "log", "--mode", "immediate", "restart"])
    }

    /// Ends it at once, as a power cut would.
    ///
    /// # Errors
    /// It does not run, in words.
    pub fn stop(&self) -> Result<(), String> {
        self.control(&["--mode", "immediate", "stop"])
    }

    /// Starts it again, as it was.
    ///
    /// # Errors
    /// It does not start, in words.
    pub fn start_again(&self) -> Result<(), String> {
        // What a server was started with is kept by its folder; that is what a restart goes by.
        self.restart()
    }

    /// Lets none of its processes run, as if the machine stood still: connections stay, and nothing answers.
    ///
    /// # Errors
    /// It does not run, in words.
    pub fn pause(&self) -> Result<(), String> {
        self.signal("STOP")
    }

    /// Lets its processes go on where they were.
    ///
    /// # Errors
    /// It does not run, in words.
    pub fn resume(&self) -> Result<(), String> {
        self.signal("CONT")
    }

    fn signal(&self, name: &str) -> Result<(), String> {
        let file = self.folder.join("data/postmaster.pid");
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let first = text.lines().next().unwrap_or_default().to_owned();
        let kill = |processes: &str| run(Command::new("/bin/sh").args(["-c", &format!("kill -{name} {processes}")]));
        // The first makes no more of them while it stands.
        kill(&first)?;
        let file = format!("/proc/{first}/task/{first}/children");
        let others = std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        // One of them may have ended meanwhile.
        others.split_whitespace().for_each(|other| _ = kill(other));
        Ok(())
    }

    fn control(&self, words: &[&str]) -> Result<(), String> {
        let programs = programs().ok_or(MISSING)?;
        let mut control = as_user(&programs.join("pg_ctl"), &self.folder);
        run(control.args(["--pgdata", "data", "--wait", "--silent"]).args(words))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

/// A schema for one test, in a server that others use too. It is not made by this; whatever is in it goes when the server
/// does or, on one that somebody named, when this is dropped.
#[derive(Debug)]
pub struct TestSchema {
    url: String,
    name: String,
}

impl TestSchema {
    /// A name that nobody else has, on the server that all tests of a process share.
    ///
    /// # Panics
    /// As of [`shared_url`].
    #[must_use]
    pub fn new() -> Self {
        Self::at(shared_url())
    }

    /// The same, on another server.
    #[must_use]
    pub fn at(url: String) -> Self {
        Self { url, name: format!("chopmark_test_{}", unique()) }
    }

    /// The server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The schema's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection past whatever is tested, with this schema first on its path.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn client(&self) -> Result<tokio_postgres::Client, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = {}", self.name)).await?;
        Ok(client)
    }
}

impl Default for TestSchema {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestSchema {
    /// A server that somebody named is left as it was.
    fn drop(&mut self) {
        if std::env::var_os(URL_VARIABLE).is_none() {
            return;
        }
        let (url, name) = (self.url.clone(), self.name.clone());
        let drop_schema = async move {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE")).await
        };
        // A runtime does not wait within a runtime.
        let dropping = std::thread::spawn(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map(|runtime| runtime.block_on(drop_schema))
        });
        let _ = dropping.join();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that stands still does not end either.
        let _ = self.resume();
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// The folder of `initdb` and `postgres`; the newest, where there are several.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok().into_iter().flatten().flatten();
    let debian = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        Some((number, version.path().join("bin")))
    });
    let debian = debian.filter(|(_, folder)| folder.join("initdb").exists()).max().map(|(_, folder)| folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.or_else(|| std::env::split_paths(&path).find(|folder| folder.join("initdb").exists()))
}

/// A part of a name that no other test has.
fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}_{}_{}", std::process::id(), since.as_micros(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A folder that the server may use.
fn folder() -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("chopmark-pg-{}", unique()));
    std::fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    make_private(&folder, 0o700)?;
    Ok(folder)
}

/// Writes a file that only the server can read.
fn keep(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    make_private(path, 0o600)
}

fn make_private(path: &Path, mode: u32) -> Result<(), String> {
    let permitted = std::fs::set_permissions(path, Permissions::from_mode(mode));
    permitted.map_err(|error| format!("{}: {error}", path.display()))?;
    if is_root() { run(Command::new("chown").arg(USER).arg(path)) } else { Ok(()) }
}

/// Runs a program as somebody whom PostgreSQL accepts, in a folder.
fn as_user(program: &Path, folder: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={USER}")).arg(format!("--regid={USER}")).arg("--init-groups").arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder);
    command
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}; {MISSING}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {said}\n{MISSING}")) }
}
