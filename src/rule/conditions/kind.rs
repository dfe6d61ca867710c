//! `kind`: what sort of message it is, by its header and its parts.

use crate::message::{Message, Part, Protection, is_reply_prefix};
use crate::rule::automatic;
use crate::rule::section::Section;
use crate::rule::takes::words_of;
use crate::rule::{Condition, ConditionKind, Scene, Takes};

/// The kind.
pub const KIND: ConditionKind = ConditionKind {
    key: "kind",
    doc: "Tests what sort of message it is. Of several words one must hold: \"new\" (the first of a conversation: neither \
          reply nor forward, by its fields and its subject), \"reply\" (In-Reply-To or References), \"forward\" (subject \
          such as Fwd:, or a message attached), \"auto-reply\" (RFC 3834 and kin), \"automatic\" (no person wrote it: \
          auto-reply, list, report, voice-mail, recall; no sender, or a mail system for one such as MAILER-DAEMON or postmaster), \"calendar\", \"signed\", \"encrypted\", \
          \"report\" (delivery and read receipts), \"list\" (mailing lists), \"tnef\" (winmail.dat), \"voice-mail\", \"recall\" \
          (takes back another message), \"malformed\" (mail programs \
          read it in several ways, so no rule edits its text; a block goes in where all of them see the same parts).",
    takes: Takes::Words(&words_of(WORDS)),
    example: "kind = [\"calendar\", \"encrypted\"]",
    compile,
};

/// A sort of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    New,
    Reply,
    Forward,
    AutoReply,
    Automatic,
    Calendar,
    Signed,
    Encrypted,
    Report,
    List,
    Tnef,
    VoiceMail,
    Recall,
    Malformed,
}

const WORDS: &[(&str, Sort); 14] = &[
    ("new", Sort::New),
    ("reply", Sort::Reply),
    ("forward", Sort::Forward),
    ("auto-reply", Sort::AutoReply),
    ("automatic", Sort::Automatic),
    ("calendar", Sort::Calendar),
    ("signed", Sort::Signed),
    ("encrypted", Sort::Encrypted),
    ("report", Sort::Report),
    ("list", Sort::List),
    ("tnef", Sort::Tnef),
    ("voice-mail", Sort::VoiceMail),
    ("recall", Sort::Recall),
    ("malformed", Sort::Malformed),
];

/// So many prefixes of a subject are looked at.
const MAX_PREFIXES: usize = 8;

/// What mail programs put before the subject of a message that is passed on, lower case.
const FORWARD_PREFIXES: &[&str] = &[
    "fwd",
    "fw",
    "wg",
    "tr",
    "rv",
    "enc",
    "vs",
    "vb",
    "vl",
    "doorst",
    "pd",
    "i",
    "továbbítás",
    "转发",
    "轉寄",
    "転送",
];

#[derive(Debug)]
struct Is(Vec<Sort>);

fn compile(section: &mut Section<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let sorts = section.choices(key, WORDS)?;
    Some(Box::new(Is(sorts.into_iter().map(|at| at.value).collect())))
}

impl Condition for Is {
    fn holds(&self, scene: &Scene<'_, '_>) -> bool {
        self.0.iter().any(|sort| sort.holds(scene))
    }
    fn key(&self) -> &'static str {
        KIND.key
    }
    fn seen(&self, scene: &Scene<'_, '_>) -> Option<String> {
        let words: Vec<_> = WORDS.iter().filter(|(_, sort)| sort.holds(scene)).map(|(word, _)| *word).collect();
        Some(if words.is_empty() { "none of them".to_owned() } else { words.join(", ") })
    }
}

impl Sort {
    fn holds(self, scene: &Scene<'_, '_>) -> bool {
        let message = scene.draft.message();
        let protected = |protection| scene.draft.protection() == Some(protection);
        match self {
            Self::Malformed => message.doubt().is_some(),
            Self::New => is_new(scene),
            Self::Reply => is_reply(scene),
            Self::Forward => {
                scene.draft.subject().is_some_and(|subject| begins_as_forward(&subject, MAX_PREFIXES))
                    || any_part(message, |part| part.media_type == "message/rfc822" && !in_report(message, part))
            }
            Self::AutoReply => automatic::answers(scene),
            Self::Automatic => automatic::is_automatic(scene),
            Self::List => automatic::is_list(scene),
            Self::VoiceMail => automatic::is_voice_mail(scene),
            Self::Recall => automatic::is_recall(scene),
            Self::Calendar => protected(Protection::Calendar) || any_type(message, &["text/calendar"]),
            Self::Report => {
                protected(Protection::Report)
                    || any_type(
                        message,
                        &["multipart/report", "message/delivery-status", "message/disposition-notification"],
                    )
            }
            Self::Tnef => {
                protected(Protection::Tnef) || any_type(message, &["application/ms-tnef", "application/vnd.ms-tnef"])
            }
            Self::Signed => {
                let types = [
                    "multipart/signed",
                    "application/pkcs7-signature",
                    "application/x-pkcs7-signature",
                    "application/pgp-signature",
                ];
                protected(Protection::Signed)
                    || any_type(message, &types)
                    || any_part(message, |part| is_pkcs7(part) && smime_is(message, part, b"signed-data"))
            }
            Self::Encrypted => {
                protected(Protection::Encrypted)
                    || any_type(message, &["multipart/encrypted", "application/pgp-encrypted"])
                    || any_part(message, |part| is_pkcs7(part) && !smime_is(message, part, b"signed-data"))
            }
        }
    }
}

fn any_part(message: &Message<'_>, test: impl Fn(&Part) -> bool) -> bool {
    message.parts().iter().any(test)
}

fn any_type(message: &Message<'_>, types: &[&str]) -> bool {
    any_part(message, |part| types.contains(&part.media_type.as_str()))
}

fn is_pkcs7(part: &Part) -> bool {
    matches!(part.media_type.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime")
}

/// Is the returned message of a delivery report, which nobody passed on?
fn in_report(message: &Message<'_>, part: &Part) -> bool {
    let parent = part.parent.and_then(|parent| message.parts().get(parent.0));
    parent.is_some_and(|parent| parent.media_type == "multipart/report")
}

/// Does the `smime-type` of the Content-Type (RFC 8551 §3.2.2) say so? Compressed and enveloped data say something else.
fn smime_is(message: &Message<'_>, part: &Part, kind: &[u8]) -> bool {
    let raw = message.raw();
    part.fields
        .iter()
        .filter(|field| raw.get(field.name.clone()).is_some_and(|name| name.eq_ignore_ascii_case(b"content-type")))
        .filter_map(|field| raw.get(field.value.clone()))
        .any(|value| {
            let value = value.to_ascii_lowercase();
            memchr::memmem::find(&value, b"smime-type").is_some_and(|at| {
                let rest = value.get(at + b"smime-type".len()..).unwrap_or_default();
                let start = rest.iter().position(|b| !b" \t\r\n=\"".contains(b)).unwrap_or(rest.len());
                rest.get(start..).is_some_and(|rest| rest.starts_with(kind))
            })
        })
}

/// True for a message that answers another one, by its header.
pub fn is_reply(scene: &Scene<'_, '_>) -> bool {
    ["In-Reply-To", "References"].iter().any(|name| !scene.draft.values(name).is_empty())
}

/// True for the first message of a conversation: nothing says that it answers another one or passes it on.
pub fn is_new(scene: &Scene<'_, '_>) -> bool {
    let prefixed = || scene.draft.subject().is_some_and(|subject| begins_as_reply(&subject));
    // [MS-OXOMSG] 2.2.1.3: 22 octets for a first message, five more for each answer.
    let threaded = || {
        let index = scene.draft.values("Thread-Index").into_iter().next();
        index.is_some_and(|index| index.trim().trim_end_matches('=').len() > FIRST_THREAD_INDEX)
    };
    !is_reply(scene) && !Sort::Forward.holds(scene) && !prefixed() && !threaded()
}

/// Characters of a Thread-Index of 22 octets, in base64 without padding.
const FIRST_THREAD_INDEX: usize = 30;

/// `Re: …`, also behind tags in brackets.
fn begins_as_reply(subject: &str) -> bool {
    let mut rest = subject.trim_start();
    for _ in 0..MAX_PREFIXES {
        let Some((_, behind)) = rest.strip_prefix('[').and_then(|tag| tag.split_once(']')) else { break };
        rest = behind.trim_start();
    }
    let Some((prefix, _)) = rest.split_once([':', '：']) else { return false };
    let prefix = prefix.split(['[', '(']).next().unwrap_or_default().trim().to_lowercase();
    is_reply_prefix(&prefix)
}

/// True for a message that passes on another one and does not answer it: mail programs write the fields of a reply into
/// forwarded mail too, and answers to forwarded mail keep its `Fwd:` behind their `Re:`.
pub fn is_forward(scene: &Scene<'_, '_>) -> bool {
    if is_reply(scene) {
        scene.draft.subject().is_some_and(|subject| begins_as_forward(&subject, 1))
    } else {
        Sort::Forward.holds(scene)
    }
}

/// `Fwd: …` among the first prefixes, also behind tags in brackets and behind `Re:`.
fn begins_as_forward(subject: &str, prefixes: usize) -> bool {
    let mut rest = subject.trim_start();
    let mut left = prefixes;
    for _ in 0..2 * MAX_PREFIXES {
        if let Some(tag) = rest.strip_prefix('[') {
            let Some((_, behind)) = tag.split_once(']') else { return false };
            rest = behind.trim_start();
            continue;
        }
        let Some((prefix, behind)) = rest.split_once([':', '：']) else { return false };
        // `Fwd[2]:`, `Fw (3):`.
        let prefix = prefix.split(['[', '(']).next().unwrap_or_default().trim().to_lowercase();
        if FORWARD_PREFIXES.contains(&prefix.as_str()) {
            return true;
        }
        left -= 1;
        if prefix.chars().count() > 3 || left == 0 {
            return false;
        }
        rest = behind.trim_start();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{MAX_PREFIXES, begins_as_forward};
    use crate::rule::conditions::testing::{holds, problems};

    #[track_caller]
    fn check(kind: &str, messages: &[&str], not: &[&str]) {
        let when = format!("kind = \"{kind}\"");
        for message in messages {
            assert!(holds(&when, message), "{kind}: {message}");
        }
        for message in not {
            assert!(!holds(&when, message), "not {kind}: {message}");
        }
    }

    const PLAIN: &str = "Subject: hello\n\nx";
    const REPORT: &str = "Subject: failed\nContent-Type: multipart/report; boundary=r; report-type=delivery-status\n\n--r\n\
                          Content-Type: text/plain\n\nsorry\n--r\nContent-Type: message/delivery-status\n\nStatus: 5.0.0\n\
                          --r\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n--r--\n";

    #[test]
    fn replies() {
        check(
            "reply",
            &["In-Reply-To: <1@x.example>\n\nx", "References: <1@x.example>\n\nx"],
            &[PLAIN, "Subject: Re: x\n\nx"],
        );
    }

    #[test]
    fn the_first_of_a_conversation() {
        let first = "Thread-Index: AdNlZqk0o0bLZ5c1Qn2JZ1v1mJ8k0Q==\nSubject: x\n\nx";
        let answer = "Thread-Index: AdNlZqk0o0bLZ5c1Qn2JZ1v1mJ8k0QAAAAAA\nSubject: x\n\nx";
        let not = ["In-Reply-To: <1@x.example>\n\nx", "Subject: Re: x\n\nx", "Subject: [list] AW: x\n\nx", answer];
        check(
            "new",
            &[PLAIN, first, "\n\nx", "Subject: Plan: x\n\nx"],
            &[not.as_slice(), &["Subject: Fwd: x\n\nx"]].concat(),
        );
    }

    #[test]
    fn forwards() {
        let attached = "Content-Type: multipart/mixed; boundary=m\n\n--m\n\nsee\n--m\nContent-Type: message/rfc822\n\n\
                        Subject: x\n\ny\n--m--\n";
        check("forward", &["Subject: Fwd: hello\n\nx", attached], &[PLAIN, "Subject: Re: hello\n\nx", REPORT]);
        for subject in ["FW: a", "Fwd:a", "WG: a", "TR : a", "RE: Fwd: a", "[ext] Fwd: a", "Fwd[2]: a", "转发：a"] {
            assert!(begins_as_forward(subject, MAX_PREFIXES), "{subject}");
        }
        for subject in ["", "Re: a", "forward: a", "Fwd", "[Fwd: a", "Note: fw: a", "a:b:c:d:e:f:g:h:i:fw:x"] {
            assert!(!begins_as_forward(subject, MAX_PREFIXES), "{subject}");
        }
    }

    #[test]
    fn automatic_replies() {
        check(
            "auto-reply",
            &[
                "Auto-Submitted: auto-replied\n\nx",
                "Auto-Submitted: auto-generated; owner-email=\"ann@example.com\"\n\nx",
                "X-Auto-Response-Suppress: All\n\nx",
                "X-Autoreply: yes\n\nx",
                "Precedence: bulk\n\nx",
                "Precedence: AUTO_REPLY\n\nx",
            ],
            &[PLAIN, "Auto-Submitted: no\n\nx", "Auto-Submitted: No (a person)\n\nx", "Precedence: list\n\nx"],
        );
    }

    #[test]
    fn automatic_mail() {
        check(
            "automatic",
            &[
                "Auto-Submitted: auto-replied (vacation)\n\nx",
                "Return-Path: <>\n\nx",
                "List-Id: <news.example.com>\n\nx",
                "Content-Class: Voice-CA\n\nx",
                "Content-Class: urn:content-classes:recallmessage\n\nx",
                REPORT,
            ],
            &[
                PLAIN,
                "Auto-Submitted: no\n\nx",
                "X-Auto-Response-Suppress: None\n\nx",
                "Return-Path: <a@b.example>\n\nx",
            ],
        );
        check("voice-mail", &["Message-Context: voice-message\n\nx", "Content-Class: voice\n\nx"], &[PLAIN, REPORT]);
        check("recall", &["Content-Class: urn:content-classes:recallmessage\n\nx"], &[PLAIN, REPORT]);
    }

    #[test]
    fn lists() {
        check(
            "list",
            &[
                "List-Id: <news.example.com>\n\nx",
                "List-Post: <mailto:news@example.com>\n\nx",
                "List-Unsubscribe: <https://example.com/u>\n\nx",
                "Precedence: list\n\nx",
            ],
            &[PLAIN, "Precedence: bulk\n\nx"],
        );
    }

    #[test]
    fn calendar_report_and_tnef() {
        let calendar = "Content-Type: multipart/alternative; boundary=a\n\n--a\n\nx\n--a\n\
                        Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--a--\n";
        let tnef = "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a\n\
                    Content-Type: application/ms-tnef; name=winmail.dat\n\nx\n--a--\n";
        check("calendar", &[calendar, "Content-Type: text/calendar\n\nx"], &[PLAIN, tnef]);
        check("report", &[REPORT], &[PLAIN, calendar]);
        check("tnef", &[tnef], &[PLAIN, calendar]);
    }

    #[test]
    fn malformed() {
        let no_blank_line = "Subject: a\nno field\nContent-Type: text/html\n\nx";
        let two_types = "Content-Type: text/plain\nContent-Type: text/html\n\nx";
        let odd_boundary = "Content-Type: multipart/mixed; boundary=\"a\"b\n\n--a\n\nx\n--a--\n";
        let no_boundary = "Content-Type: multipart/mixed\n\nx";
        check("malformed", &[no_blank_line, two_types, odd_boundary], &[PLAIN, no_boundary]);
    }

    #[test]
    fn signed_and_encrypted() {
        let signed = "Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\n\n--s\n\nx\n--s\n\
                      Content-Type: application/pgp-signature\n\ny\n--s--\n";
        let opaque = "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\nx";
        let encrypted = "Content-Type: multipart/encrypted; boundary=s; protocol=\"application/pgp-encrypted\"\n\n--s\n\
                         Content-Type: application/pgp-encrypted\n\nVersion: 1\n--s\n\
                         Content-Type: application/octet-stream\n\ny\n--s--\n";
        let enveloped = "Content-Type: application/x-pkcs7-mime;\n smime-type=\"enveloped-data\"\n\nx";
        check("signed", &[signed, opaque], &[PLAIN, encrypted, enveloped]);
        check("encrypted", &[encrypted, enveloped], &[PLAIN, signed, opaque]);
    }

    #[test]
    fn one_of_several_is_enough_and_a_misspelt_one_is_a_problem() {
        assert!(holds("kind = [\"signed\", \"reply\"]", "In-Reply-To: <1@x.example>\n\nx"));
        assert!(!holds("kind = [\"signed\", \"list\"]", "In-Reply-To: <1@x.example>\n\nx"));
        assert!(problems("kind = [\"signed\", \"autoreply\"]").contains("did you mean `auto-reply`"));
    }
}
