use std::sync::Arc;
use std::time::Instant;
use chopmark_domain::codec::StoredEvent;
use chopmark_domain::license;
use chopmark_log::{sqlite::*, *};
use chopmark_projector::*;
use uuid::Uuid;

fn rss() -> u64 { let s = std::fs::read_to_string("/proc/self/status").unwrap(); let l = s.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap(); l.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024 }
fn id(n: u64) -> Uuid { let x = (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835); Uuid::new_v8(x.to_be_bytes()) }
const KINDS: [&str; 3] = ["instance_created.v1", "license_order_facts_applied.v1", "license_refreshed.v1"];
fn data(n: u64, e: usize) -> Vec<u8> {
    match e {
        0 => format!(r#"{{"order":{{"order_id":"CS{n:012}","order_line_id":"CS{n:012}-000001"}}}}"#),
        1 => format!(r#"{{"order_id":"CS{n:012}","facts":{{"order_line_id":"CS{n:012}-000001","order_type":"NEW","charging_mode":"PERIOD","sku":"sku-{}","product_id":"OFFI1","quantity":20,"expires_at":"2027-10-27T10:30:15Z","ordered_at":"2026-10-27T10:30:15Z"}},"terms":{{"sku":"sku-{}","product_id":"OFFI1","quantity":20,"expires_at":"2027-10-27T10:30:15Z","expiry_approximate":true}}}}"#, n % 20, n % 20),
        _ => format!(r#"{{"scene":"RENEWAL","order":{{"order_id":"CR{n:012}","order_line_id":"CR{n:012}-000001"}},"expires_at":"2028-10-27T10:30:15Z"}}"#),
    }.into_bytes()
}
fn record(n: u64, e: usize, p: u64) -> Record {
    Record { id: Uuid::from_u128(p as u128), stream: StreamName::new(&format!("instance-acme/{}", id(n))).unwrap(), revision: Revision(e as u64), position: Position(p), kind: KINDS[e].into(), data: data(n, e), metadata: vec![], recorded_at: chrono::Utc::now() }
}
#[tokio::main]
async fn main() {
    let million = 1_000_000u64;
    let r0 = rss();
    let index = LicenseIndex::new();
    let (mut fold, mut decode, mut slowest) = (0.0, 0.0, 0.0f64);
    let mut p = 0;
    for chunk in 0..1000u64 { for e in 0..3usize {
        let records: Vec<_> = (chunk * 1000..chunk * 1000 + 1000).map(|n| { p += 1; record(n, e, p) }).collect();
        let page = Page { reached: Position(p), records, at_head: false };
        let t = Instant::now(); for r in &page.records { std::hint::black_box(license::Event::decode(&r.kind, &r.data).unwrap()); } decode += t.elapsed().as_secs_f64();
        let t = Instant::now(); index.apply(&page).unwrap(); let s = t.elapsed().as_secs_f64(); fold += s; slowest = slowest.max(s);
    } }
    println!("fold {:.0}/s decode only {:.0}/s ratio {:.2} slowest page of 1000: {:.2} ms", 3e6 / fold, 3e6 / decode, decode / fold, slowest * 1e3);
    println!("rss {} counted {} bytes per license", (rss() - r0) / million, index.memory_bytes() as u64 / million);
    let ids: Vec<_> = (0..1_000_000u64).map(|n| id(n * 7919 % million).to_string()).collect();
    let now = chrono::Utc::now();
    let t = Instant::now(); for i in &ids { assert!(std::hint::black_box(index.look_up(None, i, None, now)).found.is_some()); } println!("look_up {:?} each, known", t.elapsed() / 1_000_000);
    let t = Instant::now(); for i in 0..1_000_000u64 { std::hint::black_box(index.look_up(None, "10e758d0-31ad-4c4b-8f1b-81d03469a10e", None, now)); let _ = i; } println!("look_up {:?} each, unknown", t.elapsed() / 1_000_000);
    let t = Instant::now(); let l = index.list(&Filter { id_prefix: Some("zzz".into()), ..Filter::default() }, None, 10, now); println!("list scan {:?} {}", t.elapsed(), l.licenses.len());
    let folder = tempfile::tempdir().unwrap(); let path = folder.path().join("s");
    let t = Instant::now(); index.save(&path).unwrap(); println!("save {:?} {} MB", t.elapsed(), std::fs::metadata(&path).unwrap().len() >> 20);
    let t = Instant::now(); let mut w = std::io::sink(); dump(&index, &mut w).unwrap(); println!("dump {:?}", t.elapsed());
    drop(index); let r1 = rss();
    let t = Instant::now(); let loaded = LicenseIndex::load(&path).unwrap().unwrap(); println!("load {:?} {} rss {}", t.elapsed(), loaded.len(), (rss().saturating_sub(r1)) / million);
    drop(loaded);
    let log = Arc::new(SqliteLog::open(&folder.path().join("log.db"), SqliteOptions::default(), LogMetrics::unregistered()).unwrap());
    let meta = serde_json::to_vec(&serde_json::json!({"cause": {"source":"callback","body":"x".repeat(500)}})).unwrap();
    let n = 100_000u64;
    let mut tasks = vec![];
    for w in 0..64u64 { let (log, meta) = (log.clone(), meta.clone()); tasks.push(tokio::spawn(async move { for k in (w..n).step_by(64) {
        let ev = |e: usize| NewEvent { id: Uuid::now_v7(), kind: KINDS[e].into(), data: data(k, e), metadata: meta.clone() };
        log.append(&StreamName::new(&format!("instance-acme/{}", id(k))).unwrap(), Expected::NoStream, vec![ev(0), ev(1), ev(2)]).await.unwrap(); } })); }
    for t in tasks { t.await.unwrap(); }
    for _ in 0..4 {
        let t = Instant::now(); let mut after = Position::START; loop { let page = log.read_all(after, 1000).await.unwrap(); for r in &page.records { std::hint::black_box(license::Event::decode(&r.kind, &r.data).unwrap()); } after = page.reached; if page.at_head { break; } } let base = t.elapsed().as_secs_f64();
        let t = Instant::now(); let i = rebuild(log.clone(), None, |_| ()).await.unwrap(); let ours = t.elapsed().as_secs_f64();
        println!("rebuild {:.0}/s read+decode {:.0}/s ratio {:.2} ({})", 3.0 * n as f64 / ours, 3.0 * n as f64 / base, base / ours, i.len());
    }
}
