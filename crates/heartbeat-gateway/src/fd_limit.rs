use crate::ConnectionArgs;

/// Raises the process's limit of open files to the maximum that the system allows. Warns if the limit is too low for
/// `--max-connections` connections of `sockets` sockets each.
pub(crate) fn raise_fd_limit(connections: &ConnectionArgs, sockets: u64) {
    let needed = u64::from(connections.max_connections) * sockets;
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(allowed) if allowed >= needed => {}
        Ok(allowed) => tracing::warn!(
            allowed,
            needed,
            "too few open files for --max-connections: raise the limit (ulimit -n)"
        ),
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}
