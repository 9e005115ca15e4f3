use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Which methods of gRPC, gRPC-Web and Connect answer with a stream, by their path:
/// `/package.Service/Method`.
///
/// A heartbeat is a message that the client sees. Where it expects one message and no more, as a unary
/// or a client-streaming method has it, another one would be an error of the protocol; and nothing in
/// such a response tells it from a stream. So only methods that are named here get heartbeats.
///
/// # Example
///
/// ```
/// use heartbeat_http::Methods;
///
/// let named = Methods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let told = Methods::matching(|path| path.ends_with("/Watch"));
/// ```
#[derive(Clone)]
pub struct Methods(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl Methods {
    /// Those with these paths, each with its leading slash.
    #[must_use]
    pub fn paths<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths: HashSet<String> = paths.into_iter().map(Into::into).collect();
        Self::matching(move |path| paths.contains(path))
    }

    /// Those for whose path `streams` holds.
    #[must_use]
    pub fn matching(streams: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(streams))
    }

    pub(crate) fn contain(&self, path: &str) -> bool {
        (self.0)(path)
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Methods").finish_non_exhaustive()
    }
}
