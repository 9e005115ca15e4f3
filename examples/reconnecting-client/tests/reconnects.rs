//! The client against the gateway's server, over connections that fail. Real sockets and real time; the tests
//! run concurrently, and take 6 s.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use example_reconnecting_client::follow;
use futures_util::future::{join, select};
use futures_util::{Stream, StreamExt};
use heartbeat_frame::GatewayEvent;
use heartbeat_gateway::event_log::EventLog;
use heartbeat_gateway::idle_proxy::{ActivityRule, IdleProxy, ProxyStats};
use heartbeat_gateway::runtime::RuntimeKind;
use heartbeat_gateway::server::ServerOptions;
use heartbeat_gateway::server::{Gateway, Listener};
use heartbeat_tokio::Config;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// Time limit of each step. Long, because the machine may be busy.
const TIME_LIMIT: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(300);

/// Longer than three intervals, because the machine may be busy, and longer than the proxy's idle timeout.
const TIMEOUT: Duration = Duration::from_secs(3);

const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

type Events = Pin<Box<dyn Stream<Item = Result<GatewayEvent, Status>> + Send>>;

fn events(server: SocketAddr, timeout: Duration, last_event_id: &str) -> Events {
    let server = Endpoint::try_from(format!("http://{server}")).expect("an address");
    Box::pin(follow(server, timeout, last_event_id.to_owned()))
}

async fn next_id(events: &mut Events) -> u64 {
    let event = timeout(TIME_LIMIT, events.next()).await.expect("reconnected in time");
    let event = event.expect("endless").expect("available");
    event.event_id.parse().expect("a number")
}

/// Waits for the error that ends the stream.
async fn final_error(events: &mut Events) -> Status {
    let status = timeout(TIME_LIMIT, events.next()).await.expect("answered in time");
    let status = status.expect("an error before the end").expect_err("no such event");
    assert!(events.next().await.is_none());
    status
}

async fn listen(address: SocketAddr) -> (Listener, SocketAddr) {
    let server = Listener::bind(RuntimeKind::Tokio, address, &ServerOptions::default()).await;
    let server = server.expect("a port");
    let address = server.local_addr();
    (server, address)
}

/// Starts a server of `feed` with this heartbeat interval, behind a proxy that closes connections which are
/// idle for `cut`.
async fn serve(
    feed: &EventLog,
    interval: Duration,
    cut: Duration,
) -> (SocketAddr, Arc<ProxyStats>) {
    let (server, address) = listen(ANY_PORT).await;
    let proxy = IdleProxy::bind(ANY_PORT, address, cut, ActivityRule::Data).await;
    let proxy = proxy.expect("a port");
    let address_and_stats = (proxy.local_addr(), proxy.stats());
    let gateway = Gateway::new(feed.clone(), Config::every(interval));
    tokio::spawn(server.serve(gateway, pending()));
    tokio::spawn(proxy.run());
    address_and_stats
}

/// Starts a forwarder to `first`, and returns its address and a switch to another server. After the switch,
/// connections made before it stay open, but forward no more bytes.
async fn forwarder(first: SocketAddr) -> (SocketAddr, watch::Sender<SocketAddr>) {
    let listener = TcpListener::bind(ANY_PORT).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (switch, target) = watch::channel(first);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("a connection");
            let mut target = target.clone();
            let server = *target.borrow_and_update();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.expect("the server listens");
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = target.changed() => pending().await,
                }
            });
        }
    });
    (address, switch)
}

/// Publishes for 4 s after irregular pauses, some longer than the proxy's idle timeout.
async fn publish(feed: &EventLog) {
    for pause in [100, 1700, 20, 0, 800, 1300, 50] {
        sleep(Duration::from_millis(pause)).await;
        feed.publish(GatewayEvent::default());
    }
}

/// Publishes whenever the proxy has closed a connection, and counts the events without a connected client.
async fn publish_after_cuts(feed: &EventLog, stats: &ProxyStats, missed: &mut u32) {
    let mut cuts = 0;
    loop {
        sleep(Duration::from_millis(5)).await;
        if stats.cuts() > cuts {
            cuts = stats.cuts();
            feed.publish(GatewayEvent::default());
            *missed += u32::from(cuts == stats.connections());
        }
    }
}

/// Follows a server behind a proxy with an idle timeout of one second. Returns the proxy's counts, and the
/// number of events that were published while the client was disconnected.
async fn follow_with_interval(interval: Duration) -> (Arc<ProxyStats>, u32) {
    let idle_cut = Duration::from_secs(1);
    let feed = EventLog::new(1000);
    let (server, stats) = serve(&feed, interval, idle_cut).await;
    let mut events = events(server, TIMEOUT, "0");
    let (mut seen, mut missed) = (Vec::new(), 0);
    tokio::select! {
        () = publish(&feed) => {}
        () = publish_after_cuts(&feed, &stats, &mut missed) => {}
        () = async {
            loop {
                seen.push(next_id(&mut events).await);
            }
        } => {}
    }
    let last = feed.publish(GatewayEvent::default());
    while seen.last() != Some(&last) {
        seen.push(next_id(&mut events).await);
    }
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    let more = timeout(idle_cut * 3 / 2, events.next()).await; // one more idle timeout
    assert!(more.is_err(), "{more:?}");
    (stats, missed)
}

#[tokio::test]
async fn events_are_neither_lost_nor_repeated() {
    let ((cut, missed), (kept, _)) =
        join(follow_with_interval(Duration::ZERO), follow_with_interval(INTERVAL)).await;
    assert!(cut.cuts() >= 1, "without heartbeats the proxy closes connections");
    assert!(missed >= 1, "{} cuts", cut.cuts());
    assert_eq!((kept.cuts(), kept.connections()), (0, 1), "with heartbeats it closes none");
}

#[tokio::test]
async fn a_silent_dead_connection_is_replaced() {
    let feed = EventLog::new(10);
    let (first, _) = serve(&feed, INTERVAL, Duration::ZERO).await;
    let (second, stats) = serve(&feed, INTERVAL, Duration::ZERO).await;
    let (address, switch) = forwarder(first).await;
    let mut events = events(address, TIMEOUT, "0");
    feed.publish(GatewayEvent::default());
    assert_eq!(next_id(&mut events).await, 1);

    let start = Instant::now();
    switch.send_replace(second);
    sleep(INTERVAL / 3).await; // the connection forwards no more bytes
    feed.publish(GatewayEvent::default());
    assert_eq!(next_id(&mut events).await, 2);
    let detected = start.elapsed();
    assert!((TIMEOUT..TIMEOUT * 2).contains(&detected), "after {detected:?}");
    assert_eq!(stats.connections(), 1);
}

#[tokio::test]
async fn the_client_resumes_on_another_server() {
    let (old, new) = (EventLog::new(10), EventLog::new(10));
    let (first, _) = serve(&old, INTERVAL, Duration::ZERO).await;
    let (second, _) = serve(&new, INTERVAL, Duration::ZERO).await;
    let (address, switch) = forwarder(first).await;
    let mut events = events(address, TIMEOUT, "0");
    for feed in [&old, &new, &new] {
        feed.publish(GatewayEvent::default());
    }
    assert_eq!(next_id(&mut events).await, 1);

    old.close();
    let ended = timeout(INTERVAL, events.next()).await;
    assert!(ended.is_err(), "the caller sees no error: {ended:?}");
    switch.send_replace(second);
    assert_eq!(next_id(&mut events).await, 2);
}

#[tokio::test]
async fn the_client_retries_until_the_server_is_up() {
    let socket = TcpSocket::new_v4().expect("one");
    socket.bind(ANY_PORT).expect("a port");
    let address = socket.local_addr().expect("bound");
    let proxy = IdleProxy::bind(ANY_PORT, address, Duration::ZERO, ActivityRule::Data).await;
    let proxy = proxy.expect("a port");
    let stats = proxy.stats();
    let mut refused = events(address, TIMEOUT, "");
    let mut dropped = events(proxy.local_addr(), TIMEOUT, "");
    tokio::spawn(proxy.run());
    let early = timeout(Duration::from_secs(1), select(refused.next(), dropped.next())).await;
    assert!(early.is_err(), "the caller sees no error");
    // Attempts at 0 s, then at the earliest at 0.1, 0.3, 0.7 and 1.5 s.
    assert!((2..=4).contains(&stats.connections()), "{} attempts", stats.connections());

    let feed = EventLog::new(10);
    feed.publish(GatewayEvent::default());
    drop(socket);
    let (server, _) = listen(address).await;
    tokio::spawn(server.serve(Gateway::new(feed, Config::every(INTERVAL)), pending()));
    assert_eq!(join(next_id(&mut refused), next_id(&mut dropped)).await, (1, 1));
}

#[tokio::test]
async fn events_that_are_no_longer_available_are_an_error() {
    let feed = EventLog::new(3);
    let (server, stats) = serve(&feed, INTERVAL, Duration::ZERO).await;
    let mut behind = events(server, TIMEOUT, "0");
    feed.publish(GatewayEvent::default());
    assert_eq!(next_id(&mut behind).await, 1);
    for _ in 0..9 {
        feed.publish(GatewayEvent::default()); // before the client can read any of them
    }
    for mut events in [behind, events(server, TIMEOUT, "1")] {
        let missed = final_error(&mut events).await;
        assert_eq!(missed.code(), Code::OutOfRange);
        assert!(missed.message().contains("event 1 is too old"), "{missed}");
    }
    assert_eq!(stats.connections(), 2, "no retry");
}

#[tokio::test]
async fn an_unknown_id_is_an_error() {
    let (server, stats) = serve(&EventLog::new(3), INTERVAL, Duration::ZERO).await;
    let unknown = final_error(&mut events(server, TIMEOUT, "unknown")).await;
    assert_eq!(unknown.code(), Code::InvalidArgument);
    assert_eq!(stats.connections(), 1, "no retry");
}
