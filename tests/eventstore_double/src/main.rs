//! A double of an EventStoreDB server as a program: it prints where it listens, and takes commands on its input.

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use chopmark_eventstore_double::{COMMANDS, Double, Options};
use clap::Parser;

/// A double of an EventStoreDB server, for tests. Prints `listening on ADDRESS`, then takes commands, one a line, and
/// answers each with `ok` or `no: …`. Serves until it is killed, also when its input ends.
#[derive(Parser)]
#[command(after_help = format!("Commands:\n{COMMANDS}"))]
struct Arguments {
    /// Where to listen; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The file, made where there is none. Several doubles may share one.
    #[arg(long)]
    data: PathBuf,
    /// NAME:PASSWORD that calls must show.
    #[arg(long)]
    user: Option<String>,
}

fn main() -> io::Result<()> {
    let Arguments { listen, data, user } = Arguments::parse();
    let double = Double::start(Options { listen, data, user })?;
    let mut output = io::stdout();
    writeln!(output, "listening on {}", double.address())?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        match double.tell(&line?) {
            Ok(()) => writeln!(output, "ok")?,
            Err(error) => writeln!(output, "no: {}", error.lines().next().unwrap_or_default())?,
        }
        output.flush()?;
    }
    loop {
        std::thread::park();
    }
}
