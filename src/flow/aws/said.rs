//! What of a service's own words about a failure may be logged.
//!
//! Invariant (no content in logs): a service may repeat any part of the message, the event or an address, in quotes or not,
//! decoded or not. So nothing is looked for and taken out: a word is kept only if it is one of those that errors of such
//! services are written with, and everything else becomes `…`.

/// Most that is kept, in characters.
const MAX_SAID: usize = 200;
/// Longest error code.
const MAX_CODE: usize = 64;
/// Longest number that is kept, in digits: a line, a length; no telephone number.
const MAX_DIGITS: usize = 8;

/// Words that errors are written with.
const WORDS: &str = "\
    a an the this that these those it its their there which who what when where while if as at by for from in into of off on \
    onto or and to up with within without under over above below between before after than then not no none never only also \
    any all each every some more most less least same other another one two first second last once twice again already still \
    is are was were be been being am has have had having do does did done must may might can cannot could should would will \
    shall need needs needed failed fail fails failing failure error errors fault invalid valid validation validate validated \
    unknown unsupported supported unexpected expected missing required requires require empty present absent found find exists \
    exist does doesn't isn't wasn't aren't can't couldn't because due since please try retry later contact \
    reached exceed exceeds exceeded exceeding limit limits limited maximum minimum max min allowed allow allows permitted \
    permit denied deny denies refused refuse rejected reject rejects rejection accepted accept access authorized authorization \
    unauthorized authentication credentials credential expired expire expires token signature signed signing identity \
    identity-based resource-based policy policies permission permissions explicit implicit boundary boundaries \
    control service services resource resources action actions perform performed operation operations request requests \
    requested response responses rate throttled throttling throttle slow reduce too many much long longer short shorter large \
    larger small smaller high low big time times timeout timed out seconds second milliseconds connection closed reset \
    internal external server client temporarily temporary unavailable available busy overloaded \
    message messages mail email emails mime header headers field fields name names value values body bodies part parts \
    multipart attachment attachments attached file files type types subtype content contents encoding encoded encode decode \
    decoded charset character characters char chars octet octets byte bytes kb mb gb line lines length size sizes count number \
    numbers format formatted malformed well-formed syntax parse parsed parsing parser parameter parameters argument \
    immutable mutable changed change changes modified modify modification updated update unique duplicate duplicated duplicates \
    7-bit 8-bit 7bit 8bit ascii non-ascii utf-8 us-ascii base64 quoted-printable nul crlf cr lf whitespace rfc \
    extension extensions blocked unsafe virus frozen redirect redirected raw structure nested depth level \
    sender senders recipient recipients address addresses domain domains mailbox mailboxes user users group groups entity \
    entities organization organizations directory account accounts region regions endpoint state disabled enabled deleted \
    bucket buckets object objects key keys version versions versioning location path storage class owner owned ownership kms \
    encryption encrypted decrypt checksum checksums digest hash md5 sha256 crc32 mismatch match matches match. match, \
    xml json s3 aws amazon workmail lambda id ids text html plain application image message-id mime-version subject date \
    cc bcc reply-to return-path received references in-reply-to content-type content-transfer-encoding content-disposition \
    content-id dkim-signature dkim arc list-unsubscribe list-id resent-from resent-to user-agent x-mailer thread-index \
    you your we our us";
/// A number is kept beside one of these.
const MEASURED: &str = "line lines than limit maximum minimum most least size length part parts offset position column rfc \
                        characters character octets bytes byte kb mb seconds recipients attachments";
/// What a service calls its own actions and resources by.
const ACTIONS: &[&str] = &["s3:", "workmail:", "workmailmessageflow:", "kms:", "sts:"];

/// Code and message, without anything that may come from the mail. May be empty.
pub(super) fn said(code: Option<&str>, message: Option<&str>) -> String {
    let code =
        code.filter(|code| code.len() <= MAX_CODE && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'));
    // A refused access is about roles and resources, not about mail.
    let of_access = code.is_some_and(|code| code.starts_with("AccessDenied"));
    let message = message.map(|message| kept(message, of_access)).unwrap_or_default();
    match (code, message.is_empty()) {
        (Some(code), false) => format!("{code}: {message}"),
        (Some(code), true) => code.to_owned(),
        (None, _) => message,
    }
}

fn kept(message: &str, of_access: bool) -> String {
    let words: Vec<&str> = message.split_whitespace().take(MAX_SAID).collect();
    let mut kept: Vec<&str> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let beside = [at.checked_sub(1), at.checked_add(1)].into_iter().flatten().filter_map(|at| words.get(at));
        let measured = || beside.into_iter().any(|word| is_in(MEASURED, bare(word)));
        let number =
            !bare(word).is_empty() && bare(word).len() <= MAX_DIGITS && bare(word).bytes().all(|b| b.is_ascii_digit());
        let resource = of_access && is_resource(bare(word));
        if is_in(WORDS, bare(word)) || resource || (number && measured()) {
            kept.push(word);
        } else if kept.last() != Some(&"…") {
            kept.push("…");
        }
    }
    if kept.iter().all(|word| *word == "…") {
        return String::new();
    }
    kept.join(" ").chars().take(MAX_SAID).collect()
}

/// A word without what stands round it.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '*' && c != '/')
}

fn is_in(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

/// `arn:aws:s3:::bucket/key`, `s3:PutObject`.
fn is_resource(word: &str) -> bool {
    let sound = word.bytes().all(|b| b.is_ascii_alphanumeric() || b":/-_.*".contains(&b));
    sound && (word.starts_with("arn:aws") || ACTIONS.iter().any(|service| word.starts_with(service)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_repeats_from_the_mail_does_not_get_into_the_log() {
        for (message, expected) in [
            (
                "It doesn't fit: header \"X-Secret: plan\" of ann@example.com is 'bad' \u{7} and unclosed \"Subject: x",
                "It doesn't … header … of … is … and … \"Subject: …",
            ),
            ("Header field Subject has value Merger with Example Corp", "Header field Subject has value … with …"),
            ("Line 12 is longer than 1000 characters.", "Line 12 is longer than 1000 characters."),
            ("The PIN 4711 is invalid", "The … is invalid"),
            ("call +49 30 1234567", ""),
            ("Grüße für Jürgen", ""),
            ("to <ann@example.com>, a@b", "to …"),
        ] {
            assert_eq!(said(None, Some(message)), expected, "{message}");
        }
        assert_eq!(said(Some("MessageRejected"), None), "MessageRejected");
        assert_eq!(said(Some("Message rejected for ann@example.com"), Some("")), "");
        assert!(said(None, Some(&"the ".repeat(1_000))).chars().count() <= MAX_SAID);
    }

    #[test]
    fn what_aws_says_of_access_is_kept() {
        let text = "User: arn:aws:sts::123456789012:assumed-role/mail/f is not authorized to perform: s3:PutObject on \
                    resource: \"arn:aws:s3:::my-bucket/key\" because no identity-based policy allows the s3:PutObject action";
        let kept = said(Some("AccessDenied"), Some(text));
        assert!(kept.contains("arn:aws:s3:::my-bucket/key") && kept.contains("s3:PutObject"), "{kept}");
        assert!(!said(Some("MessageRejected"), Some(text)).contains("my-bucket"));
        for text in
            ["Rate exceeded", "We encountered an internal error. Please try again.", "Please reduce your request rate."]
        {
            assert!(!said(None, Some(text)).is_empty(), "{text}");
        }
    }
}
