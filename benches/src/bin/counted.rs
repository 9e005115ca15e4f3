//! Stores the instruction counts of gungraun next to the results of the other benches.

use std::error::Error;

use heartbeat_benches::{counted, write};

fn main() -> Result<(), Box<dyn Error>> {
    write("instructions", &counted()?)
}
