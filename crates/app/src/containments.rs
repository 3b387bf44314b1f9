//! What responders order about containments. Each order is one short transaction; the work that follows from it is
//! [`crate::run_containments`]'.

use rightful_core::audit::AuditSubject;
use rightful_core::containment::{
    Action, Approval, ApprovalRefused, ContainmentNo, ContainmentState, Order, approve, cap, is_within_cap,
};
use rightful_core::leak::LeakState;
use rightful_core::role::{Power, Role};
use rightful_core::{AccountNo, PublicId, Timestamp};
pub use rightful_store::cohort::{Member, MemberCount, MemberPlace, MemberState};
pub use rightful_store::containment::{Containment, UndoAsked, Wave, WaveState};
use rightful_store::{StoreError, Tx};

use crate::accounts::{account_id, find_account};
use crate::app::{App, Fault};
use crate::incidents::incident_of;
use crate::officer::Officer;
use crate::plan::Plan;

/// The time over which the cap counts, in seconds.
const CAP_OVER: i64 = 24 * 60 * 60;

/// The most members of a page.
pub const MOST_MEMBERS: i64 = 1000;

/// Why an order about a containment is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// There is no such incident, or no such containment.
    Unknown,
    /// The incident is closed.
    Closed,
    /// It has no leak.
    NoLeak,
    /// One of its leaks is still being read: the list would not be whole.
    StillReading,
    /// In its state this order has no meaning.
    State(ContainmentState),
    /// It takes from more accounts than one person may decide about.
    NeedsApproval {
        /// From how many.
        takes: u64,
        /// How many were taken from in the last 24 hours.
        taken: u64,
        /// How many one person may.
        cap: u64,
    },
    /// Whoever drafted it, or asked to undo it, may not agree to it himself.
    Author,
    /// He may, as the only one who could, but not before then.
    Wait(Timestamp),
    /// It is about nobody.
    Empty,
    /// Only somebody who drafts or approves may undo.
    Role,
}

/// A containment with its waves and what became of its members.
#[derive(Clone, Debug)]
pub struct ContainmentView {
    /// Its row.
    pub containment: Containment,
    /// What is to be done.
    pub plan: Plan,
    /// Its waves.
    pub waves: Vec<Wave>,
    /// Its members, counted.
    pub counts: Vec<MemberCount>,
    /// Who wants it undone.
    pub undo: Option<UndoAsked>,
}

/// A member of a cohort as lists show it.
#[derive(Clone, Debug)]
pub struct MemberRow {
    /// The id under which the site knows the account.
    pub account_id: String,
    /// The id of the account that others see.
    pub public_id: PublicId,
    /// The name of the leak that is the reason.
    pub leak: String,
    /// To how many addresses we may write.
    pub contacts: usize,
    /// Whether it answers leaks itself.
    pub role: Option<Role>,
    /// The rest.
    pub member: Member,
}

pub(crate) async fn containment_view(tx: &mut Tx, containment: Containment) -> Result<ContainmentView, StoreError> {
    let no = containment.no;
    Ok(ContainmentView {
        plan: read_plan(&containment)?,
        waves: tx.waves(no).await?,
        counts: tx.count_members(no).await?,
        undo: tx.undo_asked(no).await?,
        containment,
    })
}

pub(crate) fn read_plan(containment: &Containment) -> Result<Plan, StoreError> {
    Plan::read(&containment.plan).ok_or(StoreError::Corrupt {
        table: "containment",
        column: "plan",
    })
}

/// An order as it came out: refused, or carried out.
type Ordered = Result<(), OrderRefused>;

/// The containment of an order, if the order has a meaning in its state.
async fn ordered(
    tx: &mut Tx,
    no: ContainmentNo,
    order: Order,
) -> Result<Result<Containment, OrderRefused>, StoreError> {
    let Some(containment) = tx.containment(no).await? else {
        return Ok(Err(OrderRefused::Unknown));
    };
    Ok(match containment.state.after(order) {
        Some(_) => Ok(containment),
        None => Err(OrderRefused::State(containment.state)),
    })
}

/// Whether somebody may agree to what somebody else, or he himself, asked for at a moment.
async fn agreed(
    tx: &mut Tx,
    by: AccountNo,
    author: AccountNo,
    since: Timestamp,
    now: Timestamp,
) -> Result<Result<rightful_core::containment::Approved, OrderRefused>, StoreError> {
    let roles = tx.count_roles().await?;
    let approval = Approval {
        by_author: by == author,
        approvers: roles
            .iter()
            .filter(|(role, _)| role.may(Power::Approve))
            .map(|(_, count)| count)
            .sum(),
        since,
    };
    Ok(approve(approval, now).map_err(|refused| match refused {
        ApprovalRefused::Author => OrderRefused::Author,
        ApprovalRefused::Wait(until) => OrderRefused::Wait(until),
    }))
}

/// Continues with what is in it, or answers the refusal.
macro_rules! or_refused {
    ($outcome:expr) => {
        match $outcome {
            Ok(value) => value,
            Err(refused) => return Ok(Err(refused)),
        }
    };
}

impl App {
    /// Drafts a containment of an incident.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn draft_containment(
        &self,
        officer: &Officer,
        incident: &str,
        plan: &Plan,
    ) -> Result<Result<ContainmentNo, OrderRefused>, Fault> {
        let (now, text) = (self.now(), plan.text());
        let (officer, incident) = (officer.clone(), incident.to_owned());
        let drafted = self.site.store.write(async move |tx| {
            let incident = match incident_of(tx, &incident).await? {
                None => return Ok(Err(OrderRefused::Unknown)),
                Some(incident) if !incident.is_open => return Ok(Err(OrderRefused::Closed)),
                Some(incident) => incident,
            };
            let no = tx.draft_containment(incident.no, &text, officer.account(), now).await?;
            let subject = AuditSubject::Containment(no.0);
            let body = serde_json::json!({ "incident": incident.slug, "plan": text }).to_string();
            tx.audit(&officer.entry(subject, "containment.drafted", body, now))
                .await?;
            Ok(Ok(no))
        });
        Ok(drafted.await?)
    }

    /// Changes the plan before anything was done. Whoever does is its author from then on, and its list is to be made anew.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn replan_containment(
        &self,
        officer: &Officer,
        no: ContainmentNo,
        plan: &Plan,
    ) -> Result<Ordered, Fault> {
        let (now, text) = (self.now(), plan.text());
        let officer = officer.clone();
        let done = self.site.store.write(async move |tx| {
            let containment = or_refused!(ordered(tx, no, Order::DryRun).await?);
            tx.replan_containment(&containment, &text, officer.account()).await?;
            let body = serde_json::json!({ "plan": text }).to_string();
            let subject = AuditSubject::Containment(no.0);
            tx.audit(&officer.entry(subject, "containment.replanned", body, now))
                .await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Orders the list of whom it is about. It is made in the background; what was agreed to before is void.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn dry_run(&self, officer: &Officer, no: ContainmentNo) -> Result<Ordered, Fault> {
        let now = self.now();
        let officer = officer.clone();
        let done = self.site.store.write(async move |tx| {
            let containment = or_refused!(ordered(tx, no, Order::DryRun).await?);
            let leaks = tx.incident_leaks(containment.incident).await?;
            if leaks.is_empty() {
                return Ok(Err(OrderRefused::NoLeak));
            }
            for leak in leaks {
                let state = tx.leak(leak).await?.map(|leak| leak.state);
                if state == Some(LeakState::Reading) {
                    return Ok(Err(OrderRefused::StillReading));
                }
            }
            tx.begin_freeze(&containment).await?;
            let subject = AuditSubject::Containment(no.0);
            tx.audit(&officer.entry(subject, "containment.dry_run_ordered", "{}".to_owned(), now))
                .await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Agrees to a frozen cohort. The author may not, unless he is the only one who could, and then after an hour.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn approve_containment(&self, officer: &Officer, no: ContainmentNo) -> Result<Ordered, Fault> {
        let now = self.now();
        let officer = officer.clone();
        let done = self.site.store.write(async move |tx| {
            let containment = or_refused!(ordered(tx, no, Order::Approve).await?);
            let frozen_at = containment.frozen_at.unwrap_or(now);
            let approved = or_refused!(agreed(tx, officer.account(), containment.author, frozen_at, now).await?);
            tx.approve_containment(&containment, officer.account(), approved, now)
                .await?;
            let body = serde_json::json!({
                "alone": approved.alone(), "members": containment.members, "digest": containment.digest.map(hex),
            });
            let subject = AuditSubject::Containment(no.0);
            tx.audit(&officer.entry(subject, "containment.approved", body.to_string(), now))
                .await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Starts a containment: its canary is due now. What takes from more accounts than the cap allows must be approved.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn start_containment(&self, officer: &Officer, no: ContainmentNo) -> Result<Ordered, Fault> {
        let now = self.now();
        let officer = officer.clone();
        let done = self.site.store.write(async move |tx| {
            let containment = or_refused!(ordered(tx, no, Order::Start).await?);
            if containment.members == 0 {
                return Ok(Err(OrderRefused::Empty));
            }
            let accounts = tx.count_accounts().await?;
            let taken = tx.taken_since(now.plus_seconds(-CAP_OVER)).await?;
            let approved = containment.state == ContainmentState::Approved;
            if !approved && !is_within_cap(taken, containment.takes, accounts) {
                return Ok(Err(OrderRefused::NeedsApproval {
                    takes: containment.takes,
                    taken,
                    cap: cap(accounts),
                }));
            }
            tx.start_containment(&containment, now).await?;
            tx.set_wave_due(no, 1, now).await?;
            let body = serde_json::json!({ "members": containment.members, "digest": containment.digest.map(hex) });
            let subject = AuditSubject::Containment(no.0);
            tx.audit(&officer.entry(subject, "containment.started", body.to_string(), now))
                .await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Starts no further wave and queues no further message. What was done stays, and a wave that has started is ended.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn pause_containment(&self, officer: &Officer, no: ContainmentNo) -> Result<Ordered, Fault> {
        self.move_to(officer, no, Order::Pause, "containment.paused").await
    }

    /// Goes on after a pause.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn resume_containment(&self, officer: &Officer, no: ContainmentNo) -> Result<Ordered, Fault> {
        self.move_to(officer, no, Order::Resume, "containment.resumed").await
    }

    async fn move_to(
        &self,
        officer: &Officer,
        no: ContainmentNo,
        order: Order,
        event: &'static str,
    ) -> Result<Ordered, Fault> {
        let now = self.now();
        let entry = officer.entry(AuditSubject::Containment(no.0), event, "{}".to_owned(), now);
        let done = self.site.store.write(async move |tx| {
            let containment = or_refused!(ordered(tx, no, order).await?);
            let Some(to) = containment.state.after(order) else {
                return Ok(Err(OrderRefused::State(containment.state)));
            };
            tx.move_containment(&containment, to).await?;
            tx.audit(&entry).await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Undoes a containment. Where it held for `exact` or `variant` evidence a second person must agree: the first one's order is
    /// noted, and the second one's begins it. True when it has begun.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn undo_containment(
        &self,
        officer: &Officer,
        no: ContainmentNo,
    ) -> Result<Result<bool, OrderRefused>, Fault> {
        let now = self.now();
        let by = officer.account();
        let role = officer.role();
        if !role.may(Power::Respond) && !role.may(Power::Approve) {
            return Ok(Err(OrderRefused::Role));
        }
        let officer = officer.clone();
        let done = self.site.store.write(async move |tx| {
            let containment = or_refused!(ordered(tx, no, Order::Undo).await?);
            let asked = tx.undo_asked(no).await?;
            let (author, asked_at, version) = match asked {
                Some(asked) => (asked.author, asked.at, containment.version),
                None => {
                    tx.ask_undo(&containment, by, now).await?;
                    let subject = AuditSubject::Containment(no.0);
                    tx.audit(&officer.entry(subject, "containment.undo_asked", "{}".to_owned(), now))
                        .await?;
                    (by, now, containment.version + 1)
                }
            };
            if by != author && !role.may(Power::Approve) {
                return Ok(Err(OrderRefused::Role));
            }
            let grave = tx.count_members(no).await?.iter().any(|count| {
                let is_evidence = matches!(count.grade, rightful_core::Grade::Exact | rightful_core::Grade::Variant);
                is_evidence && count.action.takes_away() && count.state == MemberState::Done
            });
            // Whoever is the only one that could agree needs no wait to undo.
            let since = now.plus_seconds(-rightful_core::containment::ALONE_AFTER);
            let agreed = agreed(tx, by, author, since.min(asked_at), now).await?;
            let approved = match agreed {
                Ok(approved) => approved,
                Err(_) if !grave => or_refused!(
                    approve(
                        Approval {
                            by_author: true,
                            approvers: 1,
                            since
                        },
                        now
                    )
                    .map_err(|_| OrderRefused::Author)
                ),
                // It was asked for just now: somebody else is to agree.
                Err(OrderRefused::Author) if asked.is_none() => return Ok(Ok(false)),
                Err(refused) => return Ok(Err(refused)),
            };
            let seen = Containment { version, ..containment };
            tx.begin_undo(&seen, by, approved).await?;
            let body = serde_json::json!({ "alone": approved.alone() }).to_string();
            let subject = AuditSubject::Containment(no.0);
            tx.audit(&officer.entry(subject, "containment.undo_begun", body, now))
                .await?;
            Ok(Ok(true))
        });
        Ok(done.await?)
    }

    /// A containment as it stands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn containment(&self, _officer: &Officer, no: ContainmentNo) -> Result<Option<ContainmentView>, Fault> {
        let found = self.site.store.read(async move |tx| match tx.containment(no).await? {
            Some(containment) => containment_view(tx, containment).await.map(Some),
            None => Ok(None),
        });
        Ok(found.await?)
    }

    /// A page of a cohort after a place that the page before gave. `None` when it is no such place.
    ///
    /// # Errors
    /// What the database says.
    pub async fn cohort_page_after(
        &self,
        officer: &Officer,
        no: ContainmentNo,
        after: Option<&str>,
    ) -> Result<Option<CohortPage>, Fault> {
        let place = match after {
            None => MemberPlace::default(),
            Some(text) => {
                let Some((wave, account)) = text.split_once('.') else {
                    return Ok(None);
                };
                let (Ok(wave), Some(account)) = (wave.parse(), find_account(&self.site, account, None).await?) else {
                    return Ok(None);
                };
                MemberPlace::new(wave, account.get())
            }
        };
        let rows = self.cohort_page(officer, no, place).await?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|len| len >= MOST_MEMBERS);
        let after = rows.last().filter(|_| is_full).map(place_text);
        Ok(Some(CohortPage { rows, after }))
    }

    /// At most [`MOST_MEMBERS`] members of a cohort after a place, with what lists show.
    ///
    /// # Errors
    /// What the database says.
    pub async fn cohort_page(
        &self,
        _officer: &Officer,
        no: ContainmentNo,
        after: MemberPlace,
    ) -> Result<Vec<MemberRow>, Fault> {
        let rows = self.site.store.read(async move |tx| {
            let members = tx.members(no, after, MOST_MEMBERS).await?;
            let leaks = tx.leaks().await?;
            let name_of = |leak| leaks.iter().find(|known| known.no == leak);
            let mut rows = Vec::with_capacity(members.len());
            for member in members {
                let Some(account) = tx.account(member.account).await? else {
                    continue;
                };
                let contacts = tx.contacts(member.account).await?;
                rows.push(MemberRow {
                    account_id: account_id(&account),
                    public_id: account.public_id,
                    leak: name_of(member.because.leak).map_or_else(String::new, |leak| leak.noted.name.clone()),
                    contacts: contacts.iter().filter(|contact| contact.replaced_at.is_none()).count(),
                    role: Role::from_word(&account.role),
                    member,
                });
            }
            Ok(rows)
        });
        Ok(rows.await?)
    }
}

/// A page of a cohort.
#[derive(Clone, Debug)]
pub struct CohortPage {
    /// Its members.
    pub rows: Vec<MemberRow>,
    /// Where the next page begins; `None` on the last.
    pub after: Option<String>,
}

/// The place after a member, as others see it: its wave, and the id of its account.
fn place_text(row: &MemberRow) -> String {
    format!("{}.{}", row.member.wave_no, row.public_id)
}

/// The members that an action is planned for, in all waves.
pub fn planned(counts: &[MemberCount], action: Action) -> u64 {
    let of_action = counts.iter().filter(|count| count.action == action);
    of_action.map(|count| count.members).sum()
}

fn hex(bytes: [u8; 32]) -> String {
    crate::second_factor::hex(&bytes)
}
