//! Erasing an account: everything of it goes but its number and what the audit log says.
//!
//! A transaction that began before (a sign-in, a notice, a batch of a scan) may still write a row about the account after it was
//! erased. So the account is swept once more a day later; until then its row says when.

use rightful_core::{AccountNo, PublicId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::adapter::Tx;
use crate::identifier::{id_key, reference_key, slot};
use crate::text::statements;

statements! {
    hot: DUE = "SELECT account_no FROM account WHERE block = $1 AND erase_at <= $2 ORDER BY account_no LIMIT 100";
    hot: IDS = "SELECT public_id, reference FROM account WHERE block = $1 AND account_no = $2";
    hot: ERASED = "UPDATE account SET state = 'erased', epoch = epoch + 1, version = version + 1, public_id = $4, reference = NULL,
        role = 'none', groups = '[]', import_no = NULL, locale = NULL, erase_at = $5
        WHERE block = $1 AND account_no = $2 AND erase_at <= $3 AND state <> 'erased'";
    hot: SWEPT = "UPDATE account SET erase_at = NULL WHERE block = $1 AND account_no = $2 AND erase_at <= $3 AND state = 'erased'";
    hot: NAME_KEYS = "SELECT name_key FROM account_name WHERE block = $1 AND account_no = $2";
    hot: DROP_KEY = "DELETE FROM identifier WHERE slot = $1 AND name_key = $2 AND account_no = $3";
    hot: DROP_SESSIONS = "DELETE FROM session WHERE block = $1 AND account_no = $2";
    hot: DROP_BROWSERS = "DELETE FROM browser WHERE block = $1 AND account_no = $2";
    hot: DROP_AUTHENTICATORS = "DELETE FROM authenticator WHERE block = $1 AND account_no = $2";
    hot: DROP_CODES = "DELETE FROM recovery_code WHERE block = $1 AND account_no = $2";
    hot: DROP_SIGN_INS = "DELETE FROM sign_in WHERE block = $1 AND account_no = $2";
    hot: DROP_HOLDS = "DELETE FROM hold WHERE block = $1 AND account_no = $2";
    hot: DROP_MEMBERSHIPS = "DELETE FROM cohort WHERE block = $1 AND account_no = $2";
    hot: DROP_FLOWS = "DELETE FROM flow WHERE home = $1 AND account_no = $2";
    hot: DROP_BUDGETS = "DELETE FROM budget WHERE home = $1 AND subject = $2";
    hot: DROP_EXPOSURES = "DELETE FROM exposure WHERE block = $1 AND account_no = $2";
    hot: DROP_UNTESTED = "DELETE FROM untested WHERE block = $1 AND account_no = $2";
    hot: DROP_PAIRS = "DELETE FROM pair WHERE block = $1 AND account_no = $2";
    hot: DROP_DIGESTS = "DELETE FROM replaced_hash WHERE block = $1 AND account_no = $2";
    hot: DROP_PASSWORDS = "DELETE FROM password WHERE block = $1 AND account_no = $2";
    hot: DROP_CONTACTS = "DELETE FROM contact WHERE block = $1 AND account_no = $2";
    hot: DROP_NAMES = "DELETE FROM account_name WHERE block = $1 AND account_no = $2";
    hot: DROP_NOTICES = "DELETE FROM notice WHERE home = $1 AND subject = $2";
    hot: DROP_OUTBOX = "DELETE FROM outbox WHERE home = $1 AND subject = $2";
    hot: DROP_MATCH_KEY = "DELETE FROM match_key WHERE slot = $1 AND match_key = $2 AND account_no = $3";
}

/// How long after the erasure an account is swept once more, in seconds: longer than any transaction lasts.
const SWEPT_AFTER: i64 = 24 * 60 * 60;

/// Everything of an account that goes, by block (or home) and number.
const DROPS: [&str; 18] = [
    DROP_SESSIONS,
    DROP_BROWSERS,
    DROP_AUTHENTICATORS,
    DROP_CODES,
    DROP_SIGN_INS,
    DROP_HOLDS,
    DROP_MEMBERSHIPS,
    DROP_FLOWS,
    DROP_BUDGETS,
    DROP_EXPOSURES,
    DROP_UNTESTED,
    DROP_PAIRS,
    DROP_DIGESTS,
    DROP_PASSWORDS,
    DROP_CONTACTS,
    DROP_NAMES,
    DROP_NOTICES,
    DROP_OUTBOX,
];

impl Tx {
    /// The accounts of a block whose deletion, or its second sweep, is due, at most 100.
    pub async fn accounts_to_erase(&mut self, block: i64, now: Timestamp) -> Result<Vec<AccountNo>, StoreError> {
        let rows: Vec<(i64,)> = self.sql(DUE).bind(block).bind(now.micros()).all().await?;
        Ok(rows.into_iter().map(|(no,)| AccountNo::new(no)).collect())
    }

    /// Erases an account whose deletion is due. False when it was taken back meanwhile, or done; a second sweep that is due is
    /// made then.
    ///
    /// `match_keys` are found again from the names and contacts: they are the loose keys of each.
    pub async fn erase_account(
        &mut self,
        account: AccountNo,
        match_keys: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (block, no, at) = (account.block(), account.get(), now.micros());
        self.sessions_changed(account);
        // A name that is added meanwhile is either among these keys or refused.
        self.take_turn(account).await?;
        let strict_keys = self.strict_keys(account).await?;
        let erase = self.sql(ERASED).bind(block).bind(no).bind(at).bind(Uuid::nil());
        let erased = erase.bind(now.plus_seconds(SWEPT_AFTER).micros()).run().await? == 1;
        if !erased && self.sql(SWEPT).bind(block).bind(no).bind(at).run().await? == 0 {
            return Ok(false);
        }
        for key in strict_keys {
            let gone = self.sql(DROP_KEY).bind(slot(key.as_bytes())).bind(key).bind(no);
            gone.run().await?;
        }
        for key in match_keys {
            let gone = self.sql(DROP_MATCH_KEY).bind(slot(key)).bind(key.clone()).bind(no);
            gone.run().await?;
        }
        for text in DROPS {
            self.sql(text).bind(block).bind(no).run().await?;
        }
        Ok(erased)
    }

    /// Everything that finds an account: its names, also those that it gave up, its public id, its id of elsewhere.
    async fn strict_keys(&mut self, account: AccountNo) -> Result<Vec<String>, StoreError> {
        let (block, no) = (account.block(), account.get());
        let names: Vec<(String,)> = self.sql(NAME_KEYS).bind(block).bind(no).all().await?;
        let ids: Option<(Uuid, Option<String>)> = self.sql(IDS).bind(block).bind(no).opt().await?;
        let (id, reference) = ids.unzip();
        let names = names.into_iter().map(|(key,)| key);
        let id = id.map(|id| id_key(PublicId(id)));
        let reference = reference.flatten().map(|reference| reference_key(&reference));
        Ok(names.chain(id).chain(reference).collect())
    }
}
