//! A gate in front of an endpoint: requests go through it as they are, until it is told to let something go wrong that
//! goes wrong between two machines. It speaks in octets, so that an answer can be cut, stretched or garbled anywhere.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What goes wrong. Up to `ResetRequest`, and where it says so, the endpoint never hears of the request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The service says no, with this status and error type.
    Says(u16, &'static str),
    /// An answer that is no HTTP.
    Garbage,
    /// Nothing is ever answered.
    Hang,
    /// The process dies when the request is there.
    Dies,
    /// The connection is reset in the middle of the request.
    ResetRequest,
    /// The endpoint does what it is asked to, and from here on its answer suffers: the service says that it failed.
    SaysAfter(u16, &'static str),
    /// The same, and nothing is answered.
    HangAfter,
    /// The same, and the process dies.
    DiesAfter,
    /// Reset instead of an answer.
    ResetAfter,
    /// Closed instead of an answer.
    ClosedAfter,
    /// Reset in the middle of the answer.
    ResetAnswer,
    /// Closed in the middle of the answer.
    Truncated,
    /// The answer says that it is longer than it is, and the connection stays open.
    TooLong,
    /// The answer says that it is shorter than it is.
    TooShort,
    /// It says 200, and its body is nothing that the service would say.
    Malformed,
    /// The answer comes in single octets with such a pause between them.
    ByteByByte(Duration),
    /// The answer comes so much later.
    Late(Duration),
}

/// How a service writes its errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Service {
    Json,
    Xml,
}

/// The first lines of a request.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub method: String,
    pub path: String,
}

/// Which requests.
pub type Which = fn(&Head) -> bool;

#[derive(Clone)]
pub struct Gate {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: Mutex<SocketAddr>,
    service: Service,
    plan: Mutex<Option<Plan>>,
    /// What the services write into their errors.
    says: Mutex<String>,
    /// In whose life a fault ended the process.
    died: mpsc::UnboundedSender<u64>,
    /// Which life of the process it is.
    life: Arc<AtomicU64>,
    /// Keeps the port while nobody listens: whoever connects then is refused.
    keeps: Mutex<Option<TcpSocket>>,
    listening: Mutex<Option<JoinHandle<()>>>,
    /// After so many answers nobody listens any more.
    shuts_after: Mutex<Option<usize>>,
}

struct Plan {
    which: Which,
    fault: Fault,
    left: usize,
    met: usize,
}

impl Gate {
    /// A gate that nobody gets in at: connections are refused until it is opened.
    pub fn closed(
        upstream: SocketAddr,
        service: Service,
        died: mpsc::UnboundedSender<u64>,
        life: Arc<AtomicU64>,
    ) -> Self {
        let socket = bound(([127, 0, 0, 1], 0).into());
        let address = socket.local_addr().unwrap();
        let shared = Shared {
            upstream: Mutex::new(upstream),
            service,
            plan: Mutex::default(),
            says: Mutex::new("Header \"Subject: Harvest plan\" is not to its liking".to_owned()),
            died,
            life,
            keeps: Mutex::new(Some(socket)),
            listening: Mutex::default(),
            shuts_after: Mutex::default(),
        };
        Self { address, shared: Arc::new(shared) }
    }

    pub fn open(&self) {
        let mut listening = self.shared.listening.lock().unwrap();
        if listening.is_some() {
            return;
        }
        // Two may be bound to a port while neither listens.
        let next = bound(self.address);
        let socket = self.shared.keeps.lock().unwrap().replace(next).unwrap();
        let listener = socket.listen(64).unwrap();
        let shared = self.shared.clone();
        *listening = Some(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                // Whatever happens to a connection is what was planned for it, or its client went away.
                tokio::spawn(async move { drop(shared.pass(stream).await) });
            }
        }));
    }
    /// After so many answers nobody listens any more, until it is opened again.
    pub fn shut_after(&self, answers: usize) {
        *self.shared.shuts_after.lock().unwrap() = Some(answers);
    }
    pub fn is_open(&self) -> bool {
        self.shared.listening.lock().unwrap().is_some()
    }

    /// From here on, so many of these requests go wrong like this.
    pub fn plan(&self, which: Which, fault: Fault, times: usize) {
        *self.plan_now() = Some(Plan { which, fault, left: times, met: 0 });
    }
    /// Nothing goes wrong any more. How many requests did.
    pub fn clear(&self) -> usize {
        self.plan_now().take().map_or(0, |plan| plan.met)
    }
    /// What the services write into their errors.
    pub fn say(&self, text: &str) {
        text.clone_into(&mut self.shared.says.lock().unwrap());
    }
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.shared.upstream.lock().unwrap() = upstream;
    }

    fn plan_now(&self) -> MutexGuard<'_, Option<Plan>> {
        self.shared.plan.lock().unwrap()
    }
}

impl Shared {
    fn fault_for(&self, head: &Head) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let plan = plan.as_mut().filter(|plan| plan.left > 0 && (plan.which)(head))?;
        plan.left -= 1;
        plan.met += 1;
        Some(plan.fault)
    }

    /// One request after the other, as long as the connection lasts.
    async fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        let mut read = Vec::new();
        loop {
            let Some(head_end) = read_head(&mut client, &mut read).await? else { return Ok(()) };
            let head = head(&read[..head_end]);
            let fault = self.fault_for(&head);
            if fault == Some(Fault::ResetRequest) {
                return client.set_zero_linger();
            }
            read_body(&mut client, &mut read, head_end).await?;
            let request = std::mem::take(&mut read);
            if fault.is_none() && self.is_last() {
                let answer = self.ask(&request).await?;
                self.shut().await;
                // And the connection ends with it.
                return client.write_all(&answer).await;
            }
            match fault {
                None => client.write_all(&self.ask(&request).await?).await?,
                Some(fault) => return self.go_wrong(fault, client, &request).await,
            }
        }
    }

    fn is_last(&self) -> bool {
        let mut left = self.shuts_after.lock().unwrap();
        if let Some(answers) = left.as_mut() {
            *answers = answers.saturating_sub(1);
        }
        left.take_if(|answers| *answers == 0).is_some()
    }

    /// Refuse connections from here on.
    async fn shut(&self) {
        let listening = self.listening.lock().unwrap().take();
        if let Some(listening) = listening {
            listening.abort();
            // It is over, and the listener with it.
            drop(listening.await);
        }
    }

    /// What the endpoint answers.
    async fn ask(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let upstream = *self.upstream.lock().unwrap();
        let mut endpoint = TcpStream::connect(upstream).await?;
        let line = find(request, b"\r\n").unwrap_or(0) + 2;
        endpoint.write_all(&request[..line]).await?;
        endpoint.write_all(b"connection: close\r\n").await?;
        endpoint.write_all(&request[line..]).await?;
        let mut answer = Vec::new();
        endpoint.read_to_end(&mut answer).await?;
        // The client's own connection goes on.
        if let Some(at) = find(&answer, b"connection: close\r\n") {
            answer.drain(at..at + b"connection: close\r\n".len());
        }
        Ok(answer)
    }

    async fn go_wrong(&self, fault: Fault, mut client: TcpStream, request: &[u8]) -> std::io::Result<()> {
        let life = self.life.load(Ordering::SeqCst);
        match fault {
            Fault::Says(status, kind) => return client.write_all(&self.error(status, kind)).await,
            Fault::Garbage => return client.write_all(b"\0\x01\xff no HTTP at all \r\n\r\n").await,
            Fault::Dies => self.died.send(life).unwrap_or_default(),
            _ => {}
        }
        if matches!(fault, Fault::Hang | Fault::Dies) {
            return until_gone(client).await;
        }
        let answer = self.ask(request).await?;
        let body = find(&answer, b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        // In the middle of the body, or of the head where there is no body to speak of.
        let middle = if answer.len() > body + 1 { body + (answer.len() - body) / 2 } else { body / 2 };
        match fault {
            Fault::SaysAfter(status, kind) => client.write_all(&self.error(status, kind)).await,
            Fault::ResetAfter => client.set_zero_linger(),
            Fault::ResetAnswer => {
                client.write_all(&answer[..middle]).await?;
                client.flush().await?;
                // A reset throws away what was sent and not yet read: the client gets a start, and then the reset.
                tokio::time::sleep(Duration::from_millis(20)).await;
                client.set_zero_linger()
            }
            Fault::Truncated => client.write_all(&answer[..middle]).await,
            Fault::TooLong => {
                client.write_all(&with_length(&answer, body, answer.len() - body + 100)).await?;
                until_gone(client).await
            }
            Fault::TooShort => client.write_all(&with_length(&answer, body, (answer.len() - body) / 2)).await,
            Fault::Malformed => {
                let body = b"<{\"neither\": nor";
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                client.write_all(&[head.as_bytes(), body].concat()).await
            }
            Fault::ByteByByte(pause) => {
                for octet in &answer {
                    client.write_all(std::slice::from_ref(octet)).await?;
                    if pause.is_zero() {
                        tokio::task::yield_now().await;
                    } else {
                        tokio::time::sleep(pause).await;
                    }
                }
                Ok(())
            }
            Fault::Late(pause) => {
                tokio::time::sleep(pause).await;
                client.write_all(&answer).await
            }
            Fault::DiesAfter => {
                self.died.send(life).unwrap_or_default();
                until_gone(client).await
            }
            Fault::HangAfter => until_gone(client).await,
            Fault::Says(..) | Fault::Garbage | Fault::Hang | Fault::Dies | Fault::ResetRequest | Fault::ClosedAfter => {
                Ok(())
            }
        }
    }

    fn error(&self, status: u16, kind: &str) -> Vec<u8> {
        let text = self.says.lock().unwrap().clone();
        let (sort, body) = match self.service {
            Service::Json => {
                let body = serde_json::json!({ "__type": kind, "message": text, "Message": text });
                ("application/json", body.to_string())
            }
            Service::Xml => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                let body = format!("<Error><Code>{kind}</Code><Message>{text}</Message></Error>");
                ("application/xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"))
            }
        };
        let head = format!("HTTP/1.1 {status} No\r\ncontent-type: {sort}\r\nx-amzn-errortype: {kind}\r\n");
        format!("{head}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
    }
}

/// A socket at that address that listens when it is told to.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// Wait until the client gives up.
async fn until_gone(mut client: TcpStream) -> std::io::Result<()> {
    let mut left = [0; 1_024];
    while client.read(&mut left).await? > 0 {}
    Ok(())
}

/// Read up to the end of the next head; where it ends, or nothing when no request comes any more.
async fn read_head(client: &mut TcpStream, read: &mut Vec<u8>) -> std::io::Result<Option<usize>> {
    loop {
        if let Some(at) = find(read, b"\r\n\r\n") {
            return Ok(Some(at + 4));
        }
        if client.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

/// Read the body of a request whose head ends there. The SDKs say how long it is.
async fn read_body(client: &mut TcpStream, read: &mut Vec<u8>, head_end: usize) -> std::io::Result<()> {
    let text = String::from_utf8_lossy(&read[..head_end]).to_ascii_lowercase();
    assert!(!text.contains("transfer-encoding:"), "{text}");
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    if value("expect:").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let length: usize = value("content-length:").map_or(0, |value| value.parse().unwrap());
    while read.len() < head_end + length {
        if client.read_buf(read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

fn head(octets: &[u8]) -> Head {
    let text = String::from_utf8_lossy(octets);
    let mut words = text.split_whitespace().map(str::to_owned);
    Head { method: words.next().unwrap_or_default(), path: words.next().unwrap_or_default() }
}

/// The answer with another `Content-Length`.
fn with_length(answer: &[u8], body: usize, length: usize) -> Vec<u8> {
    let head = String::from_utf8_lossy(&answer[..body]).into_owned();
    let kept: Vec<&str> = head
        .split_terminator("\r\n")
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("content-length:"))
        .collect();
    let head = format!("{}\r\ncontent-length: {length}\r\n\r\n", kept.join("\r\n"));
    [head.as_bytes(), &answer[body..]].concat()
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}
