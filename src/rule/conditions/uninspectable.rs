//! `uninspectable`: what no rule can look into, so that a rule can keep it from leaving where data must not.
//!
//! Invariant: in doubt it holds. What is said to be text is text only where it can be read and its octets are no other
//! sort of file.

use encoding_rs::{Encoding, REPLACEMENT};

use super::attachment::content;
use crate::message::{Message, Part, PartId, Protection, TransferEncoding, Uuencoded};
use crate::rule::problem::Code;
use crate::rule::section::{Holds, Section};
use crate::rule::takes::words_of;
use crate::rule::{Condition, ConditionKind, Scene, Takes};

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "uninspectable",
    doc: "Tests whether the message holds something that no rule can look into. `true` is all of \"encrypted\" (also files \
          with a password), \"encoding\" and \"charset\" (text that cannot be read), \"structure\" (mail programs do not \
          agree on its parts, or it is nested too deep), \"archive\", \"pdf\", \"office\", \"tnef\" (winmail.dat), \"uuencoded\" \
          (in a text; so are BinHex and yEnc), \"other\" (files that are no text and nothing of these); \"message\" (attached messages), \"image\", \"audio\" and \
          \"video\" count only where they are named. Of several words one must hold.",
    takes: Takes::Either(&[Takes::True, Takes::Words(&words_of(WORDS))]),
    example: "uninspectable = [\"encrypted\", \"archive\", \"pdf\", \"office\"]",
    compile,
};

/// What cannot be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Encrypted,
    Encoding,
    Charset,
    Structure,
    Archive,
    Pdf,
    Office,
    Tnef,
    Uuencoded,
    Other,
    Message,
    Image,
    Audio,
    Video,
}

const WORDS: &[(&str, Sort); 14] = &[
    ("encrypted", Sort::Encrypted),
    ("encoding", Sort::Encoding),
    ("charset", Sort::Charset),
    ("structure", Sort::Structure),
    ("archive", Sort::Archive),
    ("pdf", Sort::Pdf),
    ("office", Sort::Office),
    ("tnef", Sort::Tnef),
    ("uuencoded", Sort::Uuencoded),
    ("other", Sort::Other),
    ("message", Sort::Message),
    ("image", Sort::Image),
    ("audio", Sort::Audio),
    ("video", Sort::Video),
];

/// What `true` leaves out: what people send all day, and what a rule can look into where it says so.
const BY_NAME_ONLY: &[Sort] = &[Sort::Message, Sort::Image, Sort::Audio, Sort::Video];

/// Parts that hold no content of the sender's, or text that is looked at as such.
const PASSED_OVER: &[&str] = &[
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
    "application/pgp-keys",
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/global-disposition-notification",
    "message/feedback-report",
];

#[derive(Debug)]
struct Uninspectable(Vec<Sort>);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    if section.holds(key) == Holds::Other {
        let all = section.boolean(key)?;
        let sorts = WORDS.iter().map(|(_, sort)| *sort).filter(|sort| !BY_NAME_ONLY.contains(sort)).collect();
        if !all.value {
            let help = "write `unless = { uninspectable = true }` for the opposite";
            section.problem(&all.span, Code::WrongValue, "`uninspectable` takes true, or words", help);
            return None;
        }
        return Some(Box::new(Uninspectable(sorts)));
    }
    let sorts = section.choices(key, WORDS)?;
    Some(Box::new(Uninspectable(sorts.into_iter().map(|sort| sort.value).collect())))
}

impl Condition for Uninspectable {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        let message = scene.draft.message();
        let wanted = |sort| self.0.contains(&sort);
        if wanted(Sort::Structure) && message.doubt().is_some() {
            return true;
        }
        let texts: Vec<PartId> = scene.draft.readable().iter().map(|body| body.part).collect();
        let files: Vec<PartId> = scene.draft.files().iter().map(|file| file.part).collect();
        let holds = |(id, part): (usize, &Part)| {
            let id = PartId(id);
            if part.is_multipart() {
                return wanted(Sort::Structure) && part.children.is_empty();
            }
            if texts.binary_search(&id).is_ok() {
                return self.is_hidden_text(message, id, part, false);
            }
            if files.binary_search(&id).is_ok() {
                return self.is_hidden_text(message, id, part, true);
            }
            !PASSED_OVER.contains(&part.media_type.as_str())
                && self.0.iter().any(|sort| sort_of(message, id, part) == *sort)
        };
        wanted(Sort::Encrypted)
            && (message.protection() == Some(Protection::Encrypted) || message.begins_encrypted_text())
            || wanted(Sort::Tnef) && message.protection() == Some(Protection::Tnef)
            || message.parts().iter().enumerate().any(holds)
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
}

impl Uninspectable {
    /// Text that cannot be read, or is none.
    fn is_hidden_text(&self, message: &Message<'_>, id: PartId, part: &Part, is_file: bool) -> bool {
        let wanted = |sort| self.0.contains(&sort);
        let Some(octets) = message.content(id) else { return wanted(Sort::Encoding) };
        if is_file
            && let Some(found) =
                content::media_type(&octets).filter(|found| !found.starts_with("text/") && !found.ends_with("xml"))
        {
            return wanted(sort_of_type(found)) || wanted(Sort::Encrypted) && content::is_locked(&octets);
        }
        wanted(Sort::Charset) && !is_readable(part.charset.as_deref(), &octets)
            || wanted(Sort::Uuencoded) && (holds_uuencoded(&octets) || holds_binhex_or_yenc(&octets))
    }
}

/// Does the charset say what the octets are? ASCII is, in all but those that shift.
fn is_readable(label: Option<&str>, octets: &[u8]) -> bool {
    let Some(label) = label else { return true };
    let ascii = octets.is_ascii();
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding != REPLACEMENT => true,
        // UTF-7 and HZ are ASCII that stands for something else.
        _ if label.contains("utf-7") => ascii && memchr::memchr(b'+', octets).is_none(),
        _ => ascii && !octets.contains(&0x1B) && memchr::memmem::find(octets, b"~{").is_none() && !octets.contains(&0),
    }
}

fn holds_uuencoded(octets: &[u8]) -> bool {
    memchr::memmem::find(octets, b"begin").is_some() && {
        let text = String::from_utf8_lossy(octets);
        !crate::rule::actions::uuencoded(&text).is_empty() || !Uuencoded::all(&text).is_empty()
    }
}

/// A file in a text that some readers part from it: BinHex by the line that RFC 1741 asks for, yEnc by its first.
fn holds_binhex_or_yenc(octets: &[u8]) -> bool {
    const BINHEX: &[u8] = b"(This file must be converted with BinHex";
    const YENC: &[u8] = b"=ybegin ";
    let begins_line = |at: usize| at == 0 || octets.get(at - 1).is_some_and(|before| matches!(before, b'\n' | b'\r'));
    let begins = |mark: &[u8]| memchr::memmem::find_iter(octets, mark).any(begins_line);
    begins(BINHEX) || begins(YENC)
}

/// What sort of file a part is that is no text: by its octets, then by what it says.
fn sort_of(message: &Message<'_>, id: PartId, part: &Part) -> Sort {
    let declared = part.media_type.as_str();
    // A piece of a message, which is put together elsewhere.
    if declared == "message/partial" {
        return Sort::Other;
    }
    if declared.starts_with("message/") {
        return if part.encoding == TransferEncoding::Identity { Sort::Message } else { Sort::Encoding };
    }
    if matches!(declared, "application/pkcs7-mime" | "application/x-pkcs7-mime" | "application/pgp-encrypted") {
        return Sort::Encrypted;
    }
    let octets = message.content(id);
    let Some(octets) = octets else { return Sort::Encoding };
    if content::is_locked(&octets) {
        return Sort::Encrypted;
    }
    let by_name = || Some(by_extension(part.file_name.as_deref()?.rsplit_once('.')?.1));
    let by_octets = content::media_type(&octets).map(sort_of_type);
    match (by_octets, sort_of_type(declared)) {
        // What is an archive by its octets may be a document by its name.
        (Some(Sort::Archive), Sort::Office) => Sort::Office,
        (Some(Sort::Archive), _) if by_name() == Some(Sort::Office) => Sort::Office,
        (Some(sort), _) if sort != Sort::Other => sort,
        (_, Sort::Other) => by_name().unwrap_or(Sort::Other),
        (_, sort) => sort,
    }
}

fn sort_of_type(media_type: &str) -> Sort {
    let is = |types: &[&str]| {
        types.iter().any(|t| media_type == *t || t.strip_suffix('*').is_some_and(|t| media_type.starts_with(t)))
    };
    let group = |name: &str| content::GROUPS.iter().any(|(known, types)| *known == name && is(types));
    if media_type == "application/pdf" {
        Sort::Pdf
    } else if group("office") || media_type == "application/msword" || media_type.starts_with("application/vnd.ms-") {
        if media_type == "application/vnd.ms-tnef" { Sort::Tnef } else { Sort::Office }
    } else if group("archive")
        || media_type == "application/x-zip-compressed"
        || media_type == "application/x-rar-compressed"
    {
        Sort::Archive
    } else if media_type == "application/ms-tnef" {
        Sort::Tnef
    } else if media_type.starts_with("image/") {
        Sort::Image
    } else if media_type.starts_with("audio/") {
        Sort::Audio
    } else if media_type.starts_with("video/") {
        Sort::Video
    } else {
        Sort::Other
    }
}

fn by_extension(extension: &str) -> Sort {
    match extension.to_ascii_lowercase().as_str() {
        "pdf" => Sort::Pdf,
        "doc" | "docx" | "docm" | "dot" | "dotx" | "xls" | "xlsx" | "xlsm" | "xlsb" | "ppt" | "pptx" | "pptm"
        | "odt" | "ods" | "odp" | "rtf" | "pages" | "numbers" | "one" | "vsd" | "vsdx" | "pub" => Sort::Office,
        "zip" | "rar" | "7z" | "gz" | "tgz" | "bz2" | "xz" | "tar" | "zst" | "iso" | "cab" | "jar" => Sort::Archive,
        "p7m" | "pgp" | "gpg" => Sort::Encrypted,
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" | "tif" | "tiff" | "heic" => Sort::Image,
        _ => Sort::Other,
    }
}

#[cfg(test)]
mod tests {
    use crate::rule::conditions::testing::{holds, problems};

    fn mail(part: &str) -> String {
        format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello\n--b\n{part}\n--b--\n")
    }

    #[test]
    fn what_cannot_be_looked_into() {
        for (part, words) in [
            ("Content-Type: application/pdf; name=a.pdf\n\n%PDF-1.7", "pdf"),
            ("Content-Type: application/octet-stream; name=a.docx\n\nx", "office"),
            ("Content-Type: application/zip\n\nx", "archive"),
            ("Content-Type: application/pdf\n\n%PDF-1.7 /Encrypt", "encrypted"),
            ("Content-Type: application/ms-tnef\n\nx", "tnef"),
            ("Content-Type: application/x-thing\n\nx", "other"),
            ("Content-Type: text/plain; name=a.txt\n\n%PDF-1.7", "pdf"),
            ("Content-Type: text/plain\nContent-Transfer-Encoding: x-own\n\nx", "encoding"),
            ("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!", "encoding"),
            ("Content-Type: text/plain; charset=x-own\n\nGr\u{fc}\u{df}e", "charset"),
            ("Content-Type: text/plain; charset=utf-7\n\n+AGE-", "charset"),
            ("Content-Type: multipart/mixed\n\nx", "structure"),
            ("Content-Type: text/plain\n\nbegin 644 a\n#0V%T\n`\nend\n", "uuencoded"),
            ("Content-Type: text/plain\n\nHi\n(This file must be converted with BinHex 4.0)\n:#8GK:", "uuencoded"),
            ("Content-Type: text/plain\n\n=ybegin line=128 size=3 name=a\nmk~\n=yend size=3\n", "uuencoded"),
        ] {
            assert!(holds(&format!("uninspectable = \"{words}\""), &mail(part)), "{part}");
            assert!(holds("uninspectable = true", &mail(part)), "{part}");
        }
        for (part, words) in
            [("Content-Type: image/png\n\nx", "image"), ("Content-Type: message/rfc822\n\nSubject: a\n\nb", "message")]
        {
            assert!(holds(&format!("uninspectable = [\"{words}\", \"pdf\"]"), &mail(part)), "{part}");
            assert!(!holds("uninspectable = true", &mail(part)), "{part}");
        }
        for part in [
            "Content-Type: text/csv; name=a.csv\n\na,b",
            "Content-Type: text/plain\n\nwrite =ybegin here (not: This file must be converted with BinHex 4.0)",
            "Content-Type: application/json\n\n{}",
            "Content-Type: text/plain; charset=x-own\n\nonly ASCII",
            "Content-Type: text/html; charset=koi8-r\n\n<p>a",
            "Content-Type: text/xml\n\n<?xml version='1.0'?><a/>",
        ] {
            assert!(!holds("uninspectable = true", &mail(part)), "{part}");
        }
        assert!(holds("uninspectable = true", "Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n"));
        assert!(holds("uninspectable = true", "Content-Type: text/plain\n\n-----BEGIN PGP MESSAGE-----\nx\n"));
    }

    #[test]
    fn it_takes_true_or_words() {
        assert!(problems("uninspectable = false").contains("true, or words"));
        assert!(problems("uninspectable = \"pdfs\"").contains("did you mean"));
        assert!(problems("uninspectable = 1").contains("R003"));
    }
}
