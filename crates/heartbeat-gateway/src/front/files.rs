use super::FrontOptions;

/// Lets the process have as many files open as the system allows; its sockets are among them. Warns where
/// those are too few for all connections that there may be, of so many sockets each.
pub(crate) fn allow_files(options: &FrontOptions, sockets: u64) {
    let needed = u64::from(options.max_connections) * sockets;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) if allowed >= needed => {}
        Ok(allowed) => tracing::warn!(
            allowed,
            needed,
            "too few open files for --max-connections: raise the limit (ulimit -n)"
        ),
        Err(error) => tracing::warn!(%error, "the limit to open files cannot be raised"),
    }
}
