//! Notices and the outbox: what we write to owners, and what of it is still to be sent.
//!
//! A notice and its outbox row are written in the transaction of the change that they tell of. A worker leases the due rows of
//! a home, notes `sending` before it hands one over, and records what became of it. A worker that dies between those two
//! leaves a notice of which nobody knows whether it was sent: when its lease is over it becomes `unknown`, and is never sent
//! again by itself.

use rightful_core::containment::ContainmentNo;
use rightful_core::{AccountNo, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    hot: ADD = "INSERT INTO notice (home, subject, notice_id, kind, channel, contact_no, masked, digest, state, made_at, changed_at,
        containment_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $9, $10)";
    hot: QUEUE = "INSERT INTO outbox (home, subject, notice_id, sealed, due_at, attempts, leased_until)
        VALUES ($1, $2, $3, $4, $5, 0, 0)";
    hot: OF_SUBJECT = "SELECT notice_id, kind, channel, contact_no, masked, state, made_at, changed_at FROM notice
        WHERE home = $1 AND subject = $2 AND made_at >= $3 ORDER BY made_at DESC LIMIT $4";
    hot: BY_DIGEST = "SELECT notice_id, kind, channel, contact_no, masked, state, made_at, changed_at FROM notice
        WHERE home = $1 AND subject = $2 AND digest = $3";
    /// The homes with something to send. One leader asks this every second or so; it reads the ends of one small index.
    : DUE_HOMES = "SELECT DISTINCT home FROM outbox WHERE due_at <= $1 AND leased_until <= $1";
    /// Leases due rows of a home. The guard is repeated outside the inner query: without it two claimers take the same rows.
    hot: LEASE = "UPDATE outbox SET lease = $3, leased_until = $4 WHERE home = $1 AND due_at <= $2 AND leased_until <= $2
        AND notice_id IN (SELECT notice_id FROM outbox WHERE home = $1 AND due_at <= $2 AND leased_until <= $2
        ORDER BY due_at LIMIT $5) RETURNING subject, notice_id, sealed, attempts";
    hot: BY_ID = "SELECT notice_id, kind, channel, contact_no, masked, state, made_at, changed_at FROM notice
        WHERE home = $1 AND subject = $2 AND notice_id = $3";
    hot: BOUNCED = "UPDATE notice SET state = 'failed', changed_at = $4 WHERE home = $1 AND subject = $2 AND notice_id = $3
        AND state IN ('sending', 'sent', 'unknown')";
    hot: STATE = "SELECT state FROM notice WHERE home = $1 AND subject = $2 AND notice_id = $3";
    hot: SET_STATE = "UPDATE notice SET state = $4, changed_at = $5 WHERE home = $1 AND subject = $2 AND notice_id = $3
        AND state = $6";
    /// Of what was just leased, what a worker had begun to hand over before its own lease ended.
    hot: LEFT_BEHIND = "UPDATE notice SET state = 'unknown', changed_at = $3 WHERE home = $1 AND state = 'sending'
        AND (subject, notice_id) IN (SELECT subject, notice_id FROM outbox WHERE home = $1 AND lease = $2)
        RETURNING notice_id";
    /// One row for exactly one caller of those who hold the lease.
    hot: BEGIN = "UPDATE notice SET state = 'sending', changed_at = $5
        WHERE home = $1 AND subject = $2 AND notice_id = $3 AND state = 'queued'
        AND EXISTS (SELECT 1 FROM outbox WHERE outbox.home = $1 AND outbox.subject = $2 AND outbox.notice_id = $3
        AND outbox.lease = $4 AND outbox.leased_until > $5)";
    hot: STILL_LEASED = "UPDATE outbox SET attempts = attempts + 1
        WHERE home = $1 AND subject = $2 AND notice_id = $3 AND lease = $4 AND leased_until > $5";
    hot: EXTEND = "UPDATE outbox SET leased_until = $5
        WHERE home = $1 AND subject = $2 AND notice_id = $3 AND lease = $4";
    hot: AGAIN = "UPDATE outbox SET due_at = $5, leased_until = 0, lease = NULL
        WHERE home = $1 AND subject = $2 AND notice_id = $3 AND lease = $4";
    hot: DROP = "DELETE FROM outbox WHERE home = $1 AND subject = $2 AND notice_id = $3";
    hot: CANCEL = "UPDATE notice SET state = 'cancelled', changed_at = $4
        WHERE home = $1 AND subject = $2 AND kind = $3 AND state = 'queued'";
    hot: CANCEL_OF_CONTAINMENT = "UPDATE notice SET state = 'cancelled', changed_at = $4
        WHERE home = $1 AND subject = $2 AND containment_no = $3 AND state = 'queued'";
    hot: WENT_OUT = "SELECT COUNT(*) FROM notice WHERE home = $1 AND subject = $2 AND containment_no = $3
        AND state NOT IN ('queued', 'cancelled')";
    hot: DROP_CANCELLED = "DELETE FROM outbox WHERE home = $1 AND subject = $2
        AND notice_id IN (SELECT notice_id FROM notice WHERE home = $1 AND subject = $2 AND state = 'cancelled')";
    hot: DROP_OLD = "DELETE FROM notice WHERE home = $1 AND made_at < $2 AND state <> 'queued' AND state <> 'sending'";
    : COUNT_QUEUED = "SELECT COUNT(*) FROM outbox";
}

/// To whom a notice belongs: an account, or an address that has none (yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The account's block, or one made from the address.
    pub home: i64,
    /// The account's number, or a negative number made from the address.
    pub subject: i64,
}

impl From<AccountNo> for Subject {
    fn from(account: AccountNo) -> Self {
        Self {
            home: account.block(),
            subject: account.get(),
        }
    }
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeState {
    /// To be sent.
    Queued,
    /// Being handed over.
    Sending,
    /// Handed over.
    Sent,
    /// Given up.
    Failed,
    /// Nobody knows: a worker died while it handed it over.
    Unknown,
    /// Taken back before it was sent.
    Cancelled,
}

impl NoticeState {
    const ALL: [Self; 6] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::Unknown,
        Self::Cancelled,
    ];

    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or(StoreError::Corrupt {
                table: "notice",
                column: "state",
            })
    }
}

/// A notice about to be queued.
#[derive(Clone)]
pub struct NewNotice {
    /// To whom it belongs.
    pub to: Subject,
    /// Its id.
    pub notice_id: Uuid,
    /// Its kind, as a stable word.
    pub kind: &'static str,
    /// The channel: `mail`.
    pub channel: &'static str,
    /// To which contact.
    pub contact_no: Option<i64>,
    /// The address with most of it left out, for the owner's list.
    pub masked: String,
    /// The keyed digest of its number and address.
    pub digest: [u8; 32],
    /// Address, language and particulars, sealed.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it is to be sent.
    pub due_at: Timestamp,
    /// Of which containment it tells.
    pub containment: Option<ContainmentNo>,
}

/// A notice as it is listed to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub notice_id: Uuid,
    /// Its kind.
    pub kind: String,
    /// The channel.
    pub channel: String,
    /// To which contact.
    pub contact_no: Option<i64>,
    /// The address with most of it left out.
    pub masked: String,
    /// What became of it.
    pub state: NoticeState,
    /// When it was made.
    pub made_at: Timestamp,
    /// When that last changed.
    pub changed_at: Timestamp,
}

/// A notice that was leased to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Leased {
    /// To whom it belongs.
    pub to: Subject,
    /// Its id.
    pub notice_id: Uuid,
    /// Address, language and particulars, sealed.
    pub sealed: Vec<u8>,
    /// How often it was tried before.
    pub attempts: i64,
    /// The lease under which it is held.
    pub lease: Uuid,
}

impl std::fmt::Debug for Leased {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leased({} of {:?})", self.notice_id, self.to)
    }
}

type Row = (Uuid, String, String, Option<i64>, String, String, i64, i64);

fn notice(
    (notice_id, kind, channel, contact_no, masked, state, made_at, changed_at): Row,
) -> Result<Notice, StoreError> {
    Ok(Notice {
        notice_id,
        kind,
        channel,
        contact_no,
        masked,
        state: NoticeState::read(&state)?,
        made_at: Timestamp::from_micros(made_at),
        changed_at: Timestamp::from_micros(changed_at),
    })
}

impl Tx {
    /// Queues a notice, in the transaction of what it tells.
    pub async fn queue_notice(&mut self, new: &NewNotice) -> Result<(), StoreError> {
        let add = self.sql(ADD).bind(new.to.home).bind(new.to.subject).bind(new.notice_id);
        let add = add.bind(new.kind).bind(new.channel).bind(new.contact_no);
        let add = add
            .bind(new.masked.clone())
            .bind(new.digest.to_vec())
            .bind(new.made_at.micros())
            .bind(new.containment.map(|containment| containment.0));
        add.run().await?;
        let queue = self
            .sql(QUEUE)
            .bind(new.to.home)
            .bind(new.to.subject)
            .bind(new.notice_id);
        let queue = queue.bind(new.sealed.clone()).bind(new.due_at.micros());
        queue.run().await.map(drop)
    }

    /// The notices of a subject since a moment, newest first, at most `limit`.
    pub async fn notices(&mut self, to: Subject, since: Timestamp, limit: i64) -> Result<Vec<Notice>, StoreError> {
        let find = self.sql(OF_SUBJECT).bind(to.home).bind(to.subject);
        let rows: Vec<Row> = find.bind(since.micros()).bind(limit).all().await?;
        rows.into_iter().map(notice).collect()
    }

    /// The notice of a subject with this keyed digest of number and address.
    pub async fn notice_by_digest(&mut self, to: Subject, digest: [u8; 32]) -> Result<Option<Notice>, StoreError> {
        let find = self.sql(BY_DIGEST).bind(to.home).bind(to.subject);
        let row: Option<Row> = find.bind(digest.to_vec()).opt().await?;
        row.map(notice).transpose()
    }

    /// One notice of a subject.
    pub async fn notice(&mut self, to: Subject, notice_id: Uuid) -> Result<Option<Notice>, StoreError> {
        let find = self.sql(BY_ID).bind(to.home).bind(to.subject);
        let row: Option<Row> = find.bind(notice_id).opt().await?;
        row.map(notice).transpose()
    }

    /// Records that a notice came back. True for the first bounce of one that was handed over, or may have been; the word that
    /// it was sent may be late, so one that is being handed over counts.
    pub async fn bounce_notice(&mut self, to: Subject, notice_id: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let bounced = self.sql(BOUNCED).bind(to.home).bind(to.subject);
        Ok(bounced.bind(notice_id).bind(now.micros()).run().await? == 1)
    }

    /// The homes in which something is due.
    pub async fn homes_with_due_notices(&mut self, now: Timestamp) -> Result<Vec<i64>, StoreError> {
        let rows: Vec<(i64,)> = self.sql(DUE_HOMES).bind(now.micros()).all().await?;
        Ok(rows.into_iter().map(|(home,)| home).collect())
    }

    /// Leases at most `limit` due notices of a home until `until`. Nobody else gets them before that. Those that a worker had
    /// begun to hand over before its lease ended are `unknown` from now on, and are not among them.
    pub async fn lease_notices(
        &mut self,
        home: i64,
        lease: Uuid,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<Leased>, StoreError> {
        let take = self.sql(LEASE).bind(home).bind(now.micros()).bind(lease);
        let rows: Vec<(i64, Uuid, Vec<u8>, i64)> = take.bind(until.micros()).bind(limit).all().await?;
        let left_behind = self.sql(LEFT_BEHIND).bind(home).bind(lease).bind(now.micros());
        let left_behind: Vec<(Uuid,)> = left_behind.all().await?;
        let (left_behind, mut leased): (Vec<Leased>, Vec<Leased>) = rows
            .into_iter()
            .map(|(subject, notice_id, sealed, attempts)| Leased {
                to: Subject { home, subject },
                notice_id,
                sealed,
                attempts,
                lease,
            })
            .partition(|leased| left_behind.contains(&(leased.notice_id,)));
        for leased in &left_behind {
            self.drop_from_outbox(leased).await?;
        }
        leased.sort_by_key(|leased| (leased.to.subject, leased.notice_id));
        Ok(leased)
    }

    /// Notes that a leased notice is being handed over. True for exactly one caller; false when it must not be: the lease is
    /// over, it was cancelled, or it is being handed over already.
    pub async fn begin_sending(&mut self, leased: &Leased, now: Timestamp) -> Result<bool, StoreError> {
        // The notice before its outbox row, as a cancellation does: the two never wait for each other in a circle.
        let begin = self.sql(BEGIN).bind(leased.to.home).bind(leased.to.subject);
        let begin = begin.bind(leased.notice_id).bind(leased.lease).bind(now.micros());
        if begin.run().await? == 0 {
            return Ok(false);
        }
        let held = self.sql(STILL_LEASED).bind(leased.to.home).bind(leased.to.subject);
        let held = held.bind(leased.notice_id).bind(leased.lease).bind(now.micros());
        match held.run().await? {
            1 => Ok(true),
            _ => Err(StoreError::Contention {
                message: "a notice was leased by another while it was to be sent".to_owned(),
            }),
        }
    }

    /// Holds a leased notice until `until`: handing one over may take longer than a lease, and whoever leased it meanwhile would
    /// take us for dead.
    pub async fn extend_lease(&mut self, leased: &Leased, until: Timestamp) -> Result<(), StoreError> {
        let extend = self.sql(EXTEND).bind(leased.to.home).bind(leased.to.subject);
        let extend = extend.bind(leased.notice_id).bind(leased.lease).bind(until.micros());
        extend.run().await.map(drop)
    }

    /// Records the end of a notice that was being sent. Whoever was slow and is taken for dead may still say how it ended:
    /// `unknown` was no more than that.
    pub async fn end_sending(&mut self, leased: &Leased, state: NoticeState, now: Timestamp) -> Result<(), StoreError> {
        self.drop_from_outbox(leased).await?;
        if !self.move_notice(leased, NoticeState::Sending, state, now).await? {
            self.move_notice(leased, NoticeState::Unknown, state, now).await?;
        }
        Ok(())
    }

    /// Puts a notice that could not be handed over back for a later attempt. Does nothing when it is no longer ours: another
    /// may be handing it over by now.
    pub async fn send_again_at(
        &mut self,
        leased: &Leased,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let again = self.sql(AGAIN).bind(leased.to.home).bind(leased.to.subject);
        let again = again.bind(leased.notice_id).bind(leased.lease).bind(due_at.micros());
        if again.run().await? == 1 {
            self.move_notice(leased, NoticeState::Sending, NoticeState::Queued, now)
                .await?;
        }
        Ok(())
    }

    /// Takes back the notices of a kind that were not sent yet. How many.
    pub async fn cancel_notices(&mut self, to: Subject, kind: &'static str, now: Timestamp) -> Result<u64, StoreError> {
        let cancel = self.sql(CANCEL).bind(to.home).bind(to.subject).bind(kind);
        let cancelled = cancel.bind(now.micros()).run().await?;
        if cancelled > 0 {
            self.sql(DROP_CANCELLED).bind(to.home).bind(to.subject).run().await?;
        }
        Ok(cancelled)
    }

    /// Takes back what an account is told of a containment and was not sent yet. Whether some of it went out, or may have.
    pub async fn take_back_notices(
        &mut self,
        account: AccountNo,
        containment: ContainmentNo,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let to = Subject::from(account);
        let cancel = self.sql(CANCEL_OF_CONTAINMENT).bind(to.home).bind(to.subject);
        if cancel.bind(containment.0).bind(now.micros()).run().await? > 0 {
            self.sql(DROP_CANCELLED).bind(to.home).bind(to.subject).run().await?;
        }
        let out = self.sql(WENT_OUT).bind(to.home).bind(to.subject).bind(containment.0);
        let (out,): (i64,) = out.one().await?;
        Ok(out > 0)
    }

    /// Drops the notices of a home from before a moment. How many.
    pub async fn drop_old_notices(&mut self, home: i64, before: Timestamp) -> Result<u64, StoreError> {
        self.sql(DROP_OLD).bind(home).bind(before.micros()).run().await
    }

    /// How many notices wait to be sent.
    pub async fn count_queued_notices(&mut self) -> Result<u64, StoreError> {
        let (count,): (i64,) = self.sql(COUNT_QUEUED).one().await?;
        Ok(count.unsigned_abs())
    }

    /// What became of a notice.
    pub async fn notice_state(&mut self, to: Subject, notice_id: Uuid) -> Result<Option<NoticeState>, StoreError> {
        let find = self.sql(STATE).bind(to.home).bind(to.subject);
        let row: Option<(String,)> = find.bind(notice_id).opt().await?;
        row.map(|(state,)| NoticeState::read(&state)).transpose()
    }

    async fn move_notice(
        &mut self,
        leased: &Leased,
        from: NoticeState,
        to: NoticeState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let set = self.sql(SET_STATE).bind(leased.to.home).bind(leased.to.subject);
        let set = set.bind(leased.notice_id).bind(to.word()).bind(now.micros());
        Ok(set.bind(from.word()).run().await? == 1)
    }

    async fn drop_from_outbox(&mut self, leased: &Leased) -> Result<(), StoreError> {
        let gone = self.sql(DROP).bind(leased.to.home).bind(leased.to.subject);
        gone.bind(leased.notice_id).run().await.map(drop)
    }
}
