//! Thirty-two at once on everything that may be used once, thousands of times over, at two nodes on one database.
//!
//! A double use is what a race test would find with luck: here it is looked for long enough. This takes hours, so it runs only
//! when it is named. Half of the racers are at each node; owners are at four recognised browsers, which have budgets of their
//! own, so that no budget keeps racers from the thing itself where that can be had.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rightful_app::app::{App, Fault, Policy};
use rightful_app::new_password::ReturnOutcome;
use rightful_app::second_factor::{Changed, EnrolOutcome};
use rightful_app::set_up::SetUpOutcome;
use rightful_app::sign_in::{Attempt, SignInOutcome};
use rightful_app::sign_up::SignUpOutcome;
use rightful_app::visitor::Visitor;
use rightful_core::assurance::Method;
use rightful_notify::{Channel, Folder};
use rightful_testkit::app::{TestApp, post, visitor};
use rightful_testkit::databases::{Engine, POSTGRES_VARIABLE};
use rightful_testkit::given::{app_code, cheap_hash};
use rightful_testkit::served::code_in;
use tempfile::TempDir;
use tokio::sync::Barrier;
use zeroize::Zeroizing;

use crate::crowd::{address_in, names, range_in};
use crate::measure::Measure;
use crate::server::PASSWORD;
use crate::{Bench, Task};

/// What is raced for, in the order of a round.
const SQLITE_MEASURES: [&str; 7] = [
    "races-app-code-sqlite",
    "races-recovery-code-sqlite",
    "races-mail-code-sqlite",
    "races-return-end-sqlite",
    "races-sign-up-code-sqlite",
    "races-sign-up-end-sqlite",
    "races-set-up-code-sqlite",
];

const POSTGRES_MEASURES: [&str; 7] = [
    "races-app-code-postgres",
    "races-recovery-code-postgres",
    "races-mail-code-postgres",
    "races-return-end-postgres",
    "races-sign-up-code-postgres",
    "races-sign-up-end-postgres",
    "races-set-up-code-postgres",
];

/// On a file.
pub(crate) const SQLITE: Bench = Bench {
    measures: &SQLITE_MEASURES,
    run: |task| crate::runtime()?.block_on(run(task, Engine::Sqlite, &SQLITE_MEASURES)),
};

/// On the server that the variable for tests names; nothing where it names none.
pub(crate) const POSTGRES: Bench = Bench {
    measures: &POSTGRES_MEASURES,
    run: |task| match std::env::var_os(POSTGRES_VARIABLE) {
        Some(_) => crate::runtime()?.block_on(run(task, Engine::Postgres, &POSTGRES_MEASURES)),
        None => {
            eprintln!("the races on PostgreSQL are left out: {POSTGRES_VARIABLE} names no server");
            Ok(Vec::new())
        }
    },
};

/// Racers on one thing.
const RACERS: usize = 32;

/// Browsers that an owner is recognised at: a budget of guesses each, of ten.
const BROWSERS: usize = 4;

/// Accounts that are imported together.
const BATCH: usize = 500;

/// What came of a racer.
enum Came {
    /// He used the thing, and may go on with this.
    Used(Option<Zeroizing<String>>),
    /// Somebody else had.
    TooLate,
    /// His budget kept him from it.
    Waits,
}

/// What came of all of them, over all rounds.
#[derive(Default)]
struct Tally {
    rounds: u64,
    double_uses: u64,
    unused: u64,
    waited: u64,
    faults: u64,
}

impl Tally {
    fn measure(&self, name: &'static str) -> Measure {
        Measure::of(name, self.double_uses as f64, "double uses")
            .at_most(0.0, "0")
            .with("rounds", self.rounds)
            .with("at_once", RACERS)
            .with("rounds_without_use", self.unused)
            .with("racers_held_off_by_budgets", self.waited)
            .with("racers_with_a_fault", self.faults)
    }
}

/// The site, its two nodes, and what was counted.
struct Course {
    app: TestApp,
    nodes: [Arc<App>; 2],
    tallies: [Tally; 7],
    /// Address ranges that were given out.
    ranges: usize,
}

async fn run(task: &Task<'_>, engine: Engine, measures: &[&'static str; 7]) -> Result<Vec<Measure>> {
    let policy = Policy {
        site_name: "Example".to_owned(),
        sign_up: true,
        attempts_per_range: 60,
        // More than any run asks for.
        codes_per_hour: u32::MAX,
    };
    let app = TestApp::with_policy(engine, policy).await;
    let nodes = [app.node(), app.another_node().await];
    let mut course = Course {
        app,
        nodes,
        tallies: Default::default(),
        ranges: 0,
    };
    let rounds: usize = task.pick(100, 10_000);
    for round in 0..rounds {
        if round % BATCH == 0 {
            course.import(round, BATCH.min(rounds - round)).await;
        }
        let owner = format!("owner{round:05}@example.org");
        course.factors_and_return(&owner).await?;
        course.sign_up(&format!("comer{round:05}@example.org")).await?;
        course.set_up(round).await?;
        if (round + 1) % 100 == 0 {
            eprintln!("{} of {rounds} rounds of races", round + 1);
        }
    }
    let told = measures.iter().zip(&course.tallies);
    Ok(told.map(|(name, tally)| tally.measure(name)).collect())
}

impl Course {
    async fn import(&self, first: usize, count: usize) {
        let mut csv = String::from("account,email,password\n");
        let hash = cheap_hash(PASSWORD);
        for name in names("owner", first + count).skip(first) {
            csv += &format!("{name},{name},\"{hash}\"\n");
        }
        self.app.import(&csv).await;
    }

    /// Somebody in an address range of his own, at this browser.
    fn visitor(&mut self, browser: Option<&str>) -> Visitor {
        self.ranges += 1;
        Visitor {
            address: address_in(self.ranges),
            range: range_in(self.ranges),
            browser_token: browser.map(str::to_owned),
            ..visitor()
        }
    }

    fn racers(&mut self, browsers: &[String]) -> Vec<Visitor> {
        let browser = |number: usize| (!browsers.is_empty()).then(|| &browsers[number % browsers.len()]);
        (0..RACERS)
            .map(|number| self.visitor(browser(number).map(String::as_str)))
            .collect()
    }

    /// Has all of them try at once. What the last one that used it goes on with.
    async fn race<F>(
        &mut self,
        what: usize,
        racers: Vec<Visitor>,
        attempt: impl Fn(usize, Arc<App>, Visitor) -> F,
    ) -> Result<Option<Zeroizing<String>>>
    where
        F: Future<Output = Result<Came, Fault>> + Send + 'static,
    {
        let start = Arc::new(Barrier::new(racers.len()));
        let running: Vec<_> = racers
            .into_iter()
            .enumerate()
            .map(|(number, racer)| {
                let start = Arc::clone(&start);
                let trying = attempt(number, Arc::clone(&self.nodes[number % 2]), racer);
                tokio::spawn(async move {
                    start.wait().await;
                    trying.await
                })
            })
            .collect();
        let (mut uses, mut next) = (0_u64, None);
        let tally = &mut self.tallies[what];
        for racer in running {
            match racer.await? {
                Ok(Came::Used(token)) => {
                    uses += 1;
                    next = token;
                }
                Ok(Came::TooLate) => {}
                Ok(Came::Waits) => tally.waited += 1,
                Err(fault) => {
                    ensure!(fault.passes(), "a racer failed: {fault}");
                    tally.faults += 1;
                }
            }
        }
        tally.rounds += 1;
        tally.double_uses += uses.saturating_sub(1);
        tally.unused += u64::from(uses == 0);
        Ok(next)
    }

    async fn sign_in(&mut self, name: &str, browser: Option<&str>) -> Result<SignInOutcome> {
        let visitor = self.visitor(browser);
        let attempt = Attempt {
            identifier: name.to_owned(),
            password: Zeroizing::new(PASSWORD.to_owned()),
        };
        Ok(self.app.sign_in(attempt, &visitor).await?)
    }

    /// As many conversations as there are racers, each with the second factor as its next step.
    async fn flows(&mut self, name: &str, browsers: &[String]) -> Result<Vec<Zeroizing<String>>> {
        let mut flows = Vec::with_capacity(RACERS);
        for number in 0..RACERS {
            match self.sign_in(name, Some(&browsers[number % browsers.len()])).await? {
                SignInOutcome::Factor(flow) => flows.push(flow),
                other => anyhow::bail!("a sign-in with a second factor came to {other:?}"),
            }
        }
        Ok(flows)
    }

    /// Adds an app: its secret, and the recovery codes.
    async fn enrol(&mut self, session: &str) -> Result<(String, Vec<Zeroizing<String>>)> {
        let owner = self.app.owner(session).await?.context("the session is over")?;
        let Changed::Done(enrolment) = self.app.begin_app(&owner, "owner").await? else {
            anyhow::bail!("an app cannot be added");
        };
        let visitor = self.visitor(None);
        let code = app_code(&enrolment.secret, self.app.now());
        let done = self.app.finish_app(&owner, &enrolment.flow, &code, &visitor).await?;
        let EnrolOutcome::Enrolled { codes, .. } = done else {
            anyhow::bail!("an app was not added");
        };
        Ok((enrolment.secret.to_string(), codes))
    }

    async fn factors_and_return(&mut self, name: &str) -> Result<()> {
        let (mut browsers, mut session) = (Vec::new(), None);
        for _ in 0..BROWSERS {
            let SignInOutcome::Open(opened) = self.sign_in(name, None).await? else {
                anyhow::bail!("{name} did not get in");
            };
            browsers.push(opened.browser.context("a new browser is recognised")?.to_string());
            session = Some(opened.session);
        }
        let (secret, codes) = self.enrol(&session.context("a session")?).await?;
        self.app.pass(60);
        let shown = app_code(&secret, self.app.now());
        self.race_at_factor(0, name, &browsers, Method::App, &shown).await?;
        self.race_at_factor(1, name, &browsers, Method::RecoveryCode, &codes[0])
            .await?;
        // The budgets that the losers used up are full again.
        self.app.pass(2 * 60 * 60);
        self.race_to_return(name, &browsers, &codes[1]).await
    }

    async fn race_at_factor(
        &mut self,
        what: usize,
        name: &str,
        browsers: &[String],
        method: Method,
        code: &str,
    ) -> Result<()> {
        let (flows, racers) = (self.flows(name, browsers).await?, self.racers(browsers));
        let attempt = |number: usize, app: Arc<App>, racer: Visitor| {
            let (flow, code) = (flows[number].clone(), code.to_owned());
            async move {
                Ok(match app.sign_in_factor(&flow, method, &code, &racer).await? {
                    SignInOutcome::Open(opened) => Came::Used(Some(opened.session)),
                    SignInOutcome::Wait(_) => Came::Waits,
                    _ => Came::TooLate,
                })
            }
        };
        self.race(what, racers, attempt).await.map(drop)
    }

    async fn race_to_return(&mut self, name: &str, browsers: &[String], recovery_code: &str) -> Result<()> {
        let visitor = self.visitor(None);
        let ReturnOutcome::Asked(flow) = self.app.ask_for_new_password(name, &visitor).await? else {
            anyhow::bail!("no code was sent");
        };
        let code = self.mailed_code(name).await?;
        let racers = self.racers(browsers);
        let attempt = |_, app: Arc<App>, racer: Visitor| {
            let (flow, code) = (flow.clone(), code.clone());
            async move { Ok(came_of_return(app.new_password_code(&flow, &code, &racer).await?)) }
        };
        let Some(flow) = self.race(2, racers, attempt).await? else {
            return Ok(());
        };
        let visitor = self.visitor(Some(&browsers[0]));
        let method = Method::RecoveryCode;
        let proved = self.app.new_password_factor(&flow, method, recovery_code, &visitor);
        let ReturnOutcome::Choose(flow) = proved.await? else {
            anyhow::bail!("the second factor of a return was not taken");
        };
        let racers = self.racers(&[]);
        let attempt = |number: usize, app: Arc<App>, racer: Visitor| {
            let flow = flow.clone();
            let password = Zeroizing::new(format!("the password of racer number {number:02}"));
            async move { Ok(came_of_return(app.choose_password(&flow, &password, &racer).await?)) }
        };
        self.race(3, racers, attempt).await.map(drop)
    }

    async fn sign_up(&mut self, name: &str) -> Result<()> {
        let visitor = self.visitor(None);
        let SignUpOutcome::Asked(flow) = self.app.sign_up(name, &visitor).await? else {
            anyhow::bail!("no code was sent");
        };
        let code = self.mailed_code(name).await?;
        let racers = self.racers(&[]);
        let attempt = |_, app: Arc<App>, racer: Visitor| {
            let (flow, code) = (flow.clone(), code.clone());
            async move { Ok(came_of_sign_up(app.sign_up_code(&flow, &code, &racer).await?)) }
        };
        let Some(flow) = self.race(4, racers, attempt).await? else {
            return Ok(());
        };
        let racers = self.racers(&[]);
        let attempt = |number: usize, app: Arc<App>, racer: Visitor| {
            let flow = flow.clone();
            let password = Zeroizing::new(format!("the password of racer number {number:02}"));
            async move { Ok(came_of_sign_up(app.sign_up_password(&flow, &password, &racer).await?)) }
        };
        self.race(5, racers, attempt).await.map(drop)
    }

    /// The site forgets that it was set up, and is set up again.
    async fn set_up(&mut self, round: usize) -> Result<()> {
        self.app.tamper("DELETE FROM setting WHERE name = 'set-up'").await;
        let code = self
            .app
            .new_set_up_code()
            .await?
            .context("a site that was never set up")?;
        let racers = self.racers(&[]);
        let mut flows = Vec::with_capacity(RACERS);
        for racer in &racers {
            let SetUpOutcome::Account(flow) = self.app.set_up_code(&code, racer).await? else {
                anyhow::bail!("the set-up code was not taken");
            };
            flows.push(flow);
        }
        let attempt = |number: usize, app: Arc<App>, racer: Visitor| {
            let flow = flows[number].clone();
            let address = format!("first{round:05}.{number:02}@example.org");
            let password = Zeroizing::new(format!("the password of racer number {number:02}"));
            async move {
                let made = app.set_up_account(&flow, &address, &password, &racer).await?;
                Ok(came_of_sign_up(made))
            }
        };
        self.race(6, racers, attempt).await.map(drop)
    }

    /// Sends all that is due into a folder that is thrown away, and reads the newest code to an address there.
    async fn mailed_code(&self, to: &str) -> Result<String> {
        let folder = TempDir::new().context("there is no folder for mail")?;
        let mailbox = Folder::new(folder.path().join("mailbox"));
        self.app.send_all(&post(Channel::Folder(mailbox.clone()))).await;
        let letters = mailbox.newest(1000).context("the mailbox cannot be read")?;
        let letter = letters
            .iter()
            .find(|letter| letter.to.contains(to) && letter.text.lines().any(|line| line.starts_with("    ")));
        Ok(code_in(letter.context("no code came by mail")?).to_owned())
    }
}

fn came_of_return(outcome: ReturnOutcome) -> Came {
    match outcome {
        ReturnOutcome::Factor(token) | ReturnOutcome::Choose(token) => Came::Used(Some(token)),
        ReturnOutcome::Done => Came::Used(None),
        ReturnOutcome::Wait(_) => Came::Waits,
        _ => Came::TooLate,
    }
}

fn came_of_sign_up(outcome: SignUpOutcome) -> Came {
    match outcome {
        SignUpOutcome::Choose(token) => Came::Used(Some(token)),
        SignUpOutcome::Open(opened) => Came::Used(Some(opened.session)),
        SignUpOutcome::Wait(_) => Came::Waits,
        _ => Came::TooLate,
    }
}
