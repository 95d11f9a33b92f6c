//! The views: when machines, deployments and tokens were last seen.

use chopmark_views::{Noted, Seen, ViewsError};
use chrono::{TimeDelta, Utc};

use super::finding::Finding;
use crate::cmd::text;
use crate::config::{Config, ViewsAt};
use crate::server::seen::open_kept;

const SUBJECT: &str = "views";

/// Every node writes within 15 seconds.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// Looks whether they can be used.
pub(super) async fn look(config: &Config) -> Finding {
    let place = match &config.views {
        ViewsAt::Sqlite { views_file, .. } => views_file.display().to_string(),
        ViewsAt::Postgres { .. } => "when who was last seen".into(),
    };
    match open_kept(&config.views).await {
        Ok(Some(seen)) => look_into(&seen, &place).await,
        Ok(None) => Finding::warn(SUBJECT, format!("{place} does not exist yet"), "it is made when the server starts"),
        Err(error) => failed(&error),
    }
}

async fn look_into(seen: &Seen, place: &str) -> Finding {
    let now = Utc::now();
    match seen.noted(now).await {
        Ok(Noted { through, .. }) if now - through > LATE => {
            let said = format!(
                "{place}: PostgreSQL answers, but a node that answers checks has written nothing since {}",
                text::time(through)
            );
            let mend = "see what the nodes log: no seat lapses until it writes again, or an hour is over";
            Finding::warn(SUBJECT, said, mend)
        }
        Ok(_) if seen.is_shared() => Finding::ok(SUBJECT, format!("{place}: PostgreSQL answers")),
        Ok(_) => Finding::ok(SUBJECT, format!("{place}: whole")),
        Err(error) => failed(&error),
    }
}

fn failed(error: &ViewsError) -> Finding {
    let mend = match error {
        ViewsError::Damaged { .. } => "no license depends on them: restart the server",
        ViewsError::Postgres { .. } | ViewsError::Url { .. } => {
            "no license depends on them: start the PostgreSQL, or mend views.url; what is seen waits in memory meanwhile"
        }
        ViewsError::NewerTables { .. } => "no license depends on them: run the newer program, or drop the schema",
        _ => "no license depends on them: stop the server, move the file away, and a new one is begun",
    };
    Finding::fail(SUBJECT, error.to_string(), mend)
}
