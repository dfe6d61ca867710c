//! What other mail systems call what rules say and do, for the help of a problem: who comes from Exchange, Google Workspace,
//! Sieve, Postfix or rspamd looks for `reject`, `quarantine` or `from`.
//!
//! Invariant: no word here is one that rules know.

use super::conditions;

/// A word, and what to write here.
type Word = (&'static [&'static str], &'static str);

const ACTIONS: &[Word] = &[
    (&["reject", "refuse", "ereject", "return", "block", "deny", "fail"], "`bounce` sends it back, with a text"),
    (&["discard", "delete", "silent_drop", "trash"], "`drop` neither delivers nor sends back"),
    (
        &["quarantine", "hold", "moderate", "approve", "redirect", "forward", "route"],
        "WorkMail has no such action: `add_recipients` with `drop` in the same rule gives it to somebody else instead",
    ),
    (&["bcc", "always_bcc", "cc", "copy", "add_bcc", "journal", "archive"], "`add_recipients` adds whom nobody sees"),
    (&["notify", "notification", "alert", "report"], "`bounce` tells the sender, `add_recipients` gives others a copy"),
    (
        &[
            "footer",
            "disclaimer",
            "add_disclaimer",
            "apply_disclaimer",
            "html_disclaimer",
            "append_footer",
            "add_footer",
            "signature",
            "legal_notice",
        ],
        "`append` puts it below",
    ),
    (&["banner", "warning", "prepend_banner", "add_banner", "header_banner", "caution"], "`prepend` puts it above"),
    (
        &["tag", "prepend_subject", "subject", "subject_prefix", "rewrite_subject", "add_tag", "subject_tag"],
        "`tag_subject` puts a tag in front of the subject, once",
    ),
    (&["mask", "scrub", "dlp", "censor", "sanitize"], "`redact` masks what it detects"),
    (
        &["substitute", "search_replace", "regex_replace", "rewrite_body", "replace_text", "sed"],
        "`replace` puts another text in place of what it finds",
    ),
    (&["spam", "move_to_junk", "mark_spam", "mark_as_spam", "fileinto"], "`junk` puts it into the junk folder"),
    (
        &["allow", "whitelist", "never_junk", "never_spam", "skip_spam", "bypass_spam"],
        "`bypass_spam_check` delivers without the spam check",
    ),
    (
        &["deliver", "accept", "keep", "default", "pass", "none"],
        "what no rule answers otherwise is delivered; `stop` ends the rules",
    ),
    (
        &["strip", "remove_attachment", "remove_attachments", "block_attachments", "defang"],
        "`strip_attachments` takes them off, `store_attachments` leaves a link, `rename_attachments` makes names harmless",
    ),
    (&["safe_links", "rewrite_urls", "rewrite_url", "urls", "links", "url_defense"], "`rewrite_links` is about links"),
    (
        &["header", "insert_header", "addheader", "modify_header"],
        "`set_header` gives a field its value, `add_header` adds one",
    ),
    (&["deleteheader", "delete_header", "strip_header", "remove_headers"], "`remove_header` takes fields out"),
    (&["remove_banner", "remove_footer", "remove_disclaimer"], "`remove_block` takes out what was put in"),
];

const CONDITIONS: &[Word] = &[
    (
        &["from", "mail_from", "mailfrom", "from_address", "sender_domain", "sender_address", "author"],
        "`sender` is whom the flow names, an address, a domain or a pattern; `address` is what the From field shows",
    ),
    (
        &["to", "cc", "rcpt", "rcpt_to", "recipient_domain", "sent_to", "any_recipient", "recipient_address"],
        "write `recipients = { any = … }`, `{ all = … }` or `{ each = … }`",
    ),
    (
        &["scope", "internal", "external", "sent_to_scope", "from_scope"],
        "write `sender = \"external\"`, `recipients = { any = \"external\" }`",
    ),
    (
        &["group", "groups", "member_of", "from_member_of", "department", "attribute", "attributes"],
        "write `sender = { group = … }` or `recipients = { any = { attribute = { … } } }`",
    ),
    (
        &["spf", "dkim", "dmarc", "auth", "authentication_results"],
        "write `authentication = { spf = …, dkim = …, dmarc = … }`",
    ),
    (&["spam", "virus", "score", "spam_score", "scl"], "write `verdict = { spam = \"fail\" }`"),
    (
        &[
            "reply",
            "is_reply",
            "forward",
            "calendar",
            "message_type",
            "type",
            "auto_reply",
            "automatic",
            "list",
            "signed",
            "encrypted",
        ],
        "write `kind = \"reply\"`, or which other kind of message",
    ),
    (&["time", "hours", "weekday", "days"], "`schedule` is about hours of the week, `date` about dates"),
    (
        &["extension", "filename", "file_name", "has_attachment", "attachment_name", "file", "mime_type"],
        "write `attachment = { extension = … }`; `attachment = {}` is any attachment",
    ),
    (
        &["contains", "words", "matches", "regex", "pattern", "text", "content", "message", "subject_or_body"],
        "say where: `subject = { words = … }`, `body = { matches = '…' }`, `header = { name = …, contains = … }`",
    ),
    (&["detect", "sensitive", "dlp", "classification"], "write `body = { contains = { detect = \"card\" } }`"),
    (
        &["except", "unless", "not_sender", "not_recipients"],
        "exceptions stand in `unless` of the rule, or in `not = { … }`",
    ),
    (&["or"], "write `any = [{ … }, { … }]`"),
    (&["and"], "all entries of a table must hold; or write `all = [{ … }, { … }]`"),
    (&["password", "password_protected"], "write `attachment = { locked = true }`"),
    (&["over", "larger_than", "message_size"], "write `size = { over = \"10 MB\" }`"),
];

const RULE: &[Word] = &[
    (&["enabled", "disabled", "state", "active_from", "test"], "write `mode = \"enforce\"`, `\"audit\"` or `\"off\"`"),
    (&["priority", "order", "weight"], "rules run in the order of file names, then of entries"),
    (&["condition", "conditions", "if", "match", "matches", "where"], "conditions stand in `when`"),
    (&["then", "do", "apply"], "actions stand in `action`"),
    (&["except", "exceptions", "exception", "except_if", "not"], "exceptions stand in `unless`"),
    (
        &["start", "starts", "begins", "from", "until", "expires", "expiry", "activation"],
        "write `active = { from = 2026-12-01, until = 2027-01-06, zone = \"Europe/Berlin\" }`",
    ),
    (&["comment", "comments", "note"], "write `description = \"…\"`"),
    (&["id", "title"], "write `name = \"…\"`"),
    (&["stop", "stop_processing", "last"], "the action `stop` ends the rules"),
    (&["direction", "sender", "recipients", "subject", "header", "body", "kind"], "it stands in `when = { … }`"),
];

/// Options, and what others call them.
const OPTIONS: &[(&str, &[&str])] = &[
    ("matches", &["regex", "regexp", "pattern", "match", "like", "re"]),
    ("contains", &["includes", "has", "substring", "text"]),
    ("is", &["equals", "eq", "equal", "value", "exact", "email", "address", "domain", "from"]),
    ("name", &["header", "field", "header_name", "field_name", "filename", "file_name"]),
    ("addresses", &["to", "bcc", "cc", "recipient", "recipients", "email", "address"]),
    ("over", &["gt", "min", "minimum", "more_than", "larger_than", "greater_than", "above", "at_least"]),
    ("under", &["lt", "max", "maximum", "less_than", "smaller_than", "below", "at_most"]),
    ("at_least", &["gt", "min", "minimum", "over", "more_than"]),
    ("at_most", &["lt", "max", "maximum", "under", "less_than"]),
    ("from", &["start", "begin", "begins", "after"]),
    ("until", &["to", "end", "ends", "before", "till"]),
    ("zone", &["timezone", "time_zone", "tz"]),
    ("days", &["day", "weekdays", "on"]),
    ("kind", &["type", "action", "do"]),
    ("place", &["position", "where", "location", "at"]),
    ("protected", &["signed", "on_signed", "encrypted"]),
    ("detect", &["detector", "detectors", "type", "types", "pattern", "patterns", "entity", "entities"]),
    ("style", &["mask", "masking", "replace", "replacement", "replace_with"]),
    ("with", &["replace", "replacement", "replace_with"]),
    ("tag", &["text", "prefix", "value"]),
    ("message", &["text", "reason", "reply", "response", "body", "mail"]),
    ("value", &["text", "content", "is", "set"]),
    ("text", &["body", "content", "plain", "message", "string"]),
    ("html", &["file", "body", "content", "template"]),
    ("file", &["path", "template", "src"]),
    ("group", &["groups", "member_of", "memberof", "members"]),
    ("attribute", &["attributes", "department", "job_title", "title", "company", "office", "country", "city"]),
    ("answer", &["disposition", "result", "action", "outcome", "verdict"]),
    ("matched", &["match", "matches", "rule", "rules", "hits"]),
    ("envelope", &["from", "to", "sender", "recipients", "direction"]),
    ("department", &["dept", "division", "team"]),
    ("job_title", &["title", "position"]),
    ("telephone", &["phone", "tel", "mobile"]),
];

/// Keys, values of other systems, and what to write.
const VALUES: &[(&str, &[&str], &str)] = &[
    (
        "mode",
        &["test", "dry-run", "dryrun", "dry_run", "monitor", "report", "simulate", "log", "watch"],
        "`audit` runs the rule and changes nothing",
    ),
    ("mode", &["on", "enabled", "active", "true", "live"], "`enforce` is a rule that acts"),
    ("mode", &["disabled", "inactive", "false", "none"], "`off` is a rule that is not looked at"),
    (
        "on_error",
        &["ignore", "continue", "pass", "deliver", "open"],
        "`skip` lets the message go on as it was before the rule",
    ),
    ("on_error", &["abort", "retry", "stop", "block", "closed", "reject"], "`fail` lets WorkMail try again"),
    ("direction", &["in", "incoming", "receive", "received", "internal"], "`inbound` is mail that comes in"),
    ("direction", &["out", "outgoing", "send", "sent", "external"], "`outbound` is mail of users"),
    ("days", &["mon-fri", "monday-friday", "weekdays", "workdays", "mo-fr"], "`weekday` is Monday to Friday"),
    ("days", &["sat-sun", "weekends"], "`weekend` is Saturday and Sunday"),
    ("days", &["monday", "mo"], "write \"mon\""),
    ("days", &["tuesday", "tu"], "write \"tue\""),
    ("days", &["wednesday", "we"], "write \"wed\""),
    ("days", &["thursday", "th", "thurs"], "write \"thu\""),
    ("days", &["friday", "fr"], "write \"fri\""),
    ("days", &["saturday", "sa"], "write \"sat\""),
    ("days", &["sunday", "su"], "write \"sun\""),
    (
        "place",
        &["bottom", "below", "after", "footer"],
        "`end` is below the message; `below-reply` is above what a reply quotes",
    ),
    ("once", &["true", "yes", "once"], "`message` is once in a message, `thread` once in a conversation"),
    ("once", &["false", "no", "never"], "`always` puts it in each time"),
];

fn among(words: &[Word], name: &str) -> Option<&'static str> {
    let name = name.to_lowercase().replace('-', "_");
    words.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, help)| *help)
}

/// What to write in place of an action of this name.
pub(super) fn action(name: &str) -> Option<&'static str> {
    among(ACTIONS, name)
}

/// What to write in place of a condition of this name, such as `subject_contains`.
pub(super) fn condition(name: &str) -> Option<String> {
    let lower = name.to_lowercase().replace('-', "_");
    let begins = |key: &str| lower.strip_prefix(key).is_some_and(|rest| rest.starts_with('_'));
    let kind =
        || conditions::KINDS.iter().find(|kind| begins(kind.key)).map(|kind| format!("write `{}`", kind.example));
    among(CONDITIONS, name).map(str::to_owned).or_else(kind)
}

/// How a key of a rule is written, where its value is of a wrong type.
pub(super) fn rule_example(key: &str) -> Option<&'static str> {
    Some(match key {
        "when" => {
            "when = { direction = \"inbound\", any = [{ subject = \"invoice\" }, { size = { over = \"10 MB\" } }] }"
        }
        "unless" => "unless = { sender = \"example.net\" }",
        "action" => "action = { kind = \"drop\" }",
        "active" => "active = { from = 2026-12-01, until = 2027-01-06, zone = \"Europe/Berlin\" }",
        _ => return None,
    })
}

/// What to write in place of a key of an action that is none of its options.
pub(super) fn key_of_action(name: &str) -> Option<&'static str> {
    let of_rule = ["when", "unless", "mode", "active", "on_error", "description"];
    of_rule.contains(&name).then_some(
        "it is a key of the rule: what stands below `[[rule.action]]` is of the action, so write it above that line",
    )
}

/// The option that is meant by another system's word for it, where a table knows it.
pub(super) fn option<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = name.to_lowercase().replace('-', "_");
    let mut meant = OPTIONS.iter().filter(|(_, names)| names.contains(&name.as_str()));
    meant.find_map(|(option, _)| known.iter().copied().find(|known| known == option))
}

/// What to write in place of a value that is not among the words of a key.
pub(super) fn word(key: &str, value: &str) -> Option<&'static str> {
    let value = value.to_lowercase();
    VALUES.iter().find(|(of, names, _)| *of == key && names.contains(&value.as_str())).map(|(.., help)| *help)
}

/// What to do about a fault in the syntax of a line.
pub(super) fn syntax(what: &str, line: &str) -> Option<&'static str> {
    if line.contains(['“', '”', '„', '‘', '’', '«', '»']) {
        Some("these quotation marks are those of a text editor: write \"…\"")
    } else if what.contains("invalid basic string") {
        Some(
            "a text of several lines stands between \"\"\" and \"\"\"; a backslash is written twice, or the text stands in '…'",
        )
    } else if what.contains("string values must be quoted") {
        Some("write it as \"…\"")
    } else if what.contains("duplicate key") {
        Some("a key stands once in a table: several values are a list, several rules are several `[[rule]]`")
    } else {
        None
    }
}

/// What to write in place of a key of a rule of this name.
pub(super) fn rule_key(name: &str) -> Option<&'static str> {
    among(RULE, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::actions;

    fn words(of: &[Word]) -> Vec<&'static str> {
        of.iter().flat_map(|(names, _)| names.iter().copied()).collect()
    }

    #[test]
    fn no_word_is_known_and_none_stands_twice() {
        for kind in actions::KINDS {
            assert_eq!(action(kind.kind), None, "{}", kind.kind);
        }
        for kind in conditions::KINDS {
            assert_eq!(condition(kind.key), None, "{}", kind.key);
        }
        assert!(OPTIONS.iter().all(|(option, names)| !names.contains(option)));
        for table in [ACTIONS, CONDITIONS, RULE] {
            let mut all = words(table);
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
    }

    #[test]
    fn each_help_names_something_that_there_is() {
        for (_, help) in ACTIONS {
            let named: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty() && named.iter().all(|n| actions::KINDS.iter().any(|k| k.kind == *n)), "{help}");
        }
        for (_, help) in CONDITIONS {
            let key = |text: &&str| conditions::KINDS.iter().any(|kind| text.starts_with(kind.key));
            let known = |text: &&str| key(text) || ["unless", "any", "all", "not"].iter().any(|k| text.starts_with(k));
            assert!(help.split('`').skip(1).step_by(2).any(|text| known(&text)), "{help}");
        }
    }

    #[test]
    fn words_are_found_in_any_case() {
        assert!(action("Reject").is_some_and(|help| help.contains("`bounce`")));
        assert!(action("prepend-subject").is_some());
        assert!(condition("From").is_some());
        assert!(condition("subject_contains").is_some_and(|help| help.starts_with("write `subject = ")));
        assert_eq!(option("Regex", &["contains", "matches"]), Some("matches"));
        assert_eq!(option("regex", &["contains"]), None);
        assert!(word("mode", "Test").is_some_and(|help| help.contains("`audit`")));
        assert_eq!(rule_key("whatever"), None);
    }
}
