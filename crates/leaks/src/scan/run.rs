//! A run from its first block to its last verdict.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

use rightful_core::{Grade, Timestamp};
use rightful_crypto::password::VerifyFault;
use rightful_crypto::pool::{HashPool, Priority, Turn};
use rightful_crypto::seal::{SecretTag, Tagger};

use super::pairs::{Occurrence, PairNo, Pairs, Place};
use super::probe::{Hit, Probed, probe, probe_end};
use super::read::{Feeder, Meter, Read, Told};
use super::{
    BATCH, Batch, COMMIT_BYTES, COMMIT_EVERY, Checkpoint, Decided, Finished, Ledger, MAX_TROUBLES, Plan, Progress,
    Recalled, Trouble, WINDOW,
};
use crate::account::{NamedAccount, Passwords};
use crate::grade::{Verdict, cost, grade};
use crate::index::IdentifierTable;
use crate::parse::LineParser;
use crate::tally::Tally;
use crate::unpack::lines::{Block, Position, Sizes};
use crate::unpack::{LeakSource, ReadFault, TextOutcome, UnpackOptions, read_sources, survey};

/// A piece of work for the pool takes about this long, in nanoseconds: much longer than handing it over.
const PIECE: u64 = 2_000_000;

/// How long the deciding thread waits for news before it looks at the clock.
const LOOK_UP: Duration = Duration::from_millis(100);

/// Why a run ended early. What was committed stays, and the run can be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum ScanFault<E> {
    /// The leak could not be read.
    #[error("reading the leak failed")]
    Read(#[source] ReadFault),
    /// The ledger failed.
    #[error("keeping the results failed")]
    Ledger(#[source] E),
    /// A stored hash could not be computed.
    #[error("a stored password hash could not be computed")]
    Verify(#[source] VerifyFault),
    /// A thread ended that should not have.
    #[error("a worker ended unexpectedly")]
    Worker,
}

/// All that a run needs.
pub struct Scan<'a> {
    /// What to read, in this order.
    pub sources: &'a [LeakSource],
    /// How to unpack it.
    pub unpack: &'a UnpackOptions,
    /// Sizes of blocks; the default outside tests.
    pub sizes: Sizes,
    /// The names to look for.
    pub table: &'a IdentifierTable,
    /// By which secrets are known again.
    pub tagger: &'a Tagger,
    /// Where hashes are computed.
    pub pool: &'a HashPool,
    /// What to do.
    pub plan: Plan,
    /// What an interrupted run of the same leak had committed; empty for a first run.
    pub recalled: Recalled,
    /// Raised from outside to stop: what is decided is committed first.
    pub stop: &'a AtomicBool,
    /// Now.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
}

pub(super) enum Event {
    Told(u64, Told),
    Parsed(u64, Box<Parsed>),
    Tested(Vec<Tested>),
    /// A piece of work, or a thread, ended without an answer.
    Lost,
    /// How it ended, and how many things were read and told.
    ReadingEnded(Result<(), ReadFault>, u64),
}

pub(super) struct Parsed {
    block: Block,
    start: LineParser,
    probed: Probed,
}

pub(super) struct Tested {
    pair: PairNo,
    verdict: Result<Verdict, VerifyFault>,
    secret: Box<[u8]>,
}

/// One secret to be tested.
struct Trial {
    pair: PairNo,
    number: i64,
    passwords: Arc<Passwords>,
    secret: Box<[u8]>,
}

/// Where the last block that was decided ended, and the parser's state there: what later blocks are parsed from.
struct Predicted {
    text: u32,
    position: Position,
    parser: LineParser,
}

impl Predicted {
    /// The state to parse a block from: certain right after the last one, else a guess that is checked later.
    fn start(&self, text: u32, position: Position) -> LineParser {
        match (self.text == text, self.position.line == position.line) {
            (true, true) => self.parser.clone(),
            (true, false) => self.parser.settled(),
            (false, _) if position.line == 1 => LineParser::new(),
            (false, _) => LineParser::new().settled(),
        }
    }
}

impl Scan<'_> {
    /// Runs to the end, or until told to stop.
    ///
    /// # Errors
    /// See [`ScanFault`]; what was committed before stays.
    pub fn run<L: Ledger>(
        mut self,
        ledger: &mut L,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Finished, ScanFault<L::Error>> {
        let Recalled {
            verdicts,
            exposures,
            checkpoint: resume,
        } = std::mem::take(&mut self.recalled);
        let mut pairs = Pairs::default();
        for (account, tag, verdict) in verdicts {
            pairs.recall_verdict(account, tag, verdict);
        }
        for exposure in exposures {
            pairs.recall(&exposure);
        }
        let scan = &self;
        let (events, arriving) = channel();
        let (window, decided) = sync_channel(WINDOW);
        let total_bytes = survey(scan.sources).map_err(ScanFault::Read)?.bytes;
        let (meter, over) = (Meter::default(), AtomicBool::new(false));
        let predicted = Mutex::new(Predicted {
            text: resume.text,
            position: resume.position,
            parser: resume.parser.clone(),
        });
        std::thread::scope(|scope| {
            let to_parse = start_parsers(scope, scan, &events, &predicted);
            let feeder = Feeder {
                resume: &resume,
                sizes: scan.sizes,
                text: 0,
                bytes_before: 0,
                seq: 0,
                blocks: None,
                to_parse,
                to_decide: events.clone(),
                window,
                stop: [scan.stop, &over],
                meter: &meter,
            };
            start_reader(scope, scan, feeder, &events);
            let mut decider = Decider::new(scan, ledger, &resume, pairs, &meter, &predicted, events);
            decider.progress.total_bytes = total_bytes;
            let outcome = decider.run(&arriving, &decided, progress);
            over.store(true, Ordering::Relaxed);
            // A reader that waits for room in the window ends with it.
            drop(decided);
            outcome
        })
    }
}

fn start_reader<'s, 'e: 's>(
    scope: &'s Scope<'s, 'e>,
    scan: &'s Scan<'_>,
    mut feeder: Feeder<'s>,
    events: &Sender<Event>,
) -> ScopedJoinHandle<'s, ()> {
    let events = events.clone();
    scope.spawn(move || {
        watched(&events, || {
            let ended = read_sources(scan.sources, scan.unpack, &mut feeder);
            // Nobody listens any more when the run has failed elsewhere.
            let _ = events.send(Event::ReadingEnded(ended, feeder.seq));
        });
    })
}

/// Tells when `work` panics: what it was to send would be waited for without end.
fn watched(events: &Sender<Event>, work: impl FnOnce()) {
    // Nothing that it was at is used again.
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        let _ = events.send(Event::Lost);
    }
}

fn start_parsers<'s, 'e: 's>(
    scope: &'s Scope<'s, 'e>,
    scan: &'s Scan<'_>,
    events: &Sender<Event>,
    predicted: &'s Mutex<Predicted>,
) -> Sender<Read> {
    let (to_parse, reads) = channel::<Read>();
    let reads = Arc::new(Mutex::new(reads));
    for _ in 0..scan.plan.readers.max(1) {
        let (reads, events) = (Arc::clone(&reads), events.clone());
        scope.spawn(move || watched(&events, || parse_blocks(scan, &reads, &events, predicted)));
    }
    to_parse
}

/// Parses one block after the other until there are no more, or nobody wants them.
fn parse_blocks(scan: &Scan<'_>, reads: &Mutex<Receiver<Read>>, events: &Sender<Event>, predicted: &Mutex<Predicted>) {
    loop {
        let read = reads.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Read { seq, text, block }) = read else { return };
        let start = predicted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .start(text, block.start());
        let probed = probe(&block, start.clone(), scan.table);
        let parsed = Box::new(Parsed { block, start, probed });
        if events.send(Event::Parsed(seq, parsed)).is_err() {
            return;
        }
    }
}

/// A block whose records are not all settled yet, or that waits for one before it.
struct OpenBlock {
    open: usize,
    /// Where to go on after it; none where the parser is in the middle of a record.
    next: Option<(u32, Position, LineParser)>,
    tally: Tally,
    trouble: Option<Trouble>,
    /// How many bytes it took of the text, where it was read: then it holds a place in the window.
    read: Option<u64>,
}

struct Decider<'a, L: Ledger> {
    scan: &'a Scan<'a>,
    ledger: &'a mut L,
    meter: &'a Meter,
    predicted: &'a Mutex<Predicted>,
    events: Sender<Event>,
    pairs: Pairs,
    texts: Vec<String>,
    parser: LineParser,
    text: u32,
    /// Texts before this one were read by the interrupted run.
    resumed_text: u32,
    /// Arrived too early.
    early: BTreeMap<u64, Arrived>,
    next_seq: u64,
    /// How many there are, once the reading has ended.
    last_seq: Option<u64>,
    blocks: VecDeque<OpenBlock>,
    first_block: u64,
    /// Waiting for the pool, cut into pieces.
    pieces: VecDeque<Vec<Trial>>,
    in_pool: usize,
    decided: Vec<Decided>,
    checkpoint: Checkpoint,
    /// Lines of settled blocks after the checkpoint: the parser stood within a record at the end of each.
    passed: Tally,
    /// A line that begins a record and has named nobody so far, and of which the next block may hold further rows.
    undecided_line: Option<u64>,
    checkpoint_moved: bool,
    /// Bytes of the text in blocks that were closed since the last commit.
    uncommitted: u64,
    /// Places in the window that closed blocks still hold.
    held: usize,
    committed_at: Timestamp,
    progress: Progress,
}

enum Arrived {
    Told(Told),
    Parsed(Box<Parsed>),
}

type Outcome<T, L> = Result<T, ScanFault<<L as Ledger>::Error>>;

impl<'a, L: Ledger> Decider<'a, L> {
    fn new(
        scan: &'a Scan<'a>,
        ledger: &'a mut L,
        resume: &Checkpoint,
        pairs: Pairs,
        meter: &'a Meter,
        predicted: &'a Mutex<Predicted>,
        events: Sender<Event>,
    ) -> Self {
        let progress = Progress {
            tally: resume.tally.clone(),
            tests: resume.tests,
            known_before: resume.known_before,
            ..Progress::default()
        };
        Self {
            scan,
            ledger,
            meter,
            predicted,
            events,
            pairs,
            texts: Vec::new(),
            parser: resume.parser.clone(),
            text: resume.text,
            resumed_text: resume.text,
            early: BTreeMap::new(),
            next_seq: 0,
            last_seq: None,
            blocks: VecDeque::new(),
            first_block: 0,
            pieces: VecDeque::new(),
            in_pool: 0,
            decided: Vec::new(),
            checkpoint: resume.clone(),
            passed: Tally::default(),
            undecided_line: None,
            checkpoint_moved: false,
            uncommitted: 0,
            held: 0,
            committed_at: (scan.clock)(),
            progress,
        }
    }

    fn run(
        &mut self,
        arriving: &Receiver<Event>,
        window: &Receiver<()>,
        progress: &mut dyn FnMut(&Progress),
    ) -> Outcome<Finished, L> {
        loop {
            match arriving.recv_timeout(LOOK_UP) {
                Ok(event) => self.take(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(ScanFault::Worker),
            }
            // Whatever else has come, before looking at the clock once.
            while let Ok(event) = arriving.try_recv() {
                self.take(event)?;
            }
            let stopped = self.scan.stop.load(Ordering::Relaxed);
            if !stopped {
                self.fill_pool();
            }
            self.close_blocks(window);
            let finished = self.progress.reading_done && self.is_idle();
            self.commit_if_due(finished || stopped, window)?;
            self.show(progress);
            if finished || stopped {
                return Ok(self.finish(stopped && !finished));
            }
        }
    }

    fn take(&mut self, event: Event) -> Outcome<(), L> {
        match event {
            Event::Told(seq, told) => {
                self.early.insert(seq, Arrived::Told(told));
            }
            Event::Parsed(seq, parsed) => {
                self.early.insert(seq, Arrived::Parsed(parsed));
            }
            Event::Tested(tested) => {
                self.in_pool -= 1;
                for tested in tested {
                    self.tested(tested)?;
                }
            }
            Event::Lost => return Err(ScanFault::Worker),
            Event::ReadingEnded(Ok(()), read) => self.last_seq = Some(read),
            // It was told to stop, and so is this run.
            Event::ReadingEnded(Err(ReadFault::Stopped), _) => {}
            Event::ReadingEnded(Err(fault), _) => return Err(ScanFault::Read(fault)),
        }
        while let Some(arrived) = self.early.remove(&self.next_seq) {
            self.next_seq += 1;
            match arrived {
                Arrived::Told(told) => self.told(told)?,
                Arrived::Parsed(parsed) => self.parsed(*parsed)?,
            }
        }
        // What was read last may still be on its way when the reading ends.
        self.progress.reading_done = self.last_seq == Some(self.next_seq);
        Ok(())
    }

    /// Nothing waits, neither for its turn nor for the pool.
    fn is_idle(&self) -> bool {
        self.early.is_empty() && self.pieces.is_empty() && self.in_pool == 0 && self.blocks.is_empty()
    }

    fn told(&mut self, told: Told) -> Outcome<(), L> {
        match told {
            Told::Name { text, name } => {
                let place = text as usize;
                if self.texts.len() <= place {
                    self.texts.resize(place + 1, String::new());
                }
                self.texts[place] = name;
            }
            Told::Begin { text, from } => {
                // Where the run goes on within a text, the parser stands as it did.
                if from == Position::START {
                    self.parser = LineParser::new();
                }
                self.text = text;
                self.predict(from);
            }
            Told::End { outcome } => {
                let probed = probe_end(std::mem::take(&mut self.parser), self.scan.table);
                let cut_short = (outcome != TextOutcome::Whole).then(|| self.trouble(self.text, &outcome));
                self.place(probed, after(self.text), cut_short, None)?;
            }
            Told::Unread { text, why } if text >= self.resumed_text => {
                let trouble = Some(self.trouble(text, &why));
                self.place(Probed::nothing(), after(text), trouble, None)?;
            }
            Told::Unread { .. } => {}
            Told::Source(source) => self.ledger.source_read(&source).map_err(ScanFault::Ledger)?,
        }
        Ok(())
    }

    fn trouble(&self, text: u32, what: &dyn std::fmt::Display) -> Trouble {
        Trouble {
            text: self.texts.get(text as usize).cloned().unwrap_or_default(),
            what: what.to_string(),
        }
    }

    fn predict(&self, position: Position) {
        let predicted = Predicted {
            text: self.text,
            position,
            parser: self.parser.clone(),
        };
        *self.predicted.lock().unwrap_or_else(PoisonError::into_inner) = predicted;
    }

    fn parsed(&mut self, parsed: Parsed) -> Outcome<(), L> {
        let Parsed { block, start, probed } = parsed;
        let probed = if start == self.parser {
            probed
        } else {
            probe(&block, self.parser.clone(), self.scan.table)
        };
        self.parser = probed.end.clone();
        self.predict(block.next());
        let next = (self.parser.is_between_records()).then(|| (self.text, block.next(), self.parser.clone()));
        let read = block.next().byte - block.start().byte;
        drop(block);
        self.place(probed, next, None, Some(read))
    }

    /// Puts a block in its place: confirms its hits, and hands out what must be tested.
    fn place(
        &mut self,
        probed: Probed,
        next: Option<(u32, Position, LineParser)>,
        trouble: Option<Trouble>,
        read: Option<u64>,
    ) -> Outcome<(), L> {
        let block = self.first_block + self.blocks.len() as u64;
        let mut tally = probed.tally;
        let before = self.undecided_line.take();
        let named = self.hits(block, probed.hits, before)?;
        self.undecided_line =
            (probed.last_record.or(before)).filter(|&line| next.is_none() && named.last != Some(line));
        let lines = probed.record_lines + u64::from(before.is_some()) - u64::from(self.undecided_line.is_some());
        tally.named = named.lines;
        tally.names_nobody = lines - named.lines;
        self.progress.tally.add(&tally);
        self.blocks.push_back(OpenBlock {
            open: named.open,
            next,
            tally,
            trouble,
            read,
        });
        Ok(())
    }

    /// `undecided` is a line of an earlier block that is still to be counted.
    fn hits(&mut self, block: u64, hits: Vec<Hit>, undecided: Option<u64>) -> Outcome<Named, L> {
        let mut wanted: Vec<u32> = hits
            .iter()
            .flat_map(|hit| &hit.readings)
            .flat_map(|reading| &reading.names)
            .map(|name| name.0)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut named = Named {
            lines: 0,
            last: None,
            open: 0,
        };
        if wanted.is_empty() {
            return Ok(named);
        }
        let accounts = self.ledger.accounts(&wanted).map_err(ScanFault::Ledger)?;
        let mut records = Vec::new();
        let mut trials = Vec::new();
        for hit in hits {
            let found = self.confirm(&accounts, &hit, &mut trials);
            let counts = hit.counted || undecided == Some(hit.line);
            if !found.is_empty() && counts && named.last != Some(hit.line) {
                named.last = Some(hit.line);
                named.lines += 1;
            }
            records.extend(found);
        }
        self.ask_known(&mut trials)?;
        for record in records {
            named.open += usize::from(!self.pairs.record(block, record));
        }
        self.cut(trials);
        Ok(named)
    }

    /// The accounts that a hit really names, each with its pairs. Pairs never met before are added to `trials`.
    fn confirm(
        &mut self,
        accounts: &[NamedAccount],
        hit: &Hit,
        trials: &mut Vec<Trial>,
    ) -> Vec<Vec<(PairNo, Occurrence)>> {
        let mut found: BTreeMap<u32, Vec<(PairNo, Occurrence)>> = BTreeMap::new();
        for reading in &hit.readings {
            for (index, leaked_name) in &reading.names {
                let Ok(at) = accounts.binary_search_by_key(index, |account| account.index) else {
                    continue;
                };
                let account = &accounts[at];
                let Some(naming) = account.naming(leaked_name) else {
                    continue;
                };
                let tag = self.scan.tagger.pair(account.number, &reading.secret);
                let (pair, new) = self.pairs.meet(*index, tag);
                if new {
                    let (number, passwords) = (account.number, Arc::clone(&account.passwords));
                    trials.push(Trial {
                        pair,
                        number,
                        passwords,
                        secret: reading.secret.clone(),
                    });
                }
                let place = Place {
                    text: self.text,
                    line: hit.line,
                };
                let kind = self.scan.plan.kind.unwrap_or(reading.kind);
                let pairs = found.entry(*index).or_default();
                match pairs.iter_mut().find(|(known, _)| *known == pair) {
                    // The same account by another of its names: the strict one tells.
                    Some((_, occurrence)) if naming.strict && !occurrence.naming.strict => occurrence.naming = naming,
                    Some(_) => {}
                    None => pairs.push((pair, Occurrence { place, naming, kind })),
                }
            }
        }
        found.into_values().collect()
    }

    /// Takes out of `trials` the pairs whose verdict earlier leaks brought.
    fn ask_known(&mut self, trials: &mut Vec<Trial>) -> Outcome<(), L> {
        if trials.is_empty() {
            return Ok(());
        }
        let asked: Vec<(u32, SecretTag)> = trials.iter().map(|trial| self.pairs.key(trial.pair)).collect();
        let known = self.ledger.known(&asked).map_err(ScanFault::Ledger)?;
        let mut answers = known.into_iter();
        let mut settled = Vec::new();
        trials.retain(|trial| match answers.next().flatten() {
            Some(verdict) => {
                settled.push((trial.pair, verdict));
                false
            }
            None => true,
        });
        self.progress.known_before += settled.len() as u64;
        for (pair, verdict) in settled {
            // No record waits for it yet: it is met for the first time in this very block.
            self.pairs.decide(pair, verdict);
        }
        Ok(())
    }

    /// Cuts tests into pieces of about the same length.
    fn cut(&mut self, trials: Vec<Trial>) {
        self.progress.tests_waiting += trials.len() as u64;
        let (mut piece, mut length) = (Vec::new(), 0);
        for trial in trials {
            length += cost(&trial.passwords, self.scan.plan.variations);
            piece.push(trial);
            if length >= PIECE {
                self.pieces.push_back(std::mem::take(&mut piece));
                length = 0;
            }
        }
        if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// Keeps every worker busy and one piece ahead for each, no more: a stop then loses little.
    fn fill_pool(&mut self) {
        while self.in_pool < 2 * self.scan.pool.workers() {
            let Some(piece) = self.pieces.pop_front() else { return };
            self.in_pool += 1;
            let report = Report {
                events: self.events.clone(),
                done: false,
            };
            let (tagger, variations) = (self.scan.tagger.clone(), self.scan.plan.variations);
            self.scan.pool.submit_when_room(Priority::LeakTest, move |turn| {
                if let Turn::Begin(arena) = turn {
                    let test = |trial: Trial| {
                        let Trial {
                            pair,
                            number,
                            passwords,
                            secret,
                        } = trial;
                        let verdict = grade(&passwords, number, &secret, variations, &tagger, arena);
                        Tested { pair, verdict, secret }
                    };
                    report.send(piece.into_iter().map(test).collect());
                }
            });
        }
    }

    fn tested(&mut self, tested: Tested) -> Outcome<(), L> {
        let verdict = tested.verdict.map_err(ScanFault::Verify)?;
        self.progress.tests += 1;
        self.progress.tests_waiting -= 1;
        let (account, tag) = self.pairs.key(tested.pair);
        let leaked_hash = (verdict.grade == Grade::Untested).then_some(tested.secret);
        self.decided.push(Decided {
            account,
            tag,
            verdict: verdict.clone(),
            leaked_hash,
        });
        for block in self.pairs.decide(tested.pair, verdict) {
            let at = usize::try_from(block - self.first_block).expect("a window is far below that");
            self.blocks[at].open -= 1;
        }
        Ok(())
    }

    /// Moves the checkpoint over every leading block that is settled.
    fn close_blocks(&mut self, window: &Receiver<()>) {
        while self.blocks.front().is_some_and(|block| block.open == 0) {
            let Some(block) = self.blocks.pop_front() else { return };
            self.first_block += 1;
            if let Some(read) = block.read {
                self.uncommitted += read;
                self.held += 1;
            }
            if self.uncommitted < COMMIT_BYTES {
                self.let_read(window);
            }
            self.passed.add(&block.tally);
            if let Some(trouble) = block.trouble
                && self.checkpoint.troubles.len() < MAX_TROUBLES
            {
                self.checkpoint.troubles.push(trouble);
            }
            if let Some((text, position, parser)) = block.next
                // What was not read is told of late: its number may be that of an archive whose members came before.
                && (text, position.byte) >= (self.checkpoint.text, self.checkpoint.position.byte)
            {
                self.checkpoint.tally.add(&std::mem::take(&mut self.passed));
                (self.checkpoint.text, self.checkpoint.position, self.checkpoint.parser) = (text, position, parser);
                self.checkpoint_moved = true;
            }
        }
    }

    /// Gives the places in the window back that closed blocks held.
    fn let_read(&mut self, window: &Receiver<()>) {
        for _ in 0..std::mem::take(&mut self.held) {
            // The reader put one in for each.
            let _ = window.try_recv();
        }
    }

    /// Commits where enough has come together, and lets the reading go on that waited for it.
    fn commit_if_due(&mut self, last: bool, window: &Receiver<()>) -> Outcome<(), L> {
        let waited = (self.scan.clock)().micros_since(self.committed_at);
        let many = self.decided.len() >= BATCH || self.uncommitted >= COMMIT_BYTES;
        if !(last || many || waited >= COMMIT_EVERY) {
            return Ok(());
        }
        // Within a record that goes on for long there is nowhere to go on from; the reading goes on all the same.
        if !self.decided.is_empty() || self.checkpoint_moved {
            self.commit()?;
        }
        self.uncommitted = 0;
        self.let_read(window);
        Ok(())
    }

    fn commit(&mut self) -> Outcome<(), L> {
        let exposures = self.pairs.take_changed();
        self.checkpoint.tests = self.progress.tests;
        self.checkpoint.known_before = self.progress.known_before;
        let decided = std::mem::take(&mut self.decided);
        let batch = Batch {
            decided: &decided,
            exposures: &exposures,
            checkpoint: &self.checkpoint,
            texts: &self.texts,
        };
        self.ledger.commit(&batch).map_err(ScanFault::Ledger)?;
        self.checkpoint_moved = false;
        self.committed_at = (self.scan.clock)();
        Ok(())
    }

    fn show(&mut self, progress: &mut dyn FnMut(&Progress)) {
        self.progress.bytes = self.meter.bytes.load(Ordering::Relaxed);
        self.progress.exposures = self.pairs.counts();
        progress(&self.progress);
    }

    fn finish(&mut self, stopped: bool) -> Finished {
        Finished {
            progress: self.progress.clone(),
            exposures: self.pairs.exposures().collect(),
            texts: std::mem::take(&mut self.texts),
            troubles: std::mem::take(&mut self.checkpoint.troubles),
            stopped,
        }
    }
}

struct Named {
    /// Lines that name somebody, and the last of them.
    lines: u64,
    last: Option<u64>,
    /// Records that wait for verdicts.
    open: usize,
}

/// Where to go on after the end of a text.
fn after(text: u32) -> Option<(u32, Position, LineParser)> {
    Some((text + 1, Position::START, LineParser::new()))
}

/// Answers for a piece of work, also when that panics or is never begun.
struct Report {
    events: Sender<Event>,
    done: bool,
}

impl Report {
    fn send(mut self, tested: Vec<Tested>) {
        self.done = true;
        // Nobody listens any more when the run has failed elsewhere.
        let _ = self.events.send(Event::Tested(tested));
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.done {
            let _ = self.events.send(Event::Lost);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rightful_crypto::pool::PoolSize;

    #[test]
    fn a_panic_in_a_hash_is_told_and_so_is_one_in_a_thread() {
        let (events, arriving) = channel();
        let size = PoolSize { workers: 1, queue: 1 };
        let pool = HashPool::start(size, || Timestamp::from_micros(0)).expect("threads");
        let report = Report {
            events: events.clone(),
            done: false,
        };
        pool.submit_when_room(Priority::LeakTest, move |_| {
            let _answers_for_it = report;
            panic!("a defect in a hash function");
        });
        assert!(matches!(arriving.recv(), Ok(Event::Lost)));
        watched(&events, || panic!("a defect in a decoder"));
        assert!(matches!(arriving.recv(), Ok(Event::Lost)));
        watched(&events, || ());
        drop((events, pool));
        assert!(arriving.recv().is_err(), "what ends well is not told");
    }
}
