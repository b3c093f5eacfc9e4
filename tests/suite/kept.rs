//! What an interrupted or failed sweep keeps, where, and what it reports.
#![cfg(unix)]

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const SCENARIO: &str = r#"
seed = 11
[fleet]
instances = 20
[[versions]]
id = "v-1"
[[versions]]
id = "v-2"
failure_rate = 0.02
[[versions]]
id = "v-bad"
defective = true
failure_rate = 0.5
[rollout]
target_version_id = "v-2"
[operator]
on_trip = "abort"
"#;

/// Its report is longer than a pipe holds.
const GRID: &str =
    "sweep s.toml --versions all --batch-pct 10,20,50 --max-consecutive-failures 1..4 --replicates 300 -q";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("kept-").tempdir().unwrap();
        fs::write(folder.path().join("s.toml"), SCENARIO).unwrap();
        fs::create_dir(folder.path().join("temporary")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// With a temporary folder of its own.
    fn set_up(&self, command: &mut Command) {
        command.current_dir(self.0.path()).env("TMPDIR", self.path("temporary")).env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    fn start(&self, arguments: &str) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
        self.set_up(&mut command);
        command.args(arguments.split_whitespace()).spawn().unwrap()
    }

    fn says(&self, arguments: &str, code: i32) -> String {
        said(self.start(arguments).wait_with_output().unwrap(), code)
    }

    /// No file may become longer than this many blocks.
    fn says_within(&self, blocks: u32, arguments: &str, code: i32) -> String {
        let mut command = Command::new("sh");
        self.set_up(&mut command);
        let limited = format!("ulimit -f {blocks}; exec {} {arguments}", env!("CARGO_BIN_EXE_dryroll"));
        said(command.args(["-c", &limited]).output().unwrap(), code)
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn pipe(&self, name: &str) {
        assert!(Command::new("mkfifo").arg(self.path(name)).status().unwrap().success());
    }

    /// Starts a sweep whose report goes to a pipe that no process reads, and interrupts it in the middle of its report.
    fn interrupted_in_its_report(&self, arguments: &str) -> String {
        let child = self.start(arguments);
        let mut reader = fs::File::open(self.path("pipe")).unwrap();
        reader.read_exact(&mut [0]).unwrap();
        interrupt(&child);
        said(child.wait_with_output().unwrap(), 130)
    }
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn said(output: Output, code: i32) -> String {
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked") && !said.contains(".tmp") && !said.contains(".dryroll-"), "{said}");
    said
}

#[test]
fn an_interrupt_while_the_report_is_made_keeps_the_rollouts() {
    let folder = Folder::new();
    folder.pipe("pipe");
    let said = folder.interrupted_in_its_report(&format!("{GRID} --report pipe --cells c.csv"));
    assert_eq!(
        said,
        "interrupted: all 7200 rollouts are kept in c.csv.partial; the same command with --resume goes on from there\n"
    );
    assert_eq!(folder.files("."), ["c.csv.partial", "pipe", "s.toml", "temporary"]);
    assert!(folder.files("temporary").is_empty());
    folder.says(&format!("{GRID} --cells c.csv --resume"), 0);
    folder.says(&format!("{GRID} --cells d.csv"), 0);
    assert_eq!(folder.bytes("c.csv"), folder.bytes("d.csv"));
    assert_eq!(folder.files("."), ["c.csv", "d.csv", "pipe", "s.toml", "temporary"]);
}

#[test]
fn a_sweep_that_writes_no_file_is_kept_in_the_temporary_folder_and_through_no_link() {
    let folder = Folder::new();
    folder.pipe("pipe");
    let sweep = format!("{GRID} --report pipe");
    let said = folder.interrupted_in_its_report(&sweep);
    let [kept] = folder.files("temporary").try_into().unwrap();
    assert!(said.contains(&format!("temporary/{kept}; the same command with --resume")), "{said}");
    // A link in its place is refused, and what it leads to is left alone.
    let kept = format!("temporary/{kept}");
    let log = folder.bytes(&kept);
    let lay_link = || {
        fs::remove_file(folder.path(&kept)).unwrap();
        fs::write(folder.path("precious"), "precious").unwrap();
        std::os::unix::fs::symlink(folder.path("precious"), folder.path(&kept)).unwrap();
    };
    lay_link();
    let said = folder.says(&sweep.replace("pipe", "-"), 2);
    assert!(said.contains("not a regular file"), "{said}");
    assert_eq!(folder.bytes("precious"), b"precious");
    fs::remove_file(folder.path(&kept)).unwrap();
    folder.interrupted_in_its_report(&sweep);
    // What is kept is not begun anew without a word.
    let said = folder.says(&sweep.replace("pipe", "-"), 2);
    assert!(said.contains("add --resume"), "{said}");
    assert_eq!(folder.bytes("precious"), b"precious");
    assert!(fs::symlink_metadata(folder.path(&kept)).unwrap().is_file());
    // A link is not followed to resume either, even if it leads to a result log of this very sweep.
    lay_link();
    fs::write(folder.path("precious"), &log).unwrap();
    let said = folder.says(&format!("{GRID} --report - --resume"), 2);
    assert!(said.contains("not a regular file"), "{said}");
    assert_eq!(folder.bytes("precious"), log);
    fs::remove_file(folder.path(&kept)).unwrap();
    fs::write(folder.path(&kept), &log).unwrap();
    let resumed = folder.says(&format!("{GRID} --report - --resume"), 0);
    assert!(folder.files("temporary").is_empty());
    assert_eq!(resumed, folder.says(&format!("{GRID} --report -"), 0));
    assert!(folder.files("temporary").is_empty());
}

#[test]
fn a_merge_that_is_interrupted_says_that_nothing_was_written() {
    let folder = Folder::new();
    folder.pipe("pipe");
    folder.says(&format!("{GRID} --plan m.json --shards 1"), 0);
    folder.says("sweep --manifest m.json --shard 1/1 -q", 0);
    let said = folder.interrupted_in_its_report("merge --manifest m.json --report pipe --cells c.csv -q");
    assert_eq!(said, "interrupted: nothing was written\n");
    assert_eq!(folder.files("."), ["m.json", "m.json.shard-1-of-1", "pipe", "s.toml", "temporary"]);
}

#[test]
fn a_result_log_that_is_not_begun_is_nothing() {
    let folder = Folder::new();
    folder.says(&format!("{GRID} --cells wanted.csv"), 0);
    let begun = [&b"dryroll tape 1\n\n"[..], &[b'd'; 32]].concat();
    for length in [0, 1, 15, 16, 47, 48] {
        for more in ["", "--resume"] {
            fs::write(folder.path("c.csv.partial"), &begun[..length]).unwrap();
            folder.says(&format!("{GRID} --cells c.csv {more}"), 0);
            assert_eq!(folder.bytes("c.csv"), folder.bytes("wanted.csv"), "{length} {more}");
            assert!(!folder.path("c.csv.partial").exists());
        }
    }
    // Other files may belong to someone.
    for length in [5, 48, 49] {
        fs::write(folder.path("c.csv.partial"), vec![b'x'; length]).unwrap();
        assert!(folder.says(&format!("{GRID} --cells c.csv"), 2).contains("not of this sweep"));
        assert!(folder.says(&format!("{GRID} --cells c.csv --resume"), 2).contains("not a result of dryroll"));
        assert_eq!(folder.bytes("c.csv.partial"), vec![b'x'; length]);
    }
}

#[test]
fn a_full_disk_leaves_nothing_or_what_was_done() {
    let folder = Folder::new();
    let sweep = format!("{GRID} --cells c.csv");
    // Not even the beginning.
    let said = folder.says_within(0, &sweep, 3);
    assert!(said.contains("c.csv.partial") && said.contains("free some space"), "{said}");
    assert_eq!(folder.files("."), ["s.toml", "temporary"]);
    folder.says("sweep s.toml --plan m.json --shards 1 -q", 0);
    let said = folder.says_within(0, "sweep --manifest m.json --shard 1/1", 3);
    assert!(said.contains("free some space"), "{said}");
    assert_eq!(folder.files("."), ["m.json", "s.toml", "temporary"]);
    // In the middle.
    let said = folder.says_within(200, &sweep, 3);
    assert!(said.contains("kept in c.csv.partial: free some space") && said.contains("--resume goes on"), "{said}");
    assert!(folder.bytes("c.csv.partial").len() > 10_000);
    folder.says(&format!("{sweep} --resume"), 0);
    folder.says(&format!("{GRID} --cells d.csv"), 0);
    assert_eq!(folder.bytes("c.csv"), folder.bytes("d.csv"));
    // In the temporary folder, whose files have no names that anybody knows.
    let said = folder.says_within(0, GRID, 3);
    assert!(said.contains("temporary folder") && said.contains("free some space"), "{said}");
    assert!(folder.files("temporary").is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_finds_no_room_does_not_lose_the_rollouts() {
    let folder = Folder::new();
    let said = folder.says(&format!("{GRID} --report /dev/full --cells c.csv"), 3);
    assert!(said.contains("/dev/full") && said.contains("kept in c.csv.partial: free some space"), "{said}");
    folder.says(&format!("{GRID} --report r.json --cells c.csv"), 0);
    folder.says(&format!("{GRID} --report /dev/null --cells c.csv --resume"), 0);
    assert!(!folder.path("c.csv.partial").exists());
}

#[test]
fn a_table_that_finds_no_room_does_not_lose_the_rollouts() {
    let folder = Folder::new();
    let sweep = GRID.trim_end_matches(" -q");
    let mut command = Command::new("sh");
    folder.set_up(&mut command);
    let full = format!("exec {} {sweep} >/dev/full", env!("CARGO_BIN_EXE_dryroll"));
    let said = said(command.args(["-c", &full]).output().unwrap(), 3);
    let [kept] = folder.files("temporary").try_into().unwrap();
    assert!(said.contains(&format!("temporary/{kept}: free some space")), "{said}");
    assert!(folder.says(&format!("{sweep} --resume"), 0).contains("false trips"));
    assert!(folder.files("temporary").is_empty());
}

#[test]
fn a_result_log_that_is_being_written_is_said_to_be() {
    let folder = Folder::new();
    let path = folder.path("c.csv.partial");
    fs::write(&path, [b'd'; 500]).unwrap();
    let held = fs::File::open(&path).unwrap();
    held.lock().unwrap();
    for more in ["", "--resume"] {
        let said = folder.says(&format!("{GRID} --cells c.csv {more}"), 2);
        assert!(said.contains("another process is writing c.csv.partial"), "{said}");
    }
}

#[test]
fn outputs_are_looked_at_before_the_work_and_nothing_waits_in_vain() {
    let folder = Folder::new();
    folder.pipe("pipe");
    fs::write(folder.path("c.csv"), "before").unwrap();
    // No process reads the pipe: the write would wait for ever.
    let said = folder.says(&format!("{GRID} --report pipe --cells c.csv --runs no/such/runs.parquet"), 3);
    assert!(said.contains("there is no folder no/such"), "{said}");
    folder.says("run s.toml -q --events pipe --trace no/such/trace.json", 3);
    assert_eq!(folder.bytes("c.csv"), b"before");
    assert_eq!(folder.files("."), ["c.csv", "pipe", "s.toml", "temporary"]);
}

#[test]
fn an_output_in_the_place_of_the_result_log_is_refused() {
    let folder = Folder::new();
    for outputs in ["--report a.json --cells a.json.partial", "--cells c.csv --runs ./c.csv.partial"] {
        let said = folder.says(&format!("{GRID} {outputs}"), 2);
        assert!(said.contains(".partial is where the sweep keeps what it has finished"), "{said}");
    }
    assert_eq!(folder.files("."), ["s.toml", "temporary"]);
}

#[test]
fn an_output_has_the_mode_of_what_it_replaces() {
    let folder = Folder::new();
    let path = folder.path("c.csv");
    fs::write(&path, "before").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    folder.says(&format!("{GRID} --cells c.csv"), 0);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_ne!(folder.bytes("c.csv"), b"before");
}

#[test]
fn standard_output_has_a_name_and_is_not_rewritten() {
    let folder = Folder::new();
    fs::write(folder.path("log"), "before\n").unwrap();
    let mut command = Command::new("sh");
    folder.set_up(&mut command);
    let appended = format!("exec {} {GRID} --cells /dev/stdout >>log", env!("CARGO_BIN_EXE_dryroll"));
    said(command.args(["-c", &appended]).output().unwrap(), 0);
    assert!(
        folder.bytes("log").starts_with(b"before\nbatch_pct,"),
        "{}",
        String::from_utf8_lossy(&folder.bytes("log"))
    );
    if cfg!(target_os = "linux") {
        let mut command = Command::new("sh");
        folder.set_up(&mut command);
        let full = format!("exec {} {GRID} --cells - >/dev/full", env!("CARGO_BIN_EXE_dryroll"));
        let said = said(command.args(["-c", &full]).output().unwrap(), 3);
        assert!(said.contains("cannot write standard output") && said.contains("free some space"), "{said}");
    }
}
