use std::collections::BTreeMap;

use rightful_store::migrate::MIGRATIONS;
use rightful_store::{Store, StoreError};
use rightful_testkit::databases::TestDatabase;

use crate::support::{Engine, NOW, Raw, TestStore, chain, on_both_engines, race};

on_both_engines!(
    a_database_without_the_schema_is_not_served,
    many_nodes_migrate_at_once,
    migrating_again_changes_nothing,
    a_newer_schema_is_refused,
    an_altered_migration_is_refused,
    a_node_killed_while_migrating_leaves_nothing,
    every_table_is_in_the_backup,
);

fn newest() -> i64 {
    MIGRATIONS.last().expect("a migration").version
}

async fn a_database_without_the_schema_is_not_served(engine: Engine) {
    let database = TestDatabase::new(engine).await;
    let refused = Store::open(database.address(), chain()).await;
    assert!(
        matches!(refused, Err(StoreError::SchemaOlder { found: 0, known }) if known == newest()),
        "{refused:?}"
    );
    drop(
        Store::open_and_migrate(database.address(), chain(), NOW)
            .await
            .expect("migrated"),
    );
    Store::open(database.address(), chain()).await.expect("now it is");
}

async fn many_nodes_migrate_at_once(engine: Engine) {
    let database = TestDatabase::new(engine).await;
    let opened = race(8, |_| {
        let address = database.address().clone();
        async move { Store::open_and_migrate(&address, chain(), NOW).await }
    })
    .await;
    for node in opened {
        node.expect("every node comes up");
    }
    let mut raw = Raw::connect(database.address()).await;
    assert_eq!(raw.number("SELECT COUNT(*) FROM schema_migration").await, newest());
}

async fn migrating_again_changes_nothing(engine: Engine) {
    let store = TestStore::new(engine).await;
    store.migrate(NOW.plus_seconds(99)).await.expect("nothing to do");
    assert_eq!(
        store.number("SELECT MAX(applied_at) FROM schema_migration").await,
        NOW.micros()
    );
}

async fn a_newer_schema_is_refused(engine: Engine) {
    let store = TestStore::new(engine).await;
    let next = newest() + 1;
    store
        .raw(&format!(
            "INSERT INTO schema_migration VALUES ({next}, 'later', 'x', 1)"
        ))
        .await
        .expect("a later migration");
    for refused in [
        Store::open(store.address(), chain()).await,
        Store::open_and_migrate(store.address(), chain(), NOW).await,
    ] {
        assert!(
            matches!(refused, Err(StoreError::SchemaNewer { found, .. }) if found == next),
            "{refused:?}"
        );
    }
}

async fn an_altered_migration_is_refused(engine: Engine) {
    let store = TestStore::new(engine).await;
    store
        .raw("UPDATE schema_migration SET checksum = 'x' WHERE version = 1")
        .await
        .expect("altered");
    let refused = Store::open(store.address(), chain()).await;
    assert!(
        matches!(refused, Err(StoreError::SchemaAltered { version: 1 })),
        "{refused:?}"
    );
}

/// A node has recorded a migration and made a part of its tables when it is killed. Another one waits for it meanwhile.
async fn a_node_killed_while_migrating_leaves_nothing(engine: Engine) {
    let database = TestDatabase::new(engine).await;
    let mut killed = Raw::connect(database.address()).await;
    killed.run("CREATE TABLE schema_migration (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)").await.expect("the bookkeeping");
    let begin = if engine == Engine::Sqlite {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN"
    };
    for step in [
        begin,
        "INSERT INTO schema_migration VALUES (1, 'accounts', 'half', 1)",
        "CREATE TABLE account (a BIGINT)",
    ] {
        killed.run(step).await.expect(step);
    }
    let address = database.address().clone();
    let waiting = tokio::spawn(async move { Store::open_and_migrate(&address, chain(), NOW).await });
    tokio::task::yield_now().await;
    killed.end().await;
    let store = waiting.await.expect("no panic").expect("it goes on");
    assert_eq!(
        store
            .read(async move |tx| tx.count_accounts().await)
            .await
            .expect("a count"),
        0
    );
}

/// Table and column, with the type in PostgreSQL's words.
type Columns = BTreeMap<(String, String), String>;

async fn columns(engine: Engine) -> Columns {
    let store = TestStore::new(engine).await;
    let text = match engine {
        Engine::Sqlite => {
            r#"SELECT m.name, c.name, CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN c.type || ' NOT NULL' ELSE c.type END
               FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"#
        }
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), data_type || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
    };
    let mut raw = Raw::connect(store.address()).await;
    let mut all = [Vec::new(), Vec::new(), Vec::new()];
    for (place, column) in all.iter_mut().enumerate() {
        *column = raw.texts(text, place).await;
    }
    let [tables, names, types] = all;
    let types = types
        .into_iter()
        .map(|sql_type| match sql_type.trim_end_matches(" NOT NULL") {
            "INTEGER" => sql_type.replace("INTEGER", "bigint"),
            "TEXT" => sql_type.replace("TEXT", "text"),
            _ => sql_type.replace("BLOB", "bytea").replace("uuid", "bytea"),
        });
    tables.into_iter().zip(names).zip(types).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_have_the_same_tables_and_columns() {
    let (sqlite, postgres) = (columns(Engine::Sqlite).await, columns(Engine::Postgres).await);
    assert!(sqlite.len() > 100, "{} columns", sqlite.len());
    assert_eq!(sqlite, postgres);
}

/// Indices with their columns, by table; those of keys too.
async fn indices(engine: Engine) -> Vec<String> {
    let store = TestStore::new(engine).await;
    let text = match engine {
        Engine::Sqlite => {
            r#"SELECT m.name || ' ' || i."unique" || ' ' || i.partial || ' ' ||
               (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
               FROM sqlite_schema m, pragma_index_list(m.name) i WHERE m.type = 'table' ORDER BY 1"#
        }
        Engine::Postgres => {
            r"SELECT t.relname || ' ' || CAST(CAST(i.indisunique AS INT) AS TEXT) || ' ' || CASE WHEN i.indpred IS NULL THEN '0' ELSE '1' END || ' ' ||
               (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
                JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum)
               FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE t.relnamespace = CAST(current_schema() AS regnamespace)
               ORDER BY 1"
        }
    };
    let mut indices = Raw::connect(store.address()).await.texts(text, 0).await;
    indices.sort();
    indices
}

#[tokio::test(flavor = "multi_thread")]
async fn both_engines_have_the_same_keys_and_indices() {
    let (sqlite, postgres) = (indices(Engine::Sqlite).await, indices(Engine::Postgres).await);
    assert!(sqlite.len() > 20, "{sqlite:#?}");
    assert_eq!(sqlite, postgres);
}

async fn every_table_is_in_the_backup(engine: Engine) {
    let mut saved: Vec<(String, String)> = rightful_store::backup::tables()
        .into_iter()
        .flat_map(|(table, columns)| {
            columns
                .iter()
                .map(move |column| (table.to_owned(), (*column).to_owned()))
        })
        .collect();
    saved.sort();
    let there: Vec<_> = columns(engine)
        .await
        .into_keys()
        .filter(|(table, _)| table != "schema_migration")
        .collect();
    assert_eq!(saved, there);
}
