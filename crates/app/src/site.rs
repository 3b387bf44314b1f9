//! A site that is open: its database and the keys that its rows are sealed under.

use std::sync::{Arc, OnceLock};

use rand_core::CryptoRng;
use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::password::{HashRefused, ParseHints, StoredHash};
use rightful_crypto::seal::{
    Key, KeyFile, Place, Purpose, SealBroken, Sealer, Tagger, WrappedKey, mint_data_key, open_data_key,
};
use rightful_crypto::token::TokenKey;
use rightful_store::audit::{AuditRow, ChainHash};
use rightful_store::data_key::DataKey;
use rightful_store::{Address, Store, StoreError};

use crate::env::Env;

/// An open site.
pub struct Site {
    /// Its rows.
    pub store: Store,
    /// Seals what a thief of the database must not read.
    pub sealer: Sealer,
    /// Makes the digests by which secrets are known again.
    pub tagger: Tagger,
    /// Masks the block in bearer tokens.
    pub tokens: TokenKey,
    /// Who acts, for the audit log.
    pub actor: String,
}

/// Why a site does not open.
#[derive(Debug, thiserror::Error)]
pub enum SiteFault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database is sealed and there is no key file.
    #[error("this database is sealed, and its key file is not there. Put the key file back, or name it with --key")]
    KeyMissing,
    /// The key file is not the one of this database.
    #[error("the key file does not open this database")]
    Key(#[source] SealBroken),
    /// A new key file could not be written.
    #[error("the new key file could not be written")]
    NewKey(#[source] std::io::Error),
}

/// Where the key comes from.
pub enum KeySource<'a> {
    /// The key file, read.
    File(KeyFile),
    /// There is none; a database that holds nothing yet gets a new one, written by this.
    New(&'a mut dyn FnMut(&KeyFile) -> std::io::Result<()>),
}

impl Site {
    /// Opens the database, brings its schema up to date, and opens its keys; makes both where the site is new.
    ///
    /// # Errors
    /// See [`SiteFault`].
    pub async fn open(address: &Address, key: KeySource<'_>, actor: &str, env: &mut Env) -> Result<Self, SiteFault> {
        let now = env.now();
        let audit_key: Arc<OnceLock<Tagger>> = Arc::default();
        let store = Store::open_and_migrate(address, chain(Arc::clone(&audit_key)), now).await?;
        let is_new = store
            .read(async |tx| tx.data_keys(Purpose::Seal.word()).await)
            .await?
            .is_empty();
        let file = match key {
            KeySource::File(file) => file,
            KeySource::New(write) if is_new => {
                let file = KeyFile::mint(&mut *env.chance);
                write(&file).map_err(SiteFault::NewKey)?;
                file
            }
            KeySource::New(_) => return Err(SiteFault::KeyMissing),
        };
        let (seal_no, seal) = data_key(&store, &file, Purpose::Seal, env).await?;
        let (_, tag) = data_key(&store, &file, Purpose::Tag, env).await?;
        let (_, audit) = data_key(&store, &file, Purpose::Audit, env).await?;
        let (_, token) = data_key(&store, &file, Purpose::Token, env).await?;
        audit_key.get_or_init(|| Tagger::new(&audit));
        let site = Self {
            store,
            sealer: Sealer::new(seal_no, &seal),
            tagger: Tagger::new(&tag),
            tokens: TokenKey::new(&token),
            actor: actor.to_owned(),
        };
        if is_new {
            let entry = site.entry(AuditSubject::Site, "site.set_up", "{}".to_owned(), now);
            site.store.write(async |tx| tx.audit(&entry).await).await?;
        }
        Ok(site)
    }

    /// A row for the audit log by whoever acts.
    pub fn entry(&self, subject: AuditSubject, event: &'static str, body: String, at: Timestamp) -> AuditEntry {
        AuditEntry {
            subject,
            event,
            actor: self.actor.clone(),
            body,
            at,
        }
    }

    /// Seals a stored password hash for its row.
    pub fn seal_hash(
        &self,
        account: AccountNo,
        password_no: i64,
        hash: &StoredHash,
        chance: &mut dyn CryptoRng,
    ) -> Vec<u8> {
        self.sealer
            .seal(password_place(account, password_no), hash.text().as_bytes(), chance)
    }

    /// Opens a stored password hash.
    ///
    /// # Errors
    /// When it was changed, moved, or is no hash any more.
    pub fn open_hash(&self, account: AccountNo, password_no: i64, sealed: &[u8]) -> Result<StoredHash, HashBroken> {
        let text = self
            .sealer
            .open(password_place(account, password_no), sealed)
            .map_err(HashBroken::Seal)?;
        let text = std::str::from_utf8(&text).map_err(|_| HashBroken::Seal(SealBroken::Changed))?;
        StoredHash::parse(text, &ParseHints::default()).map_err(HashBroken::Hash)
    }

    /// The digest by which a replaced hash is known again in a leak.
    pub fn replaced_digest(&self, account: AccountNo, hash: &StoredHash) -> [u8; 32] {
        self.tagger.replaced_hash(account.get(), hash.text().as_bytes())
    }
}

/// Why a stored hash does not open.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum HashBroken {
    /// The sealed value.
    #[error("a stored password does not open")]
    Seal(#[source] SealBroken),
    /// What was in it.
    #[error("a stored password is no hash that is known")]
    Hash(#[source] HashRefused),
}

fn password_place(account: AccountNo, password_no: i64) -> Place {
    Place {
        column: "password.sealed",
        owner: account.get(),
        row: password_no,
    }
}

/// The audit log is chained under a key of its own, which is in the database and so opens only after it. No row is written
/// before that.
pub(crate) fn chain(key: Arc<OnceLock<Tagger>>) -> ChainHash {
    Arc::new(move |previous: &[u8; 32], row: &AuditRow| {
        let key = key
            .get()
            .expect("the keys of a site are opened before anything is written to its audit log");
        let at = row.at.micros().to_le_bytes();
        let numbers = [row.home.to_le_bytes(), row.subject.to_le_bytes(), row.seq.to_le_bytes()].concat();
        let mut bytes = [previous.as_slice(), &numbers, &at].concat();
        for text in [&row.event, &row.actor, &row.body] {
            // The length goes first, so that no text can run into the next.
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        key.audit_link(row.subject, &bytes)
    })
}

async fn data_key(store: &Store, file: &KeyFile, purpose: Purpose, env: &mut Env) -> Result<(u32, Key), SiteFault> {
    let stored = |keys: Vec<DataKey>| keys.into_iter().max_by_key(|key| key.key_no);
    let found = stored(store.read(async |tx| tx.data_keys(purpose.word()).await).await?);
    let key = match found {
        Some(key) => key,
        None => {
            let minted = mint_data_key(file, purpose, 1, &mut *env.chance);
            let row = DataKey {
                purpose: purpose.word().to_owned(),
                key_no: 1,
                wrapped: minted.wrapped,
                kek_id: minted.kek_id,
                made_at: env.now(),
            };
            // Of several processes that set the site up at once, one writes its key and all read that.
            store.write(async |tx| tx.add_data_key(&row).await).await?;
            stored(store.read(async |tx| tx.data_keys(purpose.word()).await).await?).unwrap_or(row)
        }
    };
    let corrupt = StoreError::Corrupt {
        table: "data_key",
        column: "key_no",
    };
    let key_no = u32::try_from(key.key_no).map_err(|_| corrupt)?;
    let wrapped = WrappedKey {
        key_no,
        kek_id: key.kek_id,
        wrapped: key.wrapped,
    };
    open_data_key(file, purpose, &wrapped)
        .map(|opened| (key_no, opened))
        .map_err(SiteFault::Key)
}
