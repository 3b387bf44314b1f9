//! Containments and their waves: what was planned, who agreed, what started when.

use rightful_core::containment::{Approved, ContainmentNo, ContainmentState, IncidentNo};
use rightful_core::{AccountNo, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

/// The columns of a containment, in the order of [`Row`].
macro_rules! columns {
    () => {
        "containment_no, incident_no, state, version, plan, author_no, approver_no, alone, members, takes, digest, \
         made_at, frozen_at, approved_at, started_at, ended_at"
    };
}

statements! {
    : DRAFT = "INSERT INTO containment (containment_no, incident_no, state, version, plan, author_no, alone, undo_alone, members,
        takes, made_at) VALUES ($1, $2, 'draft', 1, $3, $4, 0, 0, 0, 0, $5)";
    : FIND = concat!("SELECT ", columns!(), " FROM containment WHERE containment_no = $1");
    : UNDOING = "SELECT undo_author_no, undo_approver_no, undo_asked_at FROM containment WHERE containment_no = $1";
    : OF_INCIDENT = concat!("SELECT ", columns!(), " FROM containment WHERE incident_no = $1 ORDER BY containment_no");
    : IN_STATE = "SELECT containment_no FROM containment WHERE state = $1 ORDER BY containment_no";
    : MOVE = "UPDATE containment SET state = $3, version = version + 1 WHERE containment_no = $1 AND version = $2";
    : REPLAN = "UPDATE containment SET state = 'draft', plan = $3, author_no = $4, approver_no = NULL, alone = 0,
        version = version + 1 WHERE containment_no = $1 AND version = $2 AND state IN ('draft', 'dry-run', 'approved')";
    /// A cohort that is listed anew was agreed to by nobody.
    : FREEZE = "UPDATE containment SET state = 'freezing', approver_no = NULL, alone = 0, approved_at = NULL, version = version + 1
        WHERE containment_no = $1 AND version = $2 AND state IN ('draft', 'dry-run', 'approved')";
    : FROZEN = "UPDATE containment SET state = 'dry-run', members = $3, takes = $4, digest = $5, frozen_at = $6,
        version = version + 1 WHERE containment_no = $1 AND version = $2 AND state = 'freezing'";
    : APPROVE = "UPDATE containment SET state = 'approved', approver_no = $3, alone = $4, approved_at = $5,
        version = version + 1 WHERE containment_no = $1 AND version = $2 AND state = 'dry-run'";
    : START = "UPDATE containment SET state = 'running', started_at = $3, version = version + 1
        WHERE containment_no = $1 AND version = $2 AND state IN ('dry-run', 'approved')";
    : ASK_UNDO = "UPDATE containment SET undo_author_no = $3, undo_asked_at = $4, version = version + 1
        WHERE containment_no = $1 AND version = $2 AND state IN ('running', 'paused', 'done')";
    : UNDO = "UPDATE containment SET state = 'undoing', undo_approver_no = $3, undo_alone = $4, version = version + 1
        WHERE containment_no = $1 AND version = $2 AND state IN ('running', 'paused', 'done') AND undo_author_no IS NOT NULL";
    : END = "UPDATE containment SET state = $3, ended_at = $4, version = version + 1
        WHERE containment_no = $1 AND state = $2";
    : DROP_WAVES = "DELETE FROM wave WHERE containment_no = $1";
    : ADD_WAVE = "INSERT INTO wave (containment_no, wave_no, members, state) VALUES ($1, $2, $3, 'waiting')";
    : WAVES = "SELECT wave_no, members, state, due_at, mark, started_at, done_at FROM wave WHERE containment_no = $1
        ORDER BY wave_no";
    : RUNNING_WAVES = "SELECT containment_no, wave_no FROM wave WHERE state = 'running' ORDER BY started_at, wave_no";
    : DUE_WAVES = "SELECT wave.containment_no, wave.wave_no FROM wave JOIN containment
        ON containment.containment_no = wave.containment_no AND containment.state = 'running'
        WHERE wave.state = 'waiting' AND wave.due_at <= $1 ORDER BY wave.due_at, wave.containment_no, wave.wave_no";
    : SET_DUE = "UPDATE wave SET due_at = $3 WHERE containment_no = $1 AND wave_no = $2 AND state = 'waiting'";
    : START_WAVE = "UPDATE wave SET state = 'running', mark = $3, started_at = $4
        WHERE containment_no = $1 AND wave_no = $2 AND state = 'waiting'";
    /// Locks the containment's row, so that a pause comes before the start of a wave or after it.
    : IS_RUNNING = "UPDATE containment SET version = version WHERE containment_no = $1 AND state = 'running'";
    : END_WAVE = "UPDATE wave SET state = 'done', done_at = $3 WHERE containment_no = $1 AND wave_no = $2 AND state = 'running'";
    : UNTOLD_WAVES = "SELECT wave.containment_no, wave.wave_no, wave.state FROM wave JOIN containment
        ON containment.containment_no = wave.containment_no AND containment.state IN ('running', 'done')
        WHERE wave.state <> 'waiting' AND wave.told_at IS NULL ORDER BY wave.started_at, wave.containment_no, wave.wave_no";
    : WAVE_TOLD = "UPDATE wave SET told_at = $3 WHERE containment_no = $1 AND wave_no = $2 AND told_at IS NULL";
    : END_ALL_WAVES = "UPDATE wave SET state = 'done', done_at = $2, told_at = $2 WHERE containment_no = $1 AND state <> 'done'";
    /// Locks the row: whoever took the list over has raised the version.
    : STILL_LISTING = "UPDATE containment SET version = version WHERE containment_no = $1 AND version = $2 AND state = 'freezing'";
    /// Locks the row, so that a pause or an undoing comes before a message or after it.
    : MAY_TELL = "UPDATE containment SET version = version WHERE containment_no = $1 AND state IN ('running', 'done')";
    : UNFINISHED = "SELECT COUNT(*) FROM wave WHERE containment_no = $1 AND state <> 'done'";
    /// Members from whom something was, or is about to be, taken since a moment.
    : TAKEN_SINCE = "SELECT CAST(COALESCE(SUM(takes), 0) AS BIGINT) FROM containment WHERE started_at >= $1
        AND state <> 'undone'";
}

/// A containment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containment {
    /// Its number.
    pub no: ContainmentNo,
    /// The incident that it answers.
    pub incident: IncidentNo,
    /// How far it is.
    pub state: ContainmentState,
    /// Rises with every write; the next write names the one it saw.
    pub version: i64,
    /// What is to be done, as JSON.
    pub plan: String,
    /// Who drafted it.
    pub author: AccountNo,
    /// Who agreed.
    pub approver: Option<AccountNo>,
    /// The author himself, because there was nobody else.
    pub alone: bool,
    /// How many accounts are in its cohort.
    pub members: u64,
    /// From how many of them something is taken.
    pub takes: u64,
    /// Over all members.
    pub digest: Option<[u8; 32]>,
    /// When it was drafted.
    pub made_at: Timestamp,
    /// When its cohort was frozen.
    pub frozen_at: Option<Timestamp>,
    /// When somebody agreed.
    pub approved_at: Option<Timestamp>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When its last wave was done, or its last hold lifted.
    pub ended_at: Option<Timestamp>,
}

/// Who wants a containment undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UndoAsked {
    /// Who asked.
    pub author: AccountNo,
    /// Since when.
    pub at: Timestamp,
    /// Who agreed.
    pub approver: Option<AccountNo>,
}

/// How far a wave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveState {
    /// It has not started.
    Waiting,
    /// It started: what its members proved before is dead. Rows are being written.
    Running,
    /// Its rows are written.
    Done,
}

impl WaveState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Running, Self::Done];

    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
        }
    }
}

/// A part of a cohort that starts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// Which, from 1; the first is the canary.
    pub wave_no: i64,
    /// How many accounts.
    pub members: u64,
    /// How far it is.
    pub state: WaveState,
    /// When it is to start.
    pub due_at: Option<Timestamp>,
    /// What its members proved under a lower mark is dead.
    pub mark: Option<i64>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When its rows were written.
    pub done_at: Option<Timestamp>,
}

type Row = (
    i64,
    i64,
    String,
    i64,
    String,
    i64,
    Option<i64>,
    i64,
    i64,
    i64,
    Option<Vec<u8>>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

fn containment(row: Row) -> Result<Containment, StoreError> {
    let (no, incident, state, version, plan, author, approver, alone, members, takes, digest, made_at, ..) = row;
    let (.., frozen_at, approved_at, started_at, ended_at) = row;
    let corrupt = |column| StoreError::Corrupt {
        table: "containment",
        column,
    };
    let digest = digest.map(<[u8; 32]>::try_from).transpose();
    let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    Ok(Containment {
        no: ContainmentNo(no),
        incident: IncidentNo(incident),
        state: ContainmentState::from_word(&state).ok_or(corrupt("state"))?,
        version,
        plan,
        author: AccountNo::new(author),
        approver: approver.map(AccountNo::new),
        alone: alone == 1,
        members: members.unsigned_abs(),
        takes: takes.unsigned_abs(),
        digest: digest.map_err(|_| corrupt("digest"))?,
        made_at: Timestamp::from_micros(made_at),
        frozen_at: at(frozen_at),
        approved_at: at(approved_at),
        started_at: at(started_at),
        ended_at: at(ended_at),
    })
}

type WaveRow = (i64, i64, String, Option<i64>, Option<i64>, Option<i64>, Option<i64>);

fn wave((wave_no, members, state, due_at, mark, started_at, done_at): WaveRow) -> Result<Wave, StoreError> {
    let state = WaveState::ALL.into_iter().find(|known| known.word() == state);
    Ok(Wave {
        wave_no,
        members: members.unsigned_abs(),
        state: state.ok_or(StoreError::Corrupt {
            table: "wave",
            column: "state",
        })?,
        due_at: due_at.map(Timestamp::from_micros),
        mark,
        started_at: started_at.map(Timestamp::from_micros),
        done_at: done_at.map(Timestamp::from_micros),
    })
}

/// A guarded write that wrote nothing: somebody else did.
const fn guarded(written: u64) -> Result<(), StoreError> {
    if written == 0 {
        Err(StoreError::Changed { what: "containment" })
    } else {
        Ok(())
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Tx {
    /// Drafts a containment.
    pub async fn draft_containment(
        &mut self,
        incident: IncidentNo,
        plan: &str,
        author: AccountNo,
        now: Timestamp,
    ) -> Result<ContainmentNo, StoreError> {
        let no = self.next_number("containment").await?;
        let draft = self.sql(DRAFT).bind(no).bind(incident.0).bind(plan.to_owned());
        draft.bind(author.get()).bind(now.micros()).run().await?;
        Ok(ContainmentNo(no))
    }

    /// A containment.
    pub async fn containment(&mut self, no: ContainmentNo) -> Result<Option<Containment>, StoreError> {
        let row: Option<Row> = self.sql(FIND).bind(no.0).opt().await?;
        row.map(containment).transpose()
    }

    /// Who wants a containment undone, if somebody does.
    pub async fn undo_asked(&mut self, no: ContainmentNo) -> Result<Option<UndoAsked>, StoreError> {
        let row: Option<(Option<i64>, Option<i64>, Option<i64>)> = self.sql(UNDOING).bind(no.0).opt().await?;
        Ok(row.and_then(|(author, approver, at)| {
            Some(UndoAsked {
                author: AccountNo::new(author?),
                at: Timestamp::from_micros(at?),
                approver: approver.map(AccountNo::new),
            })
        }))
    }

    /// The containments of an incident.
    pub async fn containments(&mut self, incident: IncidentNo) -> Result<Vec<Containment>, StoreError> {
        let rows: Vec<Row> = self.sql(OF_INCIDENT).bind(incident.0).all().await?;
        rows.into_iter().map(containment).collect()
    }

    /// The containments in a state.
    pub async fn containments_in(&mut self, state: ContainmentState) -> Result<Vec<ContainmentNo>, StoreError> {
        let rows: Vec<(i64,)> = self.sql(IN_STATE).bind(state.word()).all().await?;
        Ok(rows.into_iter().map(|(no,)| ContainmentNo(no)).collect())
    }

    /// Changes the plan before anything was done. Whoever does is its author from then on.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read, or it has started.
    pub async fn replan_containment(
        &mut self,
        seen: &Containment,
        plan: &str,
        author: AccountNo,
    ) -> Result<(), StoreError> {
        let replan = self.sql(REPLAN).bind(seen.no.0).bind(seen.version);
        guarded(replan.bind(plan.to_owned()).bind(author.get()).run().await?)
    }

    /// Begins to list the cohort anew: whoever agreed to another one agreed to nothing.
    ///
    /// # Errors
    /// [`StoreError::Changed`] as for [`Tx::replan_containment`].
    pub async fn begin_freeze(&mut self, seen: &Containment) -> Result<(), StoreError> {
        self.sql(DROP_WAVES).bind(seen.no.0).run().await?;
        let freeze = self.sql(FREEZE).bind(seen.no.0).bind(seen.version);
        guarded(freeze.run().await?)
    }

    /// Writes the waves of a cohort that is listed, and that it is frozen now.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read.
    pub async fn end_freeze(
        &mut self,
        seen: &Containment,
        waves: &[u64],
        takes: u64,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let frozen = self.sql(FROZEN).bind(seen.no.0).bind(seen.version);
        let frozen = frozen.bind(signed(waves.iter().sum())).bind(signed(takes));
        guarded(frozen.bind(digest.to_vec()).bind(now.micros()).run().await?)?;
        for (wave_no, members) in (1i64..).zip(waves) {
            let add = self.sql(ADD_WAVE).bind(seen.no.0).bind(wave_no);
            add.bind(signed(*members)).run().await?;
        }
        Ok(())
    }

    /// Writes that somebody agreed. The schema refuses the author, unless he was the only one who could.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read; [`StoreError::Refused`] for the author.
    pub async fn approve_containment(
        &mut self,
        seen: &Containment,
        by: AccountNo,
        approved: Approved,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let approve = self.sql(APPROVE).bind(seen.no.0).bind(seen.version).bind(by.get());
        let approve = approve.bind(i64::from(approved.alone())).bind(now.micros());
        guarded(approve.run().await?)
    }

    /// Starts a containment: its first wave is due now.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read, or it is not ready to start.
    pub async fn start_containment(&mut self, seen: &Containment, now: Timestamp) -> Result<(), StoreError> {
        let start = self.sql(START).bind(seen.no.0).bind(seen.version).bind(now.micros());
        guarded(start.run().await?)
    }

    /// Moves a containment to another state: for a pause and its end.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read.
    pub async fn move_containment(&mut self, seen: &Containment, to: ContainmentState) -> Result<(), StoreError> {
        let set = self.sql(MOVE).bind(seen.no.0).bind(seen.version).bind(to.word());
        guarded(set.run().await?)
    }

    /// Writes who wants a containment undone.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read, or there is nothing to undo.
    pub async fn ask_undo(&mut self, seen: &Containment, by: AccountNo, now: Timestamp) -> Result<(), StoreError> {
        let ask = self.sql(ASK_UNDO).bind(seen.no.0).bind(seen.version).bind(by.get());
        guarded(ask.bind(now.micros()).run().await?)
    }

    /// Begins to undo a containment that somebody asked to undo. The schema refuses whoever asked, unless he was the only one who
    /// could agree.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read; [`StoreError::Refused`] for whoever asked.
    pub async fn begin_undo(
        &mut self,
        seen: &Containment,
        by: AccountNo,
        approved: Approved,
    ) -> Result<(), StoreError> {
        let undo = self.sql(UNDO).bind(seen.no.0).bind(seen.version).bind(by.get());
        guarded(undo.bind(i64::from(approved.alone())).run().await?)
    }

    /// Notes that a containment came to its end. False when it was not there: another worker noted it.
    pub async fn end_containment(
        &mut self,
        no: ContainmentNo,
        from: ContainmentState,
        to: ContainmentState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let end = self.sql(END).bind(no.0).bind(from.word()).bind(to.word());
        Ok(end.bind(now.micros()).run().await? == 1)
    }

    /// The waves of a containment.
    pub async fn waves(&mut self, no: ContainmentNo) -> Result<Vec<Wave>, StoreError> {
        let rows: Vec<WaveRow> = self.sql(WAVES).bind(no.0).all().await?;
        rows.into_iter().map(wave).collect()
    }

    /// The waves whose rows are still to be written, the earliest first.
    pub async fn running_waves(&mut self) -> Result<Vec<(ContainmentNo, i64)>, StoreError> {
        let rows: Vec<(i64, i64)> = self.sql(RUNNING_WAVES).all().await?;
        Ok(rows.into_iter().map(|(no, wave)| (ContainmentNo(no), wave)).collect())
    }

    /// The waves that are to start by now, of containments that run.
    pub async fn due_waves(&mut self, now: Timestamp) -> Result<Vec<(ContainmentNo, i64)>, StoreError> {
        let rows: Vec<(i64, i64)> = self.sql(DUE_WAVES).bind(now.micros()).all().await?;
        Ok(rows.into_iter().map(|(no, wave)| (ContainmentNo(no), wave)).collect())
    }

    /// Says when a wave is to start.
    pub async fn set_wave_due(&mut self, no: ContainmentNo, wave_no: i64, at: Timestamp) -> Result<(), StoreError> {
        let due = self.sql(SET_DUE).bind(no.0).bind(wave_no).bind(at.micros());
        due.run().await.map(drop)
    }

    /// Starts a wave: from COMMIT on, whatever its members proved before is dead. `None` when its containment does not run, or
    /// somebody else started it; else its mark.
    pub async fn start_wave(
        &mut self,
        no: ContainmentNo,
        wave_no: i64,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        if self.sql(IS_RUNNING).bind(no.0).run().await? == 0 {
            return Ok(None);
        }
        let mark = self.raise_mark(1).await?;
        let start = self.sql(START_WAVE).bind(no.0).bind(wave_no).bind(mark);
        let started = start.bind(now.micros()).run().await? == 1;
        if started {
            self.all_sessions_changed();
        }
        Ok(started.then_some(mark))
    }

    /// Notes that the rows of a wave are written. False when another worker noted it.
    pub async fn end_wave(&mut self, no: ContainmentNo, wave_no: i64, now: Timestamp) -> Result<bool, StoreError> {
        let end = self.sql(END_WAVE).bind(no.0).bind(wave_no).bind(now.micros());
        Ok(end.run().await? == 1)
    }

    /// The waves whose members are still to be told, the earliest first, and whether all their rows are written.
    pub async fn untold_waves(&mut self) -> Result<Vec<(ContainmentNo, i64, bool)>, StoreError> {
        let rows: Vec<(i64, i64, String)> = self.sql(UNTOLD_WAVES).all().await?;
        let done = WaveState::Done.word();
        Ok(rows
            .into_iter()
            .map(|(no, wave, state)| (ContainmentNo(no), wave, state == done))
            .collect())
    }

    /// Notes that every member of a wave who is to be told has a notice.
    pub async fn wave_told(&mut self, no: ContainmentNo, wave_no: i64, now: Timestamp) -> Result<(), StoreError> {
        let told = self.sql(WAVE_TOLD).bind(no.0).bind(wave_no).bind(now.micros());
        told.run().await.map(drop)
    }

    /// Ends all waves of a containment that was undone.
    pub async fn end_all_waves(&mut self, no: ContainmentNo, now: Timestamp) -> Result<(), StoreError> {
        let end = self.sql(END_ALL_WAVES).bind(no.0).bind(now.micros());
        end.run().await.map(drop)
    }

    /// Goes on with the list of a cohort.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when another worker took it over.
    pub async fn still_listing(&mut self, seen: &Containment) -> Result<(), StoreError> {
        guarded(self.sql(STILL_LISTING).bind(seen.no.0).bind(seen.version).run().await?)
    }

    /// Whether messages of a containment may be queued, until COMMIT.
    pub async fn may_tell(&mut self, no: ContainmentNo) -> Result<bool, StoreError> {
        Ok(self.sql(MAY_TELL).bind(no.0).run().await? == 1)
    }

    /// How many waves of a containment are not done.
    pub async fn unfinished_waves(&mut self, no: ContainmentNo) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(UNFINISHED).bind(no.0).one().await?;
        Ok(count.unsigned_abs())
    }

    /// From how many accounts the containments that started since a moment take something, but for those that were undone.
    pub async fn taken_since(&mut self, since: Timestamp) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(TAKEN_SINCE).bind(since.micros()).one().await?;
        Ok(count.unsigned_abs())
    }
}
