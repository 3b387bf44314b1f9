//! Cohorts: whom a containment is about, why, and what became of each.
//!
//! What is done to the members of a wave is done block by block, each block in one transaction that first takes the turn of all of
//! them: a return or a change of password either came before, and is seen, or waits. A block that was done has no frozen rows
//! left, so doing it again does nothing.

use rightful_core::containment::{Action, ContainmentNo, Decided, Evidence, Pending};
use rightful_core::leak::LeakNo;
use rightful_core::role::Role;
use rightful_core::{AccountNo, Grade, Kind, PasswordVersion, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::{many, statements};

/// The members of a wave in a block of whom nothing was done yet.
macro_rules! frozen {
    ($more:literal) => {
        concat!(
            "(SELECT cohort.account_no FROM cohort WHERE cohort.block = $1 AND cohort.containment_no = $2 \
             AND cohort.wave_no = $3 AND cohort.state = 'frozen'",
            $more,
            ")"
        )
    };
}

/// The members in a block whom an undoing concerns: in no wave that is done with, and not back by themselves.
macro_rules! to_undo {
    ($more:literal) => {
        concat!(
            "(SELECT cohort.account_no FROM cohort WHERE cohort.block = $1 AND cohort.containment_no = $2 \
             AND cohort.state IN ('frozen', 'done')",
            $more,
            ")"
        )
    };
}

/// Whether the password is another one than when it was tested. An account without one has version 0.
macro_rules! changed_since {
    () => {
        "COALESCE(cohort.password_no, 0) <> COALESCE((SELECT password.password_no FROM password WHERE password.block = $1 \
         AND password.account_no = cohort.account_no AND password.state = 'current'), 0)"
    };
}

many! {
    ADD = "INSERT INTO cohort (block, account_no, containment_no, wave_no, action, grade, kind, leak_no, password_no, attacked,
        state, changed_at) VALUES",
        "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "";
}

statements! {
    /// Whom a leak is evidence about, with what else decides. Erased accounts are nobody.
    hot: EXPOSED = "SELECT exposure.account_no, exposure.grade, exposure.kind, exposure.password_no, password.password_no, account.role
        FROM exposure
        JOIN account ON account.block = $1 AND account.account_no = exposure.account_no AND account.state <> 'erased'
        LEFT JOIN password ON password.block = $1 AND password.account_no = exposure.account_no AND password.state = 'current'
        WHERE exposure.block = $1 AND exposure.leak_no = $2 AND exposure.grade <> 'named' ORDER BY exposure.account_no";
    hot: DROP = "DELETE FROM cohort WHERE block = $1 AND containment_no = $2";
    /// What may already be dead for an account, though its rows do not say so yet. A wave that is done left no member frozen.
    hot: PENDING = concat!("SELECT cohort.action, cohort.kind, cohort.leak_no, wave.mark, wave.started_at FROM cohort
        JOIN wave ON wave.containment_no = cohort.containment_no AND wave.wave_no = cohort.wave_no AND wave.mark IS NOT NULL
        WHERE cohort.block = $1 AND cohort.account_no = $2 AND cohort.state = 'frozen' AND cohort.action <> 'notice'
        AND NOT (", changed_since!(), ")");
    hot: OF_ACCOUNT = "SELECT account_no, containment_no, wave_no, action, grade, kind, leak_no, password_no, attacked, state,
        told_at, changed_at FROM cohort WHERE block = $1 AND account_no = $2 ORDER BY containment_no";
    /// A page of a cohort, in the order of waves and accounts, over all blocks: for lists and exports, by one reader at a time.
    hot: PAGE = "SELECT account_no, containment_no, wave_no, action, grade, kind, leak_no, password_no, attacked, state, told_at,
        changed_at FROM cohort WHERE containment_no = $1 AND (wave_no, block, account_no) > ($2, $3, $4)
        ORDER BY wave_no, block, account_no LIMIT $5";
    : COUNTS = "SELECT wave_no, action, grade, kind, state, COUNT(*), COUNT(told_at) FROM cohort WHERE containment_no = $1
        GROUP BY wave_no, action, grade, kind, state";
    hot: BLOCKS = "SELECT DISTINCT block FROM cohort WHERE containment_no = $1 AND wave_no = $2 ORDER BY block";
    : ALL_BLOCKS = "SELECT DISTINCT block FROM cohort WHERE containment_no = $1 ORDER BY block";
    hot: TAKE_TURNS = concat!("UPDATE account SET epoch = epoch WHERE block = $1 AND account_no IN ", frozen!(""));
    hot: CHANGED = concat!("UPDATE cohort SET state = 'changed', changed_at = $4 WHERE block = $1 AND containment_no = $2
        AND wave_no = $3 AND state = 'frozen' AND action <> 'notice' AND ", changed_since!());
    hot: HOLD = "INSERT INTO hold (block, account_no, hold_no, action, source, kind, leak_no, placed_at, placed_by, containment_no)
        SELECT cohort.block, cohort.account_no, (SELECT CAST(COALESCE(MAX(hold.hold_no), 0) + 1 AS BIGINT) FROM hold
            WHERE hold.block = $1 AND hold.account_no = cohort.account_no), cohort.action, 'containment', cohort.kind,
            cohort.leak_no, $4, $5, cohort.containment_no
        FROM cohort WHERE cohort.block = $1 AND cohort.containment_no = $2 AND cohort.wave_no = $3 AND cohort.state = 'frozen'
        AND cohort.action <> 'notice'";
    hot: HELD = concat!("UPDATE account SET epoch = epoch + 1, version = version + 1,
        state = CASE WHEN account_no IN ", frozen!(" AND cohort.action = 'hold'"), " THEN 'held' ELSE state END
        WHERE block = $1 AND state <> 'erased' AND account_no IN ", frozen!(" AND cohort.action <> 'notice'"));
    hot: END_SESSIONS = concat!("UPDATE session SET ended_at = $4 WHERE block = $1 AND ended_at IS NULL AND account_no IN ",
        frozen!(" AND cohort.action <> 'notice'"));
    /// After an infected machine the browser on it is the thief's too.
    hot: END_BROWSERS = concat!("UPDATE browser SET ended_at = $4 WHERE block = $1 AND ended_at IS NULL AND account_no IN ",
        frozen!(" AND cohort.action = 'hold' AND cohort.kind = 'stealer'"));
    hot: DONE = "UPDATE cohort SET state = 'done', changed_at = $4 WHERE block = $1 AND containment_no = $2 AND wave_no = $3
        AND state = 'frozen'";
    hot: TO_TELL = "SELECT account_no, containment_no, wave_no, action, grade, kind, leak_no, password_no, attacked, state,
        told_at, changed_at FROM cohort WHERE block = $1 AND containment_no = $2 AND wave_no = $3 AND state = 'done'
        AND told_at IS NULL AND account_no > $4 ORDER BY account_no LIMIT $5";
    hot: TOLD = "UPDATE cohort SET told_at = $4 WHERE block = $1 AND account_no = $2 AND containment_no = $3 AND state = 'done'
        AND told_at IS NULL";
    // These four also look into `wave`, which has few rows and may be read whole.

    /// A return lifts what containments did, also what is not written yet.
    : RETURNED = "UPDATE cohort SET state = 'returned', changed_at = $3 WHERE block = $1 AND account_no = $2
        AND action <> 'notice' AND (state = 'done' OR (state = 'frozen' AND EXISTS (SELECT 1 FROM wave
        WHERE wave.containment_no = cohort.containment_no AND wave.wave_no = cohort.wave_no AND wave.state = 'running')))";
    hot: TAKE_TURNS_TO_UNDO = concat!("UPDATE account SET epoch = epoch WHERE block = $1 AND account_no IN ", to_undo!(""));
    /// A hold on the very password, or a variation of it, becomes a required change; a required change stays one.
    : SOFTEN = concat!("INSERT INTO hold (block, account_no, hold_no, action, source, kind, leak_no, placed_at, placed_by,
            containment_no)
        SELECT cohort.block, cohort.account_no, (SELECT CAST(COALESCE(MAX(hold.hold_no), 0) + 1 AS BIGINT) FROM hold
            WHERE hold.block = $1 AND hold.account_no = cohort.account_no), 'change', 'containment', cohort.kind,
            cohort.leak_no, $3, $4, cohort.containment_no
        FROM cohort WHERE cohort.block = $1 AND cohort.containment_no = $2 AND cohort.state IN ('frozen', 'done')
        AND cohort.action <> 'notice' AND cohort.grade IN ('exact', 'variant') AND NOT EXISTS (SELECT 1 FROM hold
            WHERE hold.block = $1 AND hold.account_no = cohort.account_no AND hold.action = 'change' AND hold.lifted_at IS NULL)
        AND (cohort.state = 'done' OR EXISTS (SELECT 1 FROM wave WHERE wave.containment_no = cohort.containment_no
            AND wave.wave_no = cohort.wave_no AND wave.state <> 'waiting')) AND NOT (", changed_since!(), ")");
    hot: LIFT = concat!("UPDATE hold SET lifted_at = $3, lifted_by = $4 WHERE block = $1 AND containment_no = $2
        AND lifted_at IS NULL AND account_no IN ", to_undo!(""), " AND NOT (action = 'change' AND account_no IN ",
        to_undo!(" AND cohort.grade IN ('exact', 'variant')"), ")");
    : UNHELD = concat!("UPDATE account SET epoch = epoch + 1, version = version + 1, state = CASE
        WHEN EXISTS (SELECT 1 FROM hold WHERE hold.block = $1 AND hold.account_no = account.account_no AND hold.action = 'hold'
            AND hold.lifted_at IS NULL) THEN 'held' ELSE 'open' END
        WHERE block = $1 AND state <> 'erased' AND account_no IN ", to_undo!(" AND cohort.action <> 'notice'
            AND (cohort.state = 'done' OR EXISTS (SELECT 1 FROM wave WHERE wave.containment_no = cohort.containment_no
            AND wave.wave_no = cohort.wave_no AND wave.state <> 'waiting'))"));
    : END_SESSIONS_UNDONE = concat!("UPDATE session SET ended_at = $3 WHERE block = $1 AND ended_at IS NULL AND account_no IN ",
        to_undo!(" AND cohort.action <> 'notice' AND (cohort.state = 'done' OR EXISTS (SELECT 1 FROM wave
            WHERE wave.containment_no = cohort.containment_no AND wave.wave_no = cohort.wave_no AND wave.state <> 'waiting'))"));
    /// Those who were told and are to be told that it was taken back.
    hot: TOLD_TO_UNDO = "SELECT account_no FROM cohort WHERE block = $1 AND containment_no = $2 AND state IN ('frozen', 'done')
        AND told_at IS NOT NULL AND action <> 'notice' ORDER BY account_no";
    : LEFT_TO_UNDO = "SELECT COUNT(*) FROM cohort WHERE containment_no = $1 AND state IN ('frozen', 'done')";
    hot: UNDONE = "UPDATE cohort SET state = 'undone', changed_at = $3 WHERE block = $1 AND containment_no = $2
        AND state IN ('frozen', 'done')";
}

/// Whom a containment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// Who.
    pub account: AccountNo,
    /// In which wave, from 1.
    pub wave_no: i64,
    /// What is done, and because of what.
    pub decided: Decided,
    /// Somebody signed in, since the leak's date, from a browser not seen before.
    pub attacked: bool,
}

/// An account that a leak is evidence about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// Who.
    pub account: AccountNo,
    /// The evidence.
    pub evidence: Evidence,
    /// The version of its password now.
    pub current: Option<PasswordVersion>,
    /// What it may do for the site.
    pub role: Option<Role>,
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberState {
    /// Nothing was done yet.
    Frozen,
    /// It was done.
    Done,
    /// The password was changed since it was tested: nothing was done.
    Changed,
    /// The owner chose a new password.
    Returned,
    /// It was taken back.
    Undone,
}

impl MemberState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Frozen, Self::Done, Self::Changed, Self::Returned, Self::Undone];

    /// The word in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Done => "done",
            Self::Changed => "changed",
            Self::Returned => "returned",
            Self::Undone => "undone",
        }
    }
}

/// A member of a cohort as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub account: AccountNo,
    /// Of which containment.
    pub containment: ContainmentNo,
    /// In which wave, from 1.
    pub wave_no: i64,
    /// What is done.
    pub action: Action,
    /// Because of what.
    pub because: Evidence,
    /// Somebody signed in, since the leak's date, from a browser not seen before.
    pub attacked: bool,
    /// What became of it.
    pub state: MemberState,
    /// When its notice was queued.
    pub told_at: Option<Timestamp>,
    /// When that last changed.
    pub changed_at: Timestamp,
}

/// The place after a member in the list of its cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberPlace {
    wave_no: i64,
    account: i64,
}

impl MemberPlace {
    /// After the member of this number in this wave; both 0 for the beginning.
    pub const fn new(wave_no: i64, account: i64) -> Self {
        Self { wave_no, account }
    }
}

impl Member {
    /// Where the next page begins when this is the last of the page before.
    pub const fn place(&self) -> MemberPlace {
        MemberPlace::new(self.wave_no, self.account.get())
    }
}

/// How many members have these in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberCount {
    /// The wave.
    pub wave_no: i64,
    /// The action.
    pub action: Action,
    /// The grade.
    pub grade: Grade,
    /// The kind.
    pub kind: Kind,
    /// What became of them.
    pub state: MemberState,
    /// How many.
    pub members: u64,
    /// How many of them have a notice.
    pub told: u64,
}

/// What was done in a block of a wave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockDone {
    /// Members whose rows were written.
    pub done: u64,
    /// Members whose password was changed since.
    pub changed: u64,
}

type Row = (
    i64,
    i64,
    i64,
    String,
    String,
    String,
    i64,
    Option<i64>,
    i64,
    String,
    Option<i64>,
    i64,
);

const fn corrupt(column: &'static str) -> StoreError {
    StoreError::Corrupt {
        table: "cohort",
        column,
    }
}

fn read_action(word: &str) -> Result<Action, StoreError> {
    Action::from_word(word).ok_or(corrupt("action"))
}

fn read_grade(word: &str) -> Result<Grade, StoreError> {
    Grade::from_word(word).ok_or(corrupt("grade"))
}

fn read_kind(word: &str) -> Result<Kind, StoreError> {
    Kind::from_word(word).ok_or(corrupt("kind"))
}

fn read_state(word: &str) -> Result<MemberState, StoreError> {
    let state = MemberState::ALL.into_iter().find(|known| known.word() == word);
    state.ok_or(corrupt("state"))
}

fn member(row: Row) -> Result<Member, StoreError> {
    let (account, containment, wave_no, action, grade, kind, leak, password, attacked, state, told_at, changed_at) =
        row;
    Ok(Member {
        account: AccountNo::new(account),
        containment: ContainmentNo(containment),
        wave_no,
        action: read_action(&action)?,
        because: Evidence {
            grade: read_grade(&grade)?,
            kind: read_kind(&kind)?,
            leak: LeakNo(leak),
            password: password.map(PasswordVersion),
        },
        attacked: attacked == 1,
        state: read_state(&state)?,
        told_at: told_at.map(Timestamp::from_micros),
        changed_at: Timestamp::from_micros(changed_at),
    })
}

impl Tx {
    /// Whom a leak is evidence about in a block; one account may come several times in a row.
    pub async fn exposed_in_block(&mut self, leak: LeakNo, block: i64) -> Result<Vec<Exposed>, StoreError> {
        type Row = (i64, String, String, Option<i64>, Option<i64>, String);
        let rows: Vec<Row> = self.sql(EXPOSED).bind(block).bind(leak.0).all().await?;
        let exposed = |(account, grade, kind, tested, current, role): Row| {
            Ok(Exposed {
                account: AccountNo::new(account),
                evidence: Evidence {
                    grade: read_grade(&grade)?,
                    kind: read_kind(&kind)?,
                    leak,
                    password: tested.map(PasswordVersion),
                },
                current: current.map(PasswordVersion),
                role: Role::from_word(&role),
            })
        };
        rows.into_iter().map(exposed).collect()
    }

    /// Adds members, in the order of their numbers.
    pub async fn add_members(
        &mut self,
        containment: ContainmentNo,
        members: &[NewMember],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.insert(&ADD, members, |member, values| {
            let because = member.decided.because;
            let state = if member.decided.changed_since {
                MemberState::Changed
            } else {
                MemberState::Frozen
            };
            values
                .add(member.account.block())
                .add(member.account.get())
                .add(containment.0)
                .add(member.wave_no);
            values
                .add(member.decided.action.word())
                .add(because.grade.word())
                .add(because.kind.word())
                .add(because.leak.0);
            values
                .add(because.password.map(|version| version.0))
                .add(i64::from(member.attacked))
                .add(state.word())
                .add(now.micros());
        })
        .await
        .map(drop)
    }

    /// Drops the members of a cohort that is listed anew, in one block.
    pub async fn drop_members(&mut self, containment: ContainmentNo, block: i64) -> Result<u64, StoreError> {
        self.sql(DROP).bind(block).bind(containment.0).run().await
    }

    /// The waves that have started and whose rows about this account are not written yet. What they take away is gone already.
    pub async fn pending(&mut self, account: AccountNo) -> Result<Vec<Pending>, StoreError> {
        let find = self.sql(PENDING).bind(account.block()).bind(account.get());
        let rows: Vec<(String, String, i64, i64, i64)> = find.all().await?;
        let pending = |(action, kind, leak, mark, started_at): (String, String, i64, i64, i64)| {
            Ok(Pending {
                action: read_action(&action)?,
                kind: read_kind(&kind)?,
                leak: LeakNo(leak),
                mark,
                started_at: Timestamp::from_micros(started_at),
            })
        };
        rows.into_iter().map(pending).collect()
    }

    /// The cohorts that an account is in.
    pub async fn memberships(&mut self, account: AccountNo) -> Result<Vec<Member>, StoreError> {
        let rows: Vec<Row> = self
            .sql(OF_ACCOUNT)
            .bind(account.block())
            .bind(account.get())
            .all()
            .await?;
        rows.into_iter().map(member).collect()
    }

    /// At most `limit` members after a place, in the order of waves and accounts.
    pub async fn members(
        &mut self,
        containment: ContainmentNo,
        after: MemberPlace,
        limit: i64,
    ) -> Result<Vec<Member>, StoreError> {
        let page = self.sql(PAGE).bind(containment.0).bind(after.wave_no);
        let page = page.bind(AccountNo::new(after.account).block()).bind(after.account);
        let rows: Vec<Row> = page.bind(limit).all().await?;
        rows.into_iter().map(member).collect()
    }

    /// How many members there are of each kind.
    pub async fn count_members(&mut self, containment: ContainmentNo) -> Result<Vec<MemberCount>, StoreError> {
        type Row = (i64, String, String, String, String, i64, i64);
        let rows: Vec<Row> = self.sql(COUNTS).bind(containment.0).all().await?;
        let count = |(wave_no, action, grade, kind, state, members, told): Row| {
            Ok(MemberCount {
                wave_no,
                action: read_action(&action)?,
                grade: read_grade(&grade)?,
                kind: read_kind(&kind)?,
                state: read_state(&state)?,
                members: members.unsigned_abs(),
                told: told.unsigned_abs(),
            })
        };
        rows.into_iter().map(count).collect()
    }

    /// The blocks in which a wave has members.
    pub async fn wave_blocks(&mut self, containment: ContainmentNo, wave_no: i64) -> Result<Vec<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.sql(BLOCKS).bind(containment.0).bind(wave_no).all().await?;
        Ok(rows.into_iter().map(|(block,)| block).collect())
    }

    /// The blocks in which a cohort has members.
    pub async fn cohort_blocks(&mut self, containment: ContainmentNo) -> Result<Vec<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.sql(ALL_BLOCKS).bind(containment.0).all().await?;
        Ok(rows.into_iter().map(|(block,)| block).collect())
    }

    /// Writes what a wave does in a block: holds, epochs, ended sessions, all or nothing. Those whose password was changed since
    /// it was tested are left as they are, and listed so.
    pub async fn act_in_block(
        &mut self,
        containment: ContainmentNo,
        wave_no: i64,
        block: i64,
        by: &str,
        now: Timestamp,
    ) -> Result<BlockDone, StoreError> {
        self.plan_anew().await?;
        let (no, at) = (containment.0, now.micros());
        let turns = self.sql(TAKE_TURNS).bind(block).bind(no).bind(wave_no);
        if turns.run().await? == 0 {
            return Ok(BlockDone::default());
        }
        self.all_sessions_changed();
        let changed = self.sql(CHANGED).bind(block).bind(no).bind(wave_no).bind(at);
        let changed = changed.run().await?;
        let hold = self.sql(HOLD).bind(block).bind(no).bind(wave_no).bind(at);
        hold.bind(by.to_owned()).run().await?;
        self.sql(HELD).bind(block).bind(no).bind(wave_no).run().await?;
        for text in [END_SESSIONS, END_BROWSERS] {
            self.sql(text).bind(block).bind(no).bind(wave_no).bind(at).run().await?;
        }
        let done = self.sql(DONE).bind(block).bind(no).bind(wave_no).bind(at);
        Ok(BlockDone {
            done: done.run().await?,
            changed,
        })
    }

    /// Members of a wave in a block, after a number, whose rows are written and who were not told yet; at most `limit`.
    pub async fn members_to_tell(
        &mut self,
        containment: ContainmentNo,
        wave_no: i64,
        block: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Member>, StoreError> {
        let page = self.sql(TO_TELL).bind(block).bind(containment.0).bind(wave_no);
        let rows: Vec<Row> = page.bind(after).bind(limit).all().await?;
        rows.into_iter().map(member).collect()
    }

    /// Notes that a member is told, in the transaction that queues the notice. False when somebody else told it, or it is not to be
    /// told any more.
    pub async fn member_told(
        &mut self,
        containment: ContainmentNo,
        account: AccountNo,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let told = self.sql(TOLD).bind(account.block()).bind(account.get());
        Ok(told.bind(containment.0).bind(now.micros()).run().await? == 1)
    }

    /// Notes in all cohorts that an owner has chosen a new password. Called by what lifts the holds.
    pub(crate) async fn member_returned(&mut self, account: AccountNo, now: Timestamp) -> Result<(), StoreError> {
        let returned = self.sql(RETURNED).bind(account.block()).bind(account.get());
        returned.bind(now.micros()).run().await.map(drop)
    }

    /// The members in a block who were told and are to be told that it is taken back.
    pub async fn told_to_undo(&mut self, containment: ContainmentNo, block: i64) -> Result<Vec<AccountNo>, StoreError> {
        let told: Vec<(i64,)> = self.sql(TOLD_TO_UNDO).bind(block).bind(containment.0).all().await?;
        Ok(told.into_iter().map(|(account,)| AccountNo::new(account)).collect())
    }

    /// How many members an undoing has not reached yet.
    pub async fn members_left_to_undo(&mut self, containment: ContainmentNo) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(LEFT_TO_UNDO).bind(containment.0).one().await?;
        Ok(count.unsigned_abs())
    }

    /// Takes back in a block what a containment did: its holds are lifted, and what was evidence about the very password leaves a
    /// required change. Sessions stay dead, also those of a wave whose rows were not written. Returns those who had been told.
    pub async fn undo_in_block(
        &mut self,
        containment: ContainmentNo,
        block: i64,
        by: &str,
        now: Timestamp,
    ) -> Result<Vec<AccountNo>, StoreError> {
        self.plan_anew().await?;
        let (no, at) = (containment.0, now.micros());
        if self.sql(TAKE_TURNS_TO_UNDO).bind(block).bind(no).run().await? == 0 {
            return Ok(Vec::new());
        }
        self.all_sessions_changed();
        let told = self.told_to_undo(containment, block).await?;
        for text in [SOFTEN, LIFT] {
            let work = self.sql(text).bind(block).bind(no).bind(at);
            work.bind(by.to_owned()).run().await?;
        }
        self.sql(UNHELD).bind(block).bind(no).run().await?;
        self.sql(END_SESSIONS_UNDONE)
            .bind(block)
            .bind(no)
            .bind(at)
            .run()
            .await?;
        self.sql(UNDONE).bind(block).bind(no).bind(at).run().await?;
        Ok(told)
    }
}
