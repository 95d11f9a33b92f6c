//! The canonical form of a body: what the marketplace's sample project signs when the bytes themselves do not match.

use crate::json::{Json, Object};

/// Top-level keys ascending, members whose value is null left out, written as Jackson does; objects within keep
/// the order they came in (HTTP Body签名, zh-cn_topic_0070649476, and the sample project of SaaS V2.0).
///
/// Ascending means by UTF-16 code units, the natural order of Java strings. Numbers keep their spelling.
pub(crate) fn canonical_form(body: &Object) -> String {
    let mut form = body.filtered(|_, value| *value != Json::Null);
    form.sort_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
    form.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(body: &str) -> String {
        match Json::parse(body.as_bytes()) {
            Ok(Json::Object(object)) => canonical_form(&object),
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn the_published_kit_body_is_sorted_as_its_signature_needs() {
        let raw = r#"{"instanceId":"huaiweitest123456","orderId":"CS1906666666ABCDE","tenantId":"68cbc86abc2018ab880d92f36422fa0e","tenantCode":"huawei","name":"huaiweitest","domainName":"https://example.tenantaccount.com","flag":1,"testFlag":0,"timeStamp":"20220413093539534"}"#;
        let sorted = r#"{"domainName":"https://example.tenantaccount.com","flag":1,"instanceId":"huaiweitest123456","name":"huaiweitest","orderId":"CS1906666666ABCDE","tenantCode":"huawei","tenantId":"68cbc86abc2018ab880d92f36422fa0e","testFlag":0,"timeStamp":"20220413093539534"}"#;
        assert_eq!(canonical(raw), sorted);
    }

    #[test]
    fn only_the_top_level_is_sorted_and_freed_of_nulls() {
        assert_eq!(
            canonical(" {\"z\" : {\"b\":null, \"a\": [ 1 , null ]},\n\"n\":null, \"a\":true} "),
            r#"{"a":true,"z":{"b":null,"a":[1,null]}}"#
        );
        assert_eq!(canonical(r#"{"a":null}"#), "{}");
    }

    #[test]
    fn keys_ascend_by_utf16_code_units() {
        // U+FF5E is one code unit above the surrogates that begin U+1F600; by code points it is the other way round.
        assert_eq!(canonical(r#"{"～":1,"😀":2,"a":3,"B":4,"":5}"#), r#"{"":5,"B":4,"a":3,"😀":2,"～":1}"#);
    }

    #[test]
    fn texts_are_written_as_jackson_does_and_numbers_as_they_came() {
        assert_eq!(
            canonical(
                r#"{"a":"\u4e2d\/\u0041\"\\ \n\r\t\b\f\u001f\u007f\ud83d\ude00","n":[1.50,-0,1E5,12345678901234567890]}"#
            ),
            "{\"a\":\"中/A\\\"\\\\ \\n\\r\\t\\b\\f\\u001F\u{7f}😀\",\"n\":[1.50,-0,1E5,12345678901234567890]}"
        );
    }
}
