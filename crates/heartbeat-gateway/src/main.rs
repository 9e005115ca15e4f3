//! The `heartbeat-gateway` command; see its `--help`.

fn main() -> std::process::ExitCode {
    heartbeat_gateway::main()
}
