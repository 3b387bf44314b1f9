use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rightful_store::{Address, Store, StoreError};
use tempfile::TempDir;

use crate::support::{NOW, chain};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

async fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open_and_migrate(&Address::Sqlite(path.to_owned()), chain(), NOW).await
}

#[tokio::test]
async fn the_data_file_is_the_owners_alone() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("data/rightful.db");
    let store = open(&path).await.expect("a new file");
    assert_eq!(mode(path.parent().expect("a folder")), 0o700);
    for file in ["rightful.db", "rightful.db-wal", "rightful.db-shm"] {
        assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
    }
    store.close().await;
    assert!(
        !path.with_file_name("rightful.db-wal").exists(),
        "the log is folded into the file"
    );
}

#[tokio::test]
async fn a_file_that_others_may_read_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("rightful.db");
    open(&path).await.expect("a new file").close().await;
    for loose in [0o640, 0o604, 0o660, 0o666] {
        set_mode(&path, loose);
        let refused = open(&path).await;
        assert!(
            matches!(refused, Err(StoreError::UnsafeMode { wanted: "600", .. })),
            "{loose:o}: {refused:?}"
        );
    }
    set_mode(&path, 0o600);
    open(&path).await.expect("its own mode");
}

#[tokio::test]
async fn a_folder_that_others_may_change_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("rightful.db");
    for (folder_mode, taken) in [
        (0o770, false),
        (0o707, false),
        (0o755, true),
        (0o1777, true),
        (0o700, true),
    ] {
        set_mode(folder.path(), folder_mode);
        let outcome = open(&path).await;
        assert_eq!(outcome.is_ok(), taken, "{folder_mode:o}: {outcome:?}");
    }
}

#[tokio::test]
async fn something_that_is_no_database_is_refused_and_left_alone() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("rightful.db");
    let text = "user,password\n".repeat(400);
    fs::write(&path, &text).expect("a file");
    set_mode(&path, 0o600);
    assert!(matches!(open(&path).await, Err(StoreError::Backend { .. })));
    assert_eq!(fs::read_to_string(&path).expect("the file"), text);
}
