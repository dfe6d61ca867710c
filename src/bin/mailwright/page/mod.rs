//! Messages as a page to look at: what became of each and why, before and after.
//!
//! Invariant: the page is one file and loads nothing. Of what mail holds nothing acts: it is text, or stands in a frame
//! that may not run, load, send or lead anywhere ([`inert`]), and the page's own policy, which frames take over, says so
//! too. The only script is ours, known to the policy by its hash; without it there is no filter and no rendered view.

mod conditions;
mod entry;
mod frame;
mod header;
mod inert;
mod live;
mod marked;
mod markup;
pub mod report;
mod rules;

pub use entry::{COMPARISON, Entry, Passage, RUN, Row, Sight};
pub use live::{Live, problems};
pub use markup::text;

use encodify::base64;
use sha2::{Digest, Sha256};

/// How the page looks.
const STYLE: &str = include_str!("page.css");
/// Frames of the message that is open, filter, keys.
const SCRIPT: &str = include_str!("page.js");

/// All up to the body of a page.
pub fn head(title: &str) -> String {
    let policy = format!("default-src 'none'; {}; base-uri 'none'; form-action 'none'", sources(SCRIPT));
    head_of(title, STYLE, &format!("<meta http-equiv=Content-Security-Policy content=\"{policy}\">\n"))
}

/// The script, which stands last.
pub fn script() -> String {
    format!("<script>{SCRIPT}</script>\n")
}

/// What a page and its frames may use: this script, styles, and images that stand in it.
fn sources(script: &str) -> String {
    let hash = base64::STANDARD.encode(Sha256::digest(script.as_bytes()).as_slice());
    format!("script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data:")
}

fn head_of(title: &str, style: &str, policy: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n{policy}\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\n\
         <meta name=color-scheme content=\"light dark\">\n<meta name=referrer content=no-referrer>\n\
         <title>{}</title>\n<style>{style}</style>\n</head>\n",
        text(title)
    )
}
