//! `chopmark serve`.

use clap::{Args, ValueEnum};

use super::ConfigArgs;

/// `chopmark serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Which part of Chopmark this process is
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub(crate) role: Role,
    /// Prints the commented default configuration, the reference of every key, and ends
    #[arg(long, conflicts_with = "check_config")]
    pub(crate) print_config: bool,
    /// Checks the configuration, its secrets included, says what it comes to, and ends
    #[arg(long)]
    pub(crate) check_config: bool,
}

/// A part of Chopmark. Processes of any role share a log; as many of each as are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Everything
    All,
    /// Answers the marketplace's callbacks
    Ingest,
    /// Answers checks, and people who look things up
    Query,
    /// Does what only one process does at a time; further ones wait to take over
    Worker,
}

impl Role {
    /// Whether the marketplace calls here.
    #[must_use]
    pub(crate) fn takes_callbacks(self) -> bool {
        matches!(self, Self::All | Self::Ingest)
    }

    /// Whether software and people ask here.
    #[must_use]
    pub(crate) fn answers_questions(self) -> bool {
        matches!(self, Self::All | Self::Query)
    }

    /// Whether it may be the one that leads.
    #[must_use]
    pub(crate) fn may_lead(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }

    /// Whether it signs leases or licenses, and knows licenses to do so.
    #[must_use]
    pub(crate) fn signs(self) -> bool {
        self != Self::Ingest
    }

    /// As it stands on the command line.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Ingest => "ingest",
            Self::Query => "query",
            Self::Worker => "worker",
        }
    }
}
