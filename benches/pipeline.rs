//! A folder of mail through whole rule sets, on one core and on all: messages a second.
//!
//! The mail is `rules/samples`, many times over, and where the environment variable `MAILWRIGHT_BENCH_MAIL` names a folder,
//! all `*.eml` below it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use mailwright::envelope::{Address, Direction, Envelope};
use mailwright::facts::Facts;
use mailwright::message::Message;
use mailwright::pipeline::Pipeline;

/// Messages of one round, at least.
const ROUND: usize = 3_000;

const FOOTER: &str = r#"
    [[rule]]
    name = "footer"
    [[rule.action]]
    kind = "append"
    html = "<p>Example Ltd, 1 High Street · é €</p>"
    text = "Example Ltd, 1 High Street · é €"

    [[rule]]
    name = "stamp"
    [[rule.action]]
    kind = "set_header"
    name = "X-Example-Seen"
    value = "yes"
"#;

fn main() {
    divan::main();
}

/// Octets of a message, and the envelope that it came in.
type Mail = (Vec<u8>, Envelope);

static SAMPLES: LazyLock<Vec<Mail>> = LazyLock::new(|| {
    let samples = folder(&root().join("rules/samples"));
    samples.iter().cycle().take(ROUND.next_multiple_of(samples.len())).cloned().collect()
});
static GIVEN: LazyLock<Vec<Mail>> =
    LazyLock::new(|| env::var_os("MAILWRIGHT_BENCH_MAIL").map(|path| folder(Path::new(&path))).unwrap_or_default());

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All mail below a folder, in the order of names; every second message is outbound, unless its name says which it is.
fn folder(path: &Path) -> Vec<Mail> {
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "eml") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mail = |(n, path): (usize, &PathBuf)| {
        let name = path.to_string_lossy();
        let outbound = name.contains("outbound") || !name.contains("inbound") && n % 2 == 1;
        (fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}")), envelope(outbound))
    };
    files.iter().enumerate().map(mail).collect()
}

fn envelope(outbound: bool) -> Envelope {
    let inside = Address::new("ann@example.com").expect("an address");
    let outside = Address::new("kim@customer.example").expect("an address");
    let (direction, from, to) =
        if outbound { (Direction::Outbound, inside, outside) } else { (Direction::Inbound, outside, inside) };
    Envelope { direction, sender: Some(from), recipients: vec![to], message_id: "1".to_owned(), truncated: false }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Every message once, on so many threads.
fn run(pipeline: &Pipeline, mail: &[Mail], threads: usize) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((octets, envelope)) = mail.get(next.fetch_add(1, Ordering::Relaxed)) {
            let message = Message::parse(black_box(octets));
            // A rule that may not fail can fail the run of an odd message: work all the same.
            let _ = black_box(
                pipeline
                    .run(&message, envelope, &Facts::default(), &|| false)
                    .map(|out| out.rewritten.map(|r| r.len())),
            );
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
}

fn measure(bencher: Bencher<'_, '_>, pipeline: &Pipeline, mail: &[Mail], threads: usize) {
    bencher
        .counter(ItemsCount::new(mail.len()))
        .counter(BytesCount::new(mail.iter().map(|(octets, _)| octets.len()).sum::<usize>()))
        .bench(|| run(pipeline, mail, threads));
}

fn shipped() -> Pipeline {
    Pipeline::load(&root().join("rules")).expect("the rules that ship")
}

fn footer() -> Pipeline {
    Pipeline::from_sources(vec![("rules.toml".to_owned(), FOOTER.to_owned())]).expect("the rules above")
}

/// `rules/` over the samples.
#[divan::bench(args = [1, cores()], sample_count = 20)]
fn samples_shipped_rules(bencher: Bencher<'_, '_>, threads: usize) {
    measure(bencher, &shipped(), &SAMPLES, threads);
}

/// A footer and a stamp over the samples: nearly every message changes.
#[divan::bench(args = [1, cores()], sample_count = 20)]
fn samples_footer_and_stamp(bencher: Bencher<'_, '_>, threads: usize) {
    measure(bencher, &footer(), &SAMPLES, threads);
}

/// `rules/` over the folder that was named.
#[divan::bench(args = [1, cores()], sample_count = 10, ignore = GIVEN.is_empty())]
fn given_shipped_rules(bencher: Bencher<'_, '_>, threads: usize) {
    measure(bencher, &shipped(), &GIVEN, threads);
}

/// A footer and a stamp over the folder that was named.
#[divan::bench(args = [1, cores()], sample_count = 10, ignore = GIVEN.is_empty())]
fn given_footer_and_stamp(bencher: Bencher<'_, '_>, threads: usize) {
    measure(bencher, &footer(), &GIVEN, threads);
}
