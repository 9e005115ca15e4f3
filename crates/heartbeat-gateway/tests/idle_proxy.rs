//! A gRPC stream with a heartbeat every 200 ms through a proxy that cuts after 1.5 s, on each runtime. It uses real
//! sockets and real time, and takes 5 s.

use std::time::Duration;

use heartbeat_async::Config;
use heartbeat_frame::service::gateway_service_client::GatewayServiceClient;
use heartbeat_frame::{GatewayEvent, SubscribeRequest};
use heartbeat_gateway::event_log::EventLog;
use heartbeat_gateway::idle_proxy::{ActivityRule, IdleProxy};
use heartbeat_gateway::runtime::RuntimeKind;
use heartbeat_gateway::server::ServerOptions;
use heartbeat_gateway::server::{Gateway, Listener};
use tokio::time::{sleep, timeout_at};

const INTERVAL: Duration = Duration::from_millis(200);
const IDLE_CUT: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_survives_five_seconds_and_delivers_events_once_and_in_order() {
    let streams = RuntimeKind::ALL.map(|runtime| tokio::spawn(lives_for_five_seconds(runtime)));
    for (stream, runtime) in streams.into_iter().zip(RuntimeKind::ALL) {
        stream.await.unwrap_or_else(|panic| panic!("{}: {panic}", runtime.name()));
    }
}

async fn lives_for_five_seconds(runtime: RuntimeKind) {
    let any_port = ([127, 0, 0, 1], 0).into();
    let listener = Listener::bind(runtime, any_port, &ServerOptions::default()).await;
    let listener = listener.expect("a port");
    let server = listener.local_addr();
    let proxy =
        IdleProxy::bind(any_port, server, IDLE_CUT, ActivityRule::Data).await.expect("a port");
    let (address, stats) = (proxy.local_addr(), proxy.stats());
    let log = EventLog::new(100);
    let gateway = Gateway::new(log.clone(), Config::every(INTERVAL));
    tokio::spawn(listener.serve(gateway, std::future::pending()));
    tokio::spawn(proxy.run());

    let mut client =
        GatewayServiceClient::connect(format!("http://{address}")).await.expect("served");
    let stream = client.subscribe(SubscribeRequest::default()).await.expect("served");
    let mut stream = stream.into_inner();
    let start = tokio::time::Instant::now();

    // Two events in quick succession, then a silence, and so on: 0, 100, 2000, 2100, 4000 ms.
    let events = log.clone();
    let publishing = tokio::spawn(async move {
        let mut published = 0;
        for pause in [0, 100, 1900, 100, 1900] {
            sleep(Duration::from_millis(pause)).await;
            published = events.publish(GatewayEvent::default());
        }
        published
    });

    let (mut ids, mut heartbeats) = (Vec::new(), 0);
    let end = start + Duration::from_secs(5);
    while let Ok(event) = timeout_at(end, stream.message()).await {
        let event = event.expect("not cut").expect("not ended");
        if event.is_heartbeat() {
            heartbeats += 1;
        } else {
            ids.push(event.event_id);
        }
    }

    assert_eq!(stats.cuts(), 0);
    assert!((1..=25).contains(&heartbeats), "{heartbeats} heartbeats"); // at most one per interval
    let published = publishing.await.expect("no panic");
    assert_eq!(ids, (1..=published).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(published, 5);
}
