use core::fmt;

use crate::nanos::Nanos;

/// By which part of the interval a gap may be shorter: a fraction of at least 0 and less than 1.
///
/// Jitter only ever makes a heartbeat earlier (T11), so that what the interval promises to a proxy
/// holds, while streams that were opened in the same instant drift apart. It is kept in 65536ths,
/// rounded down.
///
/// # Example
///
/// ```
/// use heartbeat_core::Jitter;
///
/// let tenth = Jitter::try_from(0.1)?; // gaps between 90 % and 100 % of the interval
/// assert!(Jitter::try_from(1.0).is_err());
/// # assert_ne!(tenth, Jitter::NONE);
/// # Ok::<(), heartbeat_core::InvalidJitter>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jitter(u16);

impl Jitter {
    /// No jitter, the default: every gap is the interval.
    pub const NONE: Self = Self(0);

    /// The fraction, as it is kept: of what was given, the next multiple of 1 / 65536 below.
    #[must_use]
    pub fn fraction(self) -> f32 {
        f32::from(self.0) / 65536.0
    }

    /// The gap that belongs to a draw: at least `interval x (1 - jitter)`, at most `interval` (T11).
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

    /// Fails for whatever is not at least 0 and less than 1, NaN included.
    fn try_from(fraction: f32) -> Result<Self, InvalidJitter> {
        if !(0.0..1.0).contains(&fraction) {
            return Err(InvalidJitter(fraction));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies in 0..65536, and rounding down is meant"
        )]
        Ok(Self((fraction * 65536.0) as u16))
    }
}

/// A jitter that is no fraction of at least 0 and less than 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InvalidJitter(f32);

impl fmt::Display for InvalidJitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a jitter of {} is no fraction of the interval: give at least 0 and less than 1",
            self.0
        )
    }
}

impl core::error::Error for InvalidJitter {}

/// The latest number of a stream's own sequence (xorshift, period 2^32 - 1; never zero).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XorShift32(u32);

impl XorShift32 {
    /// The first draw of the sequence that belongs to `seed`. Neighbouring seeds lie far apart.
    pub(crate) fn seed(seed: u32) -> Self {
        // The finalizer of MurmurHash3: a bijection in which each bit of the seed reaches all others.
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
    fn only_fractions_below_one_are_taken() {
        for fraction in [f32::NAN, f32::INFINITY, -f32::INFINITY, -0.1, 1.0, 1.5] {
            assert!(Jitter::try_from(fraction).is_err(), "{fraction}");
        }
        assert_eq!(Jitter::try_from(0.0), Ok(Jitter::NONE));
        assert_eq!(Jitter::try_from(-0.0), Ok(Jitter::NONE));
        assert_eq!(Jitter::try_from(0.5), Ok(Jitter(32768)));
        assert_eq!(Jitter::try_from(1.0 - f32::EPSILON), Ok(Jitter(65535)));
    }

    #[test]
    fn a_jitter_tells_its_fraction() {
        extern crate std;
        let quarter = Jitter::try_from(0.25).expect("a fraction");
        assert!((quarter.fraction() - 0.25).abs() < f32::EPSILON);
        assert_eq!(std::format!("{quarter:?}"), "Jitter(0.25)");
    }

    #[test]
    fn a_refusal_says_what_to_give() {
        extern crate std;
        let error = Jitter::try_from(1.5).expect_err("too large");
        assert_eq!(
            std::format!("{error}"),
            "a jitter of 1.5 is no fraction of the interval: give at least 0 and less than 1"
        );
    }

    #[test]
    fn t11_gaps_fill_their_range_and_never_leave_it() {
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
    fn no_seed_leads_to_zero_for_ever() {
        // The one seed whose mixture is zero, found by inverting the bijection.
        assert_eq!(XorShift32::seed(0x9e37_79b9), XorShift32(1));
    }

    #[test]
    fn seeds_are_mixed_as_murmur_hash_3_does() {
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
