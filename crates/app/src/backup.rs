//! `backup` and `restore`: all rows in one file that fits either engine.
//!
//! In front of the store's own format stand the wrapped data keys, so that a restore can check the seal over the file, which
//! is keyed, before the database exists. The key file is never part of a backup.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Arc, OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_crypto::seal::{Key, KeyFile, Purpose, SealBroken, Tagger, WrappedKey, open_data_key};
use rightful_store::backup::{BackupError, BackupSummary, Seal};
use rightful_store::data_key::DataKey;
use rightful_store::{Address, Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::env::Env;
use crate::site::{Site, chain};

/// The first line of a backup begins so.
const HEAD: &str = "rightful backup keys 1 ";

/// The longest first line that is read.
const MAX_HEAD: u64 = 64 * 1024;

/// By how much the site's mark jumps after a restore: more than any number of waves that the lost days may have had.
const MARK_JUMP: i64 = 1_000_000;

/// Why a backup could not be made or restored. In every case the database is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// The file, or the database.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file is not the one under which this backup was made.
    #[error("the key file does not open this backup")]
    Key(#[source] SealBroken),
}

#[derive(Serialize, Deserialize)]
struct Keys {
    keys: Vec<(String, u32, String, String)>,
}

/// The seal over a backup: whoever has the file but not the key cannot change it unseen.
struct KeyedSeal(Hmac<Sha256>);

impl KeyedSeal {
    fn new(tag_key: &Key) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(tag_key.expose()).expect("HMAC takes keys of any length");
        mac.update(b"rightful backup\0");
        Self(mac)
    }
}

impl Seal for KeyedSeal {
    fn update(&mut self, bytes: &[u8]) {
        Mac::update(&mut self.0, bytes);
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

/// Writes a backup of the site, from one moment, while others go on working.
///
/// # Errors
/// See [`BackupFault`].
pub async fn write_backup(
    site: &Site,
    file: &KeyFile,
    mut to: impl Write + Send,
) -> Result<BackupSummary, BackupFault> {
    let mut keys = Vec::new();
    let mut tag_key = None;
    for purpose in Purpose::ALL {
        for key in site.store.read(async |tx| tx.data_keys(purpose.word()).await).await? {
            let wrapped = wrapped(&key)?;
            if purpose == Purpose::Tag {
                tag_key = Some(open_data_key(file, purpose, &wrapped).map_err(BackupFault::Key)?);
            }
            keys.push((
                purpose.word().to_owned(),
                wrapped.key_no,
                BASE64.encode(wrapped.wrapped),
                wrapped.kek_id,
            ));
        }
    }
    let tag_key = tag_key.ok_or(BackupFault::Key(SealBroken::UnknownDataKey))?;
    let head = serde_json::to_string(&Keys { keys }).expect("texts and numbers are JSON");
    writeln!(to, "{HEAD}{head}").map_err(BackupError::Io)?;
    Ok(site.store.backup(to, KeyedSeal::new(&tag_key)).await?)
}

fn wrapped(key: &DataKey) -> Result<WrappedKey, StoreError> {
    let key_no = u32::try_from(key.key_no).map_err(|_| StoreError::Corrupt {
        table: "data_key",
        column: "key_no",
    })?;
    Ok(WrappedKey {
        key_no,
        kek_id: key.kek_id.clone(),
        wrapped: key.wrapped.clone(),
    })
}

/// Restores a backup into an empty database. Every session of before is dead afterwards.
///
/// # Errors
/// See [`BackupFault`]; nothing is kept then.
pub async fn restore_backup(
    address: &Address,
    file: &KeyFile,
    from: impl Read + Send,
    actor: &str,
    env: &Env,
) -> Result<BackupSummary, BackupFault> {
    let mut from = BufReader::with_capacity(1 << 18, from);
    let keys = read_head(&mut from)?;
    let tag = key_of(&keys, file, Purpose::Tag)?;
    let audit = key_of(&keys, file, Purpose::Audit)?;
    let audit_key = Arc::new(OnceLock::from(Tagger::new(&audit)));
    let now = env.now();
    let store = Store::open_and_migrate(address, chain(audit_key), now).await?;
    let entry = AuditEntry {
        subject: AuditSubject::Site,
        event: "site.restored",
        actor: actor.to_owned(),
        body: "{}".to_owned(),
        at: now,
    };
    Ok(store.restore(from, KeyedSeal::new(&tag), &entry, MARK_JUMP).await?)
}

fn read_head(from: &mut impl BufRead) -> Result<Keys, BackupFault> {
    let mut line = Vec::new();
    from.take(MAX_HEAD)
        .read_until(b'\n', &mut line)
        .map_err(BackupError::Io)?;
    let json = line.strip_prefix(HEAD.as_bytes()).ok_or(BackupError::NotABackup)?;
    serde_json::from_slice(json).map_err(|_| BackupError::NotABackup.into())
}

fn key_of(keys: &Keys, file: &KeyFile, purpose: Purpose) -> Result<Key, BackupFault> {
    let newest = keys
        .keys
        .iter()
        .filter(|key| key.0 == purpose.word())
        .max_by_key(|key| key.1);
    let (_, key_no, wrapped, kek_id) = newest.ok_or(BackupFault::Key(SealBroken::UnknownDataKey))?;
    let wrapped = BASE64
        .decode(wrapped)
        .map_err(|_| BackupError::Altered { what: "its keys" })?;
    let wrapped = WrappedKey {
        key_no: *key_no,
        kek_id: kek_id.clone(),
        wrapped,
    };
    open_data_key(file, purpose, &wrapped).map_err(BackupFault::Key)
}
