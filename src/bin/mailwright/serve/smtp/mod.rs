//! SMTP: two ports, as mail systems have them. What comes to the one is mail of users (outbound), to the other mail from
//! outside (inbound). A rule by the sender's domain would be one port less, but mail from outside that forges an internal
//! sender could not be sent in, and that is what many rules are about.
//!
//! There is no relay: a message goes into the [`Hub`] and nowhere else.
//!
//! Invariant: a connection is closed when it is idle for [`IDLE`] or older than [`SESSION`], however slowly it sends, and
//! earlier where another wants its place; it holds a line of [`MAX_LINE`] octets, and a message that has its place in the room. Replies to what was sent together
//! go out together (PIPELINING).

mod complete;
mod data;
mod path;
mod session;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mailwright::envelope::Direction;
use mailwright::facts::Clock;
use mailwright::flow::workmail::MAX_MESSAGE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::hub::Hub;
use super::places::{Doing, Place, Places};
use super::room::Room;
use super::run::{Arrival, Origin, ReturnPath};
use crate::event::Given;
use data::{Fault, Incoming};
use session::{Envelope, Sender, Session, Step};

/// Most connections of one port.
const CONNECTIONS: usize = 100;
/// Longest command line, with room for parameters (RFC 5321 §4.5.3.1.4 has 512).
const MAX_LINE: usize = 2_048;
/// Octets that are read at a time.
const READ: usize = 16 * 1024;
/// Most octets of replies that wait.
const REPLIES: usize = 16 * 1024;
/// The next octets have come, or are taken, by then.
const IDLE: Duration = Duration::from_mins(2);
/// A session is over by then.
const SESSION: Duration = Duration::from_mins(30);
/// A client waits so long for its message to be taken in, where too much is in transit.
const ROOM_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks whether it can be.
const ROOM_PAUSE: Duration = Duration::from_millis(20);
/// So that there is a place for the next octets of a message before they come.
const GROWTH: usize = 256 * 1024;

/// A port.
#[derive(Debug, Clone)]
pub struct Port {
    /// The way of all messages.
    pub direction: Direction,
    /// What time it is.
    pub clock: Clock,
    /// Where they go.
    pub hub: Arc<Hub>,
    /// Memory for those that are coming.
    pub room: Arc<Room>,
}

/// Serve until the process ends.
pub async fn serve(listener: TcpListener, port: Port) {
    let places = Places::new(CONNECTIONS);
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            // No descriptor is left.
            places.close_one();
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(place) = places.take() else {
            // Said only where nobody has to wait for it.
            let _ = stream.try_write(b"421 4.7.0 too many connections\r\n");
            let _ = timeout(Duration::ZERO, stream.shutdown()).await;
            continue;
        };
        let port = port.clone();
        tokio::spawn(async move {
            let place = &place;
            // A client that goes away is no concern of the server.
            tokio::select! {
                _ = timeout(SESSION, Connection::new(stream, port, place).talk()) => {}
                () = place.is_taken() => {}
            }
        });
    }
}

struct Connection<'p> {
    place: &'p Place,
    stream: TcpStream,
    port: Port,
    session: Session,
    /// What has come and was not looked at yet.
    input: Vec<u8>,
    replies: Vec<u8>,
}

impl<'p> Connection<'p> {
    fn new(stream: TcpStream, port: Port, place: &'p Place) -> Self {
        let session = Session::new(port.direction);
        Self { place, stream, port, session, input: Vec::new(), replies: Vec::new() }
    }

    async fn talk(mut self) -> io::Result<()> {
        self.reply(&self.session.greeting()).await?;
        loop {
            let Some(line) = self.line().await? else { return Ok(()) };
            let step = match line {
                Line::Whole(line) => {
                    let rules = self.port.hub.rules();
                    self.session.line(&line, rules.pipeline.organization())
                }
                Line::BadEnd => self.session.wrong("500 5.5.2 lines end with CR and LF"),
                Line::TooLong => self.session.wrong("500 5.5.6 the line is too long"),
            };
            match step {
                Step::Say(reply) => self.reply(&reply).await?,
                Step::Close(reply) => {
                    self.reply(&reply).await?;
                    self.flush().await?;
                    return self.stream.shutdown().await;
                }
                Step::Message(reply, envelope) => {
                    self.reply(&reply).await?;
                    self.place.is(Doing::Receiving);
                    let reply = self.message(envelope).await?;
                    self.reply(&reply).await?;
                    self.place.is(Doing::Idle);
                }
            }
        }
    }

    /// The next line; `None` where the client is done.
    async fn line(&mut self) -> io::Result<Option<Line>> {
        let mut too_long = false;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.input) {
                let mut line: Vec<u8> = self.input.drain(..=end).collect();
                line.pop();
                return Ok(Some(match line.pop() {
                    _ if too_long || line.len() > MAX_LINE => Line::TooLong,
                    Some(b'\r') if !line.contains(&b'\r') => Line::Whole(line),
                    _ => Line::BadEnd,
                }));
            }
            if self.input.len() > MAX_LINE {
                too_long = true;
                self.input.clear();
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }

    /// Take a message and hand it on. The reply.
    async fn message(&mut self, envelope: Envelope) -> io::Result<String> {
        let mut incoming = Incoming::new(MAX_MESSAGE);
        let mut place = self.port.room.place();
        let (mut held, mut no_room) = (0, false);
        loop {
            let ended = incoming.take(&self.input);
            self.input.drain(..ended.unwrap_or(self.input.len()));
            while held < incoming.len() && !no_room {
                no_room = !place.grow(GROWTH);
                held += GROWTH;
            }
            if no_room {
                incoming.give_up();
            }
            if ended.is_some() {
                break;
            }
            if !self.read().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.place.is(Doing::Answering);
        if no_room {
            return Ok("452 4.3.1 too much is coming in; try again later".to_owned());
        }
        Ok(match incoming.finish() {
            Err(Fault::TooLarge) => "552 5.3.4 the message is too large".to_owned(),
            Err(Fault::BareLineEnd) => "550 5.6.0 a CR or an LF stands alone; lines end with both".to_owned(),
            Ok(raw) => {
                let Envelope { sender: Sender(sender), recipients } = envelope;
                let (direction, of) = (self.port.direction, sender.clone());
                let (id, now) = (self.port.hub.next_id(), self.port.clock.now());
                // A large message takes a while to look at.
                let completed = spawn_blocking(move || match direction {
                    Direction::Inbound => (complete::with_return_path(raw, of.as_ref()), Vec::new()),
                    Direction::Outbound => complete::as_submitted(raw, of.as_ref(), &id, now),
                });
                let (raw, added) = completed.await?;
                let said = if added.is_empty() { String::new() } else { format!(", {} added", added.join(" and ")) };
                let arrival = Arrival {
                    origin: Origin::Smtp(added),
                    raw: raw.into(),
                    given: Given { direction: Some(self.port.direction), from: None, to: recipients, at: None },
                    return_path: sender.map_or(ReturnPath::Null, ReturnPath::Address),
                };
                // Not every client tries again.
                let until = Instant::now() + ROOM_WITHIN;
                loop {
                    match self.port.hub.take(arrival.clone()).await {
                        Ok(taken) => {
                            break format!("250 2.0.0 taken as #{}, message id {}{said}", taken.number, taken.id);
                        }
                        Err(full) if Instant::now() >= until => break format!("452 4.3.2 {full}"),
                        Err(_) => sleep(ROOM_PAUSE).await,
                    }
                }
            }
        })
    }

    /// Read what has come; false at the end.
    async fn read(&mut self) -> io::Result<bool> {
        self.flush().await?;
        self.input.reserve(READ);
        if let Ok(read) = timeout(IDLE, self.stream.read_buf(&mut self.input)).await {
            let read = read?;
            self.place.has_sent(read);
            return Ok(read > 0);
        }
        self.reply("421 4.4.2 it took too long").await?;
        self.flush().await?;
        Ok(false)
    }

    async fn reply(&mut self, reply: &str) -> io::Result<()> {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
        if self.replies.len() > REPLIES { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.replies.is_empty() {
            return Ok(());
        }
        let written = timeout(IDLE, self.stream.write_all(&self.replies)).await;
        self.replies.clear();
        written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

enum Line {
    /// Without its end.
    Whole(Vec<u8>),
    /// A line that no CR LF ends, or that holds a CR.
    BadEnd,
    /// A line that was not kept.
    TooLong,
}
