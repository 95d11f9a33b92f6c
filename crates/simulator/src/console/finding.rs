//! What can be wrong with an answer, each with a sentence for the seller.

use serde::Serialize;

/// Something that the marketplace would not accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Finding {
    /// No answer at all.
    #[error("there was no answer: {problem}")]
    NoAnswer {
        /// What happened instead.
        problem: String,
    },
    /// Not within five seconds.
    #[error("the answer took {millis} ms; the marketplace waits 5 s")]
    Late {
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// Not status 200.
    #[error("HTTP status {found}; only 200 counts, whatever the result")]
    Status {
        /// The status found.
        found: u16,
    },
    /// Not `application/json`.
    #[error("Content-Type is {found:?}; only application/json is read")]
    ContentType {
        /// The header found; empty where there is none.
        found: String,
    },
    /// Not a JSON object.
    #[error("the body is not a JSON object: {problem}")]
    NotJson {
        /// What is wrong with it.
        problem: String,
    },
    /// A mandatory field is absent, empty or not of its type.
    #[error("{field} is missing")]
    FieldMissing {
        /// Its name.
        field: String,
    },
    /// A field has more characters than the marketplace's tables allow.
    #[error("{field} has {length} characters; at most {max} are allowed")]
    FieldTooLong {
        /// Its name.
        field: String,
        /// Characters found.
        length: usize,
        /// Characters allowed.
        max: usize,
    },
    /// Another `resultCode` than the case calls for.
    #[error("resultCode is {found} ({message}); it must be {expected}")]
    ResultCode {
        /// What the case calls for.
        expected: String,
        /// What came.
        found: String,
        /// The `resultMsg` beside it.
        message: String,
    },
    /// The same purchase got another instance.
    #[error("the purchase was answered with instance {found}; it has instance {expected} already")]
    OtherInstance {
        /// The instance of the first answer.
        expected: String,
        /// The instance of this one.
        found: String,
    },
    /// An instance asked for is not in `info`.
    #[error("info has nothing about instance {instance}, which was asked for")]
    InstanceMissing {
        /// Which.
        instance: String,
    },
    /// An instance in `info` that nobody asked for.
    #[error("info has instance {instance}, which was not asked for")]
    InstanceNotAsked {
        /// Which.
        instance: String,
    },
    /// The same signed request was answered with other bytes.
    #[error("the identical request was answered differently: {found}")]
    OtherAnswer {
        /// The body of this answer.
        found: String,
    },
    /// No header `Body-Sign`.
    #[error("there is no header Body-Sign")]
    BodySignMissing,
    /// The header is there in other letters.
    #[error("the header is called {found:?}; only Body-Sign, in these letters, is found")]
    BodySignName {
        /// The name found.
        found: String,
    },
    /// Not of the documented form.
    #[error("Body-Sign is not of the form sign_type=\"HMAC-SHA256\", signature=\"<Base64 of 32 bytes>\": {found}")]
    BodySignMalformed {
        /// The value found.
        found: String,
    },
    /// Does not sign the body with the request's key.
    #[error("Body-Sign does not sign this body with the key of the request")]
    BodySignWrong,
}
