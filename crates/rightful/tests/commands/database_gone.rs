//! PostgreSQL goes away in the middle of the work: its connections are ended at random moments, and cut exactly before and after a
//! COMMIT; the server is begun again; it has no connection to spare. Either nobody notices or the command says so; the same command goes on, and nothing has happened twice.

use std::time::Duration;

use rightful_leaks::sample::Dice;
use rightful_store::Address;
use rightful_testkit::door::Door;
use rightful_testkit::process::{Ended, Running};
use rightful_testkit::proxy::{Cut, Proxy};

use crate::kills::{Import, Scan, Victim};
use crate::site::{Engine, Site, dice, tell};

/// It says that the connection is the trouble, not that something is wrong with the data.
fn assert_told(ended: &Ended) {
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let told = ["cannot be reached", "connection broke", "outcome is unknown"];
    assert!(told.iter().any(|words| ended.stderr.contains(words)), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

/// Runs a command to its end while `disturb` does what it does each time before it looks; answers how often it had to be
/// started again.
fn until_done(victim: &dyn Victim, mut disturb: impl FnMut()) -> usize {
    for starts in 0..100 {
        let mut running: Running = victim.start();
        while !running.has_ended() {
            disturb();
        }
        let ended = running.wait();
        if ended.status == Some(0) {
            victim.check(&ended);
            return starts;
        }
        assert_told(&ended);
    }
    panic!("it never comes to its end");
}

fn ended_at_random(what: &str, victim: &dyn Victim, dice: &mut Dice) {
    let door = victim.door().expect("a database");
    let (mut cuts, mut connections) = (0, 0);
    let starts = until_done(victim, || {
        std::thread::sleep(Duration::from_millis(dice.below(120) as u64));
        // After that it has its peace, so that it comes to its end on the slowest machine too.
        if cuts < 30 {
            let cut = door.cut_connections();
            cuts += usize::from(cut > 0);
            connections += cut;
        }
    });
    tell(&format!(
        "{what}: connections ended {cuts} times ({connections} of them), started again {starts} times"
    ));
    assert!(cuts >= 3, "{cuts}");
}

#[test]
fn m06_database_gone_during_an_import() {
    let mut dice = dice("database gone, import");
    ended_at_random("import", &Import::new(Engine::Postgres), &mut dice);
}

#[test]
fn m06_database_gone_during_a_scan() {
    let mut dice = dice("database gone, scan");
    ended_at_random("scan", &Scan::new(Engine::Postgres), &mut dice);
}

/// The server is begun again in the middle: all connections end, and for a while there are no new ones.
fn server_begun_again(what: &str, victim: &dyn Victim, proxy: &Proxy, dice: &mut Dice) {
    let mut restarts = 0;
    let mut commits = proxy.commits();
    let starts = until_done(victim, || {
        std::thread::sleep(Duration::from_millis(1));
        // Something was written since it came back, so that the work gets on.
        if restarts < 5 && proxy.commits() > commits {
            proxy.go_down();
            std::thread::sleep(Duration::from_millis(dice.below(300) as u64));
            proxy.come_up();
            (restarts, commits) = (restarts + 1, proxy.commits() + dice.below(3) as u64);
        }
    });
    tell(&format!(
        "{what}: the server was away {restarts} times, started again {starts} times"
    ));
    assert_eq!(restarts, 5);
}

#[test]
fn m06_a_server_that_is_begun_again_during_an_import() {
    let mut dice = dice("server begun again, import");
    let mut import = Import::new(Engine::Postgres);
    let proxy = through_a_proxy(&mut import.site);
    server_begun_again("import", &import, &proxy, &mut dice);
}

#[test]
fn m06_a_server_that_is_begun_again_during_a_scan() {
    let mut dice = dice("server begun again, scan");
    let mut scan = Scan::new(Engine::Postgres);
    let proxy = through_a_proxy(&mut scan.site);
    server_begun_again("scan", &scan, &proxy, &mut dice);
}

fn through_a_proxy(site: &mut Site) -> Proxy {
    let url = site.url.take().expect("PostgreSQL has a URL");
    let proxy = Proxy::new(&url);
    site.url = Some(proxy.url().to_owned());
    proxy
}

/// The server has no connection to spare: that is told, and when it has one the same command does its work.
#[test]
fn m06_no_connection_to_spare_is_told() {
    let mut site = Site::new(Engine::Postgres);
    let (admin, url) = (site.door(), site.url.clone().expect("PostgreSQL has a URL"));
    let role = format!("spare_{}", site.application().to_lowercase());
    let schema = admin.texts("SELECT current_schema()::text").concat();
    admin.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'spare' CONNECTION LIMIT 1; GRANT ALL ON SCHEMA {schema} TO {role}"
    ));
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (_, server) = rest.split_once('@').expect("a server");
    let limited = format!("{scheme}://{role}:spare@{server}");
    let guest = Door::new(&Address::Postgres(limited.clone()), "guest");
    assert_eq!(
        guest.number("SELECT CAST(1 AS BIGINT)"),
        Some(1),
        "it keeps its connection"
    );
    site.url = Some(limited);
    site.write("accounts.csv", "account,email\n1,anna@example.org\n");
    let import = ["accounts", "import", "accounts.csv"];
    let ended = site.run(&import);
    assert_told(&ended);
    assert!(ended.stderr.contains("too many connections"), "{ended:?}");
    admin.run(&format!("ALTER ROLE {role} CONNECTION LIMIT 20"));
    assert_eq!(site.json(&import)["added"], 1);
    admin.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
}

/// Cuts the connection at one COMMIT after the other: in turn before and after it.
fn cut_at_commits(what: &str, site: &mut Site, dice: &mut Dice) -> Proxy {
    let proxy = through_a_proxy(site);
    proxy.cut_at(1 + dice.below(3) as u64, Cut::AfterCommit);
    tell(&format!("{what}: the next COMMITs are cut"));
    proxy
}

fn unknown_outcomes(what: &str, victim: &dyn Victim, proxy: &Proxy, dice: &mut Dice) {
    let (mut planned, mut last) = (1, Cut::AfterCommit);
    let starts = until_done(victim, || {
        std::thread::sleep(Duration::from_millis(1));
        if proxy.cuts() == planned && planned < 16 {
            last = if last == Cut::AfterCommit {
                Cut::BeforeCommit
            } else {
                Cut::AfterCommit
            };
            proxy.cut_at(1 + dice.below(3) as u64, last);
            planned += 1;
        }
    });
    tell(&format!(
        "{what}: {} of {} COMMITs cut, started again {starts} times",
        proxy.cuts(),
        proxy.commits()
    ));
    assert!(proxy.cuts() >= 6, "{}", proxy.cuts());
}

#[test]
fn m06_an_unknown_commit_of_an_import_has_no_second_effect() {
    let mut dice = dice("unknown commit, import");
    let mut import = Import::new(Engine::Postgres);
    let proxy = cut_at_commits("import", &mut import.site, &mut dice);
    unknown_outcomes("import", &import, &proxy, &mut dice);
}

#[test]
fn m06_an_unknown_commit_of_a_scan_has_no_second_effect() {
    let mut dice = dice("unknown commit, scan");
    let mut scan = Scan::new(Engine::Postgres);
    let proxy = cut_at_commits("scan", &mut scan.site, &mut dice);
    unknown_outcomes("scan", &scan, &proxy, &mut dice);
}

#[test]
fn m06_no_server_is_told_without_the_password() {
    let mut site = Site::new(Engine::Postgres);
    site.url = Some("postgres://rightful:canary-password@127.0.0.1:9/rightful".to_owned());
    let ended = site.run(&["accounts", "list"]);
    assert_told(&ended);
    assert!(!ended.stderr.contains("canary-password"), "{ended:?}");
    assert!(
        !site.path("site.key").exists(),
        "no key is made for a database that was never seen"
    );
}
