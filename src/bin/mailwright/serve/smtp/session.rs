//! One SMTP session: from command lines to replies and messages. No I/O, no clock.
//!
//! Invariant: a session ends after [`MAX_ERRORS`] errors or [`MAX_COMMANDS`] commands without a message; nothing that a
//! client says makes it keep more than an envelope of [`MAX_RECIPIENTS`].
//!
//! Source: RFC 5321; RFC 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 2920 (PIPELINING), 2034 and 3463 (status codes).
//! Neither `STARTTLS` nor `AUTH` is there: it is this machine, and a password would be for nothing.

use mailwright::answers::MAX_RECIPIENTS;
use mailwright::directory::Organization;
use mailwright::envelope::{Address, Direction};
use mailwright::flow::workmail::MAX_MESSAGE;

use super::path::{Argument, argument};

/// Most errors of a session.
pub const MAX_ERRORS: usize = 20;
/// Most commands between two messages: all recipients, and some.
pub const MAX_COMMANDS: usize = MAX_RECIPIENTS + 100;
/// Words that begin a request of a browser, which some page has sent here.
const NOT_SMTP: [&str; 7] = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "HOST:"];

/// A session.
#[derive(Debug)]
pub struct Session {
    direction: Direction,
    greeted: bool,
    sender: Option<Sender>,
    recipients: Vec<Address>,
    utf8: bool,
    errors: usize,
    commands: usize,
}

/// From whom, by `MAIL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(pub Option<Address>);

/// A message that may come now.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope {
    /// From whom.
    pub sender: Sender,
    /// To whom; at least one.
    pub recipients: Vec<Address>,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Say this.
    Say(String),
    /// Say this, and take a message.
    Message(String, Envelope),
    /// Say this, and close.
    Close(String),
}

fn say(reply: &str) -> Step {
    Step::Say(reply.to_owned())
}

impl Session {
    /// At the start. `direction` is the way of all messages.
    pub fn new(direction: Direction) -> Self {
        Self { direction, greeted: false, sender: None, recipients: Vec::new(), utf8: false, errors: 0, commands: 0 }
    }

    /// The first line.
    pub fn greeting(&self) -> String {
        let what = match self.direction {
            Direction::Inbound => "mail from outside",
            Direction::Outbound => "mail of users",
        };
        format!("220 localhost ESMTP mailwright serve, {what}; nothing is sent on")
    }

    /// A line, without its end.
    pub fn line(&mut self, line: &[u8], organization: &Organization) -> Step {
        self.commands += 1;
        if self.commands > MAX_COMMANDS {
            return Step::Close("421 4.7.0 too many commands without a message".to_owned());
        }
        let Ok(text) = std::str::from_utf8(line) else { return self.wrong("500 5.5.2 no text") };
        if text.chars().any(char::is_control) {
            return self.wrong("500 5.5.2 control characters");
        }
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let verb = verb.to_ascii_uppercase();
        if NOT_SMTP.contains(&verb.as_str()) {
            return Step::Close("421 4.7.0 this is SMTP".to_owned());
        }
        match verb.as_str() {
            "EHLO" | "HELO" if rest.trim().is_empty() => self.wrong("501 5.5.4 who is it?"),
            "EHLO" => {
                self.reset();
                self.greeted = true;
                Step::Say(format!(
                    "250-localhost\r\n250-SIZE {MAX_MESSAGE}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n\
                     250 ENHANCEDSTATUSCODES"
                ))
            }
            "HELO" => {
                self.reset();
                self.greeted = true;
                say("250 localhost")
            }
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest, organization),
            "DATA" if !rest.is_empty() => self.wrong("501 5.5.4 DATA stands alone"),
            "DATA" => self.data(),
            "RSET" => {
                self.reset();
                say("250 2.0.0 forgotten")
            }
            "NOOP" => say("250 2.0.0 yes"),
            "QUIT" => Step::Close("221 2.0.0 bye".to_owned()),
            "VRFY" => say("252 2.5.2 everybody is taken"),
            "HELP" => say("214 2.0.0 EHLO MAIL RCPT DATA RSET NOOP QUIT"),
            "EXPN" | "STARTTLS" | "AUTH" | "BDAT" | "ETRN" | "TURN" => self.wrong("502 5.5.1 this is not here"),
            _ => self.wrong("500 5.5.2 no such command"),
        }
    }

    /// A line that cannot be read: too long, or without a proper end.
    pub fn wrong(&mut self, reply: &str) -> Step {
        self.errors += 1;
        if self.errors >= MAX_ERRORS { Step::Close("421 4.7.0 too many errors".to_owned()) } else { say(reply) }
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
        self.utf8 = false;
    }

    fn mail(&mut self, rest: &str) -> Step {
        if !self.greeted {
            return self.wrong("503 5.5.1 EHLO comes first");
        }
        if self.sender.is_some() {
            return self.wrong("503 5.5.1 there is a sender");
        }
        let Some(Argument { address, parameters }) = argument(rest, "FROM") else {
            return self.wrong("501 5.1.7 write MAIL FROM:<address>");
        };
        let mut utf8 = false;
        for (name, value) in &parameters {
            match (name.as_str(), value.as_deref()) {
                ("SIZE", Some(size)) => match size.parse::<usize>() {
                    Ok(size) if size > MAX_MESSAGE => return self.wrong("552 5.3.4 the message is too large"),
                    Ok(_) => {}
                    Err(_) => return self.wrong("501 5.5.4 SIZE is a number"),
                },
                ("BODY", Some(body)) if body.eq_ignore_ascii_case("7BIT") || body.eq_ignore_ascii_case("8BITMIME") => {}
                ("SMTPUTF8", None) => utf8 = true,
                _ => return self.wrong("555 5.5.4 no such parameter"),
            }
        }
        if !utf8 && address.as_ref().is_some_and(|address| !address.as_str().is_ascii()) {
            return self.wrong("553 5.6.7 such an address needs SMTPUTF8");
        }
        self.utf8 = utf8;
        self.sender = Some(Sender(address));
        say("250 2.1.0 ok")
    }

    fn rcpt(&mut self, rest: &str, organization: &Organization) -> Step {
        if self.sender.is_none() {
            return self.wrong("503 5.5.1 MAIL comes first");
        }
        let Some(Argument { address: Some(address), parameters }) = argument(rest, "TO") else {
            return self.wrong("501 5.1.3 write RCPT TO:<address>");
        };
        if !parameters.is_empty() {
            return self.wrong("555 5.5.4 no such parameter");
        }
        if !self.utf8 && !address.as_str().is_ascii() {
            return self.wrong("553 5.6.7 such an address needs SMTPUTF8");
        }
        // As WorkMail does: what comes in is for its own domains. Where nobody is internal, nobody knows them.
        let own = organization.domains.is_empty() || organization.is_internal(address.domain());
        if self.direction == Direction::Inbound && !own {
            return self.wrong("550 5.7.1 not an internal domain; mail of users goes to the other port");
        }
        if self.recipients.len() >= MAX_RECIPIENTS {
            return self.wrong("452 4.5.3 too many recipients");
        }
        self.recipients.push(address);
        say("250 2.1.5 ok")
    }

    fn data(&mut self) -> Step {
        let Some(sender) = self.sender.clone() else { return self.wrong("503 5.5.1 MAIL comes first") };
        if self.recipients.is_empty() {
            return self.wrong("554 5.5.1 no recipient");
        }
        let recipients = std::mem::take(&mut self.recipients);
        self.reset();
        self.commands = 0;
        Step::Message("354 end with a dot on a line".to_owned(), Envelope { sender, recipients })
    }
}

#[cfg(test)]
mod tests {
    use mailwright::envelope::Domain;

    use super::*;

    fn organization() -> Organization {
        Organization { domains: vec![Domain::new("example.com").unwrap()] }
    }

    /// The codes of all replies.
    fn codes(direction: Direction, lines: &[&str]) -> Vec<String> {
        let mut session = Session::new(direction);
        let replies = lines.iter().map(|line| match session.line(line.as_bytes(), &organization()) {
            Step::Say(reply) | Step::Close(reply) => reply,
            Step::Message(reply, envelope) => format!("{reply}{}", envelope.recipients.len()),
        });
        let code = |reply: String| reply.get(..3).unwrap_or_default().to_owned();
        replies.map(code).collect()
    }

    #[test]
    fn a_message_may_come_when_sender_and_recipient_are_known() {
        let lines = [
            "MAIL FROM:<a@b.example>",
            "EHLO me",
            "DATA",
            "RCPT TO:<kim@customer.example>",
            "mail from:<ann@example.com> SIZE=100 BODY=8BITMIME",
            "MAIL FROM:<ann@example.com>",
            "DATA",
            "RCPT TO:<kim@customer.example>",
            "RCPT TO:<>",
            "DATA now",
            "DATA",
            "DATA",
            "QUIT",
        ];
        let codes = codes(Direction::Outbound, &lines);
        assert_eq!(codes, ["503", "250", "503", "503", "250", "503", "554", "250", "501", "501", "354", "503", "221"]);
    }

    #[test]
    fn mail_from_outside_is_for_internal_domains() {
        let lines = ["EHLO me", "MAIL FROM:<>", "RCPT TO:<ann@EXAMPLE.com>", "RCPT TO:<kim@customer.example>", "DATA"];
        assert_eq!(codes(Direction::Inbound, &lines), ["250", "250", "250", "550", "354"]);
    }

    #[test]
    fn parameters_are_those_that_were_offered() {
        let mail = |parameters: &str| {
            let line = format!("MAIL FROM:<ann@example.com>{parameters}");
            codes(Direction::Outbound, &["EHLO me", &line]).remove(1)
        };
        assert_eq!(mail(" SIZE=40000000"), "250");
        assert_eq!(mail(" SIZE=40000001"), "552");
        assert_eq!(mail(" SIZE=x"), "501");
        assert_eq!(mail(" BODY=BINARYMIME"), "555");
        assert_eq!(mail(" SMTPUTF8"), "250");
        assert_eq!(mail(" AUTH=<>"), "555");
        let umlaut = ["EHLO me", "MAIL FROM:<jürgen@example.com>", "MAIL FROM:<jürgen@example.com> SMTPUTF8"];
        assert_eq!(codes(Direction::Outbound, &umlaut), ["250", "553", "250"]);
    }

    #[test]
    fn a_session_that_only_errs_or_goes_on_and_on_is_closed() {
        let errors: Vec<&str> = std::iter::repeat_n("BOGUS", 25).collect();
        assert_eq!(codes(Direction::Outbound, &errors).get(MAX_ERRORS - 1).unwrap(), "421");
        let commands: Vec<&str> = std::iter::repeat_n("NOOP", MAX_COMMANDS + 1).collect();
        assert_eq!(codes(Direction::Outbound, &commands).last().unwrap(), "421");
        assert_eq!(codes(Direction::Outbound, &["POST / HTTP/1.1"]), ["421"]);
    }

    #[test]
    fn no_more_recipients_than_workmail_takes() {
        let mut lines = vec!["EHLO me".to_owned(), "MAIL FROM:<ann@example.com>".to_owned()];
        lines.extend((0..=MAX_RECIPIENTS).map(|n| format!("RCPT TO:<r{n}@customer.example>")));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let codes = codes(Direction::Outbound, &lines);
        assert_eq!((codes.last().unwrap().as_str(), codes.iter().filter(|code| *code == "250").count()), ("452", 502));
    }

    #[test]
    fn lines_that_are_no_text_are_errors() {
        let mut session = Session::new(Direction::Inbound);
        for line in [&b"\xff\xfe"[..], b"EHLO \x00", b"EHLO", b"", b"MAIL", b"\x1b[2J"] {
            let step = session.line(line, &organization());
            assert!(matches!(&step, Step::Say(reply) if reply.starts_with('5')), "{line:?}: {step:?}");
        }
    }
}
