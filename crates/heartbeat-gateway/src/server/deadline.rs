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

/// How long the answer to a remote call may take in all, as the client has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Deadline(Duration);

impl Deadline {
    /// Of gRPC and gRPC-Web: up to eight digits and a unit.
    pub(super) fn of_grpc(headers: &HeaderMap) -> Result<Option<Self>, Status> {
        read(headers, GRPC, "a number of at most 8 digits and one of H, M, S, m, u, n", |text| {
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

    /// Of Connect: milliseconds, in up to ten digits.
    pub(super) fn of_connect(headers: &HeaderMap) -> Result<Option<Self>, Status> {
        read(headers, CONNECT, "a number of at most 10 digits", |text| {
            number(text, 10).map(Duration::from_millis)
        })
    }

    /// An error if it leaves no time at all: a timer would be late by its granularity.
    pub(super) fn leaves_time(self) -> Result<(), Status> {
        if self.0.is_zero() { Err(late()) } else { Ok(()) }
    }

    /// An alarm for it, from now on. None if that is too long to be measured.
    pub(super) fn alarm<T: Timer>(self, timer: &T) -> Option<Pin<Box<T::Sleep>>> {
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
        Status::invalid_argument(format!("{name} is to be {expected}, and not {value:?}"))
    })
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let is_one =
        (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_one)
}

fn late() -> Status {
    Status::deadline_exceeded("the deadline that the client set has passed")
}

/// Ends the events with an error once the alarm goes off, however many there still are.
pub(super) fn ending_at<E: Send + 'static>(
    alarm: Pin<Box<impl Future<Output = ()> + Send + 'static>>,
    events: BoxStream<'static, Result<E, Status>>,
) -> impl Stream<Item = Result<E, Status>> + Send + 'static {
    stream::unfold(Some((events, alarm)), async |state| {
        let (mut events, alarm) = state?;
        match future::select(alarm, events.next()).await {
            Either::Left(_) => Some((Err(late()), None)),
            Either::Right((event, alarm)) => Some((event?, Some((events, alarm)))),
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
    fn a_deadline_is_as_its_protocol_has_it() {
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
    fn what_is_none_is_refused() {
        let grpc = ["", "S", "5", "5 S", "123456789S", "-5S", "+5S", "5s", "5D", "5.0S", "\u{fc}"];
        let connect = ["", "12345678901", "-1", "+1", "1.5", "soon", "5S", "\u{fc}"];
        for (name, values) in [(GRPC, &grpc[..]), (CONNECT, &connect)] {
            for value in values {
                let error = read(name, value.as_bytes()).expect_err(value);
                assert_eq!(error.code(), tonic::Code::InvalidArgument);
                assert!(error.message().starts_with(name), "{error}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn events_pass_until_then_and_the_error_is_the_last() {
        let alarm = Deadline(Duration::from_secs(10)).alarm(&TokioTimer).expect("not too long");
        let events = stream::iter([Ok(1), Ok(2)]).chain(stream::pending()).boxed();
        let mut events = Box::pin(ending_at(alarm, events));
        assert_eq!(events.next().await.expect("no end").expect("no error"), 1);
        advance(Duration::from_secs(9)).await;
        assert_eq!(events.next().await.expect("no end").expect("no error"), 2);
        assert!(events.next().now_or_never().is_none(), "not yet");
        let error = events.next().await.expect("no end").expect_err("late");
        assert_eq!(error.code(), tonic::Code::DeadlineExceeded);
        assert!(events.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_events_that_do_not() {
        let alarm = Deadline(Duration::from_secs(10)).alarm(&TokioTimer).expect("not too long");
        let mut events = Box::pin(ending_at(alarm, stream::repeat(Ok(1)).boxed()));
        assert_eq!(events.next().await.expect("no end").expect("no error"), 1);
        advance(Duration::from_secs(11)).await;
        let error = events.next().await.expect("no end").expect_err("late");
        assert_eq!(error.code(), tonic::Code::DeadlineExceeded);
        assert!(events.next().await.is_none());
    }

    #[test]
    fn one_of_nothing_leaves_no_time() {
        let error = Deadline(Duration::ZERO).leaves_time().expect_err("late");
        assert_eq!(error.code(), tonic::Code::DeadlineExceeded);
        assert!(Deadline(Duration::from_nanos(1)).leaves_time().is_ok());
    }

    #[test]
    fn one_that_is_too_long_to_be_measured_is_none() {
        assert!(Deadline(Duration::MAX).alarm(&TokioTimer).is_none());
    }
}
