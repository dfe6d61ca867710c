//! Each command as somebody would type it, with what it prints and its exit code: `tests/transcripts/*.md`.
//!
//! `TRYCMD=overwrite cargo test --test transcripts` writes them anew; read the difference. What differs from run to run is
//! `[..]` there. Output and errors stand together, as on a terminal.

#[test]
fn every_command_prints_what_its_transcript_shows() {
    let cases = trycmd::TestCases::new();
    cases.env("COLUMNS", "100").env("NO_COLOR", "1").case("tests/transcripts/*.md");
}
