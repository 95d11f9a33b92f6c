//! throwaway
use chopmark_log::{sqlite::*, *};
use std::io::Write;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
fn pct(v: &mut [u64], p: f64) -> u64 {
    v.sort_unstable();
    v[((v.len() - 1) as f64 * p) as usize]
}
async fn raw(dir: &std::path::Path, tasks: usize, secs: u64) -> f64 {
    let (tx, mut rx) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>(1024);
    let mut file = std::fs::File::create(dir.join("raw")).unwrap();
    let t = std::thread::spawn(move || {
        let mut batch = Vec::new();
        while let Some(m) = rx.blocking_recv() {
            batch.push(m);
            while batch.len() < 512 {
                match rx.try_recv() {
                    Ok(m) => batch.push(m),
                    Err(_) => break,
                }
            }
            let mut buf = Vec::new();
            for (d, _) in &batch {
                let crc = crc32fast::hash(d);
                buf.extend(crc.to_le_bytes());
                buf.extend((d.len() as u32).to_le_bytes());
                buf.extend(d);
            }
            file.write_all(&buf).unwrap();
            file.sync_data().unwrap();
            for (_, a) in batch.drain(..) {
                let _ = a.send(());
            }
        }
    });
    let end = Instant::now() + Duration::from_secs(secs);
    let start = Instant::now();
    let mut hs = vec![];
    for _ in 0..tasks {
        let tx = tx.clone();
        hs.push(tokio::spawn(async move {
            let mut lat = vec![];
            while Instant::now() < end {
                let t = Instant::now();
                let (a, r) = oneshot::channel();
                tx.send((vec![b'x'; 1024], a)).await.unwrap();
                r.await.unwrap();
                lat.push(t.elapsed().as_micros() as u64);
            }
            lat
        }));
    }
    let mut all = vec![];
    for h in hs {
        all.extend(h.await.unwrap());
    }
    let el = start.elapsed().as_secs_f64();
    drop(tx);
    t.join().unwrap();
    let rate = all.len() as f64 / el;
    println!(
        "raw     {tasks:>3}w {rate:>8.0}/s p50 {} p99 {} max {}",
        pct(&mut all, 0.5),
        pct(&mut all, 0.99),
        pct(&mut all, 1.0)
    );
    rate
}
async fn sql(dir: &std::path::Path, tasks: usize, secs: u64, fresh: bool, read: bool) -> f64 {
    let path = dir.join(format!("log-{tasks}-{fresh}.db"));
    let m = LogMetrics::unregistered();
    let log = Arc::new(SqliteLog::open(&path, SqliteOptions::default(), m.clone()).unwrap());
    let end = Instant::now() + Duration::from_secs(secs);
    let start = Instant::now();
    let counter = Arc::new(AtomicU64::new(0));
    let mut hs = vec![];
    for w in 0..tasks {
        let log = log.clone();
        let counter = counter.clone();
        hs.push(tokio::spawn(async move {
            let mut lat = vec![];
            let mut name = StreamName::new(&format!("instance-acme/{}", uuid::Uuid::new_v4())).unwrap();
            let mut exp = Expected::NoStream;
            let _ = w;
            while Instant::now() < end {
                if fresh {
                    name = StreamName::new(&format!("instance-acme/{}", uuid::Uuid::new_v4())).unwrap();
                    exp = Expected::NoStream;
                }
                let e = NewEvent {
                    id: uuid::Uuid::now_v7(),
                    kind: "license.refreshed.v1".into(),
                    data: vec![b'x'; 700],
                    metadata: vec![b'y'; 324],
                };
                let t = Instant::now();
                let a = log.append(&name, exp, vec![e]).await.unwrap();
                lat.push(t.elapsed().as_micros() as u64);
                exp = Expected::Exact(a.revision);
                counter.fetch_add(1, Ordering::Relaxed);
            }
            lat
        }));
    }
    let follower = if read {
        let l: Arc<dyn EventLog> = log.clone();
        Some(tokio::spawn(async move {
            let mut f = Follower::new(l, Position::START);
            loop {
                f.next(1000).await.unwrap();
            }
        }))
    } else {
        None
    };
    let mut all = vec![];
    let mut maxwal = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let w = std::fs::metadata(dir.join(format!("log-{tasks}-{fresh}.db-wal"))).map(|m| m.len()).unwrap_or(0);
        maxwal = maxwal.max(w);
        if Instant::now() > end {
            break;
        }
    }
    for h in hs {
        all.extend(h.await.unwrap());
    }
    if let Some(f) = follower {
        f.abort();
    }
    let el = start.elapsed().as_secs_f64();
    let rate = all.len() as f64 / el;
    let batch = m.batch_events.get_sample_sum() / m.batch_events.get_sample_count() as f64;
    let t = Instant::now();
    log.close().await;
    let close = t.elapsed();
    drop(log);
    let size = std::fs::metadata(&path).unwrap().len();
    let t = Instant::now();
    let log = SqliteLog::open(&path, SqliteOptions::default(), LogMetrics::unregistered()).unwrap();
    println!(
        "sqlite  {tasks:>3}w {rate:>8.0}/s p50 {} p99 {} p99.9 {} max {} batch {batch:.1} fresh {fresh} read {read} wal max {} MB, close {close:?}, {} B/event, open+verify {} MB {:?}",
        pct(&mut all, 0.5),
        pct(&mut all, 0.99),
        pct(&mut all, 0.999),
        pct(&mut all, 1.0),
        maxwal >> 20,
        size / all.len() as u64,
        size >> 20,
        t.elapsed()
    );
    if read {
        let t = Instant::now();
        let mut pos = Position::START;
        let mut n = 0;
        loop {
            let p = log.read_all(pos, 1000).await.unwrap();
            n += p.records.len();
            pos = p.reached;
            if p.at_head {
                break;
            }
        }
        println!("replay {:.0}/s", n as f64 / t.elapsed().as_secs_f64());
    }
    rate
}
fn main() {
    let secs: u64 = std::env::args().nth(1).map_or(5, |s| s.parse().unwrap());
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async {
        let dir = tempfile::tempdir_in("/work/shared/..").unwrap();
        let d = dir.path();
        let r1 = raw(d, 1, 3).await;
        let r64 = raw(d, 64, secs).await;
        let s = sql(d, 1, 3, false, false).await;
        println!("  ratio {:.2}", s / r1);
        let s = sql(d, 64, secs, false, false).await;
        println!("  ratio {:.2}", s / r64);
        let s = sql(d, 64, secs, true, true).await;
        println!("  ratio {:.2}", s / r64);
    });
}
