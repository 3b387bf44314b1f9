//! Whatever happens to an account in whatever order: nobody is in without having proved it.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rightful_core::assurance::Acr;
use rightful_testkit::given::{HoldAction, HoldSource, sessions_in_epoch};
use rightful_web::pages::paths;

use crate::support::{Browser, Engine, Owner, SESSION, STEP, TestSite, WRONG};

/// How many accounts are played with, on each engine.
const CASES: u32 = 24;

/// Browsers about one account.
const BROWSERS: usize = 3;

/// What happens, in which of the browsers, rightly or not.
#[derive(Clone, Copy, Debug)]
enum Event {
    SignIn(usize, bool),
    Code(usize, bool),
    RecoveryCode(usize, bool),
    AskForNewPassword(usize),
    MailedCode(usize, bool),
    ReturnCode(usize, bool),
    Choose(usize),
    Enrol(usize),
    RemoveApp(usize),
    Prove(usize, bool),
    EndOthers(usize),
    SignOut(usize),
    Place(HoldSource, HoldAction),
    LiftAll,
    Pass(i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let browser = || 0..BROWSERS;
    // Mostly right, so that the sequences get somewhere.
    let right = || prop_oneof![4 => Just(true), 1 => Just(false)];
    let source = prop_oneof![Just(HoldSource::Containment), Just(HoldSource::Administrator)];
    let action = prop_oneof![Just(HoldAction::Hold), Just(HoldAction::Change)];
    prop_oneof![
        6 => (browser(), right()).prop_map(|(browser, right)| Event::SignIn(browser, right)),
        5 => (browser(), right()).prop_map(|(browser, right)| Event::Code(browser, right)),
        2 => (browser(), right()).prop_map(|(browser, right)| Event::RecoveryCode(browser, right)),
        2 => browser().prop_map(Event::AskForNewPassword),
        3 => (browser(), right()).prop_map(|(browser, right)| Event::MailedCode(browser, right)),
        2 => (browser(), right()).prop_map(|(browser, right)| Event::ReturnCode(browser, right)),
        2 => browser().prop_map(Event::Choose),
        3 => browser().prop_map(Event::Enrol),
        1 => browser().prop_map(Event::RemoveApp),
        2 => (browser(), right()).prop_map(|(browser, right)| Event::Prove(browser, right)),
        1 => browser().prop_map(Event::EndOthers),
        1 => browser().prop_map(Event::SignOut),
        1 => (source, action).prop_map(|(source, action)| Event::Place(source, action)),
        2 => Just(Event::LiftAll),
        4 => prop_oneof![Just(STEP), Just(400), Just(3700), Just(-600)].prop_map(Event::Pass),
    ]
}

/// What somebody at one browser has shown, told by what he was let type rightly.
#[derive(Clone, Default)]
struct Shown {
    /// In the sign-in under way: the password was right.
    password: bool,
    /// In the session: a second factor, too.
    second_factor: bool,
    /// His session may live.
    may_be_in: bool,
}

struct Play<'a> {
    site: &'a TestSite,
    owner: Owner,
    browsers: Vec<Browser>,
    shown: Vec<Shown>,
    /// The newest code by mail, and in which browser it was asked for.
    mailed: Option<(usize, String)>,
    holds: Vec<(i64, HoldSource, HoldAction)>,
    passwords: usize,
}

impl Play<'_> {
    /// Nothing that was proved so far counts any more.
    fn all_is_over(&mut self) {
        self.shown = vec![Shown::default(); BROWSERS];
    }

    /// Everything but what is in this browser is over.
    fn others_are_over(&mut self, browser: usize) {
        let kept = Shown {
            password: false,
            ..self.shown[browser].clone()
        };
        self.all_is_over();
        self.shown[browser] = kept;
    }

    fn has_app(&self) -> bool {
        !self.owner.secret.is_empty()
    }

    fn app_code(&self, right: bool) -> String {
        if right && self.has_app() {
            self.owner.app_code(self.site)
        } else {
            "000000".to_owned()
        }
    }

    async fn post(&mut self, browser: usize, path: &str, fields: &[(&str, &str)]) -> crate::support::Answer {
        self.browsers[browser].post(path, fields).await
    }

    /// What a second factor led to.
    fn after_factor(&mut self, browser: usize, answer: &crate::support::Answer, right: bool) {
        if answer.location() == Some(paths::ACCOUNT) {
            assert!(self.shown[browser].password && right && self.has_app() && self.holds.is_empty());
            self.shown[browser] = Shown {
                password: false,
                second_factor: true,
                may_be_in: true,
            };
        }
    }

    async fn happen(&mut self, event: Event) {
        match event {
            Event::SignIn(browser, right) => {
                let (address, password) = (self.owner.address.clone(), self.owner.password.clone());
                let typed = if right { password.as_str() } else { WRONG };
                let answer = self.browsers[browser].sign_in(&address, typed).await;
                match answer.location() {
                    Some(paths::ACCOUNT) => {
                        assert!(right && !self.has_app() && self.holds.is_empty());
                        self.shown[browser] = Shown {
                            may_be_in: true,
                            ..Shown::default()
                        };
                    }
                    Some(paths::SIGN_IN_CODE) => {
                        assert!(right && self.has_app() && self.holds.is_empty());
                        self.shown[browser].password = true;
                    }
                    _ => {}
                }
            }
            Event::Code(browser, right) => {
                let code = self.app_code(right);
                let answer = self.post(browser, paths::SIGN_IN_CODE, &[("code", &code)]).await;
                self.after_factor(browser, &answer, right);
            }
            Event::RecoveryCode(browser, right) => {
                let code = self.owner.codes.pop().filter(|_| right);
                let typed = code.clone().unwrap_or_else(|| "AAAAA-AAAA-AAAA".to_owned());
                let answer = self
                    .post(browser, paths::SIGN_IN_RECOVERY_CODE, &[("code", &typed)])
                    .await;
                self.after_factor(browser, &answer, code.is_some());
            }
            Event::AskForNewPassword(browser) => {
                let address = self.owner.address.clone();
                self.post(browser, paths::NEW_PASSWORD, &[("identifier", &address)])
                    .await;
                let mails = self.site.mails().await;
                let code = mails.into_iter().rev().find_map(|mail| mail.code);
                self.mailed = code.map(|code| (browser, code));
            }
            Event::MailedCode(browser, right) => {
                let code = self.mailed.clone().filter(|_| right);
                let typed = code.clone().map_or_else(|| "AAAA-AAAA".to_owned(), |(_, code)| code);
                let answer = self.post(browser, paths::NEW_PASSWORD_CODE, &[("code", &typed)]).await;
                let on = [Some(paths::NEW_PASSWORD_CHOOSE), Some(paths::NEW_PASSWORD_FACTOR)];
                if on.contains(&answer.location()) {
                    assert!(code.is_some_and(|(asked_in, _)| asked_in == browser));
                    assert_eq!(
                        answer.location() == on[1],
                        self.has_app(),
                        "the factor is next where there is one"
                    );
                }
            }
            Event::ReturnCode(browser, right) => {
                let code = self.app_code(right);
                let answer = self.post(browser, paths::NEW_PASSWORD_FACTOR, &[("code", &code)]).await;
                assert!(answer.location() != Some(paths::NEW_PASSWORD_CHOOSE) || (right && self.has_app()));
            }
            Event::Choose(browser) => {
                self.passwords += 1;
                let password = format!("{} owls on a green wire", "many ".repeat(self.passwords));
                let answer = self
                    .post(browser, paths::NEW_PASSWORD_CHOOSE, &[("password", &password)])
                    .await;
                if answer.location() == Some(paths::NEW_PASSWORD_DONE) {
                    self.owner.password = password;
                    self.holds.retain(|(_, source, _)| *source == HoldSource::Administrator);
                    self.all_is_over();
                }
            }
            Event::Enrol(browser) => self.enrol(browser).await,
            Event::RemoveApp(browser) => {
                let answer = self.post(browser, paths::ACCOUNT_APP_REMOVE, &[]).await;
                if answer.location() == Some(paths::ACCOUNT) {
                    assert!(self.shown[browser].may_be_in);
                    self.owner.secret.clear();
                    self.owner.codes.clear();
                    self.others_are_over(browser);
                }
            }
            Event::Prove(browser, right) => {
                let (code, password) = (self.app_code(right), self.owner.password.clone());
                let typed = if right { password } else { WRONG.to_owned() };
                let fields = [if self.has_app() {
                    ("code", code.as_str())
                } else {
                    ("password", typed.as_str())
                }];
                let answer = self.post(browser, paths::STEP_UP, &fields).await;
                if answer.location() == Some(paths::ACCOUNT_APP) {
                    assert!(right && self.shown[browser].may_be_in);
                    self.shown[browser].second_factor |= self.has_app();
                }
            }
            Event::EndOthers(browser) => {
                let answer = self.post(browser, paths::ACCOUNT_SESSIONS_END_OTHERS, &[]).await;
                if answer.location() == Some(paths::ACCOUNT) {
                    self.others_are_over(browser);
                }
            }
            Event::SignOut(browser) => {
                self.post(browser, paths::SIGN_OUT, &[]).await;
                self.shown[browser] = Shown::default();
            }
            Event::Place(source, action) => {
                let number = self.site.hold(self.owner.account, source, action).await;
                self.holds.push((number, source, action));
                self.all_is_over();
            }
            Event::LiftAll => {
                for (number, ..) in std::mem::take(&mut self.holds) {
                    self.site.lift(self.owner.account, number).await;
                    self.all_is_over();
                }
            }
            Event::Pass(seconds) => self.site.pass(seconds),
        }
    }

    async fn enrol(&mut self, browser: usize) {
        let page = self.browsers[browser].get(paths::ACCOUNT_APP).await;
        if !page.body.contains("<p class=\"secret\">") {
            return;
        }
        assert!(self.shown[browser].may_be_in && !self.has_app());
        let secret = page.between("<p class=\"secret\"><bdi>", "</bdi>");
        let groups = secret
            .split(['<', '>'])
            .filter(|part| part.len() == 4 && *part != "span");
        let secret: String = groups.collect();
        let code = rightful_testkit::given::app_code(&secret, self.site.now());
        let page = self.post(browser, paths::ACCOUNT_APP, &[("code", &code)]).await;
        if page.body.contains("<ol class=\"codes\">") {
            (self.owner.secret, self.owner.codes) = (secret, page.listed_codes());
            self.others_are_over(browser);
            self.shown[browser].second_factor = true;
        }
    }

    /// What must hold at every moment.
    async fn check(&mut self) -> Result<(), TestCaseError> {
        let in_epoch = sessions_in_epoch(self.site, self.owner.account).await;
        let mut alive = 0;
        for (browser, shown) in self.browsers.iter().zip(&self.shown) {
            let Some(token) = browser.cookie(SESSION) else { continue };
            let Some(owner) = self.site.node().owner(token).await.unwrap() else {
                continue;
            };
            alive += 1;
            prop_assert!(shown.may_be_in, "a session that should be dead, or never was opened");
            prop_assert_eq!(owner.account(), self.owner.account);
            prop_assert_eq!(
                owner.acr() == Acr::Two,
                shown.second_factor,
                "no more and no less than was proved"
            );
        }
        prop_assert!(self.holds.is_empty() || alive == 0, "in under a hold");
        let carrying = in_epoch.iter().filter(|carries| **carries).count();
        prop_assert!(
            alive <= carrying,
            "{} live, {} carry the account's epoch",
            alive,
            carrying
        );
        Ok(())
    }
}

async fn play(site: &TestSite, events: Vec<Event>) -> Result<(), TestCaseError> {
    let owner = site.owner().await;
    let mut play = Play {
        site,
        owner,
        browsers: (0..BROWSERS).map(|_| site.browser()).collect(),
        shown: vec![Shown::default(); BROWSERS],
        mailed: None,
        holds: Vec::new(),
        passwords: 0,
    };
    for event in events {
        play.happen(event).await;
        play.check().await?;
    }
    Ok(())
}

fn no_sequence_opens_more_than_was_proved(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let site = runtime.block_on(TestSite::new(engine));
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let played = TestRunner::new(config).run(&prop::collection::vec(any_event(), 8..40), |events| {
        runtime.block_on(play(&site, events))
    });
    played.unwrap();
}

mod sqlite {
    #[test]
    fn no_sequence_opens_more_than_was_proved() {
        super::no_sequence_opens_more_than_was_proved(crate::support::Engine::Sqlite);
    }
}

mod postgres {
    #[test]
    fn no_sequence_opens_more_than_was_proved() {
        super::no_sequence_opens_more_than_was_proved(crate::support::Engine::Postgres);
    }
}
