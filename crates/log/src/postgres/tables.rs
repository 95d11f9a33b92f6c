//! Tables and functions of a log in PostgreSQL: made where there are none, refused where they are of another format.

use chopmark_postgres::{Connection, PostgresError, check_schema};

use super::error::ConnectError;

/// The format of the tables, with their functions.
pub(super) const FORMAT: i32 = 1;

const CREATE: &str = include_str!("create.sql");
const FUNCTIONS: &str = include_str!("functions.sql");

/// A log's tables, in a schema of their own.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    schema: String,
}

impl Tables {
    pub(super) fn new(schema: &str) -> Result<Self, PostgresError> {
        check_schema(schema)?;
        Ok(Self { schema: schema.into() })
    }

    /// The channel on which appends are told.
    pub(super) fn channel(&self) -> &str {
        &self.schema
    }

    /// A statement, with the schema's name where it says `{schema}`, and as a text where it says `{name}`. The name needs no
    /// escape: it is of letters, digits and `_`.
    pub(super) fn sql(&self, statement: &str) -> String {
        statement.replace("{schema}", &format!("\"{}\"", self.schema)).replace("{name}", &format!("'{}'", self.schema))
    }

    /// Makes the tables where there are none. Of two that begin at once, one waits for the other.
    pub(super) async fn begin(&self, connection: &Connection) -> Result<(), ConnectError> {
        let server = "SELECT current_setting('server_encoding'), to_regclass($1) IS NOT NULL";
        let server = connection.query_one(server, &[&self.sql("{schema}.format")]).await?;
        let encoding: String = server.try_get(0)?;
        if encoding != "UTF8" {
            return Err(ConnectError::Encoding { encoding });
        }
        if !server.try_get::<_, bool>(1)? {
            connection.batch_execute(&self.sql(&CREATE.replace("{functions}", FUNCTIONS))).await?;
        }
        let format = connection.query_one(&self.sql("SELECT max(version) FROM {schema}.format"), &[]).await?;
        match format.try_get::<_, Option<i32>>(0)? {
            Some(FORMAT) => Ok(()),
            found => Err(ConnectError::Format { schema: self.schema.clone(), found: found.unwrap_or(0) }),
        }
    }
}
