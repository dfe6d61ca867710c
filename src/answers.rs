//! What is answered for each recipient of a message.
//!
//! A message has one content for all its recipients; what becomes of it may differ from one to the next. Rules ask for a
//! disposition, for everybody or for some; the strictest that was asked for a recipient is the answer for that one.
//! Invariant: for whom nothing is asked, the message is delivered; and what is asked for some never reaches those whom the
//! flow has not named.

use std::collections::HashMap;

use crate::directory::Organization;
use crate::envelope::{Address, Direction, Envelope};
use crate::rule::Disposition;

/// Recipients of one message, those that the flow named and those that rules add (Administrator Guide, "Amazon WorkMail
/// quotas").
pub const MAX_RECIPIENTS: usize = 500;

/// For whom something holds or is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// All recipients, also those whom the flow has not named.
    Everybody,
    /// No recipient.
    Nobody,
    /// For each recipient of the envelope, in its order, whether it is one of them. Nothing is known of those whom the
    /// flow has not named.
    Some(Vec<bool>),
}

impl Whom {
    /// True when it is no recipient that the flow has named.
    pub fn is_nobody(&self) -> bool {
        match self {
            Self::Everybody => false,
            Self::Nobody => true,
            Self::Some(named) => !named.contains(&true),
        }
    }
    /// The same in the plainest form: where all recipients are named and all are meant, that is everybody.
    #[must_use]
    pub fn settled(self, envelope: &Envelope) -> Self {
        match self {
            whom if whom.is_nobody() => Self::Nobody,
            Self::Some(named) if !envelope.truncated && !named.contains(&false) => Self::Everybody,
            whom => whom,
        }
    }
    /// Is the recipient of this index one of them?
    pub fn includes(&self, index: usize) -> bool {
        match self {
            Self::Everybody => true,
            Self::Nobody => false,
            Self::Some(named) => named.get(index).copied().unwrap_or(false),
        }
    }
}

/// A rule that asked for something in the answer, for a second try of the same message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The rule's index.
    pub rule: usize,
    /// For whom. `None` in a mark whose recipients are not those of this try: the rule is to be asked again.
    pub whom: Option<Whom>,
    /// Whether it asked for a disposition.
    pub disposes: bool,
    /// Which; not known where a mark says it.
    pub disposition: Option<Disposition>,
    /// Whether it added recipients.
    pub adds: bool,
}

/// What is answered for each recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    named: Vec<Disposition>,
    others: Disposition,
    added: Vec<Address>,
}

impl Answers {
    /// From what rules asked for, in their order.
    pub fn new(envelope: &Envelope, asked: &[(Disposition, Whom)], added: Vec<Address>) -> Self {
        let strictest = |meant: &dyn Fn(&Whom) -> bool| {
            let asked = asked.iter().filter(|(_, whom)| meant(whom)).map(|(disposition, _)| Some(disposition.clone()));
            asked.fold(None, stricter).unwrap_or(Disposition::Deliver)
        };
        let mut answers = Self {
            named: Vec::with_capacity(envelope.recipients.len()),
            others: strictest(&|whom| *whom == Whom::Everybody),
            added,
        };
        // An address that stands there twice gets one answer.
        let mut same: HashMap<String, Vec<usize>> = HashMap::new();
        let differs = asked.iter().any(|(_, whom)| *whom != Whom::Everybody);
        for (index, recipient) in envelope.recipients.iter().enumerate() {
            if !differs {
                answers.named.push(answers.others.clone());
                continue;
            }
            let places = same.entry(recipient.folded()).or_default();
            places.push(index);
            let answer = strictest(&|whom| places.iter().any(|at| whom.includes(*at)));
            answers.named.push(answer.clone());
            for place in places {
                if let Some(earlier) = answers.named.get_mut(*place) {
                    *earlier = answer.clone();
                }
            }
        }
        answers
    }
    /// As they were given before: for each recipient of the envelope in its order, for others, and whom rules had added.
    pub(crate) const fn carried(named: Vec<Disposition>, others: Disposition, added: Vec<Address>) -> Self {
        Self { named, others, added }
    }
    /// What is answered for each recipient of the envelope, in its order.
    pub fn named(&self) -> &[Disposition] {
        &self.named
    }
    /// What is answered for recipients whom the flow has not named.
    pub fn others(&self) -> &Disposition {
        &self.others
    }
    /// Recipients that rules add. For them, the message is delivered.
    pub fn added(&self) -> &[Address] {
        &self.added
    }
    /// The strictest answer that anybody gets.
    pub fn strictest(&self) -> &Disposition {
        self.named.iter().chain(self.named.is_empty().then_some(&self.others)).max().unwrap_or(&self.others)
    }
    /// True where everybody gets the same answer.
    pub fn are_one(&self) -> bool {
        self.named.iter().all(|answer| *answer == self.others)
    }
}

/// Those that decide what is answered, in their order, each for those alone for whom it decides: no more than there are
/// recipients, and those that add some. For everybody, or with the one that is for everybody, they ask for what all ask for.
/// `None` where it is not known what all of them asked for.
pub(crate) fn decisive(asked: &[Asked], recipients: &[Address]) -> Option<Vec<Asked>> {
    let known = |one: &Asked| one.whom.is_some() && one.disposes == one.disposition.is_some();
    if !asked.iter().all(known) {
        return None;
    }
    let strictest = |meant: &dyn Fn(&Whom) -> bool| {
        let all = asked.iter().enumerate().filter(|(_, one)| one.whom.as_ref().is_some_and(meant));
        let all = all.filter_map(|(index, one)| Some((index, one.disposition.as_ref()?)));
        all.reduce(|best, other| match (best.1, other.1) {
            (Disposition::Bounce(_), Disposition::Bounce(_)) => best,
            (one, new) if one >= new => best,
            _ => other,
        })
    };
    let for_everybody = strictest(&|whom| *whom == Whom::Everybody).map(|(index, _)| index);
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, recipient) in recipients.iter().enumerate() {
        places.entry(recipient.folded()).or_default().push(place);
    }
    let mut decided: HashMap<usize, Vec<bool>> = HashMap::new();
    for places in places.values() {
        let winner = strictest(&|whom| places.iter().any(|place| whom.includes(*place)));
        let Some((index, _)) = winner.filter(|(index, _)| Some(*index) != for_everybody) else { continue };
        let named = decided.entry(index).or_insert_with(|| vec![false; recipients.len()]);
        for place in places {
            if let Some(is) = named.get_mut(*place) {
                *is = true;
            }
        }
    }
    let only = |(index, one): (usize, &Asked)| {
        let named = decided.remove(&index).map(Whom::Some);
        let whom = if for_everybody == Some(index) { Some(Whom::Everybody) } else { named };
        let disposes = whom.is_some();
        let whom = Some(whom.unwrap_or(Whom::Everybody));
        let disposition = one.disposition.clone().filter(|_| disposes);
        (disposes || one.adds).then_some(Asked { rule: one.rule, whom, disposes, disposition, adds: one.adds })
    };
    Some(asked.iter().enumerate().filter_map(only).collect())
}

/// The stricter of two; the first of two that are alike.
pub(crate) fn stricter(one: Option<Disposition>, other: Option<Disposition>) -> Option<Disposition> {
    match (one, other) {
        (Some(Disposition::Bounce(first)), Some(Disposition::Bounce(_))) => Some(Disposition::Bounce(first)),
        (one, other) => one.max(other),
    }
}

/// Why an address was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NotAdded {
    /// It is one of the recipients.
    There,
    /// Inbound mail goes to addresses of the organization only.
    External,
    /// There are as many recipients as the flow takes.
    TooMany,
}

/// Add a recipient, unless it is there or the flow would not take it (Administrator Guide, "Lambda response": outbound any,
/// inbound only addresses of the organization).
pub(crate) fn add(
    added: &mut Vec<Address>,
    address: &Address,
    envelope: &Envelope,
    organization: &Organization,
) -> Result<(), NotAdded> {
    let folded = address.folded();
    if envelope.recipients.iter().chain(added.iter()).any(|there| there.folded() == folded) {
        return Err(NotAdded::There);
    }
    if envelope.direction == Direction::Inbound && !organization.is_internal(address.domain()) {
        return Err(NotAdded::External);
    }
    if envelope.recipients.len() + added.len() >= MAX_RECIPIENTS {
        return Err(NotAdded::TooMany);
    }
    added.push(address.clone());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(to: &[&str], truncated: bool) -> Envelope {
        Envelope {
            direction: Direction::Outbound,
            sender: Address::new("ann@example.com").ok(),
            recipients: to.iter().map(|address| Address::new(address).unwrap()).collect(),
            message_id: "m-1".into(),
            truncated,
        }
    }

    fn bounce(text: &str) -> Disposition {
        Disposition::Bounce(text.into())
    }

    fn some(named: &[u8]) -> Whom {
        Whom::Some(named.iter().map(|is| *is == 1).collect())
    }

    #[test]
    fn those_that_decide_answer_as_all_do() {
        let dispositions = [Disposition::Deliver, Disposition::Junk, bounce("a"), bounce("b"), Disposition::Drop];
        let whoms = [Whom::Everybody, some(&[1, 0, 0, 1]), some(&[0, 1, 0, 0]), some(&[0, 1, 1, 0]), Whom::Nobody];
        // The third stands there twice.
        let to = ["a@x.example", "b@x.example", "c@x.example", "C@x.example"];
        let pairs: Vec<(Disposition, Whom)> =
            dispositions.iter().flat_map(|d| whoms.iter().map(move |whom| (d.clone(), whom.clone()))).collect();
        for truncated in [false, true] {
            let envelope = envelope(&to, truncated);
            for step in 1..pairs.len() {
                for count in 0..6 {
                    let all: Vec<_> =
                        (0..count).filter_map(|n| pairs.get(n * step * 7 % pairs.len()).cloned()).collect();
                    let asked = |(rule, (disposition, whom)): (usize, &(Disposition, Whom))| Asked {
                        rule,
                        whom: Some(whom.clone()),
                        disposes: true,
                        disposition: Some(disposition.clone()),
                        adds: false,
                    };
                    let asked: Vec<Asked> = all.iter().enumerate().map(asked).collect();
                    let few = decisive(&asked, &envelope.recipients).unwrap();
                    assert!(few.len() <= 4 && few.windows(2).all(|pair| pair[0].rule < pair[1].rule));
                    let few: Vec<_> =
                        few.into_iter().map(|one| (one.disposition.unwrap(), one.whom.unwrap())).collect();
                    let answers = |asked: &[(Disposition, Whom)]| Answers::new(&envelope, asked, Vec::new());
                    assert_eq!(answers(&few), answers(&all), "{all:?}");
                }
            }
        }
    }

    #[test]
    fn all_who_are_named_are_everybody_unless_the_list_is_cut() {
        let whole = envelope(&["a@x.example", "b@x.example"], false);
        let cut = envelope(&["a@x.example", "b@x.example"], true);
        assert_eq!(some(&[1, 1]).settled(&whole), Whom::Everybody);
        assert_eq!(some(&[1, 1]).settled(&cut), some(&[1, 1]));
        assert_eq!(some(&[0, 0]).settled(&whole), Whom::Nobody);
        assert_eq!(some(&[]).settled(&envelope(&[], false)), Whom::Nobody);
    }

    #[test]
    fn the_strictest_answer_for_each_and_the_first_of_two_bounces() {
        let envelope = envelope(&["a@x.example", "b@x.example", "c@x.example", "d@x.example"], true);
        let asked = [
            (bounce("first"), some(&[1, 1, 0, 0])),
            (bounce("second"), some(&[1, 0, 1, 0])),
            (Disposition::Drop, some(&[0, 1, 0, 0])),
            (Disposition::Junk, Whom::Everybody),
        ];
        let answers = Answers::new(&envelope, &asked, Vec::new());
        assert_eq!(answers.named(), [bounce("first"), Disposition::Drop, bounce("second"), Disposition::Junk]);
        assert_eq!(answers.others(), &Disposition::Junk);
        assert_eq!(answers.strictest(), &Disposition::Drop);
        assert!(!answers.are_one());
    }

    #[test]
    fn nobody_asks_and_all_is_delivered() {
        let answers = Answers::new(&envelope(&["a@x.example"], false), &[], Vec::new());
        assert_eq!((answers.named(), answers.others()), (&[Disposition::Deliver][..], &Disposition::Deliver));
        let answers = Answers::new(&envelope(&[], false), &[(Disposition::Drop, Whom::Everybody)], Vec::new());
        assert_eq!(answers.strictest(), &Disposition::Drop);
    }

    #[test]
    fn an_address_that_stands_there_twice_gets_one_answer() {
        let envelope = envelope(&["Kim@x.example", "b@x.example", "kim@X.example"], false);
        let answers = Answers::new(&envelope, &[(Disposition::Drop, some(&[0, 0, 1]))], Vec::new());
        assert_eq!(answers.named(), [Disposition::Drop, Disposition::Deliver, Disposition::Drop]);
    }

    #[test]
    fn who_may_be_added() {
        let address = |text: &str| Address::new(text).unwrap();
        let ours = Organization { domains: vec![crate::envelope::Domain::new("example.com").unwrap()] };
        let mut envelope = envelope(&["kim@x.example"], false);
        let mut added = Vec::new();
        assert_eq!(add(&mut added, &address("KIM@X.example"), &envelope, &ours), Err(NotAdded::There));
        assert_eq!(add(&mut added, &address("lee@y.example"), &envelope, &ours), Ok(()));
        assert_eq!(add(&mut added, &address("Lee@y.example"), &envelope, &ours), Err(NotAdded::There));
        envelope.direction = Direction::Inbound;
        assert_eq!(add(&mut added, &address("max@y.example"), &envelope, &ours), Err(NotAdded::External));
        assert_eq!(add(&mut added, &address("bob@example.com"), &envelope, &ours), Ok(()));
        envelope.recipients = (0..MAX_RECIPIENTS - 2).map(|n| address(&format!("r{n}@example.com"))).collect();
        assert_eq!(add(&mut added, &address("eve@example.com"), &envelope, &ours), Err(NotAdded::TooMany));
        assert_eq!(added, [address("lee@y.example"), address("bob@example.com")]);
    }
}
