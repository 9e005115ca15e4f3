//! What comes of a scenario.

/// Why a scenario failed.
#[derive(Debug, Clone)]
pub(crate) enum Failed {
    /// A rule was broken.
    Wrong(String),
    /// Something came too late to decide: because of a fault, or because the machine was busy.
    TooLate(String),
}

pub(crate) type TestResult<T = ()> = Result<T, Failed>;

/// Ends the scenario unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($otherwise:tt)+) => {
        if !$holds {
            return Err($crate::test_result::Failed::Wrong(std::format!($($otherwise)+)));
        }
    };
}
pub(crate) use ensure;
