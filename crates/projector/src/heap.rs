//! Memory that entries hold elsewhere, as the index counts itself.

use chopmark_domain::license::{Deployment, Machine, Machines};
use chrono::{DateTime, Utc};

/// The counters before what is shared.
const COUNTERS: usize = 2 * size_of::<usize>();

/// Elements that a list has room for at least.
const LEAST_ROOM: usize = 4;

/// A block of memory, as an allocator rounds it.
pub(crate) fn block(bytes: usize) -> usize {
    (bytes + 8).next_multiple_of(16).max(32)
}

/// A text that is shared.
fn shared(text: &str) -> usize {
    block(COUNTERS + text.len())
}

pub(crate) fn machines(machines: &Machines) -> usize {
    let texts = |machine: &Machine| {
        shared(machine.fingerprint.as_str()) + machine.name.as_ref().map_or(0, |name| block(name.len()))
    };
    let (count, texts) = machines.iter().fold((0_usize, 0), |(count, sum), machine| (count + 1, sum + texts(machine)));
    // A list has room for up to twice what is in it.
    let room = if count == 0 { 0 } else { block(count.next_power_of_two().max(LEAST_ROOM) * size_of::<Machine>()) };
    block(COUNTERS + size_of::<Machines>()) + room + texts
}

pub(crate) fn deployment(deployment: &Deployment) -> usize {
    let facts = &deployment.facts;
    block(COUNTERS + size_of::<Deployment>())
        + shared(facts.project_id.as_str())
        + shared(facts.region_id.as_str())
        + facts.image_id.as_ref().map_or(0, |image| shared(image.as_str()))
        + facts.charging_mode.as_ref().map_or(0, |mode| block(mode.len()))
        // The times of its enrolments: most are enrolled once.
        + block(LEAST_ROOM * size_of::<DateTime<Utc>>())
}
