//! A program that is run, looked at while it stands still, and killed from outside.
//!
//! To kill a program at a random moment of a known kind, a test freezes it (SIGSTOP) at a random moment, looks at what it left
//! outside of itself, and then kills it or lets it go on. Nothing moves between the look and the kill.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// How long any program of a test may take. One that takes longer hangs, and the test fails.
const DEADLINE: Duration = Duration::from_secs(240);

/// A program that has been started. Killed when dropped.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
    shown: String,
}

/// How a program ended and what it said.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Running {
    /// Starts a program. What it says goes to nameless files, so that it never waits for a reader. Standard input is empty
    /// unless the command says otherwise with [`Running::start_with_input`].
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Self {
        Self::start_with_input(command, Stdio::null())
    }

    /// As [`Running::start`], with something on standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with_input(command: &mut Command, input: impl Into<Stdio>) -> Self {
        let shown = format!("{command:?}");
        let file = || tempfile::tempfile().expect("a temporary file");
        let (stdout, stderr) = (file(), file());
        let handle = |file: &File| Stdio::from(file.try_clone().expect("a second handle"));
        let child = command
            .stdin(input)
            .stdout(handle(&stdout))
            .stderr(handle(&stderr))
            .spawn()
            .unwrap_or_else(|error| panic!("{shown} cannot be started: {error}"));
        Self {
            child,
            stdout,
            stderr,
            shown,
        }
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of its standard input that is written to, where that is a pipe; closed when dropped.
    pub fn input(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the system knows its children").is_some()
    }

    /// Stops it where it stands; false when it has ended instead.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn freeze(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        self.signal(Signal::STOP);
        // All its threads stand still when this returns. It stays to be waited for (NOWAIT), so that its end is seen too.
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(self.pid()), options).expect("a child can be waited for");
        !self.has_ended()
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// What Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// What service managers do.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        // It may have ended meanwhile; whoever waits for it sees that.
        let _ = kill_process(self.pid(), signal);
    }

    /// Kills it (SIGKILL), frozen or not, and waits until it is gone.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("a child can be killed");
        self.ended()
    }

    /// Waits until it ends.
    ///
    /// # Panics
    /// When that takes longer than any program of a test may take.
    pub fn wait(mut self) -> Ended {
        let begun = Instant::now();
        while !self.has_ended() {
            if begun.elapsed() > DEADLINE {
                let shown = self.shown.clone();
                panic!("{shown} hangs: {:?}", self.kill());
            }
            pause();
        }
        self.ended()
    }

    fn ended(&mut self) -> Ended {
        let status = self.child.wait().expect("a child can be waited for").code();
        Ended {
            status,
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
        }
    }

    /// What it has said on standard error so far.
    pub fn stderr(&self) -> String {
        // Handles of one file share their place in it, so the file is opened anew.
        std::fs::read_to_string(format!("/proc/self/fd/{}", raw(&self.stderr))).unwrap_or_default()
    }

    /// Whether it has this file open at the moment.
    pub fn has_open(&self, path: &Path) -> bool {
        let Ok(handles) = std::fs::read_dir(format!("/proc/{}/fd", self.id())) else {
            return false;
        };
        handles
            .flatten()
            .any(|handle| std::fs::read_link(handle.path()).is_ok_and(|open| open == path))
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.id())).map_or(0, Iterator::count)
    }

    /// How many bytes it has read in all, from files and everything else.
    ///
    /// # Panics
    /// When it has ended.
    pub fn bytes_read(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.id())).expect("a living process has counters");
        let read = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        read.and_then(|number| number.parse().ok()).expect("the kernel counts")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.has_ended() {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

fn raw(file: &File) -> i32 {
    use std::os::fd::AsRawFd;
    file.as_raw_fd()
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.read_to_end(&mut bytes))
        .expect("a temporary file can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Ended {
    Running::start(command).wait()
}

/// Between two looks at something that another process does.
pub fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}

/// Looks again and again until `look` has an answer.
///
/// # Panics
/// When it has none for as long as a program of a test may take.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited in vain until {what}");
        pause();
    }
}
