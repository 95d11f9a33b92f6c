//! What was said of codes, for a while.

use std::collections::{HashMap, VecDeque};

use chopmark_domain::ids::LicenseCode;
use chrono::{DateTime, TimeDelta, Utc};

use super::Confirmed;

/// Answers about codes, each with its time; of too many the oldest are forgotten.
#[derive(Debug)]
pub(super) struct Memory {
    most: usize,
    answers: HashMap<LicenseCode, Remembered>,
    /// In the order in which they came, those that came again before their time is up included.
    order: VecDeque<(LicenseCode, u64)>,
    count: u64,
}

#[derive(Debug)]
struct Remembered {
    confirmed: Confirmed,
    until: DateTime<Utc>,
    number: u64,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { most, answers: HashMap::new(), order: VecDeque::new(), count: 0 }
    }

    /// What was said, if its time is not up.
    pub(super) fn get(&self, code: &LicenseCode, now: DateTime<Utc>) -> Option<Confirmed> {
        self.answers.get(code).filter(|remembered| now < remembered.until).map(|remembered| remembered.confirmed)
    }

    /// Remembers an answer for so long.
    pub(super) fn keep(&mut self, code: &LicenseCode, confirmed: Confirmed, now: DateTime<Utc>, time: TimeDelta) {
        self.count += 1;
        let remembered = Remembered { confirmed, until: now + time, number: self.count };
        self.answers.insert(code.clone(), remembered);
        self.order.push_back((code.clone(), self.count));
        while self.order.len() > self.most {
            let Some((oldest, number)) = self.order.pop_front() else { break };
            if self.answers.get(&oldest).is_some_and(|remembered| remembered.number == number) {
                self.answers.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_their_time_and_the_oldest_go_first() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let code = |number: usize| LicenseCode::parse(&format!("PL{number:04}")).unwrap();
        let day = TimeDelta::hours(24);
        let mut memory = Memory::new(3);
        for number in 0..3 {
            memory.keep(&code(number), Confirmed::NotExist, now, day);
        }
        assert_eq!(memory.get(&code(0), now + day - TimeDelta::seconds(1)), Some(Confirmed::NotExist));
        assert_eq!(memory.get(&code(0), now + day), None);
        // One that came again is not the oldest any more.
        memory.keep(&code(0), Confirmed::Later, now, day);
        memory.keep(&code(3), Confirmed::NotExist, now, day);
        let known: Vec<usize> = (0..4).filter(|number| memory.get(&code(*number), now).is_some()).collect();
        assert_eq!(known, [0, 2, 3]);
        assert_eq!(memory.get(&code(0), now), Some(Confirmed::Later));
        assert!(memory.answers.len() <= 3 && memory.order.len() <= 3);
    }
}
