//! Signed-in browsers and programs, and the browsers on which an owner signed in before.

use rightful_core::assurance::{Acr, Born, Proofs};
use rightful_core::role::Role;
use rightful_core::{AccountNo, PublicId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    hot: OPEN = "INSERT INTO session (block, account_no, token_hash, session_id, use, epoch, mark, acr, methods, agent, address,
        browser_id, proved_at, made_at, seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15)";
    hot: FIND = "SELECT session.account_no, session_id, use, session.epoch, mark, acr, methods, proved_at, made_at, seen_at, expires_at,
        browser_id, account.epoch, account.state, account.public_id, account.role FROM session
        JOIN account ON account.block = session.block AND account.account_no = session.account_no
        WHERE session.block = $1 AND session.token_hash = $2 AND session.ended_at IS NULL AND session.expires_at > $3
        AND account.block = $1";
    hot: OF_ACCOUNT = "SELECT session_id, use, epoch, mark, acr, methods, agent, address, made_at, seen_at, expires_at FROM session
        WHERE block = $1 AND account_no = $2 AND ended_at IS NULL AND expires_at > $3 ORDER BY made_at";
    hot: SEEN = "UPDATE session SET seen_at = $3 WHERE block = $1 AND token_hash = $2 AND seen_at < $3";
    hot: PROVED = "UPDATE session SET proved_at = $3, acr = $4, methods = $5
        WHERE block = $1 AND token_hash = $2 AND ended_at IS NULL";
    hot: MOVE = "UPDATE session SET token_hash = $3, epoch = $4 WHERE block = $1 AND token_hash = $2 AND ended_at IS NULL";
    hot: END = "UPDATE session SET ended_at = $3 WHERE block = $1 AND token_hash = $2 AND ended_at IS NULL";
    hot: END_ONE = "UPDATE session SET ended_at = $4
        WHERE block = $1 AND account_no = $2 AND session_id = $3 AND ended_at IS NULL";
    hot: END_ALL = "UPDATE session SET ended_at = $3 WHERE block = $1 AND account_no = $2 AND ended_at IS NULL";
    hot: END_OTHERS = "UPDATE session SET ended_at = $4
        WHERE block = $1 AND account_no = $2 AND ended_at IS NULL AND token_hash <> $3";
    hot: RAISE_EPOCH = "UPDATE account SET epoch = epoch + 1, version = version + 1
        WHERE block = $1 AND account_no = $2 AND state <> 'erased' RETURNING epoch";
    hot: DROP_OLD = "DELETE FROM session WHERE block = $1 AND account_no = $2 AND made_at < $3 AND expires_at < $4";
    hot: RECOGNISE = "INSERT INTO browser (block, account_no, token_hash, browser_id, agent, mark, made_at, seen_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
    hot: FIND_BROWSER = "SELECT account_no, browser_id, mark, made_at FROM browser
        WHERE block = $1 AND token_hash = $2 AND ended_at IS NULL";
    hot: BROWSER_SEEN = "UPDATE browser SET seen_at = $3, agent = $4 WHERE block = $1 AND token_hash = $2";
    hot: ANY_BROWSER = "SELECT CAST(COUNT(*) AS BIGINT) FROM browser WHERE block = $1 AND account_no = $2";
    hot: END_BROWSERS = "UPDATE browser SET ended_at = $3 WHERE block = $1 AND account_no = $2 AND ended_at IS NULL";
}

/// What uses a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionUse {
    /// A browser, by a cookie.
    Browser,
    /// A program, by a token in a header.
    Api,
}

impl SessionUse {
    const ALL: [Self; 2] = [Self::Browser, Self::Api];

    /// The word in the table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Api => "api",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|known| known.word() == word)
            .ok_or(CORRUPT_USE)
    }
}

const CORRUPT_USE: StoreError = StoreError::Corrupt {
    table: "session",
    column: "use",
};

fn read_proofs(methods: &str) -> Result<Proofs, StoreError> {
    Proofs::from_words(methods).ok_or(StoreError::Corrupt {
        table: "session",
        column: "methods",
    })
}

fn read_acr(word: &str) -> Result<Acr, StoreError> {
    Acr::from_word(word).ok_or(StoreError::Corrupt {
        table: "session",
        column: "acr",
    })
}

/// A session about to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose.
    pub account: AccountNo,
    /// The SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// What pages name it by.
    pub session_id: Uuid,
    /// What uses it.
    pub used_by: SessionUse,
    /// The epoch and mark from before its first proof.
    pub born: Born,
    /// How strong.
    pub acr: Acr,
    /// What was proved.
    pub proofs: Proofs,
    /// The browser or program, in words.
    pub agent: String,
    /// Where it came from.
    pub address: String,
    /// The recognised browser that it runs in.
    pub browser_id: Option<Uuid>,
    /// When the last fresh proof was.
    pub proved_at: Timestamp,
    /// When it opens.
    pub made_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A session that was found by its token, with what of the account decides whether it still lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub account: AccountNo,
    /// What pages name it by.
    pub session_id: Uuid,
    /// What uses it.
    pub used_by: SessionUse,
    /// The epoch and mark that it carries.
    pub born: Born,
    /// How strong.
    pub acr: Acr,
    /// What was proved.
    pub proofs: Proofs,
    /// When the last fresh proof was.
    pub proved_at: Timestamp,
    /// When it opened.
    pub made_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// The recognised browser that it runs in.
    pub browser_id: Option<Uuid>,
    /// The account's epoch now.
    pub account_epoch: i64,
    /// Whether the account is open: neither held nor erased.
    pub account_open: bool,
    /// The id of the account that others see.
    pub public_id: PublicId,
    /// What the account may do for the site.
    pub role: Option<Role>,
}

/// A session as it is listed to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// What it is named by.
    pub session_id: Uuid,
    /// What uses it.
    pub used_by: SessionUse,
    /// The epoch and mark that it carries.
    pub born: Born,
    /// How strong.
    pub acr: Acr,
    /// What was proved.
    pub proofs: Proofs,
    /// The browser or program.
    pub agent: String,
    /// Where it came from.
    pub address: String,
    /// When it opened.
    pub made_at: Timestamp,
    /// When it was used last, to the minute.
    pub seen_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A browser on which the owner signed in before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Whose.
    pub account: AccountNo,
    /// What budgets and sessions name it by.
    pub browser_id: Uuid,
    /// The mark from when it was first recognised.
    pub mark: i64,
    /// When it was first recognised.
    pub made_at: Timestamp,
}

impl Tx {
    /// Opens a session. Takes the account's turn: whatever ends all sessions came before (then this one carries too low an
    /// epoch) or sees it.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when there is no such account any more.
    pub async fn open_session(&mut self, new: &NewSession) -> Result<(), StoreError> {
        if !self.take_turn(new.account).await? {
            return Err(StoreError::Changed { what: "account" });
        }
        let open = self.sql(OPEN).bind(new.account.block()).bind(new.account.get());
        let open = open
            .bind(new.token_hash.to_vec())
            .bind(new.session_id)
            .bind(new.used_by.word())
            .bind(new.born.epoch)
            .bind(new.born.mark);
        let open = open
            .bind(new.acr.word())
            .bind(new.proofs.words())
            .bind(new.agent.clone())
            .bind(new.address.clone())
            .bind(new.browser_id);
        let open = open.bind(new.proved_at.micros()).bind(new.made_at.micros());
        open.bind(new.expires_at.micros()).run().await.map(drop)
    }

    /// The session of a token, unless it was ended or its time is over. Whether it lives, [`Born::lives`] says.
    pub async fn session(
        &mut self,
        block: i64,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        type Row = (
            i64,
            Uuid,
            String,
            i64,
            i64,
            String,
            String,
            i64,
            i64,
            i64,
            i64,
            Option<Uuid>,
            i64,
            String,
            Uuid,
            String,
        );
        let find = self.sql(FIND).bind(block).bind(token_hash.to_vec()).bind(now.micros());
        let Some(row): Option<Row> = find.opt().await? else {
            return Ok(None);
        };
        Ok(Some(Session {
            account: AccountNo::new(row.0),
            session_id: row.1,
            used_by: SessionUse::read(&row.2)?,
            born: Born {
                epoch: row.3,
                mark: row.4,
            },
            acr: read_acr(&row.5)?,
            proofs: read_proofs(&row.6)?,
            proved_at: Timestamp::from_micros(row.7),
            made_at: Timestamp::from_micros(row.8),
            seen_at: Timestamp::from_micros(row.9),
            expires_at: Timestamp::from_micros(row.10),
            browser_id: row.11,
            account_epoch: row.12,
            account_open: row.13 == "open",
            public_id: PublicId(row.14),
            role: Role::from_word(&row.15),
        }))
    }

    /// The sessions of an account that were not ended, oldest first.
    pub async fn sessions(&mut self, account: AccountNo, now: Timestamp) -> Result<Vec<ListedSession>, StoreError> {
        type Row = (Uuid, String, i64, i64, String, String, String, String, i64, i64, i64);
        let list = self.sql(OF_ACCOUNT).bind(account.block()).bind(account.get());
        let rows: Vec<Row> = list.bind(now.micros()).all().await?;
        rows.into_iter()
            .map(|row| {
                Ok(ListedSession {
                    session_id: row.0,
                    used_by: SessionUse::read(&row.1)?,
                    born: Born {
                        epoch: row.2,
                        mark: row.3,
                    },
                    acr: read_acr(&row.4)?,
                    proofs: read_proofs(&row.5)?,
                    agent: row.6,
                    address: row.7,
                    made_at: Timestamp::from_micros(row.8),
                    seen_at: Timestamp::from_micros(row.9),
                    expires_at: Timestamp::from_micros(row.10),
                })
            })
            .collect()
    }

    /// Notes that a session is in use.
    pub async fn session_seen(&mut self, block: i64, token_hash: [u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let seen = self.sql(SEEN).bind(block).bind(token_hash.to_vec());
        seen.bind(now.micros()).run().await.map(drop)
    }

    /// Notes a fresh proof of a session. False when it was ended meanwhile.
    pub async fn session_proved(
        &mut self,
        account: AccountNo,
        token_hash: [u8; 32],
        proofs: Proofs,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.sessions_changed(account);
        let proved = self.sql(PROVED).bind(account.block()).bind(token_hash.to_vec());
        let proved = proved.bind(now.micros()).bind(proofs.acr().word()).bind(proofs.words());
        Ok(proved.run().await? == 1)
    }

    /// Gives a session a new token, and the epoch that its account has now: the one session that outlives a change that its
    /// owner made in it. False when it was ended meanwhile: then whoever makes the change is no longer signed in, and nothing
    /// of this transaction may be kept.
    ///
    /// For a new epoch, come here after [`Tx::raise_epoch`] in the same transaction: it takes the account's turn, so that
    /// whatever ends all sessions (a hold, another change) came before, and is seen, or comes after, and ends this one too.
    pub async fn move_session(
        &mut self,
        account: AccountNo,
        from: [u8; 32],
        to: [u8; 32],
        epoch: i64,
    ) -> Result<bool, StoreError> {
        self.sessions_changed(account);
        let moved = self
            .sql(MOVE)
            .bind(account.block())
            .bind(from.to_vec())
            .bind(to.to_vec());
        Ok(moved.bind(epoch).run().await? == 1)
    }

    /// Ends the session of a token.
    pub async fn end_session(
        &mut self,
        account: AccountNo,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.sessions_changed(account);
        let end = self.sql(END).bind(account.block()).bind(token_hash.to_vec());
        end.bind(now.micros()).run().await.map(drop)
    }

    /// Ends one session of an account. False when there is none of this name.
    pub async fn end_one_session(
        &mut self,
        account: AccountNo,
        session_id: Uuid,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.sessions_changed(account);
        let end = self.sql(END_ONE).bind(account.block()).bind(account.get());
        Ok(end.bind(session_id).bind(now.micros()).run().await? == 1)
    }

    /// Ends all sessions of an account. How many.
    pub async fn end_sessions(&mut self, account: AccountNo, now: Timestamp) -> Result<u64, StoreError> {
        self.sessions_changed(account);
        self.take_turn(account).await?;
        let end = self.sql(END_ALL).bind(account.block()).bind(account.get());
        end.bind(now.micros()).run().await
    }

    /// Ends all sessions of an account but one. How many.
    pub async fn end_other_sessions(
        &mut self,
        account: AccountNo,
        kept: [u8; 32],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.sessions_changed(account);
        self.take_turn(account).await?;
        let end = self.sql(END_OTHERS).bind(account.block()).bind(account.get());
        end.bind(kept.to_vec()).bind(now.micros()).run().await
    }

    /// Raises the epoch of an account: everything that carries a lower one is dead. Returns the new one.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when there is no such account any more.
    pub async fn raise_epoch(&mut self, account: AccountNo) -> Result<i64, StoreError> {
        self.sessions_changed(account);
        let raise = self.sql(RAISE_EPOCH).bind(account.block()).bind(account.get());
        let raised: Option<(i64,)> = raise.opt().await?;
        raised
            .map(|(epoch,)| epoch)
            .ok_or(StoreError::Changed { what: "account" })
    }

    /// Drops the sessions of an account whose time was over before `before`: called where a new one opens, so that rows do not
    /// pile up.
    pub async fn drop_old_sessions(&mut self, account: AccountNo, before: Timestamp) -> Result<u64, StoreError> {
        let old = self.sql(DROP_OLD).bind(account.block()).bind(account.get());
        old.bind(before.micros()).bind(before.micros()).run().await
    }

    /// Recognises a browser from now on.
    pub async fn recognise_browser(
        &mut self,
        browser: &Browser,
        token_hash: [u8; 32],
        agent: &str,
    ) -> Result<(), StoreError> {
        let new = self
            .sql(RECOGNISE)
            .bind(browser.account.block())
            .bind(browser.account.get());
        let new = new.bind(token_hash.to_vec()).bind(browser.browser_id);
        new.bind(agent.to_owned())
            .bind(browser.mark)
            .bind(browser.made_at.micros())
            .run()
            .await
            .map(drop)
    }

    /// The recognised browser of a token.
    pub async fn browser(&mut self, block: i64, token_hash: [u8; 32]) -> Result<Option<Browser>, StoreError> {
        let row: Option<(i64, Uuid, i64, i64)> = self
            .sql(FIND_BROWSER)
            .bind(block)
            .bind(token_hash.to_vec())
            .opt()
            .await?;
        Ok(row.map(|(no, browser_id, mark, made_at)| Browser {
            account: AccountNo::new(no),
            browser_id,
            mark,
            made_at: Timestamp::from_micros(made_at),
        }))
    }

    /// Notes that the owner signed in on a recognised browser.
    pub async fn browser_seen(
        &mut self,
        block: i64,
        token_hash: [u8; 32],
        agent: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let seen = self.sql(BROWSER_SEEN).bind(block).bind(token_hash.to_vec());
        seen.bind(now.micros()).bind(agent.to_owned()).run().await.map(drop)
    }

    /// Whether the owner ever signed in on a browser.
    pub async fn has_browser(&mut self, account: AccountNo) -> Result<bool, StoreError> {
        let count = self.sql(ANY_BROWSER).bind(account.block()).bind(account.get());
        let (count,): (i64,) = count.one().await?;
        Ok(count > 0)
    }

    /// Ends the recognition of all browsers of an account.
    pub async fn end_browsers(&mut self, account: AccountNo, now: Timestamp) -> Result<u64, StoreError> {
        let end = self.sql(END_BROWSERS).bind(account.block()).bind(account.get());
        end.bind(now.micros()).run().await
    }
}
