//! One test after another through the handler, with its message in memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mailwright::flow::handler::{Fate, Settings, handle_with_directory};
use mailwright::flow::key::{Bucket, MessageId};
use mailwright::flow::memory::Memory;
use mailwright::message::Message;
use mailwright::pipeline::{Pipeline, RuleReport};
use mailwright::rule::test::{Miss, Seen, Source, Test};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::event::{Event, Given};
use crate::replay::diff;
use crate::terminal::Colour;

/// As long as WorkMail gives the function.
const DEADLINE: Duration = Duration::from_secs(15);

/// Runs tests.
pub struct Runner<'o> {
    folder: PathBuf,
    bless: bool,
    filter: Option<&'o str>,
    runtime: Runtime,
}

/// What came of a test.
#[derive(Debug)]
pub struct Ran {
    pub name: String,
    /// `rules/20-legal.toml:12`.
    pub place: String,
    /// What does not hold; nothing when it passed.
    pub misses: Vec<Miss>,
    /// What became of each rule; empty where the run failed.
    pub rules: Vec<RuleReport>,
    /// Snapshots that were written.
    pub blessed: Vec<String>,
    pub took: Duration,
}

impl Ran {
    /// For programs.
    pub fn json(&self) -> Value {
        let misses: Vec<_> =
            self.misses.iter().map(|miss| json!({ "expected": miss.key, "what": miss.what })).collect();
        json!({ "name": self.name, "place": self.place, "passed": self.misses.is_empty(), "misses": misses })
    }
}

impl<'o> Runner<'o> {
    /// `rules` is the folder or the file that the tests stand in.
    pub fn new(rules: &Path, bless: bool, filter: Option<&'o str>) -> Result<Self, String> {
        let parent = rules.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = if rules.is_file() { parent } else { rules }.to_path_buf();
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|error| format!("cannot start a runtime: {error}"))?;
        Ok(Self { folder, bless, filter, runtime })
    }

    /// Run the tests of a rule set that the filter lets through.
    pub fn run(&self, pipeline: &Pipeline) -> Vec<Ran> {
        let wanted = |test: &&Test| self.filter.is_none_or(|text| test.name.contains(text));
        pipeline.tests().iter().filter(wanted).map(|test| self.run_one(pipeline, test)).collect()
    }

    /// Do all tests hold?
    pub fn holds(&self, pipeline: &Pipeline) -> bool {
        let wanted = |test: &&Test| self.filter.is_none_or(|text| test.name.contains(text));
        pipeline.tests().iter().filter(wanted).all(|test| self.run_one(pipeline, test).misses.is_empty())
    }

    fn run_one(&self, pipeline: &Pipeline, test: &Test) -> Ran {
        let began = Instant::now();
        let mut ran = Ran {
            name: test.name.clone(),
            place: test.place.clone(),
            misses: Vec::new(),
            rules: Vec::new(),
            blessed: Vec::new(),
            took: Duration::ZERO,
        };
        let done = catch_unwind(AssertUnwindSafe(|| self.pass(pipeline, test, &mut ran)));
        let failure = match done {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(_) => Some("mailwright panicked; this is a bug in mailwright, please report it".to_owned()),
        };
        ran.misses.extend(failure.map(|what| Miss { key: "message".to_owned(), what }));
        ran.took = began.elapsed();
        ran
    }

    fn pass(&self, pipeline: &Pipeline, test: &Test, ran: &mut Ran) -> Result<(), String> {
        let before = Bytes::from(match &test.message {
            Source::Inline(octets) => octets.clone(),
            Source::File(name) => self.read(name)?,
        });
        let given = Given { direction: test.direction, from: test.from.clone(), to: test.to.clone(), at: test.at };
        let event = Event::new(&before, &given, pipeline.organization());
        let id = MessageId::new(&event.id).map_err(|error| error.to_string())?;
        let memory = Memory::new(Bucket::new("test").map_err(|error| error.to_string())?);
        memory.insert(id.clone(), before.clone());
        let handled = self.runtime.block_on(async {
            let deadline = tokio::time::Instant::now() + DEADLINE;
            let settings = Settings { clock: given.clock(), ..Settings::default() };
            let (event, book) = (&event.json, test.directory.over(pipeline.book()));
            handle_with_directory(event, deadline, pipeline, &memory, &memory, &book, &settings).await
        });
        let after = memory.message(&id).unwrap_or_default();
        let error = match (&handled.answer, &handled.report.fate) {
            (Err(error), _) => Some(error.to_string()),
            (_, Fate::Original { stage, why, .. }) => Some(format!("{stage}: {why}; the original goes out")),
            _ => None,
        };
        let seen = Seen {
            before: &before,
            after: &after,
            response: handled.answer.as_ref().ok(),
            report: handled.report.rules.as_ref(),
            error,
        };
        ran.misses = test.expect.misses(&seen);
        if let Some(name) = &test.expect.snapshot {
            self.snapshot(name, &after, ran)?;
        }
        ran.rules = handled.report.rules.map(|report| report.rules).unwrap_or_default();
        Ok(())
    }

    /// A file below the folder of the rules: a rule file from elsewhere reads and writes nothing outside of it.
    fn within(&self, name: &str) -> Result<PathBuf, String> {
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if Path::new(name).components().all(inside) {
            return Ok(self.folder.join(name));
        }
        let shown = crate::terminal::escape(name);
        Err(format!("`{shown}` is not below the folder of the rules: give a path from there, without `..`"))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let path = self.within(name)?;
        std::fs::read(&path).map_err(|error| format!("`{}` cannot be read: {error}", crate::terminal::path(&path)))
    }

    fn snapshot(&self, name: &str, after: &[u8], ran: &mut Ran) -> Result<(), String> {
        let path = self.within(name)?;
        let stood = std::fs::read(&path).ok();
        if stood.as_deref() == Some(after) {
            return Ok(());
        }
        let shown = crate::terminal::path(&path);
        if self.bless {
            let folder = path.parent().unwrap_or(&self.folder);
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, after))
                .map_err(|error| format!("cannot write `{shown}`: {error}"))?;
            ran.blessed.push(shown);
            return Ok(());
        }
        let what = match stood {
            None => format!("`{shown}` is not there; --bless writes it"),
            Some(stood) => {
                let different = diff::diff(&Message::parse(&stood), &Message::parse(after), Colour(false));
                format!("the message is not that of `{shown}`; --bless writes it anew\n{different}")
            }
        };
        ran.misses.push(Miss { key: "snapshot".to_owned(), what });
        Ok(())
    }
}
