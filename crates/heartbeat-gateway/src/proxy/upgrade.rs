//! A connection that speaks another protocol from now on, such as WebSocket.

use hyper::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use hyper::upgrade::{self, OnUpgrade};
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use super::hop;

/// What a client asks for: to speak one of these protocols.
#[derive(Debug)]
pub(super) struct Upgrade {
    client: OnUpgrade,
    protocols: Vec<HeaderValue>,
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
        asks.then(|| Self { client: upgrade::on(request), protocols })
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
        tokio::spawn(async move {
            match join(self.client, upstream).await {
                Ok((up, down)) => tracing::debug!(up, down, "an upgraded connection ended"),
                Err(error) => tracing::debug!(error, "an upgraded connection failed"),
            }
        });
    }
}

const UPGRADES: HeaderValue = HeaderValue::from_static("upgrade");

async fn join(
    client: OnUpgrade,
    upstream: OnUpgrade,
) -> Result<(u64, u64), Box<dyn std::error::Error + Send + Sync>> {
    let (client, upstream) = futures_util::try_join!(client, upstream)?;
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    Ok(copy_bidirectional(&mut client, &mut upstream).await?)
}
