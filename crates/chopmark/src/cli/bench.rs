//! `chopmark bench`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

/// `chopmark bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Measures this only; may be repeated [default: everything]
    #[arg(long, value_enum, value_name = "MEASUREMENT")]
    pub(crate) only: Vec<Measurement>,
    /// Rounds of each measurement; the median counts
    #[arg(long, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(crate) rounds: u32,
    /// Licenses in the index, for `checks` and `memory`
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) licenses: u32,
    /// Settlement lines in the billing views, for `settlement`
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(crate) lines: u32,
    /// A PostgreSQL to measure `callbacks` and `settlement` in too, by a user who may create schemas; also
    /// CHOPMARK_BENCH_POSTGRES_URL
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<SecretString>,
    /// An EventStoreDB or KurrentDB to measure `callbacks` over too; what is appended stays there; also
    /// CHOPMARK_BENCH_EVENTSTORE_URL
    #[arg(long, value_name = "URL")]
    pub(crate) eventstore: Option<SecretString>,
    /// A folder on the disk to measure; what is made there is removed [default: the current folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Prints the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measurement {
    /// Durable appends, beside a plain file with fdatasync
    Appends,
    /// Callbacks over HTTP, beside the same without the append; over a log elsewhere, beside its driver alone
    Callbacks,
    /// Checks over HTTP, beside a bare route of the same size
    Checks,
    /// Rebuilding, beside reading and decoding the same records
    Rebuild,
    /// Bytes of memory for each license
    Memory,
    /// What finance asks over many settlement lines, beside the bare SQL of the same rows
    Settlement,
}
