use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{ORIGIN, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// An origin of browser pages that may read responses: one, or `*` for any.
///
/// # Example
///
/// ```
/// use heartbeat_gateway::server::Origin;
///
/// assert!("https://example.org".parse::<Origin>().is_ok());
/// assert!("*".parse::<Origin>().is_ok());
/// assert!("example.org".parse::<Origin>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

const ANY: &str = "*";

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one = || {
            let uri: Uri = text.parse().ok()?;
            let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
            (text == format!("{scheme}://{authority}")).then_some(())
        };
        HeaderValue::from_str(text)
            .ok()
            .filter(|_| text == ANY || is_one().is_some())
            .map(Self)
            .ok_or("expected an origin like https://example.org without a path, or * for any")
    }
}

/// Time for which a browser may cache the response to a preflight request. Chromium's maximum is two hours.
const MAX_AGE: Duration = Duration::from_secs(2 * 60 * 60);

/// Response headers that pages may read: the status of gRPC-Web responses without a body, and the time to retry.
const EXPOSED: [HeaderName; 4] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    RETRY_AFTER,
];

/// A CORS layer for these origins; `None` without origins. Credentials are not allowed, since the server has no login.
pub(super) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let any = origins.iter().any(|Origin(origin)| origin == ANY);
    let (origins, varies) = if any {
        (AllowOrigin::any(), Vec::new())
    } else {
        let origins = origins.iter().map(|Origin(origin)| origin.clone());
        (AllowOrigin::list(origins), vec![ORIGIN])
    };
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .vary(varies)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request()) // metadata of a call can have any name
        .expose_headers(EXPOSED)
        .max_age(MAX_AGE);
    Some(layer)
}
