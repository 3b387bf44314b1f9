//! The first administrator of a new site: a code that the server prints, typed once.

use rightful_core::Timestamp;
use rightful_core::assurance::{Born, Proofs};
use rightful_core::flow::Purpose;
use rightful_crypto::code::SetUpCode;
use rightful_crypto::token::{Token, TokenKind};
use rightful_store::flow::NewFlow;
use rightful_store::{StoreError, Tx};
use zeroize::Zeroizing;

use crate::app::{App, Fault};
use crate::budgets::{Spending, Tried};
use crate::mail_code::Memory;
use crate::second_factor::hex;
use crate::sign_in::marks;
use crate::sign_up::{ADMINISTRATOR, Making, SignUpOutcome};
use crate::visitor::Visitor;

/// The setting that holds the digest of the code, or says that it was used.
const SETTING: &str = "set-up";

/// What it holds once there is an administrator.
const DONE: &str = "done";

/// The name under which attempts at the code are counted: it belongs to the site.
const NAME: &str = " set-up";

/// How a step of the set-up came out.
#[derive(Debug)]
pub enum SetUpOutcome {
    /// Address and password are next; the token is that of the flow.
    Account(Zeroizing<String>),
    /// The code was not right.
    WrongCode,
    /// Too many attempts.
    Wait(Timestamp),
    /// There is an administrator already.
    Done,
}

/// Uses the code up that has this digest, in the transaction that makes the administrator: a code that was used and made
/// nobody would leave the site without one for ever. False when it is not the code any more.
pub(crate) async fn use_up(tx: &mut Tx, digest: &str) -> Result<bool, StoreError> {
    let seen = tx.setting(SETTING).await?.filter(|setting| setting.body == digest);
    let Some(seen) = seen else { return Ok(false) };
    tx.put_setting(SETTING, DONE, seen.version).await?;
    Ok(true)
}

impl App {
    /// A fresh code for the first administrator; the one before is dead. `None` when there is one already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn new_set_up_code(&self) -> Result<Option<Zeroizing<String>>, Fault> {
        let mut env = self.env();
        let code = SetUpCode::mint(&mut *env.chance);
        let digest = hex(&code.digest(&self.site.tagger));
        let open = self.site.store.write(async move |tx| {
            let seen = tx.setting(SETTING).await?;
            if seen.as_ref().is_some_and(|setting| setting.body == DONE) {
                return Ok(false);
            }
            tx.put_setting(SETTING, &digest, seen.map_or(0, |setting| setting.version))
                .await?;
            Ok(true)
        });
        Ok(open.await?.then(|| code.shown()))
    }

    /// Whether the first administrator is still to be made.
    ///
    /// # Errors
    /// What the database says.
    pub async fn wants_set_up(&self) -> Result<bool, Fault> {
        let setting = self.site.store.read(async move |tx| tx.setting(SETTING).await).await?;
        Ok(setting.is_some_and(|setting| setting.body != DONE))
    }

    /// Takes the code.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn set_up_code(&self, typed: &str, visitor: &Visitor) -> Result<SetUpOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let nobody = self.nobody(NAME);
        let spent = match self.spend(nobody, Tried::SetUpCode, None, &visitor.range, now).await? {
            Spending::Spent(spent) => spent,
            Spending::Wait(until) => return Ok(SetUpOutcome::Wait(until)),
        };
        let (setting, marks) = self
            .site
            .store
            .read(async move |tx| Ok((tx.setting(SETTING).await?, marks(tx).await?)))
            .await?;
        let Some(setting) = setting.filter(|setting| setting.body != DONE) else {
            return Ok(SetUpOutcome::Done);
        };
        let right = SetUpCode::parse(typed).is_some_and(|code| hex(&code.digest(&self.site.tagger)) == setting.body);
        if !right {
            return Ok(SetUpOutcome::WrongCode);
        }
        let home = self.home_of_nobody(NAME);
        let token = Token::mint(TokenKind::Flow, home, &self.site.tokens, &mut *env.chance);
        let new = NewFlow {
            home,
            token_hash: token.hash(),
            purpose: Purpose::SetUp,
            account: None,
            born: Born {
                epoch: 1,
                mark: marks.mark,
            },
            proofs: Proofs::NONE,
            // The very code that was typed: a newer one kills this conversation too.
            body: Memory {
                name: setting.body,
                ..Memory::default()
            }
            .text(),
            made_at: now,
            expires_at: now.plus_seconds(Purpose::SetUp.lasts()),
        };
        self.site
            .store
            .write(async move |tx| {
                tx.begin_flow(&new).await?;
                spent.give_back(tx).await
            })
            .await?;
        Ok(SetUpOutcome::Account(token.text()))
    }

    /// Takes address and password of the first administrator, who must enrol a second factor before anything else.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn set_up_account(
        &self,
        token: &str,
        address: &str,
        password: &Zeroizing<String>,
        visitor: &Visitor,
    ) -> Result<SignUpOutcome, Fault> {
        let mut env = self.env();
        let now = env.now();
        let Some((flow, _)) = self.flow_with_needs(token, Purpose::SetUp, now).await? else {
            return Ok(SignUpOutcome::StartAgain);
        };
        let Some(memory) = Memory::of(&flow) else {
            return Ok(SignUpOutcome::StartAgain);
        };
        let making = Making {
            given: address,
            role: ADMINISTRATOR,
            verified: false,
            set_up_code: Some(memory.name),
        };
        self.make_account(&flow, &making, password, visitor, now, &mut env)
            .await
    }
}
