use std::time::Duration;

/// A sequence of numbers without a pattern that a prefetcher could predict (xorshift).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts the sequence. It is the same in each run.
    #[expect(clippy::new_without_default, reason = "a fixed sequence is not a default")]
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Returns the next number below `end`.
    #[inline]
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let end = u128::try_from(end).expect("at most 64 bits");
        usize::try_from((u128::from(self.0) * end) >> 64).expect("below the end")
    }

    /// Returns `count` different numbers below `end`, in random order.
    pub fn different(&mut self, end: usize, count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = Vec::with_capacity(count);
        let part = end / count;
        numbers.extend((0..count).map(|nth| nth * part + self.below(part)));
        for nth in (1..count).rev() {
            let other = self.below(nth + 1);
            numbers.swap(nth, other);
        }
        numbers
    }

    /// Returns a random duration below `end`.
    pub fn duration(&mut self, end: Duration) -> Duration {
        end * u32::try_from(self.below(1 << 20)).expect("20 bits") / (1 << 20)
    }
}
