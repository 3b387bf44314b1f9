//! SIGKILL from outside while a server lists a cohort, starts its wave, writes its rows, queues its messages, undoes it. The next
//! server goes on, and what comes of it is what an undisturbed one does: nobody is held who should not be, nobody is missed, nobody
//! is told twice.
//!
//! A statement in the middle of the phase meets a trigger that never ends; there the server is killed.

use std::sync::Arc;

use rand_core::UnwrapErr;
use rightful_app::env::Env;
use rightful_app::site::{KeySource, Site as OpenSite};
use rightful_core::containment::{Approval, Approved, ContainmentNo, approve};
use rightful_core::{AccountNo, Grade, Kind, PublicId, Timestamp};
use rightful_crypto::seal::KeyFile;
use rightful_leaks::sample::Dice;
use rightful_store::account::{NewAccount, NewContact, NewName};
use rightful_store::exposure::Exposure;
use rightful_store::leak::{LeakBatch, NewLeak};
use rightful_store::password::{NewPassword, Origin};
use rightful_store::{StoreError, Tx};
use rightful_testkit::process::{Running, until};
use tokio::runtime::Runtime;

use crate::site::{Engine, Site, dice, on_both_engines, read, rounds, tell};

on_both_engines!(m01_a_server_killed_in_any_phase_of_a_containment_loses_and_doubles_nothing,);

/// Blocks of accounts; in each one whose password is leaked, one that is only named, and one that is not in the leak.
const BLOCKS: i64 = 24;

/// Accounts that act for the site.
const AUTHOR: AccountNo = AccountNo::new(4000);
const APPROVER: AccountNo = AccountNo::new(4001);

/// What the one row of a table that is about a phase looks like when the server stands there: event, table, condition on the new
/// row, and how many rows there are by then.
struct Phase {
    name: &'static str,
    event: &'static str,
    table: &'static str,
    when: String,
    before: String,
}

/// The site with its rows, opened beside the program.
struct Rows {
    runtime: Runtime,
    site: OpenSite,
}

impl Rows {
    fn open(site: &Site) -> Self {
        let key = KeyFile::parse(&read(&site.path("site.key"))).expect("a key file");
        let mut env = Env {
            clock: Arc::new(now),
            chance: Box::new(UnwrapErr(getrandom::SysRng)),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let opened = runtime.block_on(OpenSite::open(&site.address(), KeySource::File(key), "test", &mut env));
        Self {
            runtime,
            site: opened.expect("the site opens"),
        }
    }

    fn done<T>(&self, work: impl AsyncFn(&mut Tx) -> Result<T, StoreError>) -> T {
        self.runtime.block_on(self.site.store.write(work)).expect("written")
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(i64::try_from(since.expect("after 1970").as_micros()).expect("before 294,000"))
}

fn account(no: AccountNo) -> NewAccount {
    let address = format!("owner{}@example.com", no.get());
    NewAccount {
        no,
        public_id: PublicId(uuid::Uuid::from_u128(no.get().unsigned_abs().into())),
        reference: None,
        role: if no == AUTHOR || no == APPROVER {
            "administrator"
        } else {
            "none"
        }
        .to_owned(),
        groups: "[]".to_owned(),
        names: vec![NewName {
            kind: "email".to_owned(),
            key: address.clone(),
            given: address.clone(),
        }],
        match_keys: vec![address.clone().into_bytes()],
        contacts: vec![NewContact {
            kind: "email".to_owned(),
            address,
            verified_at: Some(now()),
        }],
        former: Vec::new(),
        password: Some(NewPassword {
            sealed: vec![1],
            kind: "argon2id".to_owned(),
            weak: false,
            alone: true,
            origin: Origin::Imported,
        }),
        import_no: None,
        created_at: now(),
        added_at: now(),
    }
}

const fn number(block: i64, of_block: i64) -> AccountNo {
    AccountNo::new(block * 4096 + of_block)
}

fn exposure(account: AccountNo, grade: Grade) -> Exposure {
    Exposure {
        account,
        secret_tag: account.get().to_le_bytes().to_vec(),
        grade,
        kind: Kind::Dump,
        password_no: Some(1),
        loose: false,
        position: Vec::new(),
        found_at: now(),
    }
}

fn approved() -> Approved {
    let approval = Approval {
        by_author: false,
        approvers: 2,
        since: now(),
    };
    approve(approval, now()).expect("somebody else may")
}

/// Accounts, a leak, and a containment whose list was ordered.
fn set_up(rows: &Rows) -> ContainmentNo {
    // As the table holds it: one action, one wave.
    let plan = r#"{"choices":[["exact","dump","hold"]],"waves":"rest","spacing":0,"notices":true,"language":"en"}"#;
    rows.done(async move |tx| {
        for _ in 0..BLOCKS {
            tx.take_account_block().await?;
        }
        let mut accounts = vec![account(AUTHOR), account(APPROVER)];
        let mut exposures = Vec::new();
        for block in 0..BLOCKS {
            accounts.extend((1..=3).map(|of_block| account(number(block, of_block))));
            exposures.push(exposure(number(block, 1), Grade::Exact));
            exposures.push(exposure(number(block, 2), Grade::Named));
        }
        tx.insert_accounts(&accounts).await?;
        let new = NewLeak {
            name: "a forum".to_owned(),
            kind_override: None,
            received_from: "a test".to_owned(),
            leak_date: None,
            received_at: now(),
            variations: 0,
        };
        let leak = tx.leak_begin(&new).await?;
        let batch = LeakBatch {
            exposures,
            tallies: "{}".to_owned(),
            ..LeakBatch::default()
        };
        let leak = tx.leak_commit_batch(&leak, &batch).await?.leak;
        tx.leak_finish(&leak, "{}", now()).await?;
        let incident = tx.open_incident("forum", "A forum", AUTHOR, now()).await?;
        tx.attach_leak(incident, leak.no, now()).await?;
        let no = tx.draft_containment(incident, plan, AUTHOR, now()).await?;
        let seen = tx.containment(no).await?.expect("it");
        tx.begin_freeze(&seen).await?;
        Ok(no)
    })
}

fn serve(site: &Site) -> Running {
    let mut command = site.command(&["serve"]);
    command.env("RIGHTFUL_LISTEN__ADDRESS", "127.0.0.1:0");
    Running::start(&mut command)
}

/// Kills a server in the middle of a phase.
fn kill_in(site: &Site, phase: &Phase) {
    let door = site.door();
    door.stall(phase.event, phase.table, &phase.when);
    let mut server = serve(site);
    let mut seen = 0;
    until(&format!("a server stands in the phase {}", phase.name), || {
        assert!(
            !server.has_ended(),
            "{}: the server ended: {}",
            phase.name,
            server.stderr()
        );
        let stands = door.number(&phase.before) == Some(1) && door.is_writing() == Some(true);
        // Twice in a row: it stays there.
        seen = if stands { seen + 1 } else { 0 };
        (seen > 3).then_some(())
    });
    server.kill();
    door.unstall(phase.table);
}

/// Runs a server until a question has this answer, and kills it there too.
fn run_until(site: &Site, question: &str, answer: i64) {
    let (door, mut server) = (site.door(), serve(site));
    until(&format!("{question} = {answer}"), || {
        assert!(!server.has_ended(), "the server ended: {}", server.stderr());
        (door.number(question) == Some(answer)).then_some(())
    });
    server.kill();
}

fn count(site: &Site, question: &str) -> i64 {
    site.door().number(question).unwrap_or(-1)
}

fn m01_a_server_killed_in_any_phase_of_a_containment_loses_and_doubles_nothing(engine: Engine) {
    let mut dice = dice("containment");
    for round in 1..=rounds() {
        one_round(engine, round, &mut dice);
    }
}

fn one_round(engine: Engine, round: usize, dice: &mut Dice) {
    let site = Site::new(engine);
    site.says(&["accounts", "list"]);
    let rows = Rows::open(&site);
    let no = set_up(&rows);
    let mut block = || 3 + i64::try_from(dice.below(usize::try_from(BLOCKS).expect("few") - 5)).expect("few");

    // The list: some members of it are written in a transaction that never ends.
    let at = block();
    kill_in(
        &site,
        &Phase {
            name: "list",
            event: "INSERT",
            table: "cohort",
            when: format!("NEW.block = {at}"),
            before: "SELECT COUNT(*) FROM containment WHERE state = 'freezing'".to_owned(),
        },
    );
    assert_eq!(count(&site, "SELECT COUNT(*) FROM cohort"), 0, "nothing of it was kept");
    run_until(&site, "SELECT COUNT(*) FROM containment WHERE state = 'dry-run'", 1);
    assert_eq!(count(&site, "SELECT COUNT(*) FROM cohort"), BLOCKS);

    rows.done(async move |tx| {
        let seen = tx.containment(no).await?.expect("it");
        tx.approve_containment(&seen, APPROVER, approved(), now()).await?;
        let seen = tx.containment(no).await?.expect("it");
        tx.start_containment(&seen, now()).await?;
        tx.set_wave_due(no, 1, now()).await
    });
    kill_in(
        &site,
        &Phase {
            name: "start",
            event: "UPDATE",
            table: "wave",
            when: "NEW.mark IS NOT NULL".to_owned(),
            before: "SELECT COUNT(*) FROM wave WHERE state = 'waiting'".to_owned(),
        },
    );
    assert_eq!(count(&site, "SELECT COUNT(*) FROM wave WHERE mark IS NOT NULL"), 0);

    let at = block();
    kill_in(
        &site,
        &Phase {
            name: "rows",
            event: "INSERT",
            table: "hold",
            when: format!("NEW.block = {at}"),
            before: format!(
                "SELECT CAST(CASE WHEN COUNT(*) = {at} THEN 1 ELSE 0 END AS BIGINT) FROM cohort WHERE state = 'done'"
            ),
        },
    );
    assert_eq!(
        count(&site, "SELECT COUNT(*) FROM hold"),
        at,
        "whole blocks, and no part of one"
    );

    let told_at = block();
    kill_in(
        &site,
        &Phase {
            name: "messages",
            event: "INSERT",
            table: "outbox",
            when: format!("NEW.home = {told_at}"),
            before: format!(
                "SELECT CAST(CASE WHEN COUNT(*) = {told_at} THEN 1 ELSE 0 END AS BIGINT) FROM cohort WHERE told_at IS NOT NULL"
            ),
        },
    );
    run_until(&site, "SELECT COUNT(*) FROM wave WHERE told_at IS NOT NULL", 1);
    assert_eq!(
        count(
            &site,
            "SELECT COUNT(*) FROM hold WHERE lifted_at IS NULL AND action = 'hold'"
        ),
        BLOCKS
    );
    assert_eq!(
        count(
            &site,
            "SELECT COUNT(*) FROM account WHERE state = 'held' AND account_no % 4096 = 1"
        ),
        BLOCKS
    );
    assert_eq!(
        count(&site, "SELECT COUNT(*) FROM account WHERE state = 'held'"),
        BLOCKS,
        "nobody else"
    );
    let told = "SELECT COUNT(*) FROM notice WHERE kind = 'turned-off'";
    assert_eq!(count(&site, told), BLOCKS, "each once");
    assert_eq!(count(&site, "SELECT COUNT(DISTINCT subject) FROM notice"), BLOCKS);

    rows.done(async move |tx| {
        let seen = tx.containment(no).await?.expect("it");
        tx.ask_undo(&seen, AUTHOR, now()).await?;
        let seen = tx.containment(no).await?.expect("it");
        tx.begin_undo(&seen, APPROVER, approved()).await
    });
    let undone_at = block();
    kill_in(
        &site,
        &Phase {
            name: "undo",
            event: "UPDATE",
            table: "hold",
            when: format!("NEW.lifted_at IS NOT NULL AND NEW.block = {undone_at}"),
            before: format!(
                "SELECT CAST(CASE WHEN COUNT(*) = {undone_at} THEN 1 ELSE 0 END AS BIGINT) FROM cohort WHERE state = 'undone'"
            ),
        },
    );
    run_until(&site, "SELECT COUNT(*) FROM containment WHERE state = 'undone'", 1);
    assert_eq!(count(&site, "SELECT COUNT(*) FROM account WHERE state = 'held'"), 0);
    assert_eq!(
        count(
            &site,
            "SELECT COUNT(*) FROM hold WHERE lifted_at IS NULL AND action = 'hold'"
        ),
        0
    );
    assert_eq!(
        count(
            &site,
            "SELECT COUNT(*) FROM hold WHERE lifted_at IS NULL AND action = 'change'"
        ),
        BLOCKS
    );
    assert_eq!(count(&site, told), BLOCKS, "and none once more");
    let taken_back = "SELECT COUNT(*) FROM notice WHERE kind = 'turned-on-again'";
    let not_sent = "SELECT COUNT(*) FROM notice WHERE kind = 'turned-off' AND state = 'cancelled'";
    assert_eq!(
        count(&site, taken_back) + count(&site, not_sent),
        BLOCKS,
        "each told of it, or never told at all"
    );
    site.assert_audit_holds();
    tell(&format!(
        "containment, round {round}, killed in: list, start, rows (block {at}), messages (block {told_at}), undo (block {undone_at})"
    ));
}
