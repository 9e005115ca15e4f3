use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::descriptor::{InvalidDescriptorSet, streaming_methods};

/// Which methods of gRPC, gRPC-Web and Connect respond with a stream, by their path `/package.Service/Method`.
///
/// Only these methods get heartbeats. A heartbeat is a message that the client sees. To a client that expects a single
/// message, as from a unary or a client-streaming method, a second one is a protocol error, and the response
/// itself does not say which kind its method is.
///
/// # Methods whose messages are answers
///
/// To some clients each message is an answer, and they would take a heartbeat for one:
///
/// - In `grpc.health.v1.Health/Watch` an empty message means that the health is unknown: the client stops sending requests.
/// - A client of a bidirectional method may send a request and then read one message, which is its answer. Server
///   reflection works like that.
///
/// Only [`paths`](Self::paths) and [`with_paths`](Self::with_paths) can name the methods of `grpc.health.*` and
/// `grpc.reflection.*`. [`from_descriptor_set`](Self::from_descriptor_set) takes no methods whose requests stream.
///
/// # Example
///
/// ```
/// use heartbeat_http::StreamingMethods;
///
/// let named = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let matched = StreamingMethods::matching(|path| path.starts_with("/galaxy.feeds.v1."));
/// ```
#[derive(Clone)]
pub struct StreamingMethods(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl StreamingMethods {
    /// The methods with these paths, each with its leading slash.
    #[must_use]
    pub fn paths<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths: HashSet<String> = paths.into_iter().map(Into::into).collect();
        Self(Arc::new(move |path| paths.contains(path)))
    }

    /// Adds the methods with these paths.
    ///
    /// # Example
    ///
    /// A bidirectional method whose client does not wait for one answer per request:
    ///
    /// ```
    /// use heartbeat_http::StreamingMethods;
    ///
    /// # let descriptors: &[u8] = b"";
    /// let streams = StreamingMethods::from_descriptor_set(descriptors)?
    ///     .with_paths(["/galaxy.chat.v1.ChatService/Talk"]);
    /// # Ok::<(), heartbeat_http::InvalidDescriptorSet>(())
    /// ```
    #[must_use]
    pub fn with_paths<P: Into<String>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        let added = Self::paths(paths);
        Self(Arc::new(move |path| added.contain(path) || self.contain(path)))
    }

    /// The methods for whose path `streams` returns true. It is not called for the methods of `grpc.health.*` and
    /// `grpc.reflection.*`.
    #[must_use]
    pub fn matching(streams: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(move |path| !is_infrastructure(path) && streams(path)))
    }

    /// The methods that take one message and respond with a stream by an encoded `FileDescriptorSet`: the output of
    /// protoc with `--descriptor_set_out`, or of tonic's build crate with `file_descriptor_set_path`. Methods of
    /// `grpc.health.*` and `grpc.reflection.*` are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidDescriptorSet`] if the bytes are not a `FileDescriptorSet`.
    ///
    /// # Example
    ///
    /// ```
    /// use heartbeat_http::StreamingMethods;
    ///
    /// # let descriptors: &[u8] = b"";
    /// // let descriptors = tonic::include_file_descriptor_set!("my_descriptors");
    /// let streams = StreamingMethods::from_descriptor_set(descriptors)?;
    /// # Ok::<(), heartbeat_http::InvalidDescriptorSet>(())
    /// ```
    pub fn from_descriptor_set(set: impl AsRef<[u8]>) -> Result<Self, InvalidDescriptorSet> {
        let mut methods = streaming_methods(set.as_ref())?;
        methods.retain(|path| !is_infrastructure(path));
        Ok(Self::paths(methods))
    }

    pub(crate) fn contain(&self, path: &str) -> bool {
        (self.0)(path)
    }
}

/// Whether an empty message of this method is an answer.
fn is_infrastructure(path: &str) -> bool {
    ["/grpc.health.", "/grpc.reflection."].iter().any(|prefix| path.starts_with(prefix))
}

impl fmt::Debug for StreamingMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingMethods").finish_non_exhaustive()
    }
}
