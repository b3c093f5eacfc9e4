//! A sharded sweep gives the bytes of one process, reports what is missing, and survives damaged files and killed
//! processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const GRID: [&str; 6] = ["--versions", "all", "--batch-pct", "10,50", "--max-consecutive-failures", "1..2"];
const OUTPUTS: [&str; 3] = ["report.json", "cells.csv", "runs.parquet"];
/// Of no whole number of blocks: the last one of a cell is short.
const REPLICATES: &str = "700";

fn scenario() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/tune.toml")
}

/// The program in a folder, with no scheduler around it.
fn dryroll(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dryroll"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    for variable in ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "PARALLEL_SEQ"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it, and checks its exit code; what it says, on both streams.
fn says(command: &mut Command, code: i32) -> String {
    let output = command.output().unwrap();
    checked(&output, code)
}

fn checked(output: &Output, code: i32) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn plan(folder: &Path, replicates: &str, shards: &str) -> String {
    let scenario = scenario();
    let mut arguments = vec!["sweep", scenario.to_str().unwrap(), "--replicates", replicates];
    arguments.extend(["--plan", "m.json", "--shards", shards]);
    arguments.extend(GRID);
    says(&mut dryroll(folder, &arguments), 0)
}

fn shard(folder: &Path, shard: &str) -> Command {
    dryroll(folder, &["sweep", "--manifest", "m.json", "--shard", shard])
}

fn merge(folder: &Path) -> Command {
    dryroll(
        folder,
        &["merge", "--manifest", "m.json", "--report", OUTPUTS[0], "--cells", OUTPUTS[1], "--runs", OUTPUTS[2]],
    )
}

/// The bytes of the outputs.
fn outputs(folder: &Path) -> Vec<Vec<u8>> {
    OUTPUTS.iter().map(|name| fs::read(folder.join(name)).unwrap()).collect()
}

/// What one process makes of the same sweep.
fn single(replicates: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario();
    let mut arguments = vec!["sweep", scenario.to_str().unwrap(), "--replicates", replicates, "--quiet"];
    arguments.extend(["--report", OUTPUTS[0], "--cells", OUTPUTS[1], "--runs", OUTPUTS[2]]);
    arguments.extend(GRID);
    says(&mut dryroll(folder.path(), &arguments), 0);
    outputs(folder.path())
}

fn file(folder: &Path, shard: u32, of: u32) -> PathBuf {
    folder.join(format!("m.json.shard-{shard}-of-{of}"))
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn any_number_of_shards_gives_the_bytes_of_one_process() {
    let wanted = single(REPLICATES);
    // 12 cells of three blocks: 50 shards are more than there are blocks, and some have nothing to do.
    for shards in [1_u32, 2, 7, 50] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let said = plan(folder, REPLICATES, &shards.to_string());
        assert!(said.contains("12 cells × 700 replicates = 8400 rollouts"), "{said}");
        // In no order, on any number of threads.
        for i in (1..=shards).rev() {
            let threads = if i % 2 == 0 { "1" } else { "2" };
            says(shard(folder, &format!("{i}/{shards}")).args(["--threads", threads]), 0);
        }
        says(&mut merge(folder), 0);
        assert!(outputs(folder) == wanted, "{shards} shards");
    }
}

#[test]
fn more_shards_than_a_process_may_have_open_files_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, REPLICATES, "40");
    for i in 1..=40 {
        says(&mut shard(folder, &format!("{i}/40")), 0);
    }
    let merge = merge(folder);
    let program = merge.get_program().to_str().unwrap();
    let arguments: Vec<&str> = merge.get_args().map(|word| word.to_str().unwrap()).collect();
    let limited = format!("ulimit -n 24; exec {program} {}", arguments.join(" "));
    says(Command::new("sh").current_dir(folder).args(["-c", &limited]), 0);
    assert!(outputs(folder) == single(REPLICATES));
}

#[test]
fn missing_shards_are_named_with_their_commands_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, "60", "4");
    let said = says(&mut merge(folder), 1);
    assert!(said.contains("4 of 4 shards are missing"), "{said}");
    for i in [1, 2, 4] {
        says(&mut shard(folder, &format!("{i}/4")), 0);
    }
    let before = files(folder);
    let said = says(&mut merge(folder), 1);
    assert!(said.contains("1 of 4 shards is missing"), "{said}");
    let commands: Vec<&str> = said.lines().filter_map(|line| line.trim().strip_prefix("dryroll ")).collect();
    assert_eq!(commands, ["sweep --manifest m.json --shard 3/4"]);
    assert_eq!(files(folder), before);
    // The command that it names is the one that helps.
    says(&mut dryroll(folder, &commands[0].split(' ').collect::<Vec<_>>()), 0);
    says(&mut merge(folder), 0);
    assert!(outputs(folder) == single("60"));
}

#[test]
fn a_manifest_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, "60", "3");
    let path = folder.join("m.json");
    let good = fs::read_to_string(&path).unwrap();
    let refused = |text: &[u8], what: &str| {
        fs::write(&path, text).unwrap();
        for mut command in [shard(folder, "1/3"), merge(folder)] {
            let said = says(&mut command, 2);
            assert!(said.contains("m.json"), "{what}: {said}");
        }
        assert_eq!(files(folder), ["m.json"], "{what}");
    };
    // Digits all over it, the scenario's and the hash's among them.
    let digits: Vec<usize> =
        good.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at).collect();
    assert!(digits.len() > 100);
    let (body, hash) = good.split_at(good.find("\"hash\"").unwrap());
    let last = digits.iter().rev().take(3);
    for &at in digits.iter().step_by(9).chain(last) {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = b'0' + (bytes[at] - b'0' + 1) % 10;
        refused(&bytes, &format!("digit at {at}: {}", &good[at.saturating_sub(20)..at + 1].replace('\n', " ")));
    }
    refused(good.replacen("failure_rate", "failure-rate", 1).as_bytes(), "scenario");
    refused(good.replacen("edge", "core", 1).as_bytes(), "text");
    refused(format!("{body}{}", hash.replacen(": \"", ": \"0", 1)).as_bytes(), "hash");
    refused(format!("{}\n}}", body.trim_end().trim_end_matches(',')).as_bytes(), "no hash");
    for length in (0..good.len() - 3).step_by(97) {
        refused(&good.as_bytes()[..length], "truncated");
    }
    for other in [&b"[]"[..], b"null", b"\xff\xfe", b"{\"schema\": \"dryroll.sweep/1\", \"dryroll\": \"0.1.0\"}"] {
        refused(other, "something else");
    }
    let said = says(&mut shard(folder, "1/3"), 2);
    assert!(said.contains("dryroll.sweep/1"), "{said}");
    fs::remove_file(&path).unwrap();
    assert!(says(&mut shard(folder, "1/3"), 2).contains("m.json"));
    // And as it was it is good.
    fs::write(&path, &good).unwrap();
    says(&mut shard(folder, "1/3"), 0);
}

#[test]
fn a_spoiled_shard_is_not_whole_and_running_it_again_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, REPLICATES, "3");
    for i in 1..=3 {
        says(&mut shard(folder, &format!("{i}/3")), 0);
    }
    let wanted = single(REPLICATES);
    let path = file(folder, 2, 3);
    let good = fs::read(&path).unwrap();
    let other = fs::read(file(folder, 1, 3)).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let mut foreign = good.clone();
    foreign[20] ^= 1;
    let more = [&good[..], b"and more"].concat();
    let spoiled: [(&str, &[u8]); 7] = [
        ("cut short", &good[..good.len() - 1]),
        ("cut in the middle", &good[..good.len() / 2]),
        ("nothing but its beginning", &good[..48]),
        ("empty", b""),
        ("flipped", &flipped),
        ("with something behind it", &more),
        ("another shard", &other),
    ];
    for (what, bytes) in spoiled {
        fs::write(&path, bytes).unwrap();
        let said = says(&mut merge(folder), 1);
        assert!(said.contains("--shard 2/3") && !said.contains("--shard 1/3"), "{what}: {said}");
        assert!(said.contains("m.json.shard-2-of-3 is damaged"), "{what}: {said}");
        let said = says(&mut shard(folder, "2/3"), 0);
        assert!(!said.contains("already"), "{what}: {said}");
        says(&mut merge(folder), 0);
        assert!(outputs(folder) == wanted, "{what}");
    }
    // What an unfinished shard has on disk may be spoiled as well.
    for (what, bytes) in spoiled {
        fs::remove_file(&path).unwrap();
        fs::write(folder.join("m.json.shard-2-of-3.partial"), bytes).unwrap();
        says(&mut shard(folder, "2/3"), 0);
        says(&mut merge(folder), 0);
        assert!(outputs(folder) == wanted, "{what}, unfinished");
    }
    // Another sweep's file is not overwritten, nor is one that was never a result.
    let notes: &[u8] = b"something else altogether";
    let refused = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).unwrap();
        let said = says(&mut shard(folder, "2/3"), 2);
        assert!(
            said.contains(&path.file_name().unwrap().display().to_string()) && said.contains("move or remove"),
            "{said}"
        );
        assert_eq!(fs::read(path).unwrap(), bytes);
    };
    refused(&path, notes);
    let said = says(&mut merge(folder), 1);
    assert!(said.contains("--shard 2/3") && said.contains("is not a result of dryroll; move or remove"), "{said}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(says(&mut merge(folder), 1).contains("is a folder; move or remove"));
    assert!(says(&mut shard(folder, "2/3"), 2).contains("move or remove"));
    fs::remove_dir(&path).unwrap();
    refused(&path, &foreign);
    let said = says(&mut merge(folder), 1);
    assert!(said.contains("--shard 2/3") && said.contains("of another sweep"), "{said}");
    fs::remove_file(&path).unwrap();
    refused(&folder.join("m.json.shard-2-of-3.partial"), &foreign);
    refused(&folder.join("m.json.shard-2-of-3.partial"), notes);
}

#[test]
fn a_merge_takes_the_place_of_no_shard() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, REPLICATES, "1");
    says(&mut shard(folder, "1/1"), 0);
    let result = fs::read(file(folder, 1, 1)).unwrap();
    let merged = ["merge", "--manifest", "m.json", "--report", "m.json.shard-1-of-1"];
    let said = says(&mut dryroll(folder, &merged), 2);
    assert!(said.contains("m.json.shard-1-of-1 is what is read"), "{said}");
    assert_eq!(fs::read(file(folder, 1, 1)).unwrap(), result);
}

#[test]
fn a_manifest_with_results_is_not_replaced_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let again = |replicates: &str, shards: &str| {
        let scenario = scenario();
        let mut arguments = vec!["sweep", scenario.to_str().unwrap(), "--replicates", replicates];
        arguments.extend(["--plan", "m.json", "--shards", shards]);
        arguments.extend(GRID);
        dryroll(folder, &arguments)
    };
    plan(folder, "60", "2");
    // Nothing is lost yet.
    says(&mut again("50", "2"), 0);
    plan(folder, "60", "2");
    says(&mut shard(folder, "1/2"), 0);
    let before = fs::read(folder.join("m.json")).unwrap();
    for (replicates, shards) in [("50", "2"), ("60", "3")] {
        let said = says(&mut again(replicates, shards), 2);
        assert!(said.contains("m.json.shard-1-of-2") && said.contains("name another manifest"), "{said}");
    }
    assert_eq!(fs::read(folder.join("m.json")).unwrap(), before);
    // The same shard is not another one.
    says(&mut again("60", "2"), 0);
    fs::rename(file(folder, 1, 2), folder.join("m.json.shard-1-of-2.partial")).unwrap();
    assert!(says(&mut again("50", "2"), 2).contains(".partial"));
    fs::remove_file(folder.join("m.json.shard-1-of-2.partial")).unwrap();
    says(&mut again("50", "2"), 0);
}

#[test]
fn a_manifest_has_nothing_that_is_not_understood() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, "60", "3");
    let path = folder.join("m.json");
    let good = fs::read_to_string(&path).unwrap();
    for before in ["\"schema\"", "\"seed\"", "\"format\"", "\"values\""] {
        fs::write(&path, good.replacen(before, &format!("\"more\": 1, {before}"), 1)).unwrap();
        for mut command in [shard(folder, "1/3"), merge(folder)] {
            let said = says(&mut command, 2);
            assert_eq!(said.matches("there is no key `more`").count(), 1, "{before}: {said}");
        }
    }
    assert_eq!(files(folder), ["m.json"]);
}

#[test]
fn a_scheduler_says_which_shard() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, "60", "4");
    for (variable, value, i) in
        [("SLURM_ARRAY_TASK_ID", "1", 1), ("JOB_COMPLETION_INDEX", "1", 2), ("PARALLEL_SEQ", "3", 3)]
    {
        says(shard(folder, "auto").env(variable, value), 0);
        assert_eq!((1..=4).filter(|&i| file(folder, i, 4).exists()).collect::<Vec<_>>(), (1..=i).collect::<Vec<_>>());
    }
    says(shard(folder, "auto").env("SLURM_ARRAY_TASK_ID", "4").env("JOB_COMPLETION_INDEX", "3"), 0);
    says(&mut merge(folder), 0);
    assert!(outputs(folder) == single("60"));
}

#[test]
fn a_shard_that_there_is_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, "60", "4");
    let refused = |command: &mut Command, word: &str| {
        let said = says(command, 2);
        assert!(said.contains(word), "{said}");
    };
    for (text, word) in [
        ("0/4", "1 to 4"),
        ("5/4", "1 to 4"),
        ("1/5", "the manifest has 4"),
        ("1/3", "the manifest has 4"),
        ("1", "write i/K"),
        ("", "write i/K"),
        ("/", "write i/K"),
        ("a/4", "write i/K"),
        ("1/4/4", "write i/K"),
        ("-1/4", "write i/K"),
        ("4294967297/4", "write i/K"),
        ("auto", "SLURM_ARRAY_TASK_ID"),
    ] {
        let text = format!("--shard={text}");
        refused(&mut dryroll(folder, &["sweep", "--manifest", "m.json", &text]), word);
    }
    for (set, word) in [
        (&[("SLURM_ARRAY_TASK_ID", "1"), ("PARALLEL_SEQ", "2")][..], "PARALLEL_SEQ shard 2"),
        (&[("SLURM_ARRAY_TASK_ID", "1"), ("JOB_COMPLETION_INDEX", "1")], "JOB_COMPLETION_INDEX shard 2"),
        (&[("JOB_COMPLETION_INDEX", "1"), ("PARALLEL_SEQ", "1")], "PARALLEL_SEQ shard 1"),
        (&[("SLURM_ARRAY_TASK_ID", "0")], "1 to 4"),
        (&[("JOB_COMPLETION_INDEX", "4")], "1 to 4"),
        (&[("JOB_COMPLETION_INDEX", "4294967295")], "1 to 4"),
        (&[("PARALLEL_SEQ", "")], "not a number"),
    ] {
        refused(shard(folder, "auto").envs(set.iter().copied()), word);
    }
    assert_eq!(files(folder), ["m.json"]);
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scenario = scenario();
    let scenario = scenario.to_str().unwrap();
    for (more, code, word) in [
        (&["--shards", "3", "--precision", "1%"][..], 2, "--precision"),
        (&["--shards", "0"], 2, "1 to 100000"),
        (&["--shards", "100001"], 2, "1 to 100000"),
        (&["--shards", "3", "--replicates", "0"], 4, "no replicate"),
        (&["--shards", "3", "--report", "r.json"], 2, "--report"),
        (&[], 2, "--shards"),
    ] {
        let said = says(dryroll(folder, &["sweep", scenario, "--plan", "m.json"]).args(more), code);
        assert!(said.contains(word), "{said}");
    }
    assert!(files(folder).is_empty());
}

#[test]
fn a_shard_of_no_manifest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario();
    for shard in ["1/8", "auto"] {
        let arguments = ["sweep", scenario.to_str().unwrap(), "--shard", shard, "--replicates", "10"];
        let said = says(&mut dryroll(folder.path(), &arguments), 2);
        assert!(said.contains("give --manifest FILE in place of the scenario"), "{said}");
    }
}

#[test]
fn a_finished_shard_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, "60", "2");
    says(&mut shard(folder, "1/2"), 0);
    let path = file(folder, 1, 2);
    let before = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap(), files(folder));
    assert!(says(&mut shard(folder, "1/2"), 0).contains("is there already"));
    let after = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap(), files(folder));
    assert!(before == after);
}

/// Starts a shard, and waits until some more of it is on disk.
fn begun(folder: &Path, of: u32) -> Child {
    let partial = folder.join(format!("m.json.shard-1-of-{of}.partial"));
    let length = || fs::metadata(&partial).map_or(0, |found| found.len());
    let before = length();
    let mut command = shard(folder, &format!("1/{of}"));
    let child = command.args(["--threads", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while length() < before + 100_000 {
        assert!(start.elapsed() < Duration::from_secs(60), "the shard does not begin");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

/// Long enough to be interrupted half-way.
const MANY: &str = "30000";

#[cfg(unix)]
#[test]
fn an_interrupted_shard_goes_on_and_a_killed_one_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan(folder, MANY, "2");
    let partial = folder.join("m.json.shard-1-of-2.partial");
    let mut kept = 0;
    for (signal, code) in [("INT", Some(130)), ("KILL", None), ("TERM", Some(130))] {
        let child = begun(folder, 2);
        says(Command::new("kill").args(["-s", signal, &child.id().to_string()]), 0);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), code, "{signal}: it was over before it was interrupted");
        if code.is_some() {
            let said = checked(&output, 130);
            assert!(said.contains("the same command goes on from there"), "{said}");
        }
        assert!(!file(folder, 1, 2).exists());
        let length = fs::metadata(&partial).unwrap().len();
        assert!(length >= kept, "{signal}: what was kept is gone");
        kept = length;
        let said = says(&mut merge(folder), 1);
        assert!(said.contains("--shard 1/2"), "{said}");
    }
    for i in ["1/2", "2/2"] {
        says(&mut shard(folder, i), 0);
    }
    assert!(!partial.exists());
    says(&mut merge(folder), 0);
    assert!(outputs(folder) == single(MANY));
}

#[test]
fn two_processes_on_one_shard_do_not_spoil_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // One that writes keeps the other out.
    plan(folder, MANY, "2");
    let first = begun(folder, 2);
    let second = shard(folder, "1/2").output().unwrap();
    let first = first.wait_with_output().unwrap();
    assert!(checked(&second, 2).contains("another process is writing"));
    checked(&first, 0);
    fs::remove_file(folder.join("m.json")).unwrap();
    // At the same moment, in any order: short shards, so that one ends while others begin.
    plan(folder, REPLICATES, "9");
    for i in 1..=9 {
        let at_once: Vec<Child> = (0..4)
            .map(|_| {
                let mut command = shard(folder, &format!("{i}/9"));
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let outputs: Vec<Output> = at_once.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        assert!(outputs.iter().any(|output| output.status.success()));
        for output in &outputs {
            let code = if output.status.success() { 0 } else { 2 };
            checked(output, code);
        }
        assert!(!folder.join(format!("m.json.shard-{i}-of-9.partial")).exists());
    }
    says(&mut merge(folder), 0);
    assert!(outputs(folder) == single(REPLICATES));
}
