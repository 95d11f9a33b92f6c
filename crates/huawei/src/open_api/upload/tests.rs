use proptest::prelude::*;

use super::*;

fn text(form: &Form) -> String {
    String::from_utf8_lossy(&form.body).into_owned()
}

#[test]
fn a_text_is_a_form_of_one_part() {
    let form = Upload::Text("LIC-TEXT").form().unwrap();
    let boundary = form.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert_eq!(
        text(&form),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"isvUpdateFileReq\"\r\nContent-Type: application/json\r\n\r\n\
             {{\"type\":\"CHARACTERS\",\"characters\":\"LIC-TEXT\"}}\r\n--{boundary}--\r\n"
        )
    );
    assert_eq!(Upload::Text("LIC-TEXT").form().unwrap(), form, "the same license makes the same bytes");
}

#[test]
fn a_file_comes_with_its_name_and_hash() {
    let form = Upload::File { name: "license \"1\"\r\n.lic", content: b"abc" }.form().unwrap();
    let boundary = form.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert_eq!(
        text(&form),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"isvUpdateFileReq\"\r\nContent-Type: application/json\r\n\r\n\
             {{\"type\":\"FILE\",\"file_name\":\"license \\\"1\\\"\\r\\n.lic\",\"sha256\":\
             \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"license %221%22%0D%0A.lic\"\r\n\
             Content-Type: application/octet-stream\r\n\r\nabc\r\n--{boundary}--\r\n"
        )
    );
}

#[test]
fn what_the_marketplace_would_not_take_is_not_sent() {
    let refused = |upload: Upload<'_>| upload.form().unwrap_err();
    assert!(Upload::Text(&"界".repeat(1024)).form().is_ok());
    let error = refused(Upload::Text(&"界".repeat(1025)));
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(error.message, "a license text has 1025 characters; the marketplace takes 1 to 1024");
    assert_eq!(refused(Upload::Text("")).kind, ErrorKind::Refused);
    for name in ["", &"x".repeat(1025)] {
        assert_eq!(refused(Upload::File { name, content: b"abc" }).kind, ErrorKind::Refused);
    }
}

#[test]
fn an_event_id_stays_one_part_of_the_path() {
    let path = |id: &str| upload_path(&EventId::parse(id).unwrap());
    assert_eq!(path("ev-0001").unwrap(), "/api/mkp-openapi-public/global/v1/market-event/ev-0001/file");
    assert_eq!(
        path("../a?b#%2f界").unwrap(),
        "/api/mkp-openapi-public/global/v1/market-event/..%2Fa%3Fb%23%252f%E7%95%8C/file"
    );
    for dots in [".", ".."] {
        assert_eq!(path(dots).unwrap_err().kind, ErrorKind::Refused);
    }
}

#[test]
fn every_answer_has_its_meaning_whatever_the_http_status() {
    for (status, code, expected) in [
        (200, "92020000", None),
        (500, "92020000", None),
        (200, "92020003", None),
        (403, "92020001", Some(ErrorKind::Transient)),
        (200, "92020002", Some(ErrorKind::Refused)),
        (200, "92020004", Some(ErrorKind::Refused)),
        (200, "92020005", Some(ErrorKind::Refused)),
        (200, "92020099", Some(ErrorKind::Transient)),
        (401, "APIGW.0301", Some(ErrorKind::Refused)),
        (503, "APIGW.0201", Some(ErrorKind::Transient)),
        (200, "APIGW.92020000", Some(ErrorKind::Refused)),
    ] {
        let body = format!(r#"{{"error_code":"{code}","error_msg":"words"}}"#);
        let kind = parse_upload_answer(status, body.as_bytes()).err().map(|error| error.kind);
        assert_eq!(kind, expected, "{code}, HTTP {status}");
    }
    assert_eq!(parse_upload_answer(200, b"").unwrap_err().kind, ErrorKind::Malformed);
    assert_eq!(parse_upload_answer(502, b"<html>").unwrap_err().kind, ErrorKind::Transient);
}

proptest! {
    #[test]
    fn the_line_between_parts_stands_in_no_content(content: Vec<u8>, name in ".{1,40}") {
        let form = Upload::File { name: &name, content: &content }.form().unwrap();
        let boundary = form.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let line = format!("--{boundary}");
        let lines = form.body.windows(line.len()).filter(|window| *window == line.as_bytes()).count();
        prop_assert_eq!(lines, 3);
    }

    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>) {
        let _ = parse_upload_answer(status, &body);
    }
}
