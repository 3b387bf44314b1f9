//! Rules that every statement keeps, read off their texts and off the plans of both engines.

use std::collections::BTreeSet;

use rightful_store::text::{Statement, all_statements, all_statements_over_many};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::support::{Engine, Raw, TestStore, on_both_engines};

on_both_engines!(
    every_statement_prepares,
    hot_statements_find_their_rows_through_an_index
);

/// The tables that are spread over shards, with the column that says where.
const SPREAD: &[(&str, &str)] = &[
    ("account", "block"),
    ("account_name", "block"),
    ("contact", "block"),
    ("password", "block"),
    ("replaced_hash", "block"),
    ("exposure", "block"),
    ("pair", "block"),
    ("untested", "block"),
    ("hold", "block"),
    ("authenticator", "block"),
    ("recovery_code", "block"),
    ("session", "block"),
    ("browser", "block"),
    ("cohort", "block"),
    ("sign_in", "block"),
    ("flow", "home"),
    ("budget", "home"),
    ("notice", "home"),
    ("outbox", "home"),
    ("audit", "home"),
    ("audit_head", "home"),
    ("identifier", "slot"),
    ("match_key", "slot"),
];

/// Statements over all blocks, each with the reason why it may be. Every one of them belongs to one reader at a time.
const OVER_ALL_BLOCKS: &[(&str, &str)] = &[
    ("rightful_store::account::COUNT", "a figure for people"),
    ("rightful_store::password::COUNT_WEAK", "a figure for people"),
    (
        "rightful_store::password::COUNT_KINDS",
        "a figure for people and for decoys, read once at start",
    ),
    (
        "rightful_store::exposure::PAGE",
        "the list of a leak, read by one person or export",
    ),
    ("rightful_store::exposure::COUNTS", "the figures of a leak"),
    ("rightful_store::exposure::BEST", "the figures of a leak"),
    ("rightful_store::exposure::CHANGED_SINCE", "the figures of a leak"),
    (
        "rightful_store::identifier::COUNT_MATCH_KEYS",
        "read once before a scan",
    ),
    ("rightful_store::identifier::ALL_MATCH_KEYS", "read once before a scan"),
    (
        "rightful_store::identifier::FIND_MANY",
        "a batch of an import; each wanted key has its slot",
    ),
    ("rightful_store::audit::HEADS", "the walk over the whole log"),
    ("rightful_store::audit::ROWS", "the walk over the whole log"),
    (
        "rightful_store::notice::DUE_HOMES",
        "asked by one worker every second or so; an index of its own",
    ),
    ("rightful_store::notice::COUNT_QUEUED", "a figure for people"),
    ("rightful_store::account::COUNT_ROLES", "asked when somebody approves"),
    (
        "rightful_store::cohort::PAGE",
        "the list of a cohort, read by one person or export",
    ),
    ("rightful_store::cohort::COUNTS", "the figures of a containment"),
    ("rightful_store::cohort::BLOCKS", "asked once for each look at a wave"),
    (
        "rightful_store::cohort::ALL_BLOCKS",
        "asked once before a cohort is listed or undone",
    ),
    (
        "rightful_store::cohort::LEFT_TO_UNDO",
        "asked once after the last block",
    ),
    ("backup", "a backup reads everything"),
];

/// The words of a text but for those in quotation marks, which are values.
fn words(text: &str) -> BTreeSet<&str> {
    let bare = text.split('\'').step_by(2);
    bare.flat_map(|part| part.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_')))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether a text says which block (home, slot) it is about: by a value, or as the first column of the rows that it inserts.
fn names_its_place(text: &str, table: &str, column: &str) -> bool {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let by_value = ["$1", "?"]
        .iter()
        .any(|value| text.contains(&format!("{column} = {value}")));
    by_value || text.starts_with(&format!("INSERT INTO {table} ({column},"))
}

fn all_texts() -> Vec<(&'static str, String)> {
    let single = all_statements()
        .into_iter()
        .map(|Statement { name, text, .. }| (name, text.to_owned()));
    let many = all_statements_over_many()
        .into_iter()
        .map(|many| (many.name, many.text(1, false)));
    single.chain(many).collect()
}

#[test]
fn every_statement_on_a_spread_table_names_its_place() {
    let mut checked = 0;
    for (name, text) in all_texts() {
        if OVER_ALL_BLOCKS.iter().any(|(exception, _)| *exception == name) || text.starts_with("INSERT INTO counter") {
            continue;
        }
        let words = words(&text);
        for (table, column) in SPREAD.iter().filter(|(table, _)| words.contains(table)) {
            assert!(
                names_its_place(&text, table, column),
                "{name} does not say which {column} of {table}: {text}"
            );
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked} statements were looked at");
}

#[test]
fn every_exception_is_a_statement() {
    let names: BTreeSet<&str> = all_texts().into_iter().map(|(name, _)| name).collect();
    for (exception, _) in OVER_ALL_BLOCKS {
        assert!(names.contains(exception), "{exception} is no statement any more");
    }
}

#[test]
fn no_statement_uses_what_one_of_the_engines_lacks() {
    for (name, text) in all_texts() {
        let upper = text.to_uppercase();
        for word in [
            "NOW()",
            "RANDOM()",
            "ILIKE",
            "FOR UPDATE",
            "SKIP LOCKED",
            "ARRAY[",
            "JSON_",
            "CURRENT_TIMESTAMP",
            "GREATEST(",
        ] {
            assert!(!upper.contains(word), "{name} uses {word}");
        }
    }
}

#[test]
fn every_value_from_the_first_to_the_last_is_used() {
    for Statement { name, text, .. } in all_statements() {
        let numbers: BTreeSet<usize> = text
            .split('$')
            .skip(1)
            .map(|rest| {
                rest.chars()
                    .take_while(char::is_ascii_digit)
                    .collect::<String>()
                    .parse()
                    .expect("a number")
            })
            .collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len()), "{name}: {numbers:?}");
    }
}

#[test]
fn no_statement_stands_outside_the_lists() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        let source = std::fs::read_to_string(&path).expect("a source");
        let bare = source.split(".sql(\"").count() - 1;
        assert_eq!(bare, 0, "{} holds a statement that no test sees", path.display());
    }
}

/// The types of the values in a list of wanted keys. Everywhere else PostgreSQL finds them out itself; at run time the
/// driver names them.
const WANTED: &[(&str, &[&str])] = &[
    ("rightful_store::identifier::FIND_MANY", &["bigint", "text"]),
    ("rightful_store::exposure::FIND_PAIRS", &["bigint", "bytea"]),
    ("rightful_store::exposure::WAITING", &["bigint", "bytea"]),
    (
        "rightful_store::exposure::FIND_EXPOSURES",
        &["bigint", "bigint", "bytea"],
    ),
];

fn types(name: &str, rows: usize) -> String {
    match WANTED.iter().find(|(wanted, _)| *wanted == name) {
        Some((_, row)) => format!("({})", row.repeat(rows).join(", ")),
        None => String::new(),
    }
}

async fn every_statement_prepares(engine: Engine) {
    let store = TestStore::new(engine).await;
    let mut raw = Raw::connect(store.address()).await;
    let mut texts: Vec<(&str, usize, String)> = all_statements()
        .into_iter()
        .filter(|statement| !is_for_the_other(statement.name, engine))
        .map(|statement| (statement.name, 0, statement.text.to_owned()))
        .collect();
    for many in all_statements_over_many() {
        texts.extend([1, 16, 256].map(|rows| (many.name, rows, many.text(rows, engine == Engine::Postgres))));
    }
    assert!(texts.len() > 150, "{} texts", texts.len());
    for (name, rows, text) in texts {
        let refused = match &mut raw {
            Raw::Sqlite(connection) => connection
                .prepare(AssertSqlSafe(text.clone()).into_sql_str())
                .await
                .err(),
            Raw::Postgres(_) => {
                let prepare = format!("PREPARE one {} AS {text}", types(name, rows));
                raw.run(&prepare).await.and(raw.run("DEALLOCATE one").await).err()
            }
        };
        assert!(refused.is_none(), "{name}: {refused:?}\n{text}");
    }
}

/// The two questions about the engine's own catalogue.
fn is_for_the_other(name: &str, engine: Engine) -> bool {
    match engine {
        Engine::Sqlite => name.ends_with("_POSTGRES"),
        Engine::Postgres => name.ends_with("_SQLITE"),
    }
}

async fn hot_statements_find_their_rows_through_an_index(engine: Engine) {
    let store = TestStore::new(engine).await;
    let mut raw = Raw::connect(store.address()).await;
    if engine == Engine::Postgres {
        // Empty tables would be read whole, rightly. What matters is whether there is an index at all.
        raw.run("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
            .await
            .expect("settings");
    }
    let mut hot: Vec<(&str, String)> = all_statements()
        .into_iter()
        .filter(|statement| statement.hot)
        .map(|statement| (statement.name, statement.text.to_owned()))
        .collect();
    hot.extend(
        all_statements_over_many()
            .into_iter()
            .filter(|many| many.before.starts_with("WITH"))
            .map(|many| (many.name, many.text(ROWS, engine == Engine::Postgres))),
    );
    assert!(hot.len() > 25, "{} hot statements", hot.len());
    for (name, text) in hot {
        let plan = plan(&mut raw, engine, name, &text).await;
        let whole = whole_read(&plan, engine);
        assert!(whole.is_none(), "{name} reads a whole table or index: {plan:#?}");
    }
    // What the check is worth: these do read everything, one the table and one an index.
    for text in [
        "SELECT COUNT(*) FROM account WHERE role = $1",
        "SELECT 1 FROM account WHERE account_no = $1",
    ] {
        let plan = plan(&mut raw, engine, "a bad one", text).await;
        assert!(whole_read(&plan, engine).is_some(), "{text} passes: {plan:#?}");
    }
}

/// How many keys are wanted where a plan is asked for.
const ROWS: usize = 4;

async fn plan(raw: &mut Raw, engine: Engine, name: &str, text: &str) -> Vec<String> {
    if engine == Engine::Sqlite {
        return raw.texts(&format!("EXPLAIN QUERY PLAN {text}"), 3).await;
    }
    raw.run(&format!("PREPARE hot {} AS {text}", types(name, ROWS)))
        .await
        .expect(text);
    let values = text.split('$').skip(1).filter_map(|rest| {
        rest.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse::<usize>()
            .ok()
    });
    let nulls = vec!["NULL"; values.max().unwrap_or(0)].join(", ");
    let lines = raw.texts(&format!("EXPLAIN EXECUTE hot ({nulls})"), 0).await;
    raw.run("DEALLOCATE hot").await.expect("forgotten");
    lines
}

/// The line of a plan that reads a whole table or index, if there is one.
fn whole_read(plan: &[String], engine: Engine) -> Option<&String> {
    match engine {
        // A list of wanted keys is read whole, as it must be.
        Engine::Sqlite => plan.iter().find(|line| {
            let wanted = ["wanted", "CONSTANT ROW", "values", "VALUES"];
            line.contains("SCAN") && !wanted.iter().any(|word| line.contains(word))
        }),
        // An index that is entered without its first column is read whole too.
        Engine::Postgres => plan.iter().enumerate().find_map(|(place, line)| {
            let table = line.contains("Seq Scan");
            let index = ["Index Scan", "Index Only Scan"].iter().any(|scan| line.contains(scan));
            let condition = plan.get(place + 1).filter(|next| next.contains("Index Cond"));
            let first = ["(block = ", "(home = ", "(slot = ", "(leak_no = ", "(containment_no = "];
            let entered = condition.is_some_and(|condition| first.iter().any(|first| condition.contains(first)));
            (table || (index && !entered)).then_some(line)
        }),
    }
}
