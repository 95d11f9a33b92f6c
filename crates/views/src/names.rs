//! What something is seen under: a few names in one piece of memory, since millions may wait.

use std::hash::{BuildHasher, Hash, Hasher};

/// Names together are at most so many bytes; what is longer is not a name of ours.
pub(crate) const BYTES_MAX: usize = 2 * 1024;

/// Names, as somebody calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Called<'a, const N: usize> {
    /// The hour it is about, in hours since 1970; 0 where hours do not matter.
    pub(crate) hour: i64,
    pub(crate) names: [&'a str; N],
}

/// Where something is: its shard and its place in there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Depends on the first two names only: all holders of a license are in one shard.
    pub(crate) home: u64,
    pub(crate) hash: u64,
}

impl<const N: usize> Called<'_, N> {
    pub(crate) fn place(&self, hasher: &impl BuildHasher<Hasher: Clone>) -> Place {
        let mut state = hasher.build_hasher();
        let (first, rest) = self.names.split_at(N.min(2));
        first.iter().for_each(|name| name.hash(&mut state));
        let home = state.clone().finish();
        rest.iter().for_each(|name| name.hash(&mut state));
        self.hour.hash(&mut state);
        Place { home, hash: state.finish() }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.iter().map(|name| name.len()).sum()
    }
}

/// The same, kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept<const N: usize> {
    hour: i64,
    text: Box<str>,
    ends: [u32; N],
}

impl<const N: usize> Kept<N> {
    pub(crate) fn called(&self) -> Called<'_, N> {
        let mut start = 0;
        let names = self.ends.map(|end| {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            let name = self.text.get(start..end).unwrap_or_default();
            start = end;
            name
        });
        Called { hour: self.hour, names }
    }
}

impl<const N: usize> From<Called<'_, N>> for Kept<N> {
    fn from(called: Called<'_, N>) -> Self {
        let mut text = String::with_capacity(called.len());
        let ends = called.names.map(|name| {
            text.push_str(name);
            u32::try_from(text.len()).unwrap_or(u32::MAX)
        });
        Self { hour: called.hour, text: text.into_boxed_str(), ends }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_kept_as_they_were_called(names in proptest::array::uniform3(".{0,20}"), hour: i64) {
            let called = Called { hour, names: names.each_ref().map(String::as_str) };
            let kept = Kept::from(called);
            prop_assert_eq!(kept.called(), called);
        }
    }

    #[test]
    fn names_that_run_together_the_same_are_still_others() {
        let hasher = RandomState::new();
        let called = |names| Called { hour: 0, names };
        let (a, b) = (called(["ab", "c", "d"]), called(["a", "bc", "d"]));
        assert_ne!(Kept::from(a), Kept::from(b));
        assert_ne!(a.place(&hasher).hash, b.place(&hasher).hash);
        assert_ne!(a.place(&hasher).hash, Called { hour: 1, ..a }.place(&hasher).hash);
    }

    #[test]
    fn all_holders_of_a_license_have_one_home() {
        let hasher = RandomState::new();
        let home = |holder| Called { hour: 0, names: ["acme", "license", holder] }.place(&hasher).home;
        assert_eq!(home("one"), home("another"));
    }
}
