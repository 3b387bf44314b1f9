//! The post office: what is due in the outbox becomes mail and goes out.
//!
//! A worker leases the due notices of a home, and for each of them notes that it is being sent, makes the mail, hands it over
//! with no transaction open, and records what became of it. A worker that dies in between leaves a notice of which nobody
//! knows whether it arrived: the next one marks it so and never sends it again. `docs/design/mail.md` has the states.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rightful_core::Timestamp;
use rightful_core::contact::Reach;
use rightful_core::notice::{Hindrance, Next, Waiting, after_hindrance, is_too_late};
use rightful_notify::{
    Address, AddressRefused, Channel, Delivery, Envelope, Locale, MessageId, Names, ReturnPath, Sender, Signer, Step,
    Trouble, Whose, Wire, compose, render,
};
use rightful_store::notice::{Leased, Notice, NoticeState};
use rightful_store::{StoreError, Tx};

use crate::app::{App, Fault, random_id};
use crate::bounces::{Told, told_by};
use crate::notices::Letter;
use crate::return_token;

/// Notices of a home that are leased together.
const LEASED: i64 = 50;

/// How long they are leased, in seconds. What a dead worker had not begun goes on after this.
const LEASE: i64 = 2 * 60;

/// How long one that is being handed over is held, in seconds: more than all timeouts of an SMTP dialogue together (RFC 5321
/// §4.5.3.2), so that a slow server is not taken for a dead worker.
const HAND_OVER: i64 = 30 * 60;

/// How often a record is tried when the database is in trouble: what is not recorded becomes unknown.
const RECORDS: usize = 5;

/// How mail leaves a site.
#[derive(Debug)]
pub struct Post {
    channel: Channel,
    sender: Sender,
    signer: Option<Signer>,
    return_domain: String,
    is_closing: AtomicBool,
}

impl Post {
    /// Mail through `channel`, from `sender`, signed where there is a signer. Bounces go to `return_domain`, or to the domain of
    /// the sender.
    ///
    /// # Errors
    /// When the return domain is none.
    pub fn new(
        channel: Channel,
        sender: Sender,
        signer: Option<Signer>,
        return_domain: Option<&str>,
    ) -> Result<Self, AddressRefused> {
        let return_domain = return_domain.unwrap_or(sender.address.domain()).to_owned();
        ReturnPath::make("token", &return_domain)?;
        Ok(Self {
            channel,
            sender,
            signer,
            return_domain,
            is_closing: AtomicBool::new(false),
        })
    }

    /// The way out.
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// From now on no letter is begun. Those that are being handed over are finished: a letter that is cut off then is one of
    /// which nobody knows whether it arrived.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    /// Whether it was closed.
    pub fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }

    /// The mail of a letter, and who it goes to.
    fn mail(&self, app: &App, leased: &Leased, made: &Notice, letter: &Letter) -> Result<(Envelope, Wire), Unmade> {
        let token = return_token::make(&app.site.tagger, leased.to, leased.notice_id);
        let envelope = Envelope {
            from: self.sender.clone(),
            to: Address::parse(&letter.address).map_err(|_| Unmade::Address)?,
            return_path: ReturnPath::make(&token, &self.return_domain).map_err(|_| Unmade::Composing)?,
            // The same bytes at each attempt, so that a receiver knows a second copy for one.
            date: made.made_at,
            id: MessageId::new(&leased.notice_id.simple().to_string(), &self.sender.address),
        };
        let names = Names {
            site: &app.policy.site_name,
            owner: None,
        };
        let locale = Locale::from_tag(&letter.locale).unwrap_or_default();
        let words = render(&letter.notice, &letter.number, locale, &names);
        let wire = compose(&words, &envelope).map_err(|_| Unmade::Composing)?;
        let wire = match &self.signer {
            None => wire,
            Some(signer) => signer.sign(&wire).map_err(|_| Unmade::Signing)?,
        };
        Ok((envelope, wire))
    }
}

/// Why there is no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unmade {
    /// The address is none that mail goes to.
    Address,
    /// The bytes would not be safe, which means a mistake in the program.
    Composing,
    /// The signing library failed.
    Signing,
}

/// What became of the letters of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentCount {
    /// Handed over.
    pub sent: u64,
    /// To be tried again.
    pub later: u64,
    /// Given up.
    pub failed: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Not begun: taken back meanwhile, or another worker's by now.
    pub passed_over: u64,
    /// Whether the way itself is down, so that the rest was left for later.
    pub is_way_down: bool,
}

impl SentCount {
    /// Letters that were looked at.
    pub const fn all(&self) -> u64 {
        self.sent + self.later + self.failed + self.unknown + self.passed_over
    }

    /// Both rounds together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            later: self.later + other.later,
            failed: self.failed + other.failed,
            unknown: self.unknown + other.unknown,
            passed_over: self.passed_over + other.passed_over,
            is_way_down: self.is_way_down || other.is_way_down,
        }
    }

    fn add(&mut self, end: Option<&End>) {
        match end {
            None => self.passed_over += 1,
            Some(End::Sent) => self.sent += 1,
            Some(End::Failed(_)) => self.failed += 1,
            Some(End::Unknown) => self.unknown += 1,
            Some(End::Later { next, why }) => {
                self.is_way_down |= *why == Hindrance::WayDown;
                match next {
                    Next::Again(_) => self.later += 1,
                    Next::GiveUp => self.failed += 1,
                }
            }
        }
    }
}

/// How the sending of a letter ended.
#[derive(Clone, Debug)]
enum End {
    Sent,
    Later { next: Next, why: Hindrance },
    Failed(Option<Told>),
    Unknown,
}

/// The letters of one round, drawn by several hands at once.
struct Round<'a> {
    post: &'a Post,
    letters: Mutex<std::vec::IntoIter<Leased>>,
    count: Mutex<SentCount>,
}

impl Round<'_> {
    /// The next letter, unless it is time to stop. What is left over comes back when its lease is over.
    fn draw(&self) -> Option<Leased> {
        if self.post.is_closing() || self.count().is_way_down {
            return None;
        }
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn count(&self) -> std::sync::MutexGuard<'_, SentCount> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Sends what is due, of every home at most 50 letters. Call it again as long as it finds something.
    ///
    /// # Errors
    /// What the database says. Letters that were begun are finished all the same; the rest comes back by itself.
    pub async fn send_due(&self, post: &Post) -> Result<SentCount, Fault> {
        let now = self.now();
        let find = async move |tx: &mut Tx| tx.homes_with_due_notices(now).await;
        let homes = self.site.store.read(find).await?;
        let mut count = SentCount::default();
        let mut fault = None;
        for home in homes {
            if post.is_closing() || count.is_way_down {
                break;
            }
            match self.send_home(post, home, &mut count).await {
                Ok(()) => {}
                Err(trouble) if trouble.passes() => return Err(trouble),
                // One home that cannot be read must not keep the others from their mail.
                Err(trouble) => fault = fault.or(Some(trouble)),
            }
        }
        fault.map_or(Ok(count), Err)
    }

    async fn send_home(&self, post: &Post, home: i64, count: &mut SentCount) -> Result<(), Fault> {
        let mut env = self.env();
        let (now, lease) = (env.now(), random_id(&mut env));
        let until = now.plus_seconds(LEASE);
        let take = async move |tx: &mut Tx| tx.lease_notices(home, lease, now, until, LEASED).await;
        let letters = self.site.store.write(take).await?;
        let round = Round {
            post,
            letters: Mutex::new(letters.into_iter()),
            count: Mutex::new(*count),
        };
        // As many as a channel usually has connections.
        let hands = tokio::join!(
            self.send_round(&round),
            self.send_round(&round),
            self.send_round(&round),
            self.send_round(&round)
        );
        *count = *round.count();
        hands.0.and(hands.1).and(hands.2).and(hands.3)
    }

    async fn send_round(&self, round: &Round<'_>) -> Result<(), Fault> {
        let mut before = None;
        while let Some(leased) = round.draw() {
            let Some(made) = self.begin_letter(&mut before, &leased).await? else {
                round.count().add(None);
                continue;
            };
            let end = self.hand_over(round.post, &leased, &made).await;
            round.count().add(Some(&end));
            before = Some((leased, end));
        }
        match before {
            Some((leased, end)) => self.record(&leased, &end).await,
            None => Ok(()),
        }
    }

    /// Notes that a letter is being sent, and says what is known of it; `None` when it must not be sent. In the same transaction
    /// goes how the one before it ended, so that a letter costs one commit: whoever dies between two leaves one of which nobody
    /// knows, as before.
    async fn begin_letter(&self, before: &mut Option<(Leased, End)>, leased: &Leased) -> Result<Option<Notice>, Fault> {
        let now = self.now();
        let until = now.plus_seconds(HAND_OVER);
        let (ended, leased) = (before.clone(), leased.clone());
        let begin = async move |tx: &mut Tx| {
            if let Some((leased, end)) = &ended {
                write_end(tx, leased, end, now).await?;
            }
            if !tx.begin_sending(&leased, now).await? {
                return Ok(None);
            }
            tx.extend_lease(&leased, until).await?;
            tx.notice(leased.to, leased.notice_id).await
        };
        match self.site.store.write(begin).await {
            Ok(made) => {
                *before = None;
                Ok(made)
            }
            Err(error) => {
                // The one before was handed over: that is written down, whatever keeps this one from being begun.
                if let Some((leased, end)) = before.take() {
                    self.record(&leased, &end).await?;
                }
                Err(error.into())
            }
        }
    }

    /// From the sealed row to the answer of the other side.
    async fn hand_over(&self, post: &Post, leased: &Leased, made: &Notice) -> End {
        let Ok(letter) = self.open_letter(leased) else {
            tracing::error!(notice.id = %leased.notice_id, "a letter in the outbox cannot be read; it is given up");
            return End::Failed(None);
        };
        let waiting = Waiting {
            is_code: letter.notice.is_code(),
            made_at: made.made_at,
            attempts: leased.attempts + 1,
        };
        if is_too_late(waiting.is_code, waiting.made_at, self.now()) {
            tracing::warn!(notice.id = %leased.notice_id, notice.kind = made.kind, "too late to be sent; it is given up");
            return End::Failed(None);
        }
        let ended = match post.mail(self, leased, made, &letter) {
            Ok((envelope, wire)) => ended(post.channel.send(&envelope, &wire).await),
            Err(unmade) => unmade_ended(unmade),
        };
        tell(leased, made, &ended);
        match ended.fate {
            Fate::Sent => End::Sent,
            Fate::Unknown => End::Unknown,
            Fate::Never(reach) => {
                End::Failed(reach.zip(made.contact_no).map(|(reach, no)| {
                    Told::new(&self.site, leased.to, no, reach, ended.status.as_deref(), self.now())
                }))
            }
            Fate::Later(why) => End::Later {
                next: after_hindrance(waiting, why, self.now()),
                why,
            },
        }
    }

    /// Records how it ended, again and again while the database is in trouble: guards make a second time harmless.
    async fn record(&self, leased: &Leased, end: &End) -> Result<(), Fault> {
        let now = self.now();
        let mut tries = 1;
        loop {
            let (leased, end) = (leased.clone(), end.clone());
            let write = async move |tx: &mut Tx| write_end(tx, &leased, &end, now).await;
            match self.site.store.write(write).await.map_err(Fault::Store) {
                Err(fault) if fault.passes() && tries < RECORDS => tries += 1,
                recorded => return recorded,
            }
        }
    }
}

async fn write_end(tx: &mut Tx, leased: &Leased, end: &End, now: Timestamp) -> Result<(), StoreError> {
    let state = match end {
        End::Later {
            next: Next::Again(at), ..
        } => return tx.send_again_at(leased, *at, now).await,
        End::Later { next: Next::GiveUp, .. } | End::Failed(_) => NoticeState::Failed,
        End::Sent => NoticeState::Sent,
        End::Unknown => NoticeState::Unknown,
    };
    tx.end_sending(leased, state, now).await?;
    if let End::Failed(Some(told)) = end {
        told.note(tx).await?;
    }
    Ok(())
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ended {
    fate: Fate,
    /// Somebody must look at it.
    is_alarming: bool,
    /// The status or reply code.
    status: Option<String>,
    /// For the log: what happened, without anything that may name the receiver.
    said: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Sent,
    Later(Hindrance),
    /// What it says of the contact.
    Never(Option<Reach>),
    Unknown,
}

/// What the channel's answer means for a letter.
fn ended(delivery: Delivery) -> Ended {
    let (fate, trouble) = match delivery {
        Delivery::Sent { .. } => (Fate::Sent, None),
        Delivery::Unknown { trouble } => (Fate::Unknown, Some(trouble)),
        Delivery::Later { trouble } if is_about_way(&trouble) => (Fate::Later(Hindrance::WayDown), Some(trouble)),
        Delivery::Later { trouble } => (Fate::Later(Hindrance::PutOff), Some(trouble)),
        Delivery::Never {
            trouble,
            whose: Whose::Ours,
            ..
        } => (Fate::Later(Hindrance::Ours), Some(trouble)),
        Delivery::Never {
            trouble,
            whose: Whose::Address,
            class,
        } => (Fate::Never(told_by(class)), Some(trouble)),
        // It says nothing of the mailbox, and the same letter will be refused again.
        Delivery::Never {
            trouble,
            whose: Whose::Message,
            ..
        } => (Fate::Never(None), Some(trouble)),
    };
    let is_ours = matches!(fate, Fate::Later(Hindrance::Ours));
    Ended {
        fate,
        is_alarming: is_ours || trouble.as_ref().is_some_and(Trouble::is_alarming),
        status: trouble.as_ref().and_then(status),
        said: trouble.as_ref().map(said).unwrap_or_default(),
    }
}

fn unmade_ended(unmade: Unmade) -> Ended {
    let (fate, said) = match unmade {
        Unmade::Address => (Fate::Never(Some(Reach::Dead)), "its address is none that mail goes to"),
        Unmade::Composing => (Fate::Never(None), "no safe mail could be made of it"),
        Unmade::Signing => (Fate::Later(Hindrance::Ours), "it could not be signed (DKIM)"),
    };
    Ended {
        fate,
        is_alarming: unmade != Unmade::Address,
        status: None,
        said: said.to_owned(),
    }
}

/// Nothing was said of any letter yet.
const fn is_about_way(trouble: &Trouble) -> bool {
    matches!(trouble.step, Step::Connect | Step::Tls | Step::SignIn | Step::Folder)
}

fn status(trouble: &Trouble) -> Option<String> {
    let reply = trouble.reply()?;
    Some(match reply.status {
        Some(status) => status.to_string(),
        None => reply.code.to_string(),
    })
}

/// What happened, for the log. From MAIL on a server's words may hold the receiver's address or the return path, which no log
/// shall have; its codes say enough.
fn said(trouble: &Trouble) -> String {
    match (trouble.reply(), is_about_way(trouble)) {
        (Some(reply), false) => {
            let status = reply.status.map(|status| format!(" {status}")).unwrap_or_default();
            let step = trouble.step.word();
            format!("the mail server answered {}{status} to {step}", reply.code)
        }
        _ => trouble.to_string(),
    }
}

fn tell(leased: &Leased, made: &Notice, ended: &Ended) {
    let (id, kind, attempt, said) = (
        leased.notice_id,
        made.kind.as_str(),
        leased.attempts + 1,
        ended.said.as_str(),
    );
    if ended.is_alarming {
        tracing::error!(notice.id = %id, notice.kind = kind, attempt, said, "mail does not go out, and trying again will not mend it");
        return;
    }
    match ended.fate {
        Fate::Sent => tracing::debug!(notice.id = %id, notice.kind = kind, attempt, "sent"),
        Fate::Later(_) => tracing::warn!(notice.id = %id, notice.kind = kind, attempt, said, "not sent yet"),
        Fate::Never(_) => tracing::warn!(notice.id = %id, notice.kind = kind, attempt, said, "refused for good"),
        Fate::Unknown => {
            tracing::error!(notice.id = %id, notice.kind = kind, attempt, said, "it may have arrived or not; it is not sent again");
        }
    }
}

#[cfg(test)]
mod tests {
    use rightful_notify::channel::Lost;
    use rightful_notify::{Class, Reply};

    use super::*;

    fn answered(step: Step, code: u16, text: &str) -> Trouble {
        Trouble {
            step,
            what: Lost::Answered(Reply::new(code, text)),
        }
    }

    #[test]
    fn an_answer_says_what_becomes_of_the_letter_and_of_its_address() {
        let later = |trouble| Delivery::Later { trouble };
        let never = |trouble, whose, class| Delivery::Never { trouble, whose, class };
        let gone = answered(Step::Recipient, 550, "5.1.1 no such user");
        let timed_out = Trouble {
            step: Step::Connect,
            what: Lost::TimedOut,
        };
        for (delivery, fate) in [
            (
                later(answered(Step::Recipient, 450, "4.2.0 greylisted")),
                Fate::Later(Hindrance::PutOff),
            ),
            (later(timed_out), Fate::Later(Hindrance::WayDown)),
            (
                later(answered(Step::SignIn, 535, "no")),
                Fate::Later(Hindrance::WayDown),
            ),
            (
                never(gone.clone(), Whose::Address, Class::Hard),
                Fate::Never(Some(Reach::Dead)),
            ),
            (
                never(gone.clone(), Whose::Address, Class::Soft),
                Fate::Never(Some(Reach::Soft)),
            ),
            (never(gone.clone(), Whose::Address, Class::Blocked), Fate::Never(None)),
            (never(gone.clone(), Whose::Message, Class::Soft), Fate::Never(None)),
            (
                never(gone.clone(), Whose::Ours, Class::Blocked),
                Fate::Later(Hindrance::Ours),
            ),
            (Delivery::Unknown { trouble: gone }, Fate::Unknown),
        ] {
            assert_eq!(ended(delivery.clone()).fate, fate, "{delivery:?}");
        }
    }

    #[test]
    fn what_no_attempt_will_mend_is_an_alarm() {
        let refused = Trouble {
            step: Step::Tls,
            what: Lost::Refused("the certificate is not of this host".to_owned()),
        };
        assert!(ended(Delivery::Later { trouble: refused }).is_alarming);
        let put_off = answered(Step::Recipient, 450, "4.2.0 greylisted");
        assert!(!ended(Delivery::Later { trouble: put_off }).is_alarming);
        assert!(unmade_ended(Unmade::Signing).is_alarming);
    }

    #[test]
    fn no_address_comes_into_the_log() {
        let trouble = answered(Step::Recipient, 550, "5.1.1 <anna@example.org> is not here");
        assert_eq!(said(&trouble), "the mail server answered 550 5.1.1 to rcpt");
        assert_eq!(status(&trouble).as_deref(), Some("5.1.1"));
        let trouble = answered(Step::SignIn, 535, "5.7.8 wrong password");
        assert!(said(&trouble).contains("wrong password"));
    }
}
