//! Many items, few at a time: which of a list are read in this reading, and how old the others are.
//!
//! A list of names costs one request, its items one each. What is new in a list is read at once; of what is known, those read longest ago,
//! so many a reading that every item comes round. After an outage, a refusal and on demand all are read.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::ids::Name;
use crate::model::time::{SECOND, Time};

/// So many known items of a part are read again in one reading.
pub(super) const SLICE: usize = 100;
/// A reading may come so much later than the configured interval (`poll::jittered`), in tenths.
const LATE_TENTHS: u64 = 12;

/// When every item of one part was read.
#[derive(Debug, Default)]
pub(super) struct Turns {
    read: BTreeMap<Name, Time>,
}

impl Turns {
    /// The names to read now, of all that are listed: first those never read, then those read longest ago. O(n log n).
    pub(super) fn next(&mut self, listed: &[Name]) -> Vec<Name> {
        let gone: Vec<Name> = {
            let there: std::collections::BTreeSet<&Name> = listed.iter().collect();
            self.read.keys().filter(|name| !there.contains(name)).cloned().collect()
        };
        for name in gone {
            self.read.remove(&name);
        }
        let (fresh, mut known): (Vec<&Name>, Vec<&Name>) = listed.iter().partition(|name| !self.read.contains_key(*name));
        known.sort_by_key(|name| self.read.get(*name).copied());
        fresh.into_iter().chain(known.into_iter().take(SLICE)).cloned().collect()
    }

    /// An item was read.
    pub(super) fn mark(&mut self, name: &Name, now: Time) {
        self.read.insert(name.clone(), now);
    }

    /// How many listed items were never read.
    pub(super) fn left(&self, listed: &[Name]) -> usize {
        listed.iter().filter(|name| !self.read.contains_key(*name)).count()
    }

    /// An upper bound of the age of the oldest item until the next reading, in seconds; 0 when this reading took all. Where readings come
    /// late, what is rather than what should be, in whole minutes so that it does not change all the time.
    pub(super) fn age(&self, poll: Duration, now: Time) -> u32 {
        if self.read.len() <= SLICE {
            return 0;
        }
        let readings = self.read.len().div_ceil(SLICE) as u64;
        let promised = readings.saturating_mul(poll.as_secs().max(1)).saturating_mul(LATE_TENTHS).div_ceil(10);
        let oldest = self.read.values().min().map_or(0, |time| now.since(*time).max(0) / SECOND);
        let real = u64::try_from(oldest).unwrap_or(0).div_ceil(60).saturating_mul(60);
        u32::try_from(if real > promised.saturating_add(60) { real } else { promised }).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(range: std::ops::Range<usize>) -> Vec<Name> {
        range.map(|n| Name::from(format!("item-{n:05}"))).collect()
    }

    #[test]
    fn every_item_comes_round_within_the_age_that_is_told() {
        let poll = Duration::from_secs(15);
        let (listed, mut turns) = (names(0..1050), Turns::default());
        let mut now = Time(1_000_000);
        let mut last: BTreeMap<Name, Time> = BTreeMap::new();
        let first = turns.next(&listed);
        assert_eq!(first.len(), 1050, "the first reading takes all");
        for name in &first {
            turns.mark(name, now);
            last.insert(name.clone(), now);
        }
        for _ in 0..40 {
            now = now.plus(15 * SECOND);
            let next = turns.next(&listed);
            assert_eq!(next.len(), SLICE);
            let told = i64::from(turns.age(poll, now));
            assert!(last.values().all(|time| now.since(*time) <= told * SECOND), "older than {told} s");
            for name in next {
                turns.mark(&name, now);
                last.insert(name, now);
            }
        }
        assert_eq!(turns.age(poll, now), 11 * 18);
        assert_eq!(turns.age(poll, now.plus(3600 * SECOND)), 3780, "readings that do not come are told");
    }

    #[test]
    fn what_is_new_is_read_at_once_and_what_is_gone_is_forgotten() {
        let mut turns = Turns::default();
        for name in turns.next(&names(0..500)) {
            turns.mark(&name, Time(1));
        }
        let next = turns.next(&names(100..520));
        assert_eq!(next.len(), SLICE + 20);
        assert_eq!(next[..20], names(500..520)[..], "new ones first");
        assert_eq!((turns.read.len(), turns.left(&names(100..520))), (400, 20));
        assert_eq!(Turns::default().age(Duration::from_secs(15), Time(1)), 0);
    }
}
