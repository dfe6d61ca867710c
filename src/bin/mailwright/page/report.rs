//! `--report`: the page of a run, written as the messages pass.
//!
//! Invariant: no more than one entry is in memory; the page has at most [`MAX_MESSAGES`] messages and
//! [`MAX_OCTETS`] octets, and says how many it leaves out. It stands there whole, or not at all.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Entry, head, script, text};

/// Most messages of a page: browsers stay quick.
pub const MAX_MESSAGES: usize = 2_000;
/// Most octets of a page.
const MAX_OCTETS: usize = 96 * 1024 * 1024;

/// A page that is being written.
#[derive(Debug)]
pub struct Report {
    path: PathBuf,
    /// The name of the command.
    title: &'static str,
    /// Where the entries are kept until it is known what stands above them.
    part: PathBuf,
    entries: BufWriter<File>,
    rules: Vec<String>,
    met: Vec<usize>,
    fates: BTreeMap<&'static str, usize>,
    answers: BTreeMap<&'static str, usize>,
    shown: usize,
    octets: usize,
    left_out: usize,
}

/// Says to those that make entries whether one more is wanted.
#[derive(Debug, Default)]
pub struct Room(AtomicBool);

impl Room {
    /// True while a message of this number, from 0, is shown.
    pub fn has(&self, index: usize) -> bool {
        index < MAX_MESSAGES && !self.0.load(Ordering::Relaxed)
    }
}

impl Report {
    /// A page of a command at `path`; `rules` are the names of the rules.
    pub fn create(path: &Path, title: &'static str, rules: Vec<String>) -> io::Result<Self> {
        let mut part = OsString::from(path);
        part.push(".part");
        let part = PathBuf::from(part);
        let entries = BufWriter::with_capacity(256 * 1024, File::create(&part)?);
        let met = vec![0; rules.len()];
        let (fates, answers) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            path: path.to_owned(),
            title,
            part,
            entries,
            rules,
            met,
            fates,
            answers,
            shown: 0,
            octets: 0,
            left_out: 0,
        })
    }

    /// Add a message; `None` is one for which there was no room.
    pub fn add(&mut self, entry: Option<&Entry>, room: &Room) -> io::Result<()> {
        let whole = entry.map(|entry| (entry, entry.html()));
        let whole = whole.filter(|(_, html)| self.octets + html.len() <= MAX_OCTETS && self.left_out == 0);
        let Some((entry, html)) = whole else {
            self.left_out += 1;
            room.0.store(true, Ordering::Relaxed);
            return Ok(());
        };
        self.shown += 1;
        self.octets += html.len();
        *self.fates.entry(entry.row.fate).or_default() += 1;
        *self.answers.entry(entry.row.answer).or_default() += 1;
        for index in &entry.row.rules {
            if let Some(met) = self.met.get_mut(*index) {
                *met += 1;
            }
        }
        self.entries.write_all(html.as_bytes())
    }

    /// Write the page. `summary` is a line about the run.
    pub fn finish(mut self, summary: &str) -> io::Result<()> {
        self.entries.flush()?;
        let mut page = BufWriter::with_capacity(256 * 1024, File::create(&self.path)?);
        page.write_all(head(&format!("Mailwright {}", self.title)).as_bytes())?;
        page.write_all(self.top(summary).as_bytes())?;
        io::copy(&mut BufReader::new(File::open(&self.part)?), &mut page)?;
        page.write_all(b"<p class=none id=nothing hidden>No message is like that.</p></main>\n")?;
        page.write_all(script().as_bytes())?;
        page.write_all(b"</body>\n</html>\n")?;
        page.flush()?;
        fs::remove_file(&self.part)
    }

    /// What stands above the messages.
    fn top(&self, summary: &str) -> String {
        let mut out = format!("<body>\n<header class=top><h1>Mailwright <span>{}</span></h1>", self.title);
        out.push_str(&format!("<p class=summary>{}", text(summary)));
        if self.left_out > 0 {
            out.push_str(&format!(
                "; <strong>the first {} are shown, {} are left out</strong>",
                self.shown, self.left_out
            ));
        }
        out.push_str(
            "</p><form id=filter hidden><input type=search id=words placeholder=\"Subject, sender or file\" \
                      aria-label=\"Subject, sender or file\"><select id=fate aria-label=\"What became of it\">",
        );
        out.push_str(&format!("<option value=\"\">All {}</option>", self.shown));
        let option = |kind: &str, word: &str, count: usize| {
            let shown = text(&word.replace('_', " "));
            format!("<option value=\"{kind}:{}\">{shown} ({count})</option>", text(word))
        };
        self.fates.iter().for_each(|(fate, count)| out.push_str(&option("fate", fate, *count)));
        out.push_str("<hr>");
        self.answers.iter().for_each(|(answer, count)| out.push_str(&option("answer", answer, *count)));
        out.push_str("</select><select id=rule aria-label=\"Rule that matched\"><option value=\"\">Any rule</option>");
        for (index, (rule, met)) in self.rules.iter().zip(&self.met).enumerate() {
            out.push_str(&format!("<option value={index}>{} ({met})</option>", text(rule)));
        }
        out.push_str("</select><output id=count></output></form></header>\n<main>\n");
        out
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // After a run that was broken off; otherwise it is gone already.
        let _ = fs::remove_file(&self.part);
    }
}
