//! S3 as another program understands it: moto, in Python, which shares no code with ours, with the SDK or with the server that
//! the other tests run. Left out where it is not installed (`pip install 'moto[s3]' flask flask-cors`).

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use bytes::Bytes;
use mailwright::flow::aws::Clients;

use crate::shelf::{FAULTY, RULES as RULES_OBJECT, packed};
use crate::world::{ATTACHMENTS, BUCKET, Store, World, environment, event};
use crate::{default, mail, message, message_with_a_file};

/// It is Python, and has much to import.
const STARTS_WITHIN: Duration = Duration::from_mins(2);

const RULES: &str = r#"
[[rule]]
name = "files"
action = { kind = "store_attachments", attachment = { name = "zeit*.pdf" }, link = "https://files.example.com/{{ attachment.key }}" }

[[rule]]
name = "footer"
action = { kind = "append", text = "Grown by Example Orchards." }
"#;

struct Moto(Child);

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// `moto_server`: the one that `MAILWRIGHT_MOTO` names, else that of the `PATH`.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("MAILWRIGHT_MOTO").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named
        .into_iter()
        .chain(std::env::split_paths(&path).map(|folder| folder.join("moto_server")))
        .find(|file| file.is_file())
}

async fn moto() -> Option<(Moto, SocketAddr)> {
    let program = program()?;
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = Command::new(program);
    server.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
    let server = Moto(server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let began = Instant::now();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert!(began.elapsed() < STARTS_WITHIN, "moto_server does not start");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Some((server, address))
}

#[tokio::test]
async fn a_server_that_shares_no_code_takes_what_is_put_to_it() {
    let Some((_server, address)) = moto().await else {
        println!(
            "left out: there is no moto_server; pip install 'moto[s3]' flask flask-cors, and name it in MAILWRIGHT_MOTO"
        );
        return;
    };
    let s3 = Clients::new(&environment(&format!("http://{address}"))).s3;
    for bucket in [BUCKET, ATTACHMENTS] {
        let here = aws_sdk_s3::types::BucketLocationConstraint::EuWest1;
        let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(here).build();
        s3.create_bucket().bucket(bucket).create_bucket_configuration(here).send().await.unwrap();
    }
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(versioned).send().await.unwrap();

    let mut world = World::start_on(Store::At(address), RULES, &[("MAILWRIGHT_ATTACHMENTS", ATTACHMENTS)]).await;
    let large = mail::of_size(6_000_000);
    for (id, raw) in [("small", message("Harvest plan")), ("large", large)] {
        world.insert(id, raw.clone());
        assert_eq!(world.invoke(&event(id, "OUTBOUND")).await, Ok(default()));
        let now = world.message(id);
        assert!(now != raw && now == world.replayed(&event(id, "OUTBOUND"), raw), "{id}: {}", world.log());

        let listed = s3.list_objects_v2().bucket(BUCKET).prefix(format!("{id}/")).send().await.unwrap();
        let key = listed.contents()[0].key().unwrap();
        let head = s3.head_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert_eq!(head.content_type(), Some("message/rfc822"));
        assert_eq!(head.content_length(), i64::try_from(now.len()).ok());
        // That what it holds is what was sent, Message Flow has found out above: it reads it there.
        // WorkMail was told the version, and so reads no other.
        let told = world.flow.state().versions.pop().unwrap();
        assert!(told.is_some() && told.as_deref() == head.version_id(), "{told:?}");
    }

    // An attachment with a name that no header can hold as it is.
    let odd = String::from_utf8(message_with_a_file().to_vec()).unwrap();
    let odd = odd.replace("filename=plan.pdf", "filename*=utf-8''zeit%20%26%20%C3%BCber.pdf");
    world.insert("file", Bytes::from(odd));
    assert_eq!(world.invoke(&event("file", "OUTBOUND")).await, Ok(default()));
    let listed = s3.list_objects_v2().bucket(ATTACHMENTS).send().await.unwrap();
    let key =
        listed.contents().first().and_then(aws_sdk_s3::types::Object::key).unwrap_or_else(|| panic!("{}", world.log()));
    let object = s3.get_object().bucket(ATTACHMENTS).key(key).send().await.unwrap();
    assert_eq!(object.content_type(), Some("application/pdf"));
    assert_eq!(object.content_disposition(), Some("attachment; filename*=UTF-8''zeit%20%26%20%C3%BCber.pdf"));
    assert_eq!(object.body.collect().await.unwrap().into_bytes().as_ref(), b"%PDF-1.4\n% not much of a plan\n");
    // The notice may be in quoted-printable.
    let text = String::from_utf8_lossy(&world.message("file")).replace("=\r\n", "");
    assert!(text.contains(key), "{text}");

    rules_are_found_among_their_versions(&s3, address).await;

    // A bucket that is not there.
    let changes = [("MAILWRIGHT_BUCKET", "nobody-made-it"), ("MAILWRIGHT_ATTACHMENTS", ATTACHMENTS)];
    let mut world = World::start_on(Store::At(address), RULES, &changes).await;
    world.insert("m", message("Harvest plan"));
    assert_eq!(world.invoke(&event("m", "OUTBOUND")).await, Ok(default()));
    assert_eq!(world.message("m"), message("Harvest plan"));
    assert!(world.log().contains("MAILWRIGHT_BUCKET names a bucket that does not exist"), "{}", world.log());
}

/// What is published is faulty, or deleted: the one before it is read, as this server lists versions and gives them out.
async fn rules_are_found_among_their_versions(s3: &aws_sdk_s3::Client, address: SocketAddr) {
    let here = aws_sdk_s3::types::BucketLocationConstraint::EuWest1;
    let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(here).build();
    s3.create_bucket().bucket("mail-rules").create_bucket_configuration(here).send().await.unwrap();
    let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket("mail-rules").versioning_configuration(versioned).send().await.unwrap();
    let footer = |text: &str| {
        packed(&format!(
            "[[rule]]\nname = \"f\"\naction = {{ kind = \"append\", text = \"{text}\", once = \"always\" }}\n"
        ))
    };
    for content in [footer("Picked by Example"), footer("Sold by Example"), FAULTY.to_owned()] {
        let put = s3.put_object().bucket("mail-rules").key("rules.json").body(content.into_bytes().into());
        put.send().await.unwrap();
    }
    let changes = [("MAILWRIGHT_PUBLISHED_RULES", RULES_OBJECT), ("MAILWRIGHT_ATTACHMENTS", ATTACHMENTS)];
    for deleted in [false, true] {
        if deleted {
            s3.delete_object().bucket("mail-rules").key("rules.json").send().await.unwrap();
        }
        let mut world = World::start_on(Store::At(address), RULES, &changes).await;
        world.insert("v", message("Harvest plan"));
        assert_eq!(world.invoke(&event("v", "OUTBOUND")).await, Ok(default()));
        let now = String::from_utf8_lossy(&world.message("v")).into_owned();
        assert!(now.ends_with("Sold by Example\r\n"), "{now}: {}", world.log());
    }
}
