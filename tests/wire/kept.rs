//! Attachments that are stored: in a bucket of their own, before the message is put back, under links that S3 itself takes.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, event, start_fails};
use crate::{SECRET, default};

const KEPT: &str = "kept-files";
const RULES: &str = r#"
[[rule]]
name = "files"
[[rule.action]]
kind = "store_attachments"
attachment = {}
"#;
const PAGE: &[u8] = b"<script>alert(1)</script>";

fn message() -> Bytes {
    let page = encodify::base64::MIME.encode(PAGE);
    let text = format!(
        "From: Ann <ann@example.com>\nTo: kim@customer.example\nSubject: Harvest plan\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nThe apples are ripe.\n--m\n\
         Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\
         Content-Disposition: attachment; filename*=utf-8''Geh%C3%A4lter.html\n\n{page}\n--m--\n"
    );
    Bytes::from(text.replace('\n', "\r\n"))
}

async fn world() -> World {
    let world = World::start_with(RULES, &[("MAILWRIGHT_ATTACHMENTS", KEPT)]).await;
    std::fs::create_dir(world.folder.path().join("s3").join(KEPT)).unwrap();
    world
}

/// The link in a rewritten message.
fn link(world: &World, id: &str) -> String {
    let text = String::from_utf8(world.message(id).to_vec()).unwrap();
    // Quoted-printable, whose soft line breaks part a long link.
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    let line = text.lines().find(|line| line.starts_with("http://")).unwrap_or_else(|| panic!("{text}"));
    line.trim_end().to_owned()
}

/// Status line and header fields in lower case, and the octets.
async fn fetch(link: &str) -> (String, Vec<u8>) {
    let (host, path) = link.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
    let port = host.rsplit_once(':').unwrap().1;
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

/// The objects in the bucket for attachments.
fn kept(world: &World) -> Vec<String> {
    let folder = world.folder.path().join("s3").join(KEPT).join("attachments");
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn the_link_in_the_message_leads_to_the_attachment() {
    let mut world = world().await;
    world.insert("m", message());
    let out = event("m", "OUTBOUND");
    assert_eq!(world.invoke(&out).await, Ok(default()));
    assert_eq!(world.requests(), ["GET m", "POST m"], "{}", world.log());
    let link = link(&world, "m");
    assert!(link.contains(&format!("/{KEPT}/attachments/")) && link.contains("X-Amz-Expires=86400"), "{link}");
    let (head, body) = fetch(&link).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, PAGE);
    // A browser saves it, and runs nothing of it.
    assert!(head.contains("content-disposition: attachment; filename*=utf-8''geh%c3%a4lter.html"), "{head}");
    assert!(head.contains("content-type: application/octet-stream"), "{head}");
    // Whoever changes a link gets nothing.
    for forged in [
        link.replace("X-Amz-Expires=86400", "X-Amz-Expires=604800"),
        link.replace("X-Amz-Signature=", "X-Amz-Signature=0"),
    ] {
        assert!(!fetch(&forged).await.0.starts_with("http/1.1 200"), "{forged}");
    }

    // The same message once more, and another with the same file: it is stored once.
    let names = kept(&world);
    world.insert("again", message());
    assert_eq!(world.invoke(&event("again", "OUTBOUND")).await, Ok(default()));
    assert_eq!(kept(&world), names);
    let rewritten = world.message("m");
    assert_eq!(world.invoke(&out).await, Ok(default()));
    assert_eq!(world.message("m"), rewritten);

    let log = world.log();
    for content in ["Geh", "alert", "X-Amz-Signature", SECRET] {
        assert!(!log.contains(content), "{content}: {log}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_stays_in_the_message() {
    let mut world = world().await;
    world.s3.refuse.store(true, Ordering::SeqCst);
    world.insert("m", message());
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.requests(), ["GET m"]);
    assert_eq!((world.message("m"), kept(&world)), (message(), vec![]));

    // Once it can be, it is.
    world.s3.refuse.store(false, Ordering::SeqCst);
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_eq!(fetch(&link(&world, "m")).await.1, PAGE);
}

#[test]
fn rules_that_store_attachments_do_not_start_without_a_bucket_for_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/files.toml"), RULES).unwrap();
    let (status, log) = start_fails(folder.path(), &[]);
    assert!(!status.success() && log.contains("MAILWRIGHT_ATTACHMENTS"), "{log}");
}
