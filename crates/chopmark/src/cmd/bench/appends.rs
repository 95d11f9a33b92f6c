//! (a) Durable appends, against a plain growing file with `fdatasync` and the same grouping.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use chopmark_log::sqlite::{SqliteLog, SqliteOptions};
use chopmark_log::{EventLog, Expected, LogMetrics, NewEvent, StreamName};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::figure::{Figure, Round, micros, record};
use crate::cli::bench::Measurement;

/// Bytes of an event: what a purchase weighs with its signed request.
const EVENT_BYTES: usize = 1_024;
/// How long one round goes on.
const ROUND: Duration = Duration::from_secs(3);
/// Appends that the plain file takes into one `fdatasync`, at most: as many as the log's writer.
const GROUP: usize = 512;

/// Measures with one writer and with 64.
pub(crate) async fn measure(folder: &Path, rounds: usize) -> anyhow::Result<Vec<Figure>> {
    let log =
        Arc::new(SqliteLog::open(&folder.join("appends.db"), SqliteOptions::default(), LogMetrics::unregistered())?);
    let (file, writer) = PlainFile::create(&folder.join("appends.plain"))?;
    let mut figures = vec![];
    for (name, what, writers) in [
        ("appends_1", "durable appends of 1 KiB events, 1 writer", 1),
        ("appends_64", "durable appends of 1 KiB events, 64 writers", 64),
    ] {
        let mut measured = vec![];
        for _ in 0..rounds {
            let (taken, plain) = (log.clone(), file.clone());
            let ours = race(writers, move |writer| append_one(taken.clone(), writer)).await?;
            let base = race(writers, move |_| plain.append(vec![0x5a; EVENT_BYTES])).await?;
            measured.push((ours, base));
        }
        let baseline = "a plain growing file, fdatasync, the same grouping";
        figures.push(Figure::of_rounds(Measurement::Appends, name, what, baseline, "a second", &measured));
    }
    log.close().await;
    drop(file);
    writer.join().map_err(|_| anyhow::anyhow!("the plain file's writer panicked"))??;
    Ok(figures)
}

/// Lets writers append one after the other, each its own, for some seconds.
async fn race<F, W>(writers: u32, work: W) -> anyhow::Result<Round>
where
    W: Fn(u32) -> F + Clone + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let started = Instant::now();
    let until = started + ROUND;
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let work = work.clone();
        tasks.spawn(async move {
            let mut times = micros();
            let mut done = 0;
            while Instant::now() < until {
                let begun = Instant::now();
                work(writer).await?;
                record(&mut times, begun.elapsed());
                done += 1;
            }
            anyhow::Ok((done, times))
        });
    }
    let (mut operations, mut times) = (0, micros());
    while let Some(done) = tasks.join_next().await {
        let (count, of_writer) = done??;
        operations += count;
        times.add(&of_writer)?;
    }
    Ok(Round::new(operations, started.elapsed().as_secs_f64(), times))
}

/// One purchase: a new stream with one event.
async fn append_one(log: Arc<SqliteLog>, writer: u32) -> anyhow::Result<()> {
    let id = Uuid::now_v7();
    let stream = StreamName::new(&format!("instance-bench-{writer}/{id}"))?;
    let event = NewEvent {
        id,
        kind: "instance_created.v1".into(),
        data: vec![0x5a; EVENT_BYTES / 4],
        metadata: vec![0x5a; EVENT_BYTES - EVENT_BYTES / 4],
    };
    log.append(&stream, Expected::NoStream, vec![event]).await?;
    Ok(())
}

type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// The baseline: a file that grows, one writer, one `fdatasync` for all that waits.
#[derive(Clone)]
struct PlainFile(SyncSender<Waiting>);

impl PlainFile {
    fn create(path: &Path) -> anyhow::Result<(Self, std::thread::JoinHandle<std::io::Result<()>>)> {
        let file = File::create(path)?;
        let (sender, receiver) = sync_channel(1_024);
        let writer = std::thread::spawn(move || write_all(file, &receiver));
        Ok((Self(sender), writer))
    }

    fn append(&self, bytes: Vec<u8>) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
        let sender = self.0.clone();
        async move {
            let (done, durable) = oneshot::channel();
            sender.send((bytes, done)).map_err(|_| anyhow::anyhow!("the plain file's writer ended"))?;
            Ok(durable.await?)
        }
    }
}

fn write_all(mut file: File, receiver: &Receiver<Waiting>) -> std::io::Result<()> {
    while let Ok(first) = receiver.recv() {
        let group: Vec<Waiting> = std::iter::once(first).chain(receiver.try_iter().take(GROUP - 1)).collect();
        let bytes: Vec<u8> = group.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
        file.write_all(&bytes)?;
        file.sync_data()?;
        for (_, done) in group {
            // Who no longer waits needs no answer.
            let _ = done.send(());
        }
    }
    Ok(())
}
