//! The built-in detectors, a file for each family.

mod americas;
mod asia;
mod benelux_france;
pub mod card;
mod crypto;
mod dach;
mod east_europe;
pub mod email;
pub mod iban;
mod network;
mod north_europe;
mod oceania_africa;
mod phone;
mod secrets;
mod south_europe;
mod swift;
mod tokens;
mod uk_ie;
mod us;

#[cfg(test)]
mod examples;
#[cfg(test)]
mod testing;

use super::catalog::Spec;

/// Every family.
pub const ALL: &[&[Spec]] = &[
    &[card::SPEC, iban::SPEC, swift::SPEC],
    us::DETECTORS,
    uk_ie::DETECTORS,
    dach::DETECTORS,
    benelux_france::DETECTORS,
    south_europe::DETECTORS,
    north_europe::DETECTORS,
    east_europe::DETECTORS,
    americas::DETECTORS,
    asia::DETECTORS,
    oceania_africa::DETECTORS,
    &[email::SPEC, phone::SPEC],
    network::DETECTORS,
    crypto::DETECTORS,
    secrets::DETECTORS,
    tokens::DETECTORS,
];
