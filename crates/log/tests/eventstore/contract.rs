//! The promises that every log and every engine keeps.
//!
//! Those of a log are also asked of a real server, if one is named. Those of an engine want a server for each test: an import
//! must not be older than what others have appended, and there is one lease.

use crate::places::Server;

chopmark_log::event_log_contract!(Server::new);

mod engine {
    use super::Server;

    chopmark_log::engine_contract!(Server::double);
}
