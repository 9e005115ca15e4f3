//! A peer that does not read, at the end of a real socket. In real time, since the buffers of the
//! kernel are what this is about, and they know no other: 1 s.

use std::time::{Duration, Instant};

use futures_util::future::join;
use heartbeat_tokio::{Config, Counters, DriverError, heartbeat_sink};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_util::codec::{FramedWrite, LinesCodec};

const INTERVAL: Duration = Duration::from_millis(100);
const STALL_AFTER: Duration = Duration::from_millis(400);

/// Whatever takes longer than this hangs, also on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(4);

/// What is asked of the kernel for each end of the connection.
const BUFFER_BYTES: u32 = 8 * 1024;

/// From here on `FramedWrite` is not ready any more.
const BOUNDARY_BYTES: usize = 8 * 1024;

const LINE_BYTES: usize = 1000;

/// Both ends of a connection, and how many bytes it can hold while nobody reads.
async fn connection() -> (TcpStream, TcpStream, usize) {
    let any_port = ([127, 0, 0, 1], 0).into();
    let (writer, reader) = (TcpSocket::new_v4().expect("one"), TcpSocket::new_v4().expect("one"));
    // Once they are set, the kernel does not enlarge them by itself.
    writer.set_send_buffer_size(BUFFER_BYTES).expect("it can be set");
    reader.set_recv_buffer_size(BUFFER_BYTES).expect("it can be set");
    let held = writer.send_buffer_size().expect("set") + reader.recv_buffer_size().expect("set");
    reader.bind(any_port).expect("a port");
    let listener = reader.listen(1).expect("bound");
    let address = listener.local_addr().expect("bound");
    let (writer, accepted) = join(writer.connect(address), listener.accept()).await;
    let held = usize::try_from(held).expect("not so large");
    (writer.expect("it listens"), accepted.expect("it connects").0, held)
}

/// Each line is as long as the others, and tells its number.
fn line(number: usize) -> String {
    format!("{number:0width$}", width = LINE_BYTES - 1)
}

#[tokio::test]
async fn t20_a_peer_that_does_not_read_ends_the_driver_and_fills_no_memory() {
    let (writer, mut reader, held) = connection().await;
    let counters = Counters::new();
    let config = Config::every(INTERVAL).with_stall_after(STALL_AFTER);
    let mut sink = FramedWrite::new(writer, LinesCodec::new());
    sink.set_backpressure_boundary(BOUNDARY_BYTES);
    let (sender, driver) = heartbeat_sink(sink, config, || String::from("beat"));
    let driver = driver.with_observer(&counters);

    // It waits for nothing but room.
    let most = (held + BOUNDARY_BYTES) / LINE_BYTES + 1;
    let mut fed = 0;
    let mut producer = Box::pin(async {
        loop {
            sender.feed(line(fed)).await.expect("the connection is open");
            fed += 1;
            assert!(fed <= most, "{fed} lines, and nobody reads");
        }
    });
    let start = Instant::now();
    let ended = tokio::select! {
        ended = timeout(PATIENCE, driver) => ended.expect("it ends"),
        () = &mut producer => unreachable!("it is endless"),
    };
    let lasted = start.elapsed();
    assert!(matches!(ended, Err(DriverError::Stalled)), "{ended:?}");
    assert!(lasted >= INTERVAL + STALL_AFTER, "{lasted:?}");
    let counts = counters.snapshot();
    assert_eq!((counts.stalled, counts.sent, counts.errors), (1, 0, 1));

    // The senders have not failed: both wait, the second for its turn, and can be called off.
    let waits = timeout(INTERVAL, join(&mut producer, sender.send(line(0)))).await;
    assert!(waits.is_err(), "there is no room");
    drop(producer);
    assert!(fed >= BOUNDARY_BYTES / LINE_BYTES, "{fed} lines");

    // Once the peer reads, it gets what was handed over, whole and in order, and what is sent now.
    let mut received = String::new();
    let last = async {
        sender.send(line(fed)).await?;
        sender.close().await
    };
    let done = timeout(PATIENCE, join(last, reader.read_to_string(&mut received))).await;
    let (sent, read) = done.expect("there is room again");
    sent.expect("the connection is open");
    read.expect("it is text");
    assert!(received.lines().map(str::to_owned).eq((0..=fed).map(line)), "{received}");
    assert_eq!(counters.snapshot(), counts, "no heartbeat follows");
}
