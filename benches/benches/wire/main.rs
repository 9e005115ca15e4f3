//! The cost of heartbeats on the way to the wire: frames, trackers and bodies. README.md describes the tables that are
//! printed at the end.

mod bodies;
mod frames;
mod trackers;

use std::error::Error;

use heartbeat_benches::Bench;
use tokio::runtime;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    let _entered = runtime.enter();

    let mut bench = Bench::new("wire");
    frames::grpc(&mut bench.costs("frame-grpc", "a heartbeat of gRPC"));
    frames::sse(&mut bench.costs("frame-sse", "a heartbeat of SSE that browsers see"));
    trackers::envelopes(&mut bench);
    trackers::lines(&mut bench);
    bodies::frames(&mut bench);
    bench.finish()?;
    Ok(())
}
