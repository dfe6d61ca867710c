//! The answer as a mark carries it, so that a second try gives it whatever rules there are by then.
//!
//! Invariant: what is read is what was written, to the letter; half an answer is none.

use std::collections::{BTreeSet, HashMap};

use super::PLACES;
use crate::answers::Answers;
use crate::envelope::Address;
use crate::rule::Disposition;

/// Longest answer that is carried, in octets.
const MOST: usize = 8_000;
/// Room is made in such steps, in octets, so that its length tells little of what is answered and to how many.
const STEP: usize = 256;

const BYPASS: u8 = 0;
const DELIVER: u8 = 1;
const JUNK: u8 = 2;
const BOUNCE: u8 = 3;
const DROP: u8 = 4;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    /// Each answer once; the first is for those whom the flow has not named.
    kinds: Vec<Disposition>,
    /// Which of them each recipient gets, by his place in alphabetical order. `None` where all get the first.
    places: Option<Vec<u16>>,
    added: Vec<Address>,
}

impl Carried {
    /// From what is answered for these recipients, each of whom has a place among `folded`.
    pub(super) fn new(answers: &Answers, recipients: &[Address], folded: &BTreeSet<String>) -> Option<Self> {
        let mut kinds = vec![answers.others().clone()];
        let mut places = vec![0; folded.len()];
        if places.len() > PLACES || recipients.len() != answers.named().len() {
            return None;
        }
        let place_of = places_of(folded);
        let mut known = HashMap::from([(answers.others(), 0)]);
        for (recipient, answer) in recipients.iter().zip(answers.named()) {
            let kind = *known.entry(answer).or_insert_with(|| {
                kinds.push(answer.clone());
                kinds.len() - 1
            });
            let place = *place_of.get(recipient.folded().as_str())?;
            *places.get_mut(place)? = u16::try_from(kind).ok()?;
        }
        let places = places.iter().any(|kind| *kind != 0).then_some(places);
        Some(Self { kinds, places, added: answers.added().to_vec() })
    }

    /// The same for a message to these recipients, as far as it is known for whom: `same` says that they have the places of
    /// those that it was made for.
    pub(super) fn answers(self, recipients: &[Address], folded: &BTreeSet<String>, same: bool) -> Option<Answers> {
        let others = self.kinds.first()?.clone();
        let place_of = places_of(folded);
        let answer = |recipient: &Address| {
            let Some(places) = &self.places else { return Some(others.clone()) };
            let place = place_of.get(recipient.folded().as_str()).filter(|_| same)?;
            self.kinds.get(usize::from(*places.get(*place)?)).cloned()
        };
        let named = recipients.iter().map(answer).collect::<Option<_>>()?;
        Some(Answers::carried(named, others.clone(), self.added))
    }

    /// The answer in octets, with room behind it; `None` for what is too long.
    pub(super) fn octets(&self) -> Option<Vec<u8>> {
        let mut octets = u16::try_from(self.kinds.len()).ok()?.to_be_bytes().to_vec();
        let text = |octets: &mut Vec<u8>, text: &str| {
            octets.extend(u16::try_from(text.len()).ok()?.to_be_bytes());
            octets.extend_from_slice(text.as_bytes());
            Some(())
        };
        for kind in &self.kinds {
            octets.push(match kind {
                Disposition::BypassSpamCheck => BYPASS,
                Disposition::Deliver => DELIVER,
                Disposition::Junk => JUNK,
                Disposition::Bounce(_) => BOUNCE,
                Disposition::Drop => DROP,
            });
            if let Disposition::Bounce(words) = kind {
                text(&mut octets, words)?;
            }
        }
        octets.push(u8::from(self.places.is_some()));
        if let Some(places) = &self.places {
            let nobody = std::iter::repeat(0);
            octets.extend(places.iter().copied().chain(nobody).take(PLACES).flat_map(u16::to_be_bytes));
        }
        octets.extend(u16::try_from(self.added.len()).ok()?.to_be_bytes());
        for address in &self.added {
            text(&mut octets, address.as_str())?;
        }
        octets.resize(octets.len().next_multiple_of(STEP), 0);
        (octets.len() <= MOST).then_some(octets)
    }

    /// Read it; `None` for what is no answer.
    pub(super) fn read(mut octets: &[u8]) -> Option<Self> {
        let from = &mut octets;
        let mut kinds = Vec::new();
        for _ in 0..number(from)? {
            kinds.push(match octet(from)? {
                BYPASS => Disposition::BypassSpamCheck,
                DELIVER => Disposition::Deliver,
                JUNK => Disposition::Junk,
                BOUNCE => Disposition::Bounce(text(from)?.to_owned()),
                DROP => Disposition::Drop,
                _ => return None,
            });
        }
        let places = match octet(from)? {
            0 => None,
            _ => Some((0..PLACES).map(|_| number(from)).collect::<Option<_>>()?),
        };
        let mut added = Vec::new();
        for _ in 0..number(from)? {
            added.push(Address::new(text(from)?).ok()?);
        }
        Some(Self { kinds, places, added })
    }
}

fn places_of(folded: &BTreeSet<String>) -> HashMap<&str, usize> {
    folded.iter().enumerate().map(|(place, one)| (one.as_str(), place)).collect()
}

fn octet(from: &mut &[u8]) -> Option<u8> {
    from.split_off_first().copied()
}

fn number(from: &mut &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([octet(from)?, octet(from)?]))
}

fn text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::from(number(from)?);
    str::from_utf8(from.split_off(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: usize) -> Vec<Address> {
        (0..count).map(|n| Address::new(&format!("R{}@x.example", n * 7 % count)).unwrap()).collect()
    }

    fn folded(recipients: &[Address]) -> BTreeSet<String> {
        recipients.iter().map(Address::folded).collect()
    }

    fn carried(answers: &Answers, recipients: &[Address]) -> Option<Vec<u8>> {
        Carried::new(answers, recipients, &folded(recipients)).and_then(|carried| carried.octets())
    }

    #[test]
    fn each_answer_comes_back_as_it_was() {
        use Disposition::{BypassSpamCheck, Deliver, Drop, Junk};
        let bounce = |text: &str| Disposition::Bounce(text.to_owned());
        let one = addresses(1);
        let added = vec![Address::new("Archive@example.com").unwrap()];
        for answer in [BypassSpamCheck, Deliver, Junk, Drop, bounce(""), bounce("Nicht für Kim — \u{1f34f}\n")] {
            for others in [Deliver, answer.clone()] {
                let answers = Answers::carried(vec![answer.clone()], others, added.clone());
                let octets = carried(&answers, &one).unwrap();
                assert_eq!(octets.len() % STEP, 0);
                let read = Carried::read(&octets).unwrap();
                assert_eq!(read.answers(&one, &folded(&one), true), Some(answers));
            }
        }
        // Another for each of many, one of whom stands there twice, in another order and spelling.
        let mut many = addresses(300);
        many.push(Address::new("r5@X.example").unwrap());
        let text = |one: &Address| bounce(&one.folded());
        let answers = |to: &[Address]| Answers::carried(to.iter().map(text).collect(), Deliver, Vec::new());
        let octets = carried(&answers(&many), &many).unwrap();
        many.reverse();
        let read = || Carried::read(&octets).unwrap();
        assert_eq!(read().answers(&many, &folded(&many), true), Some(answers(&many)));
        // To others nobody knows whose answer is whose, unless all get the same.
        assert_eq!(read().answers(&many[1..], &folded(&many[1..]), false), None);
        let all = Answers::carried(vec![Drop; 301], Drop, Vec::new());
        let octets = carried(&all, &many).unwrap();
        let few = Answers::carried(vec![Drop; 2], Drop, Vec::new());
        assert_eq!(Carried::read(&octets).unwrap().answers(&many[..2], &folded(&many[..2]), false), Some(few));
    }

    #[test]
    fn what_is_too_long_is_not_carried_and_half_of_it_is_nothing() {
        let one = addresses(1);
        let of = |length: usize| {
            Answers::carried(vec![Disposition::Bounce("x".repeat(length))], Disposition::Deliver, Vec::new())
        };
        assert_eq!(carried(&of(MOST), &one), None);
        assert_eq!(carried(&of(70_000), &one), None);
        assert_eq!(carried(&of(10), &addresses(2)), None, "an answer for each");
        let octets = carried(&of(100), &one).unwrap();
        let end = octets.iter().rposition(|octet| *octet != 0).unwrap();
        for cut in 0..end {
            assert_eq!(Carried::read(&octets[..cut]), None, "{cut}");
        }
        // Whatever it is, it is read or it is not.
        for seed in 0..2_000_u32 {
            let noise: Vec<u8> = (0..seed % 700).map(|n| (n.wrapping_mul(seed) >> 3).to_be_bytes()[3]).collect();
            let _ = Carried::read(&noise).map(|read| read.answers(&one, &folded(&one), true));
        }
    }
}
