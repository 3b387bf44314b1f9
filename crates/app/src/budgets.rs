//! Budgets of attempts, as use cases spend them: for the account and what is tried, for the recognised browser, for the range
//! of addresses. Nothing resets one; what was right is given back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rightful_core::budget::{Policy, Rate};
use rightful_core::{AccountNo, Timestamp};
use rightful_crypto::seal::Draw;
use rightful_store::budget::{BudgetKey, BudgetSize};
use rightful_store::{StoreError, Tx};
use uuid::Uuid;

use crate::app::{App, Fault};
use crate::notices::{Locale, Notice, queue_all};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    Password,
    App,
    RecoveryCode,
    MailCode,
    SetUpCode,
    /// A look at whether a message is ours.
    Check,
    /// A mail with a code that somebody asks for.
    Mail,
}

impl Tried {
    const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::App => "app",
            Self::RecoveryCode => "recovery-code",
            Self::MailCode => "mail-code",
            Self::SetUpCode => "set-up-code",
            Self::Check => "check",
            Self::Mail => "mail",
        }
    }

    /// Whether it is guessing at something that opens an account. Its owner is told when that goes on.
    const fn is_guess(self) -> bool {
        match self {
            Self::Password | Self::App | Self::RecoveryCode | Self::MailCode => true,
            Self::SetUpCode | Self::Check | Self::Mail => false,
        }
    }

    /// How fast it may be tried, from this browser.
    const fn policy(self, browser: Option<Uuid>) -> Policy {
        match (self, browser) {
            (Self::Mail, _) => Policy::MAIL_CODE,
            (_, Some(_)) => Policy::BROWSER,
            (_, None) => Policy::AUTHENTICATOR,
        }
    }
}

/// What was spent, to be given back when it was right.
#[derive(Clone, Debug)]
pub(crate) struct Spent {
    budgets: Vec<(BudgetKey, BudgetSize)>,
    exhausted: Exhausted,
}

/// Whether an attempt may be made.
#[derive(Clone, Debug)]
pub(crate) enum Spending {
    /// It may.
    Spent(Spent),
    /// Not before this moment.
    Wait(Timestamp),
}

/// Budgets that were found empty, so that whoever goes on asking is told to wait without asking the database. Only ever says
/// what the database said: nothing is counted here, and a node that knows nothing asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exhausted(Arc<Mutex<HashMap<BudgetKey, Empty>>>);

/// From when to when a budget is known to be empty.
#[derive(Clone, Copy, Debug)]
struct Empty {
    from: Timestamp,
    until: Timestamp,
}

impl Empty {
    fn is_at(self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl Exhausted {
    /// How many are remembered; about 10 MB.
    const MOST: usize = 65_536;

    fn budgets(&self) -> MutexGuard<'_, HashMap<BudgetKey, Empty>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a budget has nothing before `until`.
    fn note(&self, key: BudgetKey, until: Timestamp, now: Timestamp) {
        let mut budgets = self.budgets();
        if budgets.len() >= Self::MOST {
            budgets.retain(|_, empty| empty.is_at(now));
        }
        if budgets.len() < Self::MOST {
            budgets.insert(key, Empty { from: now, until });
        }
    }

    /// When the last of the budgets that are known to be empty has something again; `None` when none is.
    fn until(&self, budgets: &[(BudgetKey, BudgetSize)], now: Timestamp) -> Option<Timestamp> {
        let known = self.budgets();
        let empty = budgets.iter().filter_map(|(key, _)| known.get(key));
        empty.filter(|empty| empty.is_at(now)).map(|empty| empty.until).max()
    }

    /// Something was given back: the database is asked again.
    fn forget(&self, spent: &[(BudgetKey, BudgetSize)]) {
        let mut budgets = self.budgets();
        for (key, _) in spent {
            budgets.remove(key);
        }
    }
}

/// How often an owner is told of guesses: once in 24 hours, whatever is guessed at.
const TOLD_OF_GUESSES: BudgetSize = BudgetSize {
    burst: 1,
    every: 24 * 60 * 60 * 1_000_000,
};

fn told_of_guesses(account: AccountNo) -> BudgetKey {
    BudgetKey {
        home: home_of(account),
        subject: account.get(),
        scope: "told-of-guesses".to_owned(),
    }
}

/// What every refused attempt writes. Only an account has a record of sign-ins, and a transaction that writes nothing is done
/// sooner than one that the disk must have: this gives a name that nobody has something to write too. Never empty.
const REFUSED: BudgetSize = BudgetSize {
    burst: i64::MAX,
    every: 1,
};

/// Notes that an attempt was refused, on an account or on a name that nobody has.
pub(crate) async fn note_refusal(tx: &mut Tx, account: AccountNo, now: Timestamp) -> Result<(), StoreError> {
    let key = BudgetKey {
        home: home_of(account),
        subject: account.get(),
        scope: "refused".to_owned(),
    };
    tx.spend_budget(&key, REFUSED, now).await.map(drop)
}

/// Budgets of no account lie in homes of their own below these numbers, [`SPREAD`] each: few enough to be swept one by one.
const RANGES: i64 = -10_000;
const NOBODIES: i64 = -20_000;
const SPREAD: i64 = 256;

/// The budget of all codes by mail that strangers ask for.
fn mail_of_site() -> BudgetKey {
    BudgetKey {
        home: RANGES,
        subject: 0,
        scope: "mail-of-site".to_owned(),
    }
}

/// Where the budgets of an account lie, or those of a name that nobody has.
const fn home_of(account: AccountNo) -> i64 {
    if account.get() > 0 {
        account.block()
    } else {
        NOBODIES - account.get().rem_euclid(SPREAD)
    }
}

/// Every home with budgets of no account.
pub(crate) fn homes_without_accounts() -> impl Iterator<Item = i64> {
    [RANGES, NOBODIES]
        .into_iter()
        .flat_map(|from| (0..SPREAD).map(move |offset| from - offset))
}

const fn size(rate: Rate) -> BudgetSize {
    BudgetSize {
        burst: rate.burst as i64,
        every: rate.interval_micros(),
    }
}

impl App {
    /// The budgets of one attempt on an account (or on a name that nobody has, by its number) from a range of addresses.
    fn budgets_of(
        &self,
        account: AccountNo,
        tried: Tried,
        browser: Option<Uuid>,
        range: &str,
    ) -> Vec<(BudgetKey, BudgetSize)> {
        // A recognised browser has its own, so that nobody can lock the owner out of it from elsewhere.
        let scope = match browser {
            Some(browser) => format!("{}@{browser}", tried.word()),
            None => tried.word().to_owned(),
        };
        let of_account = tried.policy(browser).rates.iter().zip(0..).map(|(rate, number)| {
            let key = BudgetKey {
                home: home_of(account),
                subject: account.get(),
                scope: format!("{scope}#{number}"),
            };
            (key, size(*rate))
        });
        let of_range = [(self.range_budget(range), self.range_size())];
        // The owner's browser is no stranger: with the site's mail used up by others, he still gets his.
        let of_site = (tried == Tried::Mail && browser.is_none()).then(|| (mail_of_site(), self.mail_size()));
        of_range.into_iter().chain(of_account).chain(of_site).collect()
    }

    /// Half of an hour's mail at once and half in the course of it, so that no hour has more than the whole.
    fn mail_size(&self) -> BudgetSize {
        let half = i64::from(self.policy.codes_per_hour).max(2) / 2;
        BudgetSize {
            burst: half,
            every: 3_600_000_000 / half,
        }
    }

    /// The budget of a range of addresses, spread over homes of its own.
    fn range_budget(&self, range: &str) -> BudgetKey {
        let drawn = self.site.tagger.prf(Draw::Block, format!("range {range}").as_bytes());
        let number = i64::from_le_bytes(*drawn.first_chunk().expect("32 bytes hold 8"));
        BudgetKey {
            home: RANGES - number.rem_euclid(SPREAD),
            subject: number,
            scope: "range".to_owned(),
        }
    }

    /// Spends an attempt that is about no account yet, from the budget of its range of addresses alone.
    pub(crate) async fn spend_of_range(&self, range: &str, now: Timestamp) -> Result<Spending, Fault> {
        let budgets = vec![(self.range_budget(range), self.range_size())];
        if let Some(until) = self.exhausted.until(&budgets, now) {
            return Ok(Spending::Wait(until));
        }
        let (key, size) = budgets[0].clone();
        let spend = self
            .site
            .store
            .write(async move |tx| tx.spend_budget(&key, size, now).await);
        Ok(match spend.await? {
            Some(until) => {
                self.exhausted.note(self.range_budget(range), until, now);
                Spending::Wait(until)
            }
            None => Spending::Spent(self.spent(budgets)),
        })
    }

    fn spent(&self, budgets: Vec<(BudgetKey, BudgetSize)>) -> Spent {
        Spent {
            budgets,
            exhausted: self.exhausted.clone(),
        }
    }

    const fn range_size(&self) -> BudgetSize {
        let [rate] = Policy::ADDRESS_RANGE.rates else {
            panic!("a range has one rate");
        };
        size(Rate {
            burst: self.policy.attempts_per_range,
            ..*rate
        })
    }

    /// Spends an attempt from each of its budgets, or from none. Where guesses have used one up, the owner is told, once a day.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn spend(
        &self,
        account: AccountNo,
        tried: Tried,
        browser: Option<Uuid>,
        range: &str,
        now: Timestamp,
    ) -> Result<Spending, Fault> {
        let budgets = self.budgets_of(account, tried, browser, range);
        if let Some(until) = self.exhausted.until(&budgets, now) {
            return Ok(Spending::Wait(until));
        }
        let (spending, told) = (budgets.clone(), told_of_guesses(account));
        let empty = self
            .site
            .store
            .write(async move |tx| {
                for (at, (key, budget)) in spending.iter().enumerate() {
                    if let Some(until) = tx.spend_budget(key, *budget, now).await? {
                        give_back(tx, &spending[..at]).await?;
                        for (key, budget) in &spending[at + 1..] {
                            tx.settle_budget(key, *budget, now).await?;
                        }
                        // The first is that of the range: it says nothing of this account.
                        let tell = at > 0 && tried.is_guess() && has_room(tx, &told, now).await?;
                        return Ok(Some((at, until, tell)));
                    }
                }
                Ok(None)
            })
            .await?;
        let Some((at, until, tell)) = empty else {
            return Ok(Spending::Spent(self.spent(budgets)));
        };
        self.exhausted.note(budgets[at].0.clone(), until, now);
        if budgets[at].0 == mail_of_site() {
            tracing::warn!(
                "more codes by mail are asked for than limits.codes_per_hour allows: who asks is told to wait"
            );
        }
        if tell {
            self.tell_of_guesses(account, now).await?;
        }
        Ok(Spending::Wait(until))
    }

    /// Tells an owner of guesses, unless somebody else has just done so. The same is done for a name that nobody has; there is
    /// only nobody to write to.
    async fn tell_of_guesses(&self, account: AccountNo, now: Timestamp) -> Result<(), Fault> {
        let mut env = self.env();
        let notice = Notice::TooManyGuesses { at: now };
        let told = self.tell_all(account, &notice, Locale::En, now, &mut env).await?;
        let key = told_of_guesses(account);
        self.site
            .store
            .write(
                async move |tx| match tx.spend_budget(&key, TOLD_OF_GUESSES, now).await? {
                    None => queue_all(tx, &told).await,
                    Some(_) => Ok(()),
                },
            )
            .await?;
        Ok(())
    }
}

/// Whether the owner may be told now. Spends nothing: that is done together with the notice.
async fn has_room(tx: &mut Tx, told: &BudgetKey, now: Timestamp) -> Result<bool, StoreError> {
    let has_room = tx.spend_budget(told, TOLD_OF_GUESSES, now).await?.is_none();
    if has_room {
        tx.give_back_budget(told, TOLD_OF_GUESSES).await?;
    }
    Ok(has_room)
}

async fn give_back(tx: &mut Tx, budgets: &[(BudgetKey, BudgetSize)]) -> Result<(), StoreError> {
    for (key, budget) in budgets {
        tx.give_back_budget(key, *budget).await?;
    }
    Ok(())
}

impl Spent {
    /// Gives it back, in the transaction that records that it was right.
    pub(crate) async fn give_back(&self, tx: &mut Tx) -> Result<(), StoreError> {
        give_back(tx, &self.budgets).await?;
        self.exhausted.forget(&self.budgets);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_budget_is_known_until_it_has_something_again() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let key = |scope: &str| BudgetKey {
            home: 1,
            subject: 2,
            scope: scope.to_owned(),
        };
        let size = BudgetSize {
            burst: 3,
            every: 10_000_000,
        };
        let exhausted = Exhausted::default();
        exhausted.note(key("password"), at(105), at(100));
        let until = |scope, now| exhausted.until(&[(key(scope), size)], now);
        assert_eq!(until("password", at(104)), Some(at(105)));
        assert_eq!(until("password", at(105)), None);
        assert_eq!(until("app", at(104)), None);
        assert_eq!(
            until("password", at(50)),
            None,
            "a clock that was put back asks the database again"
        );
    }
}
