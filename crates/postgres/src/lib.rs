//! Connections to PostgreSQL: what a URL says of the server, how the connection is protected, how long anything may take,
//! and what an error means to whoever must mend it.
//!
//! An [`Address`] is made once, of a secret URL and the [`Session`] that its user wants. From there come a [`Pool`], for
//! many short uses, and a [`Connection`] of one's own, for what lasts: waiting for notices, holding a lock.
//!
//! Statements and tables are the business of whoever connects.

mod address;
mod connection;
mod error;
mod hosts;
mod pool;
mod schema;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;

pub use address::{Address, Session};
pub use connection::Connection;
pub use error::{PostgresError, timely};
pub use pool::{Lent, Pool};
pub use schema::check_schema;
