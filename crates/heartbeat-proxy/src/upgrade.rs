//! Upgrades of a connection to another protocol, such as WebSocket.

use std::time::Instant;

use hyper::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use hyper::upgrade::{self, OnUpgrade};
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio_util::io::{InspectReader, InspectWriter};
use tower::BoxError;

use crate::access_log::EndReason;
use crate::http_server::Peer;
use crate::log_duration::LogDuration;
use crate::{error_chain, hop_by_hop};

/// A client's request to switch to one of these protocols.
#[derive(Debug)]
pub(crate) struct Upgrade {
    client: OnUpgrade,
    protocols: Vec<HeaderValue>,
    peer: Option<Peer>,
    path: String,
}

impl Upgrade {
    /// Takes the upgrade out of a request. `None` if there is none. An upgrade to `h2c` is ignored, which HTTP allows:
    /// its requests would bypass the proxy.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        let is =
            |name: &'static str| move |member: &[u8]| member.eq_ignore_ascii_case(name.as_bytes());
        let headers = request.headers();
        let requested = request.version() == Version::HTTP_11
            && hop_by_hop::list_members(headers, &CONNECTION).any(is("upgrade"))
            && headers.contains_key(UPGRADE)
            && !hop_by_hop::list_members(headers, &UPGRADE).any(is("h2c"));
        let protocols = headers.get_all(UPGRADE).iter().cloned().collect();
        requested.then(|| {
            let peer = request.extensions().get().copied();
            let path = request.uri().path().to_owned();
            Self { client: upgrade::on(request), protocols, peer, path }
        })
    }

    /// Whether the protocol is WebSocket: such a request has no meaning without the upgrade.
    pub(crate) fn is_to_websocket(&self) -> bool {
        self.protocols.iter().any(|line| line.as_bytes().eq_ignore_ascii_case(b"websocket"))
    }

    /// Requests the upgrade from the upstream.
    pub(crate) fn request(&self, headers: &mut HeaderMap) {
        headers.append(CONNECTION, UPGRADE_OPTION);
        for protocol in &self.protocols {
            headers.append(UPGRADE, protocol.clone());
        }
    }

    /// Completes the upgrade after the upstream has switched to `protocols`: rewrites the response, and spawns a task that
    /// copies bytes in both directions until both sides have ended.
    pub(crate) fn accept<B>(self, response: &mut Response<B>, protocols: Vec<HeaderValue>) {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, UPGRADE_OPTION);
        for protocol in protocols {
            headers.append(UPGRADE, protocol);
        }
        let upstream = upgrade::on(response);
        let Self { client, peer, path, .. } = self;
        let mut record = UpgradeRecord::new(peer, path);
        tokio::spawn(async move {
            let copied = copy(client, upstream, &mut record).await;
            record.end(copied);
        });
    }
}

const UPGRADE_OPTION: HeaderValue = HeaderValue::from_static("upgrade");

async fn copy(
    client: OnUpgrade,
    upstream: OnUpgrade,
    record: &mut UpgradeRecord,
) -> Result<(), BoxError> {
    let UpgradeRecord { up, down, .. } = record;
    let (client, upstream) = tokio::try_join!(client, upstream)?;
    let upstream = InspectReader::new(TokioIo::new(upstream), |read| *down += read.len() as u64);
    let mut upstream = InspectWriter::new(upstream, |wrote| *up += wrote.len() as u64);
    copy_bidirectional(&mut TokioIo::new(client), &mut upstream).await?;
    Ok(())
}

/// The data of the log line of an upgraded connection. Dropping the record writes the line.
#[derive(Debug)]
struct UpgradeRecord {
    peer: Option<Peer>,
    path: String,
    since: Instant,
    /// Bytes to the upstream.
    up: u64,
    /// Bytes to the client.
    down: u64,
    end: EndReason,
}

impl UpgradeRecord {
    fn new(peer: Option<Peer>, path: String) -> Self {
        Self { peer, path, since: Instant::now(), up: 0, down: 0, end: EndReason::Dropped }
    }

    fn end(&mut self, copied: Result<(), BoxError>) {
        self.end = match copied {
            Ok(()) => EndReason::Complete,
            Err(error) => EndReason::Failed(error_chain::to_line(&*error)),
        };
    }
}

impl Drop for UpgradeRecord {
    fn drop(&mut self) {
        let Self { peer, path, since, up, down, end } = self;
        let client = peer.map(|peer| tracing::field::display(peer.address));
        let (end, error) = end.as_fields();
        let duration = LogDuration(since.elapsed());
        tracing::info!(client, path, up, down, %duration, end, error, "upgraded");
    }
}
