use std::error::Error;
use std::fmt;

use prost::{DecodeError, Message};

/// The paths of the methods that take one message and respond with a stream, from an encoded `FileDescriptorSet`.
pub(crate) fn streaming_methods(set: &[u8]) -> Result<Vec<String>, InvalidDescriptorSet> {
    let set = FileSet::decode(set).map_err(InvalidDescriptorSet)?;
    let mut paths = Vec::new();
    for File { package, services } in set.files {
        for Service { name: service, methods } in services {
            let prefix = if package.is_empty() { service } else { format!("{package}.{service}") };
            let streaming = methods
                .into_iter()
                .filter(|method| method.server_streaming && !method.client_streaming);
            paths.extend(streaming.map(|method| format!("/{prefix}/{}", method.name)));
        }
    }
    Ok(paths)
}

// The fields of google/protobuf/descriptor.proto that are needed. prost skips all others.

#[derive(Clone, PartialEq, Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    files: Vec<File>,
}

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "6")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    methods: Vec<Method>,
}

#[derive(Clone, PartialEq, Eq, Hash, Message)]
struct Method {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "5")]
    client_streaming: bool,
    #[prost(bool, tag = "6")]
    server_streaming: bool,
}

/// The bytes are not a `FileDescriptorSet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidDescriptorSet(DecodeError);

impl fmt::Display for InvalidDescriptorSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "invalid file descriptor set: expected the output of protoc with --descriptor_set_out, or of \
            tonic's build crate with file_descriptor_set_path",
        )
    }
}

impl Error for InvalidDescriptorSet {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
