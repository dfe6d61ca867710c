//! Which mail no person has written: what answers it makes a loop, or hits somebody who did not write.
//!
//! Any sender can say so of its mail, so nothing that keeps a message from doing harm may hang on it.

use super::Scene;

/// Fields that only programs write.
const FIELDS: &[&str] = &[
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply-From",
    "X-Mail-Autoreply",
    "X-Failed-Recipients",
    "X-FC-MachineGenerated",
];
/// Local parts of addresses from which mail systems write, so that an answer meets another program (RFC 5230 §4.6 names
/// most of them).
const SYSTEMS: &[&str] = &[
    "double-bounce",
    "listserv",
    "mail-daemon",
    "mailer-daemon",
    "mailer_daemon",
    "mailerdaemon",
    "majordomo",
    "postmaster",
];
/// What the local part of Exchange's own sender begins with; 32 hex digits follow.
const EXCHANGE: &str = "microsoftexchange";

/// Fields of mailing lists (RFC 2369, RFC 2919).
const LIST_FIELDS: &[&str] = &["List-Id", "List-Post", "List-Unsubscribe", "List-Help", "List-Subscribe", "List-Owner"];

/// True for mail that no person has written: answers and notices of programs (RFC 3834), lists, bulk, reports, voice mail,
/// and whatever has no sender, or a mail system for one.
pub(crate) fn is_automatic(scene: &Scene<'_, '_>) -> bool {
    scene.envelope.sender.as_ref().is_none_or(|sender| is_system(sender.local()))
        || answers(scene)
        || is_list(scene)
        || is_report(scene)
        || is_voice_mail(scene)
        || is_recall(scene)
}

/// The local part of an address from which a mail system writes.
fn is_system(local: &str) -> bool {
    let local = local.trim_matches('"').to_ascii_lowercase();
    let is_exchange = || {
        let id = local.strip_prefix(EXCHANGE).unwrap_or_default();
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())
    };
    SYSTEMS.contains(&local.as_str()) || is_exchange()
}

/// Notices and answers of programs.
pub(super) fn answers(scene: &Scene<'_, '_>) -> bool {
    let values = |name| scene.draft.values(name);
    values("Auto-Submitted").iter().any(|value| !matches!(&*token(value), "" | "no"))
        || values("X-Auto-Response-Suppress").iter().any(|value| token(value) != "none")
        || FIELDS.iter().any(|name| !values(name).is_empty())
        || values("Return-Path").iter().any(|value| value.trim() == "<>")
        || precedence(scene, &["auto_reply", "bulk", "junk"])
}

/// Mail of a mailing list.
pub(super) fn is_list(scene: &Scene<'_, '_>) -> bool {
    LIST_FIELDS.iter().any(|name| !scene.draft.values(name).is_empty()) || precedence(scene, &["list"])
}

/// What a machine recorded: VPIM (RFC 3801), RFC 3458, and the classes of Exchange.
pub(super) fn is_voice_mail(scene: &Scene<'_, '_>) -> bool {
    let begins = |name, words: &[&str]| {
        let values = scene.draft.values(name);
        values.iter().any(|value| {
            words.iter().any(|word| token(value).trim_start_matches("urn:content-classes:").starts_with(word))
        })
    };
    begins("Content-Class", &["voice", "missedcall"])
        || begins("Message-Context", &["voice-message"])
        || !scene.draft.values("X-VoiceMessageDuration").is_empty()
        || scene.draft.message().parts().first().is_some_and(|root| root.media_type == "multipart/voice-message")
}

/// A message that takes back another, as Outlook sends it.
pub(super) fn is_recall(scene: &Scene<'_, '_>) -> bool {
    let class = |name| scene.draft.values(name).iter().any(|value| token(value).contains("recall"));
    class("Content-Class") || class("X-Message-Class")
}

fn is_report(scene: &Scene<'_, '_>) -> bool {
    scene.draft.message().parts().first().is_some_and(|root| root.media_type == "multipart/report")
}

fn precedence(scene: &Scene<'_, '_>, words: &[&str]) -> bool {
    scene.draft.values("Precedence").iter().any(|value| words.contains(&token(value).as_str()))
}

/// The first token of a value, lower case, without its parameters and comments: `auto-replied; owner-email=…`.
fn token(value: &str) -> String {
    value.split([';', '(', ',']).next().unwrap_or_default().split_whitespace().next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{is_system, token};

    #[test]
    fn mail_systems_write_from_addresses_of_their_own() {
        for local in ["MAILER-DAEMON", "Mailer-Daemon", "\"MAILER-DAEMON\"", "postmaster", "double-bounce"] {
            assert!(is_system(local), "{local}");
        }
        assert!(is_system("MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"));
        for local in
            ["ann", "mailer-daemons", "microsoftexchange", "microsoftexchange-team", "no-reply", "hr-request", ""]
        {
            assert!(!is_system(local), "{local}");
        }
    }

    #[test]
    fn parameters_and_comments_are_no_part_of_a_token() {
        for value in [
            "auto-replied",
            " Auto-Replied; owner-email=\"ann@example.com\"",
            "auto-replied (vacation)",
            "auto-replied;x",
        ] {
            assert_eq!(token(value), "auto-replied", "{value}");
        }
        assert_eq!(token("(a comment) no"), "");
    }
}
