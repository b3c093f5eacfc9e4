//! The open connections: how many are allowed, and how long each may keep the server waiting. Connections without the
//! token are closed first, so that nobody without it can take the operator's place.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// How many may be open: some pages with a few requests each, and fewer than a process may have files.
pub const MOST: usize = 48;
/// How long a request's head, and then its body, may take.
pub const REQUEST: Duration = Duration::from_secs(10);
/// How long a connection may move no byte. A stream moves some every few seconds.
const IDLE: Duration = Duration::from_secs(60);
/// How long the next try to accept waits after one that failed.
const AGAIN: Duration = Duration::from_millis(50);
/// How often the limits are looked at.
pub const LOOK: Duration = Duration::from_secs(1);

/// The state of one connection.
#[derive(Debug)]
struct Open {
    opened: Instant,
    moved: Instant,
    /// Since when a request is awaited or read.
    awaited: Option<Instant>,
    has_token: bool,
    is_closed: bool,
    waker: Option<Waker>,
}

impl Open {
    fn new(now: Instant) -> Self {
        Self { opened: now, moved: now, awaited: Some(now), has_token: false, is_closed: false, waker: None }
    }

    fn is_too_long(&self, now: Instant) -> bool {
        let over = |since: Instant, limit| now.saturating_duration_since(since) >= limit;
        self.awaited.is_some_and(|since| over(since, REQUEST)) || over(self.moved, IDLE)
    }

    fn close(&mut self) {
        self.is_closed = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[derive(Debug, Default)]
struct All {
    next: u64,
    open: BTreeMap<u64, Open>,
}

impl All {
    /// Admits a connection; above the limit, another one is closed.
    fn admit(&mut self, now: Instant) -> u64 {
        let living = self.open.values().filter(|open| !open.is_closed).count();
        if living >= MOST {
            self.make_room();
        }
        let id = self.next;
        self.next += 1;
        self.open.insert(id, Open::new(now));
        id
    }

    /// Closes the oldest without the token; where all have it, the one that was quiet for longest.
    fn make_room(&mut self) {
        let living = self.open.iter().filter(|(_, open)| !open.is_closed);
        let victim =
            living.min_by_key(|(_, open)| (open.has_token, if open.has_token { open.moved } else { open.opened }));
        let victim = victim.map(|(&id, _)| id);
        if let Some(open) = victim.and_then(|id| self.open.get_mut(&id)) {
            open.close();
        }
    }

    fn close_late(&mut self, now: Instant) {
        self.open.values_mut().filter(|open| !open.is_closed && open.is_too_long(now)).for_each(Open::close);
    }
}

/// All connections of a server.
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<Mutex<All>>);

impl Connections {
    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes those that keep the server waiting.
    pub fn close_late(&self) {
        self.all().close_late(Instant::now());
    }
}

/// One connection, for the handler of its requests.
#[derive(Clone, Debug)]
pub struct Connection {
    connections: Connections,
    id: u64,
}

impl Connection {
    fn with<T>(&self, change: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.connections.all().open.get_mut(&self.id).map(change)
    }

    /// The head of a request is here.
    pub fn has_asked(&self, has_token: bool) {
        self.with(|open| {
            open.awaited = None;
            open.has_token |= has_token;
        });
    }

    /// A request is answered, and nothing of the next is here.
    pub fn is_answered(&self) {
        self.with(|open| open.awaited = None);
    }
}

impl Connected<IncomingStream<'_, Gate>> for Connection {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        stream.io().connection.clone()
    }
}

/// Where connections come in.
#[derive(Debug)]
pub struct Gate {
    listener: TcpListener,
    connections: Connections,
}

impl Gate {
    /// A gate of a listener.
    pub fn new(listener: TcpListener, connections: Connections) -> Self {
        Self { listener, connections }
    }
}

impl Listener for Gate {
    type Io = Watched;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Watched, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Small messages are not held back to be sent together.
                    drop(stream.set_nodelay(true));
                    let id = self.connections.all().admit(Instant::now());
                    let connection = Connection { connections: self.connections.clone(), id };
                    return (Watched { stream, connection }, address);
                }
                // It may be the descriptors that are used up.
                Err(_) => {
                    self.connections.all().make_room();
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection whose bytes are seen to move.
#[derive(Debug)]
pub struct Watched {
    stream: TcpStream,
    connection: Connection,
}

impl Watched {
    /// Fails where it was closed; else it is woken when it is.
    fn look(&self, context: &Context<'_>) -> io::Result<()> {
        let is_open = self.connection.with(|open| {
            open.waker = Some(context.waker().clone());
            !open.is_closed
        });
        if is_open == Some(true) { Ok(()) } else { Err(io::ErrorKind::ConnectionAborted.into()) }
    }

    fn has_moved(&self, is_read: bool) {
        let now = Instant::now();
        self.connection.with(|open| {
            open.moved = now;
            if is_read {
                open.awaited.get_or_insert(now);
            }
        });
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.connection.connections.all().open.remove(&self.connection.id);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.look(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.has_moved(true);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.look(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if written.is_ready() {
            self.has_moved(false);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(all: &All) -> Vec<u64> {
        all.open.iter().filter(|(_, open)| open.is_closed).map(|(&id, _)| id).collect()
    }

    #[test]
    fn the_oldest_without_the_token_goes_first() {
        let (mut all, start) = (All::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for place in 0..MOST as u64 {
            all.admit(at(place));
        }
        assert!(closed(&all).is_empty());
        all.open.get_mut(&0).unwrap().has_token = true;
        for more in 0..200 {
            all.admit(at(100 + more));
        }
        assert!(!closed(&all).contains(&0));
        assert_eq!(all.open.len() - closed(&all).len(), MOST);
        assert_eq!(closed(&all), (1..=200).collect::<Vec<_>>());
    }

    #[test]
    fn where_all_have_the_token_the_quietest_goes() {
        let (mut all, start) = (All::default(), Instant::now());
        for place in 0..MOST as u64 {
            let id = all.admit(start);
            let open = all.open.get_mut(&id).unwrap();
            (open.has_token, open.moved) = (true, start + Duration::from_secs((place + 7) % MOST as u64));
        }
        all.admit(start);
        assert_eq!(closed(&all), [MOST as u64 - 7]);
    }

    #[test]
    fn a_head_that_does_not_come_is_not_awaited_for_ever() {
        let (mut all, start) = (All::default(), Instant::now());
        let [slow, asked] = [all.admit(start), all.admit(start)];
        all.open.get_mut(&asked).unwrap().awaited = None;
        // Bytes that trickle in do not help.
        all.open.get_mut(&slow).unwrap().moved = start + REQUEST;
        all.close_late(start + REQUEST - Duration::from_millis(1));
        assert!(closed(&all).is_empty());
        all.close_late(start + REQUEST);
        assert_eq!(closed(&all), [slow]);
        all.close_late(start + IDLE);
        assert_eq!(closed(&all), [slow, asked]);
    }
}
