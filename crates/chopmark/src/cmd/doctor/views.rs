//! The views: when machines, deployments and tokens were last seen.

use chopmark_views::ViewsError;

use super::finding::Finding;
use crate::cmd::seen;
use crate::config::Config;

/// Looks whether they can be used.
pub(super) async fn look(config: &Config) -> Finding {
    let file = config.views.views_file().display();
    match seen::open(config.views.views_file()).await {
        Ok(Some(_)) => Finding::ok("views", format!("{file}: whole")),
        Ok(None) => Finding::warn("views", format!("{file} does not exist yet"), "it is made when the server starts"),
        Err(error @ ViewsError::Damaged { .. }) => {
            Finding::fail("views", error.to_string(), "no license depends on them: restart the server")
        }
        Err(error) => {
            let mend = "no license depends on them: stop the server, move the file away, and a new one is begun";
            Finding::fail("views", error.to_string(), mend)
        }
    }
}
