//! WorkMail's answer: what to do for each recipient, in at most [`MAX_ACTIONS`] actions.
//!
//! One action is for all recipients that no other names: those whom the flow has cut off its list, else the most. Of several
//! that as many get it is the mildest. The others name theirs, strictest first: drop, bounce, junk, deliver, bypass.
//! Where there would be more actions than WorkMail takes, the bounces with the fewest recipients become one with all their
//! texts: nobody's answer becomes milder or stricter, and nobody gets the fallback action.
//!
//! Invariant: every recipient, named or not, has an answer, and the whole fits into [`MAX_RESPONSE`].
//!
//! Source: WorkMail Administrator Guide, "Configuring AWS Lambda for Amazon WorkMail", response schema and limits.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::workmail::{MAX_ACTIONS, MAX_RESPONSE};
use crate::answers::Answers;
use crate::envelope::{Address, Direction, Envelope};
use crate::rule::Disposition;

/// Between the texts of bounces that became one.
const BETWEEN_TEXTS: &str = "\n\n";

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Response {
    actions: Vec<ResponseAction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseAction {
    action: ActionType,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    all_recipients: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_written")]
    recipients: Vec<Address>,
    /// How many get it, of those whom the flow has named.
    #[serde(skip)]
    count: usize,
    /// How many of them rules have added.
    #[serde(skip)]
    added: usize,
}

/// Strictest last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "type", content = "parameters", rename_all = "SCREAMING_SNAKE_CASE")]
enum ActionType {
    BypassSpamCheck,
    Default,
    MoveToJunk,
    #[serde(rename_all = "camelCase")]
    Bounce {
        bounce_message: String,
    },
    Drop,
}

fn as_written<S: Serializer>(addresses: &[Address], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(addresses.iter().map(Address::as_str))
}

impl ActionType {
    /// An action that the direction does not allow delivers; where the direction is not known, what either direction does
    /// not allow.
    fn of(disposition: &Disposition, direction: Option<Direction>) -> Self {
        let inbound = direction == Some(Direction::Inbound);
        match disposition {
            Disposition::Bounce(text) => Self::Bounce { bounce_message: text.clone() },
            Disposition::Drop => Self::Drop,
            Disposition::Junk if inbound => Self::MoveToJunk,
            Disposition::BypassSpamCheck if inbound => Self::BypassSpamCheck,
            Disposition::Junk | Disposition::BypassSpamCheck | Disposition::Deliver => Self::Default,
        }
    }
    fn word(&self) -> &'static str {
        match self {
            Self::Bounce { .. } => "BOUNCE",
            Self::Drop => "DROP",
            Self::BypassSpamCheck => "BYPASS_SPAM_CHECK",
            Self::MoveToJunk => "MOVE_TO_JUNK",
            Self::Default => "DEFAULT",
        }
    }
    fn text(&self) -> Option<&str> {
        match self {
            Self::Bounce { bounce_message } => Some(bounce_message),
            _ => None,
        }
    }
    fn cut_to(&mut self, octets: usize) {
        if let Self::Bounce { bounce_message } = self {
            let end = cut(bounce_message, octets).len();
            bounce_message.truncate(end);
        }
    }
}

/// An action and whom it is for, before one of them is for all the others.
struct Group {
    action: ActionType,
    recipients: Vec<Address>,
    /// How many of the recipients stand at the end because rules have added them.
    added: usize,
}

impl Response {
    /// Deliver to everybody.
    pub fn deliver() -> Self {
        Self::for_all(ActionType::Default, 0)
    }
    /// What is answered for each recipient of the envelope.
    pub fn new(answers: &Answers, envelope: &Envelope, direction: Option<Direction>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut join = |action: ActionType, address: &Address, added: usize| match groups
            .iter_mut()
            .find(|group| group.action == action)
        {
            Some(group) => {
                group.recipients.push(address.clone());
                group.added += added;
            }
            None => groups.push(Group { action, recipients: vec![address.clone()], added }),
        };
        for (address, disposition) in envelope.recipients.iter().zip(answers.named()) {
            join(ActionType::of(disposition, direction), address, 0);
        }
        for address in answers.added() {
            join(ActionType::Default, address, 1);
        }
        let others = ActionType::of(answers.others(), direction);
        let unnamed = envelope.truncated || envelope.recipients.is_empty();
        // Of as many, the mildest: `max_by_key` takes the last.
        let most = || {
            groups.iter().max_by_key(|group| (group.recipients.len() - group.added, std::cmp::Reverse(&group.action)))
        };
        let for_all = if unnamed { others } else { most().map_or(others, |group| group.action.clone()) };
        let all = groups.iter().position(|group| group.action == for_all).map(|at| groups.remove(at));
        let all = all.unwrap_or(Group { action: for_all, recipients: Vec::new(), added: 0 });
        // Who is added must be named, also where all others get the same.
        let new = all.recipients.len() - all.added;
        if all.added > 0 {
            let recipients = all.recipients.get(new..).unwrap_or_default().to_vec();
            groups.push(Group { action: all.action.clone(), recipients, added: all.added });
        }
        merge_bounces(&mut groups);
        groups.sort_by(|one, other| other.action.cmp(&one.action));
        let named = groups.into_iter().map(|group| ResponseAction {
            count: group.recipients.len() - group.added,
            action: group.action,
            all_recipients: false,
            recipients: group.recipients,
            added: group.added,
        });
        let mut response = Self::for_all(all.action, new);
        response.actions.extend(named);
        if response.fit() {
            return response;
        }
        // More addresses than an event of WorkMail can hold.
        let mut response = Self::for_all(ActionType::of(answers.strictest(), direction), envelope.recipients.len());
        response.fit();
        response
    }

    /// The word that WorkMail knows the answer by, such as `MOVE_TO_JUNK`; `MIXED` where it is not the same for all
    /// recipients of the message.
    pub fn word(&self) -> &'static str {
        let mut words = self.actions.iter().filter(|action| action.all_recipients || action.count > 0);
        let first = words.next().map_or("DEFAULT", |action| action.action.word());
        if words.all(|action| action.action.word() == first) { first } else { "MIXED" }
    }
    /// How many of the recipients that the flow has named get which answer, by WorkMail's word.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for action in self.actions.iter().filter(|action| action.count > 0) {
            *counts.entry(action.action.word()).or_default() += action.count;
        }
        counts
    }
    /// The word that WorkMail knows the answer for one recipient by.
    pub fn word_for(&self, address: &Address) -> &'static str {
        let folded = address.folded();
        let named = |action: &&ResponseAction| action.recipients.iter().any(|one| one.folded() == folded);
        let all = || self.actions.iter().find(|action| action.all_recipients);
        self.actions.iter().find(named).or_else(all).map_or("DEFAULT", |action| action.action.word())
    }
    /// The recipients that rules have added.
    pub fn added(&self) -> impl Iterator<Item = &Address> {
        self.actions
            .iter()
            .filter_map(|action| action.recipients.get(action.recipients.len() - action.added..))
            .flatten()
    }

    fn for_all(action: ActionType, count: usize) -> Self {
        Self { actions: vec![ResponseAction { action, all_recipients: true, recipients: Vec::new(), count, added: 0 }] }
    }

    /// Cut the texts of bounces so that the whole fits; false where the addresses alone are too many.
    fn fit(&mut self) -> bool {
        let octets = |response: &Self| serde_json::to_vec(response).map_or(usize::MAX, |json| json.len());
        if octets(self) <= MAX_RESPONSE {
            return true;
        }
        let texts: usize = self.actions.iter().filter_map(|action| action.action.text()).map(json_octets).sum();
        let bounces = self.actions.iter().filter(|action| action.action.text().is_some()).count();
        let Some(room) = MAX_RESPONSE.checked_sub(octets(self) - texts) else { return false };
        let share = room / bounces.max(1);
        for action in &mut self.actions {
            action.action.cut_to(share);
        }
        octets(self) <= MAX_RESPONSE
    }
}

/// Of more groups than there may be beside the one that is for all, bounces become one.
fn merge_bounces(groups: &mut Vec<Group>) {
    let over = (groups.len() + 1).saturating_sub(MAX_ACTIONS);
    if over == 0 {
        return;
    }
    // The rarest go, later ones before earlier ones; one more than are over, as one takes their place.
    let mut rarest: Vec<usize> =
        (0..groups.len()).filter(|at| groups.get(*at).is_some_and(|group| group.action.text().is_some())).collect();
    rarest.sort_by_key(|at| (groups.get(*at).map_or(0, |group| group.recipients.len()), std::cmp::Reverse(*at)));
    rarest.truncate(over + 1);
    let mut at = 0;
    let mut merged = Group { action: ActionType::Default, recipients: Vec::new(), added: 0 };
    let mut texts: Vec<String> = Vec::new();
    groups.retain_mut(|group| {
        let goes = rarest.contains(&at);
        at += 1;
        if goes {
            texts.extend(group.action.text().map(str::to_owned));
            merged.recipients.append(&mut group.recipients);
        }
        !goes
    });
    if !texts.is_empty() {
        merged.action = ActionType::Bounce { bounce_message: texts.join(BETWEEN_TEXTS) };
        groups.push(merged);
    }
}

/// How long a character is in JSON, in octets.
fn json_length(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c.is_ascii_control() && c != '\u{7f}' => 6,
        c => c.len_utf8(),
    }
}

fn json_octets(text: &str) -> usize {
    text.chars().map(json_length).sum()
}

/// The start of a text that has at most so many octets in JSON, cut on a character boundary.
fn cut(text: &str, octets: usize) -> &str {
    let mut room = octets;
    let end = text.char_indices().find(|(_, c)| match room.checked_sub(json_length(*c)) {
        Some(left) => {
            room = left;
            false
        }
        None => true,
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Whom;

    const DEFAULT: &str = r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true}]}"#;
    const INBOUND: Option<Direction> = Some(Direction::Inbound);
    const OUTBOUND: Option<Direction> = Some(Direction::Outbound);

    fn address(text: &str) -> Address {
        Address::new(text).unwrap()
    }

    fn bounce(text: &str) -> Disposition {
        Disposition::Bounce(text.into())
    }

    fn envelope(count: usize, truncated: bool) -> Envelope {
        Envelope {
            direction: Direction::Outbound,
            sender: None,
            recipients: (0..count).map(|n| address(&format!("r{n}@example.net"))).collect(),
            message_id: String::new(),
            truncated,
        }
    }

    /// Asked for: a disposition, and the indexes of recipients.
    fn response(asked: &[(Disposition, &[usize])], envelope: &Envelope, added: &[&str]) -> Response {
        let whom = |list: &[usize]| Whom::Some((0..envelope.recipients.len()).map(|at| list.contains(&at)).collect());
        let asked: Vec<_> = asked.iter().map(|(disposition, list)| (disposition.clone(), whom(list))).collect();
        let added = added.iter().map(|text| address(text)).collect();
        Response::new(&Answers::new(envelope, &asked, added), envelope, OUTBOUND)
    }

    fn for_all(disposition: Disposition, direction: Option<Direction>) -> String {
        let envelope = envelope(2, false);
        let answers = Answers::new(&envelope, &[(disposition, Whom::Everybody)], Vec::new());
        serde_json::to_string(&Response::new(&answers, &envelope, direction)).unwrap()
    }

    #[test]
    fn answers_for_all_look_as_documented() {
        assert_eq!(serde_json::to_string(&Response::deliver()).unwrap(), DEFAULT);
        assert_eq!(for_all(Disposition::Deliver, INBOUND), DEFAULT);
        assert_eq!(
            for_all(bounce("No \"x\"."), OUTBOUND),
            r#"{"actions":[{"action":{"type":"BOUNCE","parameters":{"bounceMessage":"No \"x\"."}},"allRecipients":true}]}"#
        );
        assert_eq!(for_all(Disposition::Drop, OUTBOUND), DEFAULT.replace("DEFAULT", "DROP"));
        assert_eq!(for_all(Disposition::Junk, INBOUND), DEFAULT.replace("DEFAULT", "MOVE_TO_JUNK"));
        assert_eq!(for_all(Disposition::BypassSpamCheck, INBOUND), DEFAULT.replace("DEFAULT", "BYPASS_SPAM_CHECK"));
        for direction in [OUTBOUND, None] {
            assert_eq!(for_all(Disposition::Junk, direction), DEFAULT);
            assert_eq!(for_all(Disposition::BypassSpamCheck, direction), DEFAULT);
        }
    }

    #[test]
    fn some_are_named_and_the_most_are_all_the_others() {
        let answer = response(&[(bounce("no"), &[1]), (Disposition::Drop, &[3])], &envelope(5, false), &[]);
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            concat!(
                r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true},"#,
                r#"{"action":{"type":"DROP"},"recipients":["r3@example.net"]},"#,
                r#"{"action":{"type":"BOUNCE","parameters":{"bounceMessage":"no"}},"recipients":["r1@example.net"]}]}"#
            )
        );
        assert_eq!(answer.word(), "MIXED");
        assert_eq!(answer.counts().into_iter().collect::<Vec<_>>(), [("BOUNCE", 1), ("DEFAULT", 3), ("DROP", 1)]);
        assert_eq!(answer.word_for(&address("R1@example.net")), "BOUNCE");
        assert_eq!(answer.word_for(&address("r0@example.net")), "DEFAULT");
    }

    #[test]
    fn of_as_many_the_mildest_is_for_all() {
        let answer = response(&[(Disposition::Drop, &[0])], &envelope(2, false), &[]);
        assert_eq!(answer.actions.first().map(|all| (all.action.word(), all.all_recipients)), Some(("DEFAULT", true)));
        let answer = response(&[(Disposition::Drop, &[0, 1])], &envelope(3, false), &[]);
        assert_eq!(answer.actions.first().map(|all| all.action.word()), Some("DROP"));
        assert_eq!(answer.word_for(&address("r2@example.net")), "DEFAULT");
    }

    #[test]
    fn those_cut_off_get_what_everybody_gets() {
        let answer = response(&[(Disposition::Drop, &[0, 1, 2])], &envelope(3, true), &[]);
        assert_eq!(answer.word_for(&address("unnamed@example.net")), "DEFAULT");
        assert_eq!(answer.word_for(&address("r2@example.net")), "DROP");
        assert_eq!(answer.word(), "MIXED");
    }

    #[test]
    fn who_is_added_is_named_and_delivered_to() {
        let answer = response(&[], &envelope(1, false), &["archive@example.com"]);
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            concat!(
                r#"{"actions":[{"action":{"type":"DEFAULT"},"allRecipients":true},"#,
                r#"{"action":{"type":"DEFAULT"},"recipients":["archive@example.com"]}]}"#
            )
        );
        assert_eq!((answer.word(), answer.added().count()), ("DEFAULT", 1));
        let answer = response(&[(Disposition::Drop, &[0])], &envelope(1, false), &["archive@example.com"]);
        assert_eq!((answer.word(), answer.counts().len()), ("DROP", 1));
        assert_eq!(answer.word_for(&address("archive@example.com")), "DEFAULT");
        let answer = response(&[(Disposition::Drop, &[0, 1])], &envelope(3, false), &["archive@example.com"]);
        assert_eq!(answer.added().map(Address::as_str).collect::<Vec<_>>(), ["archive@example.com"]);
        assert_eq!(answer.actions.iter().map(|action| action.recipients.len()).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn more_than_ten_actions_are_merged_and_nobody_is_left_out() {
        let texts: Vec<String> = (0..30).map(|n| format!("text {n}")).collect();
        let lists: Vec<Vec<usize>> = (0..30).map(|n| if n < 3 { vec![n, n + 30] } else { vec![n] }).collect();
        let mut asked: Vec<(Disposition, &[usize])> =
            texts.iter().zip(&lists).map(|(text, list)| (bounce(text), list.as_slice())).collect();
        let drops: Vec<usize> = vec![40, 41];
        asked.push((Disposition::Drop, &drops));
        let envelope = envelope(50, false);
        let answer = response(&asked, &envelope, &["archive@example.com"]);
        assert_eq!(answer.actions.len(), MAX_ACTIONS);
        for (at, recipient) in envelope.recipients.iter().enumerate() {
            let want = match at {
                40 | 41 => "DROP",
                0..=32 => "BOUNCE",
                _ => "DEFAULT",
            };
            assert_eq!(answer.word_for(recipient), want, "{at}");
        }
        let merged = answer.actions.iter().max_by_key(|action| action.recipients.len()).unwrap();
        let text = merged.action.text().unwrap();
        assert!(text.contains("text 29") && text.contains("\n\n") && !text.contains("text 0\n"), "{text}");
        assert!(answer.actions.iter().any(|action| action.action.text() == Some("text 0")));
    }

    #[test]
    fn a_long_bounce_text_is_cut_between_characters_and_fits() {
        for unit in ["a", "é", "€", "\u{1F600}", "\"", "\u{1}", "\u{7f}", "\u{85}", "\n"] {
            let text = format!("x{}", unit.repeat(300_000));
            let json = for_all(bounce(&text), None);
            assert!(json.len() <= MAX_RESPONSE && json.len() > MAX_RESPONSE - 100, "{unit:?}: {}", json.len());
        }
        assert_eq!(cut("short", 10), "short");
    }

    #[test]
    fn five_hundred_long_addresses_and_ten_texts_fit() {
        let mut envelope = envelope(0, false);
        envelope.recipients =
            (0..500).map(|n| address(&format!("{}{n}@{}.example.net", "a".repeat(60), "b".repeat(60)))).collect();
        let texts: Vec<String> = (0..20).map(|n| format!("{n}{}", "é".repeat(20_000))).collect();
        let lists: Vec<Vec<usize>> = (0..20).map(|n| (n * 20..n * 20 + 20).collect()).collect();
        let asked: Vec<(Disposition, &[usize])> =
            texts.iter().zip(&lists).map(|(text, list)| (bounce(text), list.as_slice())).collect();
        let answer = response(&asked, &envelope, &[]);
        assert!(serde_json::to_vec(&answer).unwrap().len() <= MAX_RESPONSE);
        assert_eq!(answer.actions.len(), MAX_ACTIONS);
        assert!(answer.actions.iter().filter_map(|action| action.action.text()).all(|text| text.len() > 1_000));
    }

    #[test]
    fn addresses_that_no_response_could_hold_get_the_strictest_answer_of_all() {
        let mut envelope = envelope(0, false);
        envelope.recipients = (0..500).map(|n| address(&format!("{}{n}@example.net", "a".repeat(900)))).collect();
        let half: Vec<usize> = (0..499).step_by(2).chain([1]).collect();
        let other: Vec<usize> = (3..499).step_by(2).collect();
        let answer = response(&[(bounce("one"), &half), (bounce("two"), &other)], &envelope, &[]);
        assert!(serde_json::to_vec(&answer).unwrap().len() <= MAX_RESPONSE);
        assert_eq!(answer.word_for(&address("r2@example.net")), "BOUNCE");
    }

    #[test]
    fn no_address_is_shown_by_debug() {
        let answer = response(&[(Disposition::Drop, &[0])], &envelope(3, false), &["archive@example.com"]);
        let shown = format!("{answer:?}");
        assert!(!shown.contains("r0@") && !shown.contains("archive@"), "{shown}");
    }
}
