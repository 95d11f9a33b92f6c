//! The name of a schema.

use crate::error::PostgresError;

/// The longest name that PostgreSQL keeps whole.
const NAME_MAX: usize = 63;

/// Refuses names that could mean something else in a statement: a schema is named by at most 63 small letters, digits and
/// `_`.
///
/// # Errors
/// [`PostgresError::Schema`].
pub fn check_schema(name: &str) -> Result<(), PostgresError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit();
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    if begins_well && name.len() <= NAME_MAX && name.bytes().all(is_plain) && !name.starts_with("pg_") {
        return Ok(());
    }
    Err(PostgresError::Schema { name: name.chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_plain_name() {
        for name in ["chopmark", "a_1", "_", &"a".repeat(63)] {
            check_schema(name).unwrap();
        }
        for name in ["", "1a", "Chopmark", "a-b", "a b", "a;", "\"a\"", "pg_toast", "é", &"a".repeat(64)] {
            check_schema(name).unwrap_err();
        }
    }
}
