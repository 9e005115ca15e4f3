//! Against the gateway's server, behind what goes wrong on the way to it. Over real sockets and in
//! real time, all at once: 12 s.

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
use heartbeat_gateway::runtime::Runtime;
use heartbeat_gateway::server::ServerOptions;
use heartbeat_gateway::server::{Gateway, Listener};
use heartbeat_tokio::Config;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// How long anything may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(300);

/// Longer than three intervals, since the machine may be busy; and longer than the proxy waits.
const TIMEOUT: Duration = Duration::from_secs(3);

const ANY_PORT: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

type Events = Pin<Box<dyn Stream<Item = Result<GatewayEvent, Status>> + Send>>;

fn events(server: SocketAddr, timeout: Duration, last_event_id: &str) -> Events {
    let server = Endpoint::try_from(format!("http://{server}")).expect("an address");
    Box::pin(follow(server, timeout, last_event_id.to_owned()))
}

async fn next_id(events: &mut Events) -> u64 {
    let event = timeout(PATIENCE, events.next()).await.expect("it comes back");
    let event = event.expect("it has no end").expect("held");
    event.event_id.parse().expect("a number")
}

/// What the events end with.
async fn failure(events: &mut Events) -> Status {
    let failure = timeout(PATIENCE, events.next()).await.expect("it comes back");
    let failure = failure.expect("it says why").expect_err("there is no such event");
    assert!(events.next().await.is_none());
    failure
}

async fn listen(address: SocketAddr) -> (Listener, SocketAddr) {
    let server = Listener::bind(Runtime::Tokio, address, &ServerOptions::default()).await;
    let server = server.expect("a port");
    let address = server.local_addr();
    (server, address)
}

/// A server of `feed` with this interval, behind a proxy that cuts after so long.
async fn serve(
    feed: &EventLog,
    interval: Duration,
    cut: Duration,
) -> (SocketAddr, Arc<ProxyStats>) {
    let (server, address) = listen(ANY_PORT).await;
    let proxy = IdleProxy::bind(ANY_PORT, address, cut, ActivityRule::Data).await;
    let proxy = proxy.expect("a port");
    let front = (proxy.local_addr(), proxy.stats());
    let gateway = Gateway::new(feed.clone(), Config::every(interval));
    tokio::spawn(server.serve(gateway, pending()));
    tokio::spawn(proxy.run());
    front
}

/// A way to a server, and the means to lead it to another. A connection that was made before then holds
/// back all bytes from there on, and stays open.
async fn way(first: SocketAddr) -> (SocketAddr, watch::Sender<SocketAddr>) {
    let listener = TcpListener::bind(ANY_PORT).await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (leads_to, way) = watch::channel(first);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("a connection");
            let mut way = way.clone();
            let server = *way.borrow_and_update();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.expect("it listens");
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    _ = way.changed() => pending().await,
                }
            });
        }
    });
    (address, leads_to)
}

/// Publishes for 8.5 s, at irregular times: some too soon for the proxy to cut, and some not.
async fn publish(feed: &EventLog) {
    for pause in [100, 1700, 20, 0, 900, 2400, 300, 1300, 50, 1730] {
        sleep(Duration::from_millis(pause)).await;
        feed.publish(GatewayEvent::default());
    }
}

/// Publishes whenever the proxy has cut, and counts how often nobody was there to hear it.
async fn publish_to_nobody(feed: &EventLog, stats: &ProxyStats, unheard: &mut u32) {
    let mut cuts = 0;
    loop {
        sleep(Duration::from_millis(5)).await;
        if stats.cuts() > cuts {
            cuts = stats.cuts();
            feed.publish(GatewayEvent::default());
            *unheard += u32::from(cuts == stats.connections());
        }
    }
}

/// Follows a server whose proxy cuts after a second, and tells what the proxy did and how many events
/// were published while the client was cut off.
async fn follow_for_ten_seconds(interval: Duration) -> (Arc<ProxyStats>, u32) {
    let idle_cut = Duration::from_secs(1);
    let feed = EventLog::new(1000);
    let (server, stats) = serve(&feed, interval, idle_cut).await;
    let mut events = events(server, TIMEOUT, "0");
    let (mut seen, mut unheard) = (Vec::new(), 0);
    tokio::select! {
        () = publish(&feed) => {}
        () = publish_to_nobody(&feed, &stats, &mut unheard) => {}
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
    let more = timeout(idle_cut * 3 / 2, events.next()).await; // once more it comes back
    assert!(more.is_err(), "{more:?}");
    (stats, unheard)
}

#[tokio::test]
async fn it_loses_and_doubles_no_event_that_the_server_holds() {
    let ((cut, unheard), (kept, _)) =
        join(follow_for_ten_seconds(Duration::ZERO), follow_for_ten_seconds(INTERVAL)).await;
    assert!(cut.cuts() >= 1, "without heartbeats it is cut");
    assert!(unheard >= 1, "{} cuts", cut.cuts());
    assert_eq!((kept.cuts(), kept.connections()), (0, 1), "with heartbeats it is not");
}

#[tokio::test]
async fn a_connection_that_is_dead_without_a_word_is_replaced() {
    let feed = EventLog::new(10);
    let (first, _) = serve(&feed, INTERVAL, Duration::ZERO).await;
    let (second, stats) = serve(&feed, INTERVAL, Duration::ZERO).await;
    let (address, leads_to) = way(first).await;
    let mut events = events(address, TIMEOUT, "0");
    feed.publish(GatewayEvent::default());
    assert_eq!(next_id(&mut events).await, 1);

    let start = Instant::now();
    leads_to.send_replace(second);
    sleep(INTERVAL / 3).await; // now it is black
    feed.publish(GatewayEvent::default());
    assert_eq!(next_id(&mut events).await, 2);
    let noticed = start.elapsed();
    assert!((TIMEOUT..TIMEOUT * 2).contains(&noticed), "after {noticed:?}");
    assert_eq!(stats.connections(), 1);
}

#[tokio::test]
async fn a_server_that_ends_its_streams_is_followed_by_another() {
    let (old, new) = (EventLog::new(10), EventLog::new(10));
    let (first, _) = serve(&old, INTERVAL, Duration::ZERO).await;
    let (second, _) = serve(&new, INTERVAL, Duration::ZERO).await;
    let (address, leads_to) = way(first).await;
    let mut events = events(address, TIMEOUT, "0");
    for feed in [&old, &new, &new] {
        feed.publish(GatewayEvent::default());
    }
    assert_eq!(next_id(&mut events).await, 1);

    old.close();
    let ended = timeout(INTERVAL, events.next()).await;
    assert!(ended.is_err(), "the caller sees none of it: {ended:?}");
    leads_to.send_replace(second);
    assert_eq!(next_id(&mut events).await, 2);
}

#[tokio::test]
async fn a_server_that_is_down_at_first_is_waited_for() {
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
    assert!(early.is_err(), "the caller sees none of it");
    // At 0, then not before 0.1, 0.3 and 0.7 s, and the next at 1.5 s.
    assert!((2..=4).contains(&stats.connections()), "{} attempts", stats.connections());

    let feed = EventLog::new(10);
    feed.publish(GatewayEvent::default());
    drop(socket);
    let (server, _) = listen(address).await;
    tokio::spawn(server.serve(Gateway::new(feed, Config::every(INTERVAL)), pending()));
    assert_eq!(join(next_id(&mut refused), next_id(&mut dropped)).await, (1, 1));
}

#[tokio::test]
async fn events_that_are_not_held_any_more_are_told() {
    let feed = EventLog::new(3);
    let (server, stats) = serve(&feed, INTERVAL, Duration::ZERO).await;
    let mut behind = events(server, TIMEOUT, "0");
    feed.publish(GatewayEvent::default());
    assert_eq!(next_id(&mut behind).await, 1);
    for _ in 0..9 {
        feed.publish(GatewayEvent::default()); // before it can read any of them
    }
    for mut events in [behind, events(server, TIMEOUT, "1")] {
        let missed = failure(&mut events).await;
        assert_eq!(missed.code(), Code::OutOfRange);
        assert!(missed.message().contains("the events after 1 are not held any more"), "{missed}");
    }
    assert_eq!(stats.connections(), 2, "it has not asked again");
}

#[tokio::test]
async fn an_id_that_the_server_does_not_know_is_told() {
    let (server, stats) = serve(&EventLog::new(3), INTERVAL, Duration::ZERO).await;
    let unknown = failure(&mut events(server, TIMEOUT, "no id of yours")).await;
    assert_eq!(unknown.code(), Code::InvalidArgument);
    assert_eq!(stats.connections(), 1, "it has not asked again");
}
