//! `chopmark settlement` against a running server.

use std::process::Output;

use chopmark_simulator::finance::{Books, Kind, Language, Month, Sold};
use chopmark_simulator::orders::Cents;
use serde_json::Value;

use crate::settlement_till::{Act, Call, Sequence, Till, sold};

/// A till with its command line.
struct Clerk {
    till: Till,
}

impl Clerk {
    fn run(&self, words: &str) -> Output {
        let api = self.till.shop.server.api.to_string();
        let words: Vec<&str> = words.split(' ').collect();
        self.till.shop.home.run(&[&["settlement"], words.as_slice(), &["--seller", "acme", "--api", &api]].concat())
    }

    #[track_caller]
    fn ok(&self, words: &str) -> String {
        let output = self.run(words);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{words}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// What is said on both outputs, and the exit code.
    fn told(&self, words: &str) -> (Option<i32>, String) {
        let output = self.run(words);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.till.shop.home.folder.path().join(name), bytes).unwrap();
    }
}

/// The lines of a text that have all these words.
#[track_caller]
fn has(text: &str, words: &[&str]) {
    let found = text.lines().any(|line| words.iter().all(|word| line.split_whitespace().any(|said| said == *word)));
    assert!(found, "{words:?} is on no line of\n{text}");
}

async fn open() -> (Clerk, Books, [Sold; 2]) {
    let till = Till::open("", "").await;
    let mut books = Books::with_fee(500);
    let right = sold(Kind::New, 10_000, "2024-05-05 10:00:00");
    let wrong = sold(Kind::New, 20_000, "2024-05-06 10:00:00");
    [&right, &wrong].into_iter().for_each(|sold| books.enter(sold.clone()));
    let acts = [&right, &wrong].map(|sold| Act { sold: sold.clone(), call: Call::Buy });
    till.call_in(&acts).await;
    (Clerk { till }, books, [right, wrong])
}

#[tokio::test]
async fn a_month_from_its_details_to_its_close() {
    let (clerk, books, [right, wrong]) = open().await;
    clerk.file("details.xlsx", &books.all_transactions(Language::English).to_xlsx());
    let look = clerk.ok("import transactions details.xlsx");
    assert!(look.contains("Effective Time → effective_at") && look.ends_with("--commit takes it\n"), "{look}");
    assert!(clerk.ok("import transactions details.xlsx --commit").ends_with("\ntaken\n"));
    assert!(clerk.ok("import transactions details.xlsx --commit").ends_with("it was taken before\n"));
    clerk.till.settles(&right, "202405", "95").await;
    clerk.till.settles(&wrong, "202405", "190").await;
    has(&clerk.ok("lines --period 202405"), &[right.name(), "NEW", "202405", "100.00", "~95.00"]);
    has(&clerk.ok("periods"), &["202405", "generic", "CNY", "RUN", "2024-06-03", "2", "300.00", "285.00"]);

    let mut bill = books.bill(Month::new(2024, 5));
    bill.set_off(wrong.name(), Cents(-123));
    clerk.file("bill.csv", &bill.export(Language::Chinese).to_csv());
    let look = clerk.ok("import bill bill.csv --period 202405");
    assert!(look.contains("revision 1: 2 rows, 283.77 CNY"), "{look}");
    clerk.ok("import bill bill.csv --period 202405 --commit");
    let (code, said) = clerk.told("reconcile 202405");
    let key = format!("line:{}", wrong.name());
    assert_eq!(code, Some(1), "{said}");
    has(&said, &["AMOUNT_DIFFERS", &key, "190.00", "188.77", "-1.23"]);
    assert!(!said.contains(right.name()), "only differences: {said}");
    clerk.ok(&format!("judge 202405 {key} --dispute --note ticket-4711"));
    let judged = clerk.ok("reconcile 202405 --all");
    has(&judged, &[&key, "DISPUTED"]);
    has(&judged, &["MATCHED", &format!("line:{}", right.name())]);

    bill.set_off(wrong.name(), Cents(123));
    clerk.file("again.csv", &bill.export(Language::Chinese).to_csv());
    let look = clerk.ok("import bill again.csv --period 202405 --commit");
    assert!(look.contains("settle_amount 188.77 → 190"), "{look}");
    has(&clerk.ok("reconcile 202405 --all"), &["MATCHED", &key]);

    assert!(clerk.ok("close 202405").contains("2 lines") && clerk.ok("close 202405").contains("--commit closes it"));
    assert!(clerk.ok("close 202405 --commit").ends_with("closed\n"));
    clerk.ok(&format!("state {} --voucher 20.00", right.line.as_ref().unwrap().order_id));
    clerk
        .till
        .until(async |_| {
            let said = clerk.ok("close 202405");
            if said.contains("would be corrected by -19.00") { Ok(()) } else { Err(said) }
        })
        .await;
    let (code, said) = clerk.told("adjust 202405 --id late --amount -19 --note late");
    assert_eq!(code, Some(1), "a closed month takes nothing: {said}");
    clerk.ok("adjust 202406 --id late --amount -19.00 --note late");
    has(&clerk.ok("lines --period 202406"), &["adjustment/202406/late", "ADJUSTMENT", "202406"]);
}

#[tokio::test]
async fn what_is_sold_and_not_paid_is_forecast() {
    let (clerk, _, [right, _]) = open().await;
    let unpaid = Sold { paid: None, ..right };
    clerk.till.play(Sequence::ImportFirst, &[Act { sold: unpaid.clone(), call: Call::Never }]).await;
    clerk
        .till
        .until(async |_| {
            let said = clerk.ok("lines --blocked UNPAID_CREDIT");
            if said.contains(unpaid.name()) { Ok(()) } else { Err(said) }
        })
        .await;
    let forecast = clerk.ok("forecast");
    has(&forecast, &["UNPAID_CREDIT", "CNY", "1", "95.00"]);
    let json: Value = serde_json::from_str(&clerk.ok("forecast --json")).unwrap();
    assert_eq!(json["without_period"][0]["expected"]["lines"], 1, "{json}");
}

#[tokio::test]
async fn views_are_written_to_files() {
    let (clerk, books, [right, wrong]) = open().await;
    clerk.file("details.csv", &books.all_transactions(Language::Chinese).to_csv());
    clerk.ok("import transactions details.csv --commit");
    clerk.till.settles(&right, "202405", "95").await;
    clerk.till.settles(&wrong, "202405", "190").await;
    clerk.ok("export lines --period 202405 --output lines.csv");
    let folder = clerk.till.shop.home.folder.path();
    let lines = std::fs::read_to_string(folder.join("lines.csv")).unwrap();
    assert!(lines.contains(right.name()) && lines.contains(wrong.name()), "{lines}");
    for view in ["lines", "periods", "forecast"] {
        clerk.ok(&format!("export {view} --output {view}.xlsx"));
        let bytes = std::fs::read(folder.join(format!("{view}.xlsx"))).unwrap();
        assert!(bytes.starts_with(b"PK"), "{view}");
    }
    let (code, said) = clerk.told("export lines --output lines.txt");
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = clerk.told("export reconciliation --output r.csv");
    assert!(code == Some(2) && said.contains("--period"), "{said}");
}

#[tokio::test]
async fn a_file_with_a_bad_cell_is_not_taken_and_the_cell_is_told() {
    let (clerk, _, _) = open().await;
    clerk.file("bad.csv", "订单行ID,结算金额\r\nCS1-000001,95.00\r\nCS2-000001,ninety\r\n".as_bytes());
    for commit in ["", " --commit"] {
        let (code, said) = clerk.told(&format!("import bill bad.csv --period 202405{commit}"));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("row 3, column 结算金额: ") && said.contains("ninety"), "{said}");
    }
    let (code, said) = clerk.told("reconcile 202405");
    assert!(code == Some(1) && said.contains("no bill of 202405 was imported"), "{said}");
}

#[tokio::test]
async fn exit_codes_tell_what_went_wrong() {
    let (clerk, ..) = open().await;
    let home = &clerk.till.shop.home;
    let api = clerk.till.shop.server.api.to_string();
    let code = |words: &[&str]| home.run(&[&["settlement", "periods"], words].concat()).status.code();
    assert_eq!(code(&["--api", &api]), Some(2), "there are two sellers, and none is named");
    assert_eq!(code(&["--seller", "acme"]), Some(2), "the configuration leaves the port open");
    assert_eq!(code(&["--seller", "acme", "--api", "http://127.0.0.1:9"]), Some(1), "nobody answers");
    clerk.file("token", b"cmk_wrong");
    let wrong = ["--seller", "acme", "--api", &api, "--token-file", "token"];
    assert_eq!(code(&wrong), Some(2), "a token that nobody made");
    assert_eq!(code(&["--seller", "acme", "--api", &api]), Some(0));
}
