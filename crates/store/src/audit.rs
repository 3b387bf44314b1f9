//! The audit log: one chain of rows per subject, written in the transaction of what it tells.
//!
//! Each row's hash covers the row and the hash before it; the end of each chain is sealed in `audit_head`. The function that
//! computes both is the caller's and has a key, so whoever can only write to the database can forge neither.

use std::sync::Arc;

use rightful_core::Timestamp;
use rightful_core::audit::{AuditEntry, AuditSubject};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    /// Takes the next place in a chain. The write locks the chain's end until COMMIT, so appends to one chain go in turn.
    hot: NEXT = "INSERT INTO audit_head (home, subject, seq, hash, seal) VALUES ($1, $2, 1, $3, $3)
              ON CONFLICT (home, subject) DO UPDATE SET seq = audit_head.seq + 1 RETURNING seq, hash";
    hot: APPEND = "INSERT INTO audit (home, subject, seq, event, actor, body, prev_hash, hash, at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    hot: SEAL = "UPDATE audit_head SET hash = $4, seal = $5 WHERE home = $1 AND subject = $2 AND seq = $3";
    hot: OF_SUBJECT = "SELECT seq, event, actor, body, at FROM audit WHERE home = $1 AND subject = $2 ORDER BY seq";
    : HEADS = "SELECT home, subject, seq, hash, seal FROM audit_head WHERE (home, subject) > ($1, $2)
               ORDER BY home, subject LIMIT 1000";
    : ROWS = "SELECT home, subject, seq, event, actor, body, prev_hash, hash, at FROM audit
              WHERE (home, subject, seq) > ($1, $2, $3) ORDER BY home, subject, seq LIMIT 1000";
}

/// The length of a hash in the chain.
pub const HASH_LEN: usize = 32;

/// Computes the hash of a row from the hash before it (all zero for the first) and the row.
pub type ChainHash = Arc<dyn Fn(&[u8; HASH_LEN], &AuditRow) -> [u8; HASH_LEN] + Send + Sync>;

/// The name that the end of a chain is sealed under. No event has it.
const HEAD: &str = "audit.head";

/// A row of the log in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// The block that the row lies in, or a negative number.
    pub home: i64,
    /// The number within the home.
    pub subject: i64,
    /// The place in the chain, from 1.
    pub seq: i64,
    /// What happened.
    pub event: String,
    /// Who did it.
    pub actor: String,
    /// The particulars as JSON.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

/// What is wrong with the log at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFault {
    /// The row was changed, or one before it was changed and hashed anew.
    Altered,
    /// One or more rows before this place are missing.
    Missing,
    /// Rows are missing from the end of the chain, or its end was changed.
    Cut,
    /// A chain without an end: rows were added to the table directly.
    Headless,
}

/// The first place where the log does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The chain's home.
    pub home: i64,
    /// The chain's subject.
    pub subject: i64,
    /// The place in the chain.
    pub seq: i64,
    /// What is wrong there.
    pub fault: AuditFault,
}

/// What a walk over the whole log found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    /// How many chains were walked to their end.
    pub chains: u64,
    /// How many rows held.
    pub rows: u64,
    /// The first place that did not, if any.
    pub broken: Option<AuditBreak>,
}

impl Tx {
    /// Appends a row to the chain of its subject, in this transaction.
    pub async fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let (home, subject) = (entry.subject.home(), entry.subject.subject());
        let none = [0_u8; HASH_LEN];
        let next = self.sql(NEXT).bind(home).bind(subject).bind(none.to_vec());
        let (seq, before): (i64, Vec<u8>) = next.one().await?;
        let before = hash_from(&before, "audit_head")?;
        let row = AuditRow {
            home,
            subject,
            seq,
            event: entry.event.to_owned(),
            actor: entry.actor.clone(),
            body: entry.body.clone(),
            at: entry.at,
        };
        let hash = (self.shared.chain)(&before, &row);
        let append = self
            .sql(APPEND)
            .bind(home)
            .bind(subject)
            .bind(seq)
            .bind(row.event)
            .bind(row.actor)
            .bind(row.body);
        append
            .bind(before.to_vec())
            .bind(hash.to_vec())
            .bind(entry.at.micros())
            .run()
            .await?;
        let seal = self.seal_of(home, subject, seq, &hash);
        let sealed = self
            .sql(SEAL)
            .bind(home)
            .bind(subject)
            .bind(seq)
            .bind(hash.to_vec())
            .bind(seal.to_vec());
        match sealed.run().await? {
            1 => Ok(()),
            _ => Err(StoreError::Contention {
                message: "two rows met at the end of an audit chain".to_owned(),
            }),
        }
    }

    /// The rows of one subject, oldest first.
    pub async fn audit_rows(&mut self, about: AuditSubject) -> Result<Vec<AuditRow>, StoreError> {
        let (home, subject) = (about.home(), about.subject());
        let rows: Vec<(i64, String, String, String, i64)> = self.sql(OF_SUBJECT).bind(home).bind(subject).all().await?;
        Ok(rows
            .into_iter()
            .map(|(seq, event, actor, body, at)| AuditRow {
                home,
                subject,
                seq,
                event,
                actor,
                body,
                at: Timestamp::from_micros(at),
            })
            .collect())
    }

    /// Walks all chains and stops at the first place that does not hold. Memory does not grow with the log.
    ///
    /// What it cannot see: a whole database put back as it was at an earlier time (`rightful restore` leaves a row that says so),
    /// and a chain that was removed together with its end.
    pub async fn verify_audit(&mut self) -> Result<AuditVerdict, StoreError> {
        let mut walk = Walk {
            verdict: AuditVerdict {
                chains: 0,
                rows: 0,
                broken: None,
            },
            heads: Heads::default(),
            chain: None,
        };
        let mut after = (i64::MIN, i64::MIN, i64::MIN);
        loop {
            let page: Vec<StoredRow> = self.sql(ROWS).bind(after.0).bind(after.1).bind(after.2).all().await?;
            let Some(last) = page.last() else { break };
            after = (last.0, last.1, last.2);
            for row in page {
                if let Some(broken) = walk.step(self, row).await? {
                    return Ok(AuditVerdict {
                        broken: Some(broken),
                        ..walk.verdict
                    });
                }
            }
        }
        let broken = walk.finish(self).await?;
        Ok(AuditVerdict { broken, ..walk.verdict })
    }

    fn seal_of(&self, home: i64, subject: i64, seq: i64, hash: &[u8; HASH_LEN]) -> [u8; HASH_LEN] {
        let at = Timestamp::from_micros(0);
        let head = AuditRow {
            home,
            subject,
            seq,
            event: HEAD.to_owned(),
            actor: String::new(),
            body: String::new(),
            at,
        };
        (self.shared.chain)(hash, &head)
    }
}

fn hash_from(bytes: &[u8], table: &'static str) -> Result<[u8; HASH_LEN], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt { table, column: "hash" })
}

type StoredRow = (i64, i64, i64, String, String, String, Vec<u8>, Vec<u8>, i64);

/// Where a walk is within a chain.
#[derive(Clone, Copy)]
struct End {
    home: i64,
    subject: i64,
    seq: i64,
    hash: [u8; HASH_LEN],
}

impl End {
    const fn broken(&self, fault: AuditFault) -> AuditBreak {
        AuditBreak {
            home: self.home,
            subject: self.subject,
            seq: self.seq,
            fault,
        }
    }
}

struct Walk {
    verdict: AuditVerdict,
    heads: Heads,
    chain: Option<End>,
}

impl Walk {
    async fn step(&mut self, tx: &mut Tx, row: StoredRow) -> Result<Option<AuditBreak>, StoreError> {
        let (home, subject, seq, event, actor, body, prev_hash, hash, at) = row;
        let same = self.chain.is_some_and(|end| (end.home, end.subject) == (home, subject));
        if !same && let Some(broken) = self.end_chain(tx).await? {
            return Ok(Some(broken));
        }
        let before = self.chain.map_or((0, [0; HASH_LEN]), |end| (end.seq, end.hash));
        let here = |fault| {
            Ok(Some(AuditBreak {
                home,
                subject,
                seq,
                fault,
            }))
        };
        if seq != before.0 + 1 {
            return here(AuditFault::Missing);
        }
        let row = AuditRow {
            home,
            subject,
            seq,
            event,
            actor,
            body,
            at: Timestamp::from_micros(at),
        };
        let right = (tx.shared.chain)(&before.1, &row);
        if prev_hash != before.1 || hash != right {
            return here(AuditFault::Altered);
        }
        self.chain = Some(End {
            home,
            subject,
            seq,
            hash: right,
        });
        self.verdict.rows += 1;
        Ok(None)
    }

    /// The chain that was walked last must end where its head says.
    async fn end_chain(&mut self, tx: &mut Tx) -> Result<Option<AuditBreak>, StoreError> {
        let Some(end) = self.chain.take() else { return Ok(None) };
        self.verdict.chains += 1;
        Ok(match self.heads.next(tx).await? {
            Some(head) if (head.home, head.subject) == (end.home, end.subject) => {
                let seal = tx.seal_of(end.home, end.subject, end.seq, &end.hash);
                let holds = head.seq == end.seq && head.hash == end.hash && head.seal == seal;
                (!holds).then(|| end.broken(AuditFault::Cut))
            }
            // A head that comes before has lost all of its rows.
            Some(head) if (head.home, head.subject) < (end.home, end.subject) => Some(head.cut()),
            _ => Some(end.broken(AuditFault::Headless)),
        })
    }

    async fn finish(&mut self, tx: &mut Tx) -> Result<Option<AuditBreak>, StoreError> {
        if let Some(broken) = self.end_chain(tx).await? {
            return Ok(Some(broken));
        }
        Ok(self.heads.next(tx).await?.map(|head| head.cut()))
    }
}

type HeadRow = (i64, i64, i64, Vec<u8>, Vec<u8>);

struct Head {
    home: i64,
    subject: i64,
    seq: i64,
    hash: Vec<u8>,
    seal: Vec<u8>,
}

impl Head {
    const fn cut(&self) -> AuditBreak {
        AuditBreak {
            home: self.home,
            subject: self.subject,
            seq: self.seq,
            fault: AuditFault::Cut,
        }
    }
}

/// The heads in order, a page at a time.
#[derive(Default)]
struct Heads {
    page: std::vec::IntoIter<HeadRow>,
    after: Option<(i64, i64)>,
}

impl Heads {
    async fn next(&mut self, tx: &mut Tx) -> Result<Option<Head>, StoreError> {
        if self.page.len() == 0 {
            let (home, subject) = self.after.unwrap_or((i64::MIN, i64::MIN));
            self.page = tx.sql(HEADS).bind(home).bind(subject).all().await?.into_iter();
        }
        Ok(self.page.next().map(|(home, subject, seq, hash, seal)| {
            self.after = Some((home, subject));
            Head {
                home,
                subject,
                seq,
                hash,
                seal,
            }
        }))
    }
}
