use std::pin::Pin;
use std::time::Duration;

use futures_util::future::{self, Either};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use heartbeat_async::Timer;
use heartbeat_core::Instant;
use hyper::HeaderMap;
use tonic::Status;

const GRPC: &str = "grpc-timeout";
const CONNECT: &str = "connect-timeout-ms";

/// The maximum duration of a remote call, set by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline(Duration);

impl Deadline {
    /// Reads `grpc-timeout` of gRPC and gRPC-Web: up to eight digits and a unit.
    pub(super) fn of_grpc(headers: &HeaderMap) -> Result<Option<Self>, Status> {
        read(headers, GRPC, "up to 8 digits and one of H, M, S, m, u, n", |text| {
            let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let count = number(digits, 8)?;
            Some(match unit {
                "H" => Duration::from_secs(count * 60 * 60),
                "M" => Duration::from_secs(count * 60),
                "S" => Duration::from_secs(count),
                "m" => Duration::from_millis(count),
                "u" => Duration::from_micros(count),
                "n" => Duration::from_nanos(count),
                _ => return None,
            })
        })
    }

    /// Reads `connect-timeout-ms` of Connect: up to ten digits.
    pub(super) fn of_connect(headers: &HeaderMap) -> Result<Option<Self>, Status> {
        read(headers, CONNECT, "up to 10 digits", |text| {
            number(text, 10).map(Duration::from_millis)
        })
    }

    /// Returns an error if the deadline is zero. A timer would be late by its granularity.
    pub(super) fn check_not_elapsed(self) -> Result<(), Status> {
        if self.0.is_zero() { Err(deadline_exceeded()) } else { Ok(()) }
    }

    /// A sleep until the deadline, from now on. `None` if it exceeds the range of the clock.
    pub(super) fn sleep<T: Timer>(self, timer: &T) -> Option<Pin<Box<T::Sleep>>> {
        let deadline = timer.now().checked_add(self.0)?;
        Some(Box::pin(timer.sleep_until(deadline)))
    }
}

fn read(
    headers: &HeaderMap,
    name: &'static str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<Duration>,
) -> Result<Option<Deadline>, Status> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let duration = value.to_str().ok().and_then(parse);
    duration.map(|duration| Some(Deadline(duration))).ok_or_else(|| {
        Status::invalid_argument(format!("invalid {name} {value:?}: expected {expected}"))
    })
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let is_number =
        (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn deadline_exceeded() -> Status {
    Status::deadline_exceeded("the deadline of the call has passed")
}

/// Ends the events with an error when `sleep` completes.
pub(super) fn ending_at<E: Send + 'static>(
    sleep: Pin<Box<impl Future<Output = ()> + Send + 'static>>,
    events: BoxStream<'static, Result<E, Status>>,
) -> impl Stream<Item = Result<E, Status>> + Send + 'static {
    stream::unfold(Some((events, sleep)), async |state| {
        let (mut events, sleep) = state?;
        match future::select(sleep, events.next()).await {
            Either::Left(_) => Some((Err(deadline_exceeded()), None)),
            Either::Right((event, sleep)) => Some((event?, Some((events, sleep)))),
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use heartbeat_tokio::TokioTimer;
    use hyper::header::HeaderValue;
    use tokio::time::advance;

    use super::*;

    fn read(name: &'static str, value: &'static [u8]) -> Result<Option<Deadline>, Status> {
        let value = HeaderValue::from_bytes(value).expect("a value");
        let headers = HeaderMap::from_iter([(name.parse().expect("a name"), value)]);
        if name == GRPC { Deadline::of_grpc(&headers) } else { Deadline::of_connect(&headers) }
    }

    #[test]
    fn a_deadline_is_parsed_by_the_rules_of_its_protocol() {
        for (name, value, millis) in [
            (GRPC, "2H", 7_200_000),
            (GRPC, "3M", 180_000),
            (GRPC, "00000005S", 5000),
            (GRPC, "99999999m", 99_999_999),
            (GRPC, "7000u", 7),
            (GRPC, "8000000n", 8),
            (CONNECT, "0", 0),
            (CONNECT, "9999999999", 9_999_999_999),
        ] {
            let deadline = read(name, value.as_bytes()).expect(value);
            assert_eq!(deadline, Some(Deadline(Duration::from_millis(millis))), "{value}");
        }
        assert_eq!(Deadline::of_grpc(&HeaderMap::new()).expect("none"), None);
        assert_eq!(Deadline::of_connect(&HeaderMap::new()).expect("none"), None);
    }

    #[test]
    fn an_invalid_deadline_is_rejected() {
        let grpc = ["", "S", "5", "5 S", "123456789S", "-5S", "+5S", "5s", "5D", "5.0S", "\u{fc}"];
        let connect = ["", "12345678901", "-1", "+1", "1.5", "soon", "5S", "\u{fc}"];
        for (name, values) in [(GRPC, &grpc[..]), (CONNECT, &connect)] {
            for value in values {
                let error = read(name, value.as_bytes()).expect_err(value);
                assert_eq!(error.code(), tonic::Code::InvalidArgument);
                assert!(error.message().contains(name), "{error}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_pass_until_the_deadline_and_an_error_is_last() {
        let sleep = Deadline(Duration::from_secs(10)).sleep(&TokioTimer).expect("in range");
        let events = stream::iter([Ok(1), Ok(2)]).chain(stream::pending()).boxed();
        let mut events = Box::pin(ending_at(sleep, events));
        assert_eq!(events.next().await.expect("no end").expect("no error"), 1);
        advance(Duration::from_secs(9)).await;
        assert_eq!(events.next().await.expect("no end").expect("no error"), 2);
        assert!(events.next().now_or_never().is_none(), "not yet");
        let error = events.next().await.expect("no end").expect_err("late");
        assert_eq!(error.code(), tonic::Code::DeadlineExceeded);
        assert!(events.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_ends_a_busy_stream() {
        let sleep = Deadline(Duration::from_secs(10)).sleep(&TokioTimer).expect("in range");
        let mut events = Box::pin(ending_at(sleep, stream::repeat(Ok(1)).boxed()));
        assert_eq!(events.next().await.expect("no end").expect("no error"), 1);
        advance(Duration::from_secs(11)).await;
        let error = events.next().await.expect("no end").expect_err("late");
        assert_eq!(error.code(), tonic::Code::DeadlineExceeded);
        assert!(events.next().await.is_none());
    }

    #[test]
    fn a_zero_deadline_has_elapsed() {
        let error = Deadline(Duration::ZERO).check_not_elapsed().expect_err("late");
        assert_eq!(error.code(), tonic::Code::DeadlineExceeded);
        assert!(Deadline(Duration::from_nanos(1)).check_not_elapsed().is_ok());
    }

    #[test]
    fn a_deadline_beyond_the_range_of_the_clock_is_ignored() {
        assert!(Deadline(Duration::MAX).sleep(&TokioTimer).is_none());
    }
}
