//! A connection that speaks another protocol from now on, such as WebSocket.

use std::time::Instant;

use hyper::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use hyper::upgrade::{self, OnUpgrade};
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio_util::io::{InspectReader, InspectWriter};
use tower::BoxError;

use super::access_log::End;
use super::hop;
use crate::causes::in_one_line;
use crate::front::Peer;

/// What a client asks for: to speak one of these protocols.
#[derive(Debug)]
pub(super) struct Upgrade {
    client: OnUpgrade,
    protocols: Vec<HeaderValue>,
    peer: Option<Peer>,
    path: String,
}

impl Upgrade {
    /// None if it does not ask. One to HTTP/2 is not heard, which HTTP allows: requests would go through
    /// it unseen.
    pub(super) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        let is =
            |name: &'static str| move |member: &[u8]| member.eq_ignore_ascii_case(name.as_bytes());
        let headers = request.headers();
        let asks = request.version() == Version::HTTP_11
            && hop::members(headers, &CONNECTION).any(is("upgrade"))
            && headers.contains_key(UPGRADE)
            && !hop::members(headers, &UPGRADE).any(is("h2c"));
        let protocols = headers.get_all(UPGRADE).iter().cloned().collect();
        asks.then(|| {
            let peer = request.extensions().get().copied();
            let path = request.uri().path().to_owned();
            Self { client: upgrade::on(request), protocols, peer, path }
        })
    }

    /// Whether it can be nothing but an upgrade: as a plain request it would make no sense.
    pub(super) fn is_to_websocket(&self) -> bool {
        self.protocols.iter().any(|line| line.as_bytes().eq_ignore_ascii_case(b"websocket"))
    }

    /// Asks the upstream for the same.
    pub(super) fn ask(&self, request: &mut HeaderMap) {
        request.append(CONNECTION, UPGRADES);
        for protocol in &self.protocols {
            request.append(UPGRADE, protocol.clone());
        }
    }

    /// The upstream has switched to these protocols: passes that on, and from then on what either side
    /// says to the other, until both have ended.
    pub(super) fn answer<B>(self, response: &mut Response<B>, protocols: Vec<HeaderValue>) {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, UPGRADES);
        for protocol in protocols {
            headers.append(UPGRADE, protocol);
        }
        let upstream = upgrade::on(response);
        let Self { client, peer, path, .. } = self;
        let mut passed = Passed::new(peer, path);
        tokio::spawn(async move {
            let joined = join(client, upstream, &mut passed).await;
            passed.ended(joined);
        });
    }
}

const UPGRADES: HeaderValue = HeaderValue::from_static("upgrade");

async fn join(client: OnUpgrade, upstream: OnUpgrade, passed: &mut Passed) -> Result<(), BoxError> {
    let Passed { up, down, .. } = passed;
    let (client, upstream) = futures_util::try_join!(client, upstream)?;
    let upstream = InspectReader::new(TokioIo::new(upstream), |read| *down += read.len() as u64);
    let mut upstream = InspectWriter::new(upstream, |wrote| *up += wrote.len() as u64);
    copy_bidirectional(&mut TokioIo::new(client), &mut upstream).await?;
    Ok(())
}

/// How much has passed since an upgrade. Dropped, it is written to the log.
#[derive(Debug)]
struct Passed {
    peer: Option<Peer>,
    path: String,
    since: Instant,
    /// Bytes toward the upstream.
    up: u64,
    /// Bytes toward the client.
    down: u64,
    end: End,
}

impl Passed {
    fn new(peer: Option<Peer>, path: String) -> Self {
        Self { peer, path, since: Instant::now(), up: 0, down: 0, end: End::Dropped }
    }

    fn ended(&mut self, joined: Result<(), BoxError>) {
        self.end = joined.map_or_else(|error| End::Failed(in_one_line(&*error)), |()| End::Whole);
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        let Self { peer, path, since, up, down, end } = self;
        let client = peer.map(|peer| tracing::field::display(peer.address));
        let (end, error) = end.told();
        tracing::info!(client, path, up, down, duration = ?since.elapsed(), end, error, "upgraded");
    }
}
