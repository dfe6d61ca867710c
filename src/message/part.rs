//! What a part is: its transfer encoding, its place on the screen, what protects it.

use super::PartId;

/// `Content-Transfer-Encoding` (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferEncoding {
    /// `7bit`, `8bit`, `binary`, or none.
    Identity,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `base64`.
    Base64,
    /// Anything else: the part cannot be read.
    Unknown,
}

/// `Content-Disposition` (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// `inline`, or anything that is not `attachment`.
    Inline,
    /// `attachment`.
    Attachment,
}

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyKind {
    /// `text/plain`.
    Plain,
    /// `text/html`.
    Html,
}

/// A text part that a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Which part.
    pub part: PartId,
    /// What it is written in.
    pub kind: BodyKind,
}

/// A part that a reader sees as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Which part.
    pub part: PartId,
    /// Decoded file name.
    pub name: Option<String>,
    /// Declared type, lower case.
    pub media_type: String,
    /// Size in octets after the transfer encoding is undone (estimated from the encoded length, without decoding).
    pub size: u64,
}

/// Why the body of a message is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// `multipart/signed`, signed `application/pkcs7-mime`, clear-signed inline PGP.
    Signed,
    /// `multipart/encrypted`, enveloped `application/pkcs7-mime`, inline PGP.
    Encrypted,
    /// `multipart/report`: DSN, MDN, abuse reports.
    Report,
    /// `text/calendar`: invitations and answers to them.
    Calendar,
    /// `application/ms-tnef`: winmail.dat.
    Tnef,
}

impl Protection {
    /// The word for it in reports and rule files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Encrypted => "encrypted",
            Self::Report => "report",
            Self::Calendar => "calendar",
            Self::Tnef => "tnef",
        }
    }
}
