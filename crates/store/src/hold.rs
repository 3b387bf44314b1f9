//! Holds and required changes on accounts. Several may lie on one account; each is lifted for itself.
//!
//! `account.state` says what the holds that lie on it say together. So whoever places or lifts one takes the account's turn
//! first: of two who decide at the same time from what the other has not committed yet, the second would leave an account open
//! under a hold, or held under none.

use rightful_core::leak::LeakNo;
use rightful_core::{AccountNo, Kind, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    hot: LAST = "SELECT CAST(COALESCE(MAX(hold_no), 0) AS BIGINT) FROM hold WHERE block = $1 AND account_no = $2";
    hot: PLACE = "INSERT INTO hold (block, account_no, hold_no, action, source, kind, leak_no, placed_at, placed_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    hot: OF_ACCOUNT = "SELECT hold_no, action, source, kind, leak_no, placed_at, placed_by, lifted_at FROM hold
        WHERE block = $1 AND account_no = $2 ORDER BY hold_no";
    hot: LIFT = "UPDATE hold SET lifted_at = $4, lifted_by = $5
        WHERE block = $1 AND account_no = $2 AND hold_no = $3 AND lifted_at IS NULL";
    /// What a return lifts: everything but an administrator's hold. A change that he required is done by it.
    hot: LIFT_AT_RETURN = "UPDATE hold SET lifted_at = $3, lifted_by = 'return'
        WHERE block = $1 AND account_no = $2 AND lifted_at IS NULL AND (source <> 'administrator' OR action = 'change')";
    /// An account is held while a hold lies on it.
    hot: SET_STATE = "UPDATE account SET epoch = epoch + 1, version = version + 1, state = CASE
        WHEN EXISTS (SELECT 1 FROM hold WHERE hold.block = $1 AND hold.account_no = $2 AND hold.action = 'hold'
            AND hold.lifted_at IS NULL) THEN 'held'
        ELSE 'open' END
        WHERE block = $1 AND account_no = $2 AND state <> 'erased'";
}

/// What a hold does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldAction {
    /// The password no longer works.
    Hold,
    /// The next sign-in must choose a new one.
    Change,
}

impl HoldAction {
    const ALL: [Self; 2] = [Self::Hold, Self::Change];

    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Change => "change",
        }
    }
}

/// Who put it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldSource {
    /// A containment. A return lifts it.
    Containment,
    /// An administrator. Only an administrator lifts it.
    Administrator,
    /// A leaked hash that matched at a sign-in. A return lifts it.
    SignIn,
}

impl HoldSource {
    const ALL: [Self; 3] = [Self::Containment, Self::Administrator, Self::SignIn];

    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Containment => "containment",
            Self::Administrator => "administrator",
            Self::SignIn => "sign-in",
        }
    }
}

/// A hold about to be placed.
#[derive(Clone, Debug)]
pub struct NewHold {
    /// On which account.
    pub account: AccountNo,
    /// What it does.
    pub action: HoldAction,
    /// Who puts it there.
    pub source: HoldSource,
    /// What kind of leak it answers.
    pub kind: Option<Kind>,
    /// Which leak it answers.
    pub leak: Option<LeakNo>,
    /// Who acts, as the audit log names him.
    pub placed_by: String,
    /// When.
    pub placed_at: Timestamp,
}

/// A hold as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which of the account's, from 1.
    pub hold_no: i64,
    /// What it does.
    pub action: HoldAction,
    /// Who put it there.
    pub source: HoldSource,
    /// What kind of leak it answers.
    pub kind: Option<Kind>,
    /// Which leak it answers.
    pub leak: Option<LeakNo>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Who placed it.
    pub placed_by: String,
    /// When it was lifted.
    pub lifted_at: Option<Timestamp>,
}

type Row = (
    i64,
    String,
    String,
    Option<String>,
    Option<i64>,
    i64,
    String,
    Option<i64>,
);

fn hold((hold_no, action, source, kind, leak_no, placed_at, placed_by, lifted_at): Row) -> Result<Hold, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "hold", column };
    let find_action = HoldAction::ALL.into_iter().find(|known| known.word() == action);
    let find_source = HoldSource::ALL.into_iter().find(|known| known.word() == source);
    let kind = match kind {
        None => None,
        Some(word) => Some(Kind::from_word(&word).ok_or(corrupt("kind"))?),
    };
    Ok(Hold {
        hold_no,
        action: find_action.ok_or(corrupt("action"))?,
        source: find_source.ok_or(corrupt("source"))?,
        kind,
        leak: leak_no.map(LeakNo),
        placed_at: Timestamp::from_micros(placed_at),
        placed_by,
        lifted_at: lifted_at.map(Timestamp::from_micros),
    })
}

impl Tx {
    /// Places a hold, ends all sessions and raises the epoch, so that everything born before it is dead. Returns its number.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when there is no such account any more.
    pub async fn place_hold(&mut self, new: &NewHold) -> Result<i64, StoreError> {
        let (block, no) = (new.account.block(), new.account.get());
        if !self.take_turn(new.account).await? {
            return Err(StoreError::Changed { what: "account" });
        }
        let (last,): (i64,) = self.sql(LAST).bind(block).bind(no).one().await?;
        let place = self.sql(PLACE).bind(block).bind(no).bind(last + 1);
        let place = place
            .bind(new.action.word())
            .bind(new.source.word())
            .bind(new.kind.map(Kind::word));
        place
            .bind(new.leak.map(|leak| leak.0))
            .bind(new.placed_at.micros())
            .bind(new.placed_by.clone())
            .run()
            .await?;
        self.set_held_state(new.account, new.placed_at).await?;
        Ok(last + 1)
    }

    /// All holds of an account, also lifted ones, oldest first.
    pub async fn holds(&mut self, account: AccountNo) -> Result<Vec<Hold>, StoreError> {
        let rows: Vec<Row> = self
            .sql(OF_ACCOUNT)
            .bind(account.block())
            .bind(account.get())
            .all()
            .await?;
        rows.into_iter().map(hold).collect()
    }

    /// Lifts one hold. False when it was lifted before, or never was. The epoch rises and sessions end: what was born under the
    /// hold does not outlive it.
    pub async fn lift_hold(
        &mut self,
        account: AccountNo,
        hold_no: i64,
        by: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.take_turn(account).await?;
        let lift = self.sql(LIFT).bind(account.block()).bind(account.get()).bind(hold_no);
        let lifted = lift.bind(now.micros()).bind(by.to_owned()).run().await?;
        if lifted == 1 {
            self.set_held_state(account, now).await?;
        }
        Ok(lifted == 1)
    }

    /// Lifts what a return lifts: every hold but an administrator's, and every required change. How many.
    pub async fn lift_holds_at_return(&mut self, account: AccountNo, now: Timestamp) -> Result<u64, StoreError> {
        self.take_turn(account).await?;
        self.member_returned(account, now).await?;
        let lift = self.sql(LIFT_AT_RETURN).bind(account.block()).bind(account.get());
        let lifted = lift.bind(now.micros()).run().await?;
        if lifted > 0 {
            self.set_held_state(account, now).await?;
        }
        Ok(lifted)
    }

    /// Sets the state that the holds say. The epoch alone would not do for the sessions: one that its owner is about to move to
    /// the next epoch would come back to life.
    async fn set_held_state(&mut self, account: AccountNo, now: Timestamp) -> Result<(), StoreError> {
        let set = self.sql(SET_STATE).bind(account.block()).bind(account.get());
        set.run().await?;
        self.end_sessions(account, now).await.map(drop)
    }
}
