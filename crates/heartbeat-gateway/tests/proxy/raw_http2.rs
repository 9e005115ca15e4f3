//! An HTTP/2 upstream of single frames, for what no HTTP library sends.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

/// `END_STREAM` in `DATA` and `HEADERS`, `ACK` in `SETTINGS`.
const FLAG: u8 = 1;
const END_HEADERS: u8 = 4;
const REFUSED_STREAM: u32 = 7;

/// A connection from a client with prior knowledge (h2c).
pub(crate) struct RawHttp2(BufReader<TcpStream>);

/// A part of a request. `end` is whether it is the last one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Head { stream: u32, end: bool },
    Data { stream: u32, data: Vec<u8>, end: bool },
}

impl RawHttp2 {
    /// Reads the preface, and sends SETTINGS with this maximum number of streams.
    pub(crate) async fn accept(connection: TcpStream, max_streams: u32) -> io::Result<Self> {
        let mut this = Self(BufReader::new(connection));
        this.0.read_exact(&mut [0; 24]).await?;
        let max_concurrent_streams = [&[0, 3][..], &max_streams.to_be_bytes()].concat();
        this.write(SETTINGS, 0, 0, &max_concurrent_streams).await?;
        Ok(this)
    }

    /// Waits for the next part of a request.
    pub(crate) async fn receive(&mut self) -> io::Result<Received> {
        loop {
            let mut length = [0; 4];
            self.0.read_exact(&mut length[1..]).await?;
            let (kind, flags) = (self.0.read_u8().await?, self.0.read_u8().await?);
            let stream = self.0.read_u32().await?;
            let mut data = vec![0; u32::from_be_bytes(length) as usize];
            self.0.read_exact(&mut data).await?;
            let end = flags & FLAG != 0;
            match kind {
                HEADERS => return Ok(Received::Head { stream, end }),
                DATA => return Ok(Received::Data { stream, data, end }),
                SETTINGS if !end => self.write(SETTINGS, FLAG, 0, &[]).await?,
                _ => {}
            }
        }
    }

    /// Responds with status 200 and without a body.
    pub(crate) async fn respond(&mut self, stream: u32) -> io::Result<()> {
        self.write(HEADERS, FLAG | END_HEADERS, stream, &[0x88]).await // `:status: 200` of the static table
    }

    /// Resets a stream with `REFUSED_STREAM`.
    pub(crate) async fn refuse(&mut self, stream: u32) -> io::Result<()> {
        self.write(RST_STREAM, 0, stream, &REFUSED_STREAM.to_be_bytes()).await
    }

    /// Sends GOAWAY without an error.
    pub(crate) async fn go_away(&mut self, last_stream: u32) -> io::Result<()> {
        self.write(GOAWAY, 0, 0, &[last_stream.to_be_bytes(), [0; 4]].concat()).await
    }

    async fn write(&mut self, kind: u8, flags: u8, stream: u32, data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).expect("short").to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.0.write_all(&[&head, data].concat()).await
    }
}
