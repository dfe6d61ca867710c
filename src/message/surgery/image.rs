//! Pictures that HTML shows by their Content-ID (RFC 2392): parts of the multipart/related that its HTML stands in.

use crate::hex::hex;
use std::sync::Arc;

use bytes::Bytes;
use mail_builder::headers::content_type::ContentType;
use mail_builder::mime::MimePart;
use sha2::{Digest, Sha256};

use super::super::beside::free_boundary_of;
use super::super::edits::Edit;
use super::super::transfer::{self, with_line_end};
use super::super::{LineEnd, Message, Part, PartId};
use super::{Surgery, boundary_of};

/// Octets of the largest picture: it goes out with every message, and its readers may pay for it.
pub const MAX_IMAGE: usize = 256 * 1024;

/// Why octets are no picture for mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Many mail programs show no other kind: SVG and WebP in particular.
    #[error("it is no PNG, JPEG or GIF")]
    Kind,
    /// It is larger than [`MAX_IMAGE`].
    #[error("it has more than {MAX_IMAGE} octets")]
    Size,
}

fn id_of(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    format!("{}@mailwright", hex(digest.get(..12).unwrap_or_default()))
}

/// Is this the Content-ID, without angle brackets, that [`Image::content_id`] has for a picture of these octets?
pub fn is_named_by_content(content_id: &str, octets: &[u8]) -> bool {
    content_id.ends_with("@mailwright") && id_of(octets) == content_id
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    media_type: &'static str,
    extension: &'static str,
    name: String,
    content: Vec<u8>,
    content_id: String,
}

impl Image {
    /// A picture by its octets; `name` is its file name without extension, of letters, digits, `-` and `_`.
    pub fn new(name: &str, content: Vec<u8>) -> Result<Self, ImageError> {
        let (media_type, extension) = match content.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => ("image/png", "png"),
            [0xFF, 0xD8, 0xFF, ..] => ("image/jpeg", "jpg"),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ("image/gif", "gif"),
            _ => return Err(ImageError::Kind),
        };
        if content.len() > MAX_IMAGE {
            return Err(ImageError::Size);
        }
        let content_id = id_of(&content);
        Ok(Self { media_type, extension, name: name.to_owned(), content, content_id })
    }

    /// Its octets.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Its Content-ID without angle brackets: the same for the same picture, in whatever message.
    pub fn content_id(&self) -> &str {
        &self.content_id
    }

    pub(super) fn media_type(&self) -> &'static str {
        self.media_type
    }

    pub(in crate::message) fn write(&self, out: &mut Vec<u8>) {
        let name = format!("{}.{}", self.name, self.extension);
        let header = format!(
            "Content-Type: {}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <{}>\r\n\
             Content-Disposition: inline; filename=\"{name}\"\r\n\r\n",
            self.media_type, self.content_id
        );
        out.extend_from_slice(header.as_bytes());
        let mut body = transfer::encode_base64(&self.content, LineEnd::CrLf).1;
        while body.ends_with(b"\r\n") {
            body.truncate(body.len() - 2);
        }
        out.extend(body);
    }

    /// The same for `mail-builder`.
    pub(in crate::message) fn part(&self) -> MimePart<'_> {
        let name = format!("{}.{}", self.name, self.extension);
        let disposition = ContentType::new("inline").attribute("filename", name.clone());
        MimePart::new(ContentType::new(self.media_type).attribute("name", name), self.content.as_slice())
            .cid(self.content_id.as_str())
            .header("Content-Disposition", disposition)
    }

    /// Is this part the picture?
    pub(super) fn is(&self, message: &Message<'_>, part: &Part) -> bool {
        let id = part.fields.iter().find(|field| message.bytes(&field.name).eq_ignore_ascii_case(b"Content-ID"));
        let id = id.map(|field| message.bytes(&field.value).trim_ascii());
        part.media_type == self.media_type
            && id == Some(format!("<{}>", self.content_id).as_bytes())
            && transfer::decode(part.encoding, message.bytes(&part.body)).is_ok_and(|octets| *octets == *self.content)
    }
}

impl Surgery {
    /// What stands before an HTML part that becomes the root of a multipart/related, and what stands behind it; nothing
    /// before where it is in one.
    pub(super) fn image_edits(&self, message: &Message<'_>, id: PartId, images: &[Arc<Image>]) -> (Option<Edit>, Edit) {
        let nothing = || (None, Edit { range: 0..0, with: Bytes::new() });
        let Some(part) = message.part(id) else { return nothing() };
        let newline = |bytes: Vec<u8>| with_line_end(bytes, message.line_end());
        let mut below = Vec::new();
        let mut write = |boundary: &str| {
            for image in images {
                below.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
                image.write(&mut below);
            }
        };
        if part.is_multipart() {
            // Where the last one goes, behind the one before it.
            let removed = self.removed(message);
            let mut kept = part.children.iter().filter(|child| !removed.contains(child));
            let Some(last) = kept.next_back().and_then(|last| message.part(*last)) else { return nothing() };
            write(&String::from_utf8_lossy(boundary_of(message, id)));
            return (None, Edit { range: last.body.end..last.body.end, with: newline(below).into() });
        }
        let boundary = boundary(message, id);
        write(&boundary);
        below.extend_from_slice(format!("\r\n--{boundary}--").as_bytes());
        let head = format!("{}\r\n--{boundary}\r\n", related_field(&boundary)).into_bytes();
        let (start, end) = (part.header.start, part.body.end);
        (
            Some(Edit { range: start..start, with: newline(head).into() }),
            Edit { range: end..end, with: newline(below).into() },
        )
    }
}

/// The boundary of the multipart/related that a part becomes the root of.
pub(super) fn boundary(message: &Message<'_>, PartId(id): PartId) -> String {
    // Not the boundary of a multipart that holds blocks beside a message.
    free_boundary_of(message.raw(), &format!("=_related_mailwright_{id}_"))
}

/// RFC 2387 §3.1: `type` is that of the root.
pub(super) fn related_field(boundary: &str) -> String {
    format!("Content-Type: multipart/related; type=\"text/html\";\r\n\tboundary=\"{boundary}\"\r\n")
}
