//! `chopmark token`: who may look things up, from the shell.

use std::sync::Arc;

use chopmark_commands::{CommandError, Commands, SystemClock};
use chopmark_domain::access::{Access, Grant, Role, TokenRefusal, TokenStatus};
use chopmark_log::Engine;
use chopmark_query::{NewToken, TokenWanted, new_token};
use chrono::{DateTime, SubsecRound, Utc};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::kept::{HELP, existing_log};
use super::{operator, seen, text};
use crate::cli::token::{CreateArgs, ListArgs, RevokeArgs, TokenCommand};
use crate::config::Config;
use crate::failure::{Failure, OrFail, Reason};
use crate::server::log::Care;

/// Makes, lists or takes back.
///
/// # Errors
/// The log cannot be used, the name is taken or cannot be one, or there is no such token.
pub(crate) async fn run(command: &TokenCommand, config: &Config) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => {
            // Looked at before anything is made.
            args.sellers.iter().try_for_each(|seller| operator::must_be_configured(seller, config))?;
            let token = wanted(args)?;
            let log = operator::log(config).await?;
            let done = create(args, &token, &commands(&log)).await;
            log.close().await;
            done
        }
        TokenCommand::List(args) => {
            let log = existing_log(config, Care::BesideAServer).await?;
            let done = list(args, config, &commands(&log)).await;
            log.close().await;
            done
        }
        TokenCommand::Revoke(args) => {
            let log = existing_log(config, Care::BesideAServer).await?;
            let done = revoke(args, &commands(&log)).await;
            log.close().await;
            done
        }
    }
}

fn commands(log: &Arc<dyn Engine>) -> Commands {
    Commands::new(log.clone(), Arc::new(SystemClock))
}

fn wanted(args: &CreateArgs) -> Result<NewToken, Failure> {
    let wanted = TokenWanted {
        id: args.name.clone(),
        role: args.role.into(),
        sellers: args.sellers.clone(),
        expires_in_seconds: args.expires_in,
    };
    // An end to the second is as exact as anybody means it.
    new_token(wanted, Utc::now().trunc_subsecs(0)).or_fail(
        Reason::Usage,
        format!("a token named {:?}", args.name),
        "choose another name, like helpdesk-2",
    )
}

async fn create(args: &CreateArgs, token: &NewToken, commands: &Commands) -> Result<(), Failure> {
    let NewToken { text, grant } = token;
    match commands.create_token(grant.clone(), &operator::cause()).await {
        Err(CommandError::Token(refusal @ TokenRefusal::Exists(_))) => {
            let help = "names are for ever, since histories carry them; see what is taken: chopmark token list";
            return Err(Failure::new(Reason::CheckFailed, refusal.to_string(), help));
        }
        done => done.or_fail(Reason::Storage, format!("token {}", grant.id), HELP)?,
    };
    if args.json {
        let mut shown = as_json(grant, TokenStatus::Active, None);
        shown.insert("token".into(), text.expose_secret().into());
        return crate::print(&format!("{}\n", Value::from(shown)));
    }
    let (role, sellers) = (role(grant.role), sellers(grant));
    let end = grant.expires_at.map_or_else(|| "for ever".into(), |at| format!("until {}", text::time(at)));
    crate::explain(&format!("token {}: role {role}, sellers {sellers}, {end}. It is shown this once:\n", grant.id));
    crate::print(&format!("{}\n", text.expose_secret()))
}

async fn list(args: &ListArgs, config: &Config, commands: &Commands) -> Result<(), Failure> {
    let access = commands.access().await.or_fail(Reason::Storage, "the tokens", HELP)?;
    let last_used = seen::read(&config.views, async |seen| seen.token_last_used().await).await;
    let now = Utc::now();
    let used = |grant: &Grant| last_used.get(&grant.id).copied();
    if args.json {
        let line = |grant: &Grant| format!("{}\n", Value::from(as_json(grant, access.status(grant, now), used(grant))));
        return crate::print(&access.grants().iter().map(line).collect::<String>());
    }
    if access.grants().is_empty() {
        return crate::print("no token\n");
    }
    let rows: Vec<Vec<String>> = access.grants().iter().map(|grant| row(grant, &access, used(grant), now)).collect();
    crate::print(&text::table(&["NAME", "STATUS", "ROLE", "SELLERS", "EXPIRES", "LAST USED"], &rows))
}

async fn revoke(args: &RevokeArgs, commands: &Commands) -> Result<(), Failure> {
    let access = commands.access().await.or_fail(Reason::Storage, "the tokens", HELP)?;
    let known = access.grants().iter().find(|grant| grant.id == args.name);
    if known.is_some_and(|grant| access.status(grant, Utc::now()) == TokenStatus::Revoked) {
        return crate::print("revoked already\n");
    }
    match commands.revoke_token(&args.name, &operator::cause()).await {
        Err(CommandError::Token(TokenRefusal::Unknown(name))) => {
            let what = format!("there is no token named {name}");
            return Err(Failure::new(Reason::CheckFailed, what, "list them: chopmark token list"));
        }
        done => done.or_fail(Reason::Storage, format!("token {}", args.name), HELP)?,
    };
    crate::print("revoked: nobody can use it any more\n")
}

fn row(grant: &Grant, access: &Access, used: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Vec<String> {
    vec![
        grant.id.clone(),
        status(access.status(grant, now)).into(),
        role(grant.role).into(),
        sellers(grant),
        grant.expires_at.map_or_else(|| "never".into(), text::time),
        used.map_or_else(|| "-".into(), text::clock_time),
    ]
}

/// A token as `GET /v1/tokens` shows it.
fn as_json(grant: &Grant, status: TokenStatus, used: Option<DateTime<Utc>>) -> Map<String, Value> {
    let members = [
        ("id", Some(json!(grant.id))),
        ("role", Some(json!(grant.role))),
        ("sellers", Some(json!(grant.sellers))),
        ("expires_at", grant.expires_at.map(|at| text::time(at).into())),
        ("status", Some(json!(status))),
        ("last_used", used.map(|at| text::clock_time(at).into())),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Support => "support",
        Role::Finance => "finance",
        Role::Admin => "admin",
    }
}

fn status(status: TokenStatus) -> &'static str {
    match status {
        TokenStatus::Active => "active",
        TokenStatus::Expired => "expired",
        TokenStatus::Revoked => "revoked",
    }
}

/// E.g. `acme, other`; `all`.
fn sellers(grant: &Grant) -> String {
    let names: Vec<&str> = grant.sellers.iter().map(|seller| seller.as_str()).collect();
    if names.is_empty() { "all".into() } else { names.join(", ") }
}
