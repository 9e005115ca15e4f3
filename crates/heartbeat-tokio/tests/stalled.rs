//! A peer that does not read from a real socket. The test needs the kernel's socket buffers, and therefore real
//! time: 1 s.

use std::time::{Duration, Instant};

use futures_util::future::join;
use heartbeat_tokio::{Config, Counters, DriverError, heartbeat_sink};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_util::codec::{FramedWrite, LinesCodec};

const INTERVAL: Duration = Duration::from_millis(100);
const STALL_AFTER: Duration = Duration::from_millis(400);

/// Time limit of each step. Long, because the machine may be busy with other tests.
const TIME_LIMIT: Duration = Duration::from_secs(4);

/// The requested size of each socket buffer.
const BUFFER_BYTES: u32 = 8 * 1024;

/// `FramedWrite` is not ready while it holds this much.
const BOUNDARY_BYTES: usize = 8 * 1024;

const LINE_BYTES: usize = 1000;

/// Returns both ends of a connection, and how many bytes it can hold while the peer does not read.
async fn connection() -> (TcpStream, TcpStream, usize) {
    let any_port = ([127, 0, 0, 1], 0).into();
    let (writer, reader) =
        (TcpSocket::new_v4().expect("a socket"), TcpSocket::new_v4().expect("a socket"));
    // The kernel does not enlarge a buffer whose size was set.
    writer.set_send_buffer_size(BUFFER_BYTES).expect("set");
    reader.set_recv_buffer_size(BUFFER_BYTES).expect("set");
    let capacity =
        writer.send_buffer_size().expect("set") + reader.recv_buffer_size().expect("set");
    reader.bind(any_port).expect("a port");
    let listener = reader.listen(1).expect("bound");
    let address = listener.local_addr().expect("bound");
    let (writer, accepted) = join(writer.connect(address), listener.accept()).await;
    let capacity = usize::try_from(capacity).expect("fits");
    (writer.expect("connected"), accepted.expect("connected").0, capacity)
}

/// Returns a line of fixed length that contains its number.
fn line(number: usize) -> String {
    format!("{number:0width$}", width = LINE_BYTES - 1)
}

#[tokio::test]
async fn t20_a_stalled_peer_stops_the_driver_and_memory_stays_bounded() {
    let (writer, mut reader, capacity) = connection().await;
    let counters = Counters::new();
    let config = Config::every(INTERVAL).with_stall_after(STALL_AFTER);
    let mut sink = FramedWrite::new(writer, LinesCodec::new());
    sink.set_backpressure_boundary(BOUNDARY_BYTES);
    let (sender, driver) = heartbeat_sink(sink, config, || String::from("heartbeat"));
    let driver = driver.with_observer(&counters);

    // Only the size of the buffers limits the producer.
    let max_lines = (capacity + BOUNDARY_BYTES) / LINE_BYTES + 1;
    let mut fed = 0;
    let mut producer = Box::pin(async {
        loop {
            sender.feed(line(fed)).await.expect("the connection is open");
            fed += 1;
            assert!(fed <= max_lines, "{fed} lines, more than the buffers hold");
        }
    });
    let start = Instant::now();
    let result = tokio::select! {
        result = timeout(TIME_LIMIT, driver) => result.expect("ends in time"),
        () = &mut producer => unreachable!("endless"),
    };
    let elapsed = start.elapsed();
    assert!(matches!(result, Err(DriverError::Stalled)), "{result:?}");
    assert!(elapsed >= INTERVAL + STALL_AFTER, "{elapsed:?}");
    let counts = counters.snapshot();
    assert_eq!((counts.stalled, counts.sent, counts.errors), (1, 0, 1));

    // The senders have not failed: both wait, the second for the first, and both can be cancelled.
    let waits = timeout(INTERVAL, join(&mut producer, sender.send(line(0)))).await;
    assert!(waits.is_err(), "the buffers are full");
    drop(producer);
    assert!(fed >= BOUNDARY_BYTES / LINE_BYTES, "{fed} lines");

    // Once the peer reads, it receives all lines, complete and in order, and new ones.
    let mut received = String::new();
    let last = async {
        sender.send(line(fed)).await?;
        sender.close().await
    };
    let done = timeout(TIME_LIMIT, join(last, reader.read_to_string(&mut received))).await;
    let (sent, read) = done.expect("room again");
    sent.expect("the connection is open");
    read.expect("text");
    assert!(received.lines().map(str::to_owned).eq((0..=fed).map(line)), "{received}");
    assert_eq!(counters.snapshot(), counts, "no heartbeat follows");
}
