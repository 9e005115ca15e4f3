use core::fmt;

use crate::nanos::Nanos;

/// The largest part of the interval by which a silence may be shortened: at least 0 and less than 1.
///
/// Jitter makes heartbeats earlier, never later ([T11](crate::rules#t11-jitter)):
/// streams that were opened at the same instant drift apart, and no silence exceeds the interval.
/// Stored in units of 1/65536, rounded down.
///
/// # Example
///
/// ```
/// use heartbeat_core::Jitter;
///
/// let tenth = Jitter::try_from(0.1)?; // heartbeats after 90 % to 100 % of the interval
/// assert!(Jitter::try_from(1.0).is_err());
/// # assert_ne!(tenth, Jitter::NONE);
/// # Ok::<(), heartbeat_core::InvalidJitter>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jitter(u16);

impl Jitter {
    /// No jitter (the default): every heartbeat is due after exactly one interval of silence.
    pub const NONE: Self = Self(0);

    /// The stored fraction: the given one, rounded down to a multiple of 1/65536.
    #[must_use]
    pub fn fraction(self) -> f32 {
        f32::from(self.0) / 65536.0
    }

    /// The interval, shortened by a random part: at least `interval x (1 - jitter)` (T11).
    pub(crate) fn shorten(self, interval: Nanos, rng: XorShift32) -> Nanos {
        interval.scale_down(u64::from(self.0).saturating_mul(u64::from(rng.0)))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jitter").field(&self.fraction()).finish()
    }
}

impl TryFrom<f32> for Jitter {
    type Error = InvalidJitter;

    /// Fails if `fraction` is negative, 1 or more, or NaN.
    fn try_from(fraction: f32) -> Result<Self, InvalidJitter> {
        if !(0.0..1.0).contains(&fraction) {
            return Err(InvalidJitter(fraction));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the value is in 0..65536 and is rounded down on purpose"
        )]
        Ok(Self((fraction * 65536.0) as u16))
    }
}

/// A jitter outside of the range from 0 (inclusive) to 1 (exclusive).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InvalidJitter(f32);

impl fmt::Display for InvalidJitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid jitter {}: must be at least 0 and less than 1", self.0)
    }
}

impl core::error::Error for InvalidJitter {}

/// A xorshift random number generator (period 2^32 - 1), one per stream. The state is never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XorShift32(u32);

impl XorShift32 {
    /// The first number of the sequence of `seed`. Neighboring seeds give unrelated sequences.
    pub(crate) fn seed(seed: u32) -> Self {
        // The finalizer of MurmurHash3: a bijection in which each bit of the seed affects all others.
        let mut mixed = seed ^ 0x9e37_79b9;
        mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x85eb_ca6b);
        mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
        mixed ^= mixed >> 16;
        Self(if mixed == 0 { 1 } else { mixed })
    }

    pub(crate) fn next(self) -> Self {
        let mut bits = self.0;
        bits ^= bits << 13;
        bits ^= bits >> 17;
        bits ^= bits << 5;
        Self(bits)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn try_from_accepts_only_fractions_below_one() {
        for fraction in [f32::NAN, f32::INFINITY, -f32::INFINITY, -0.1, 1.0, 1.5] {
            assert!(Jitter::try_from(fraction).is_err(), "{fraction}");
        }
        assert_eq!(Jitter::try_from(0.0), Ok(Jitter::NONE));
        assert_eq!(Jitter::try_from(-0.0), Ok(Jitter::NONE));
        assert_eq!(Jitter::try_from(0.5), Ok(Jitter(32768)));
        assert_eq!(Jitter::try_from(1.0 - f32::EPSILON), Ok(Jitter(65535)));
    }

    #[test]
    fn fraction_and_debug_show_the_value() {
        extern crate std;
        let quarter = Jitter::try_from(0.25).expect("a fraction");
        assert!((quarter.fraction() - 0.25).abs() < f32::EPSILON);
        assert_eq!(std::format!("{quarter:?}"), "Jitter(0.25)");
    }

    #[test]
    fn the_error_names_the_value_and_the_range() {
        extern crate std;
        let error = Jitter::try_from(1.5).expect_err("too large");
        assert_eq!(
            std::format!("{error}"),
            "invalid jitter 1.5: must be at least 0 and less than 1"
        );
    }

    #[test]
    fn t11_gaps_cover_their_range_and_never_leave_it() {
        let interval = Nanos::new(Duration::from_secs(10));
        let jitter = Jitter::try_from(0.25).expect("a fraction");
        let (mut shortest, mut longest) = (Nanos::NEVER, Nanos::ZERO);
        let mut rng = XorShift32::seed(7);
        for _ in 0..10_000 {
            let gap = jitter.shorten(interval, rng);
            (shortest, longest) = (shortest.min(gap), longest.max(gap));
            rng = rng.next();
        }
        let millis = |span: Nanos| span.duration().as_millis();
        assert!((7500..7510).contains(&millis(shortest)), "{shortest:?}");
        assert!((9990..=10_000).contains(&millis(longest)), "{longest:?}");
    }

    #[test]
    fn no_seed_gives_the_state_zero() {
        // The only seed that is mixed to zero, found by inverting the bijection.
        assert_eq!(XorShift32::seed(0x9e37_79b9), XorShift32(1));
    }

    #[test]
    fn seeds_are_mixed_like_murmur_hash_3() {
        // The published values of its finalizer for 1 and 0xdead_beef.
        assert_eq!(XorShift32::seed(0x9e37_79b9 ^ 1), XorShift32(0x514e_28b7));
        assert_eq!(XorShift32::seed(0x9e37_79b9 ^ 0xdead_beef), XorShift32(0x0de5_c6a9));
    }

    #[test]
    fn the_sequence_is_marsaglias_xorshift() {
        let mut rng = XorShift32(1);
        for published in [270_369, 67_634_689, 2_647_435_461, 307_599_695] {
            rng = rng.next();
            assert_eq!(rng, XorShift32(published));
        }
    }
}
