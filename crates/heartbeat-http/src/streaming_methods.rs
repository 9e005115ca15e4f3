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
/// # Example
///
/// ```
/// use heartbeat_http::StreamingMethods;
///
/// let named = StreamingMethods::paths(["/galaxy.gateway.v1.GatewayService/Subscribe"]);
/// let matched = StreamingMethods::matching(|path| path.ends_with("/Watch"));
/// ```
#[derive(Clone)]
pub struct StreamingMethods(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl StreamingMethods {
    /// The methods with these paths, each with its leading slash.
    #[must_use]
    pub fn paths<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths: HashSet<String> = paths.into_iter().map(Into::into).collect();
        Self::matching(move |path| paths.contains(path))
    }

    /// The methods for whose path `streams` returns true.
    #[must_use]
    pub fn matching(streams: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(streams))
    }

    /// The methods that respond with a stream by an encoded `FileDescriptorSet`: the output of protoc with
    /// `--descriptor_set_out`, or of tonic's build crate with `file_descriptor_set_path`.
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
        streaming_methods(set.as_ref()).map(Self::paths)
    }

    pub(crate) fn contain(&self, path: &str) -> bool {
        (self.0)(path)
    }
}

impl fmt::Debug for StreamingMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingMethods").finish_non_exhaustive()
    }
}
