//! The scenarios. Each is named after the rules that it tests, and runs on any [`Subject`](crate::subject::Subject).

pub(crate) mod sink;
pub(crate) mod stream;
pub(crate) mod timer;
pub(crate) mod watchdog;
