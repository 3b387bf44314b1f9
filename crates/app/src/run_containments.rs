//! What follows from orders about containments, in the background: the list of the cohort, the start of waves, their rows, the
//! messages, the undoing.
//!
//! Every step may be taken by several nodes at once and may be cut off anywhere. What a step did is committed with what says that it
//! was done, so that the next look finds what is left. A wave's members are refused from the wave's own row on; the rows written
//! here only make that cheap and lasting.

use std::collections::HashMap;

use rightful_core::audit::{AuditEntry, AuditSubject};
use rightful_core::containment::{Action, ContainmentNo, ContainmentState, Decided, Evidence, Urgency, decide};
use rightful_core::{AccountNo, PasswordVersion, Timestamp};
use rightful_store::StoreError;
use rightful_store::cohort::{Exposed, Member, NewMember};
use rightful_store::containment::Containment;
use sha2::{Digest, Sha256};

use crate::app::{App, Fault};
use crate::containments::read_plan;
use crate::env::Env;
use crate::notices::{Draft, Locale, Notice};
use crate::plan::Plan;
use crate::sessions::{locale_of, with_standing};
use crate::sign_in::leak_source;

/// Members whose notices are queued in one transaction.
const TOLD_TOGETHER: i64 = 200;

/// Members that are written in one transaction while a cohort is listed.
const LISTED_TOGETHER: usize = 4096;

/// A member of a cohort that is being listed. As small as it goes: there may be millions.
#[derive(Clone, Copy)]
struct Listed {
    account: AccountNo,
    decided: Decided,
    urgency: Urgency,
}

/// Evidence and what else decides, of one account.
#[derive(Default)]
struct Gathered {
    evidence: Vec<Evidence>,
    current: Option<PasswordVersion>,
    officer: bool,
}

impl App {
    /// Takes one look at all containments and does what is due. True when something was done: look again at once.
    ///
    /// # Errors
    /// See [`Fault`]; what was done stays done.
    pub async fn run_containments(&self, stopped: impl Fn() -> bool) -> Result<bool, Fault> {
        let mut worked = self.start_due_waves().await?;
        worked |= self.write_waves(&stopped).await?;
        worked |= self.undo_containments(&stopped).await?;
        worked |= self.list_cohorts(&stopped).await?;
        worked |= self.tell_cohorts(&stopped).await?;
        Ok(worked)
    }

    /// A row for the audit log about a containment, by the server.
    fn entry(&self, no: ContainmentNo, event: &'static str, body: String, at: Timestamp) -> AuditEntry {
        self.site.entry(AuditSubject::Containment(no.0), event, body, at)
    }

    // ------------------------------------------------------------------ the list

    async fn list_cohorts(&self, stopped: &impl Fn() -> bool) -> Result<bool, Fault> {
        let freezing = self
            .site
            .store
            .read(async move |tx| tx.containments_in(ContainmentState::Freezing).await)
            .await?;
        let mut worked = false;
        for no in freezing {
            if stopped() {
                break;
            }
            match self.list_cohort(no).await {
                // Another node is at it.
                Err(Fault::Store(StoreError::Changed { .. } | StoreError::AlreadyExists)) => {}
                listed => worked |= listed?,
            }
        }
        Ok(worked)
    }

    /// Lists a cohort from its beginning: what a dead worker left is dropped first. Whoever takes it over raises its version, so
    /// that the one before him can write nothing more.
    async fn list_cohort(&self, no: ContainmentNo) -> Result<bool, Fault> {
        let now = self.now();
        let claimed = self.site.store.write(async move |tx| {
            let Some(seen) = tx.containment(no).await? else {
                return Ok(None);
            };
            if seen.state != ContainmentState::Freezing {
                return Ok(None);
            }
            tx.move_containment(&seen, ContainmentState::Freezing).await?;
            Ok(Some(Containment {
                version: seen.version + 1,
                ..seen
            }))
        });
        let Some(claimed) = claimed.await? else {
            return Ok(false);
        };
        for block in self.site.store.read(async move |tx| tx.cohort_blocks(no).await).await? {
            let seen = claimed.clone();
            let drop = self.site.store.write(async move |tx| {
                tx.still_listing(&seen).await?;
                tx.drop_members(no, block).await.map(drop)
            });
            drop.await?;
        }
        let plan = read_plan(&claimed)?;
        let mut listed = self.gather(&claimed, &plan).await?;
        listed.sort_unstable_by_key(|one| (one.urgency.order(), one.account));
        let officers = listed.iter().filter(|one| one.urgency.officer).count();
        let waves = plan.waves.cut((listed.len() - officers) as u64, officers as u64);
        let mut members = in_waves(&listed, &waves);
        members.sort_unstable_by_key(|member| member.account);
        let takes = members
            .iter()
            .filter(|member| member.decided.action.takes_away() && !member.decided.changed_since);
        let takes = takes.count() as u64;
        let digest = digest_of(&members);
        for members in members.chunks(LISTED_TOGETHER) {
            let (seen, members) = (claimed.clone(), members.to_vec());
            let add = self.site.store.write(async move |tx| {
                tx.still_listing(&seen).await?;
                tx.add_members(no, &members, now).await
            });
            add.await?;
        }
        let body = serde_json::json!({
            "members": members.len(), "takes": takes, "digest": crate::second_factor::hex(&digest),
        });
        let entry = self.entry(no, "containment.frozen", body.to_string(), now);
        let frozen = self.site.store.write(async move |tx| {
            tx.end_freeze(&claimed, &waves, takes, digest, now).await?;
            tx.audit(&entry).await
        });
        frozen.await?;
        Ok(true)
    }

    /// Decides about every account that the leaks of an incident are evidence about.
    async fn gather(&self, containment: &Containment, plan: &Plan) -> Result<Vec<Listed>, Fault> {
        let incident = containment.incident;
        let (leaks, blocks) = self
            .site
            .store
            .read(async move |tx| {
                let mut leaks = Vec::new();
                for no in tx.incident_leaks(incident).await? {
                    leaks.extend(tx.leak(no).await?);
                }
                Ok((leaks, tx.blocks().await?))
            })
            .await?;
        // Where nobody knows when a leak was taken, what came after we got it is what may have come of it.
        let since = leaks
            .iter()
            .map(|leak| leak.noted.leak_date.unwrap_or(leak.noted.received_at))
            .min();
        let since = since.unwrap_or(containment.made_at);
        let mut listed = Vec::new();
        for block in 0..blocks {
            let numbers: Vec<_> = leaks.iter().map(|leak| leak.no).collect();
            let (exposed, used) = self
                .site
                .store
                .read(async move |tx| {
                    let mut exposed = Vec::new();
                    for leak in &numbers {
                        exposed.append(&mut tx.exposed_in_block(*leak, block).await?);
                    }
                    if exposed.is_empty() {
                        return Ok((exposed, Vec::new()));
                    }
                    Ok((exposed, tx.use_in_block(block, since).await?))
                })
                .await?;
            listed.extend(decide_in_block(&exposed, &used, plan));
        }
        Ok(listed)
    }

    // ------------------------------------------------------------------ waves

    async fn start_due_waves(&self) -> Result<bool, Fault> {
        let now = self.now();
        let due = self.site.store.read(async move |tx| tx.due_waves(now).await).await?;
        let mut worked = false;
        for (no, wave_no) in due {
            worked |= self.start_wave(no, wave_no, now).await?;
        }
        Ok(worked)
    }

    /// Starts a wave, and says when the next one is to start.
    async fn start_wave(&self, no: ContainmentNo, wave_no: i64, now: Timestamp) -> Result<bool, Fault> {
        let body = serde_json::json!({ "wave": wave_no }).to_string();
        let entry = self.entry(no, "containment.wave_started", body, now);
        let started = self.site.store.write(async move |tx| {
            let Some(containment) = tx.containment(no).await? else {
                return Ok(false);
            };
            if tx.start_wave(no, wave_no, now).await?.is_none() {
                return Ok(false);
            }
            let spacing = i64::from(read_plan(&containment)?.waves.spacing) * 60;
            tx.set_wave_due(no, wave_no + 1, now.plus_seconds(spacing)).await?;
            tx.audit(&entry).await?;
            Ok(true)
        });
        Ok(started.await?)
    }

    async fn write_waves(&self, stopped: &impl Fn() -> bool) -> Result<bool, Fault> {
        let running = self.site.store.read(async move |tx| tx.running_waves().await).await?;
        let mut worked = false;
        for (no, wave_no) in running {
            worked |= self.write_wave(no, wave_no, stopped).await?;
        }
        Ok(worked)
    }

    /// Writes the rows of a wave, block by block, and notes its end.
    async fn write_wave(&self, no: ContainmentNo, wave_no: i64, stopped: &impl Fn() -> bool) -> Result<bool, Fault> {
        let (blocks, state) = self
            .site
            .store
            .read(async move |tx| {
                let containment = tx.containment(no).await?;
                Ok((tx.wave_blocks(no, wave_no).await?, containment.map(|one| one.state)))
            })
            .await?;
        if state == Some(ContainmentState::Undoing) {
            // The undoing takes it from here: what it has not reached yet is still refused.
            return Ok(false);
        }
        let by = format!("containment:{}", no.0);
        for block in blocks {
            if stopped() {
                return Ok(true);
            }
            let (now, by) = (self.now(), by.clone());
            let done = self
                .site
                .store
                .write(async move |tx| tx.act_in_block(no, wave_no, block, &by, now).await);
            done.await?;
        }
        let now = self.now();
        let body = serde_json::json!({ "wave": wave_no }).to_string();
        let wave_done = self.entry(no, "containment.wave_done", body, now);
        let all_done = self.entry(no, "containment.done", "{}".to_owned(), now);
        let ended = self.site.store.write(async move |tx| {
            if !tx.end_wave(no, wave_no, now).await? {
                return Ok(());
            }
            tx.audit(&wave_done).await?;
            let last = tx.unfinished_waves(no).await? == 0;
            if last
                && tx
                    .end_containment(no, ContainmentState::Running, ContainmentState::Done, now)
                    .await?
            {
                tx.audit(&all_done).await?;
            }
            Ok(())
        });
        ended.await?;
        Ok(true)
    }

    // ------------------------------------------------------------------ messages

    async fn tell_cohorts(&self, stopped: &impl Fn() -> bool) -> Result<bool, Fault> {
        let untold = self.site.store.read(async move |tx| tx.untold_waves().await).await?;
        let mut worked = false;
        for (no, wave_no, written) in untold {
            worked |= self.tell_wave(no, wave_no, written, stopped).await?;
        }
        Ok(worked)
    }

    /// Queues the notices of a wave for those whose rows are written.
    async fn tell_wave(
        &self,
        no: ContainmentNo,
        wave_no: i64,
        written: bool,
        stopped: &impl Fn() -> bool,
    ) -> Result<bool, Fault> {
        let Some(containment) = self.site.store.read(async move |tx| tx.containment(no).await).await? else {
            return Ok(false);
        };
        let plan = read_plan(&containment)?;
        let mut worked = false;
        if plan.notices {
            for block in self
                .site
                .store
                .read(async move |tx| tx.wave_blocks(no, wave_no).await)
                .await?
            {
                if stopped() {
                    return Ok(worked);
                }
                worked |= self.tell_block(&containment, &plan, wave_no, block).await?;
            }
        }
        if written {
            let now = self.now();
            self.site
                .store
                .write(async move |tx| tx.wave_told(no, wave_no, now).await)
                .await?;
        }
        Ok(worked)
    }

    async fn tell_block(
        &self,
        containment: &Containment,
        plan: &Plan,
        wave_no: i64,
        block: i64,
    ) -> Result<bool, Fault> {
        let (no, mut after, mut worked) = (containment.no, 0, false);
        loop {
            let page = self
                .site
                .store
                .read(async move |tx| tx.members_to_tell(no, wave_no, block, after, TOLD_TOGETHER).await);
            let members = page.await?;
            let Some(last) = members.last() else {
                return Ok(worked);
            };
            after = last.account.get();
            worked = true;
            self.tell_members(no, plan, &members).await?;
        }
    }

    async fn tell_members(&self, no: ContainmentNo, plan: &Plan, members: &[Member]) -> Result<(), Fault> {
        let mut env = self.env();
        let now = env.now();
        let mut letters = Vec::with_capacity(members.len());
        for member in members {
            let notice = notice_of(member);
            let drafts = self.drafts_for(member.account, &notice, no, plan.language, now, &mut env);
            letters.push((member.account, drafts.await?));
        }
        let queued = self.site.store.write(async move |tx| {
            // A pause, or an undoing, comes before this or waits for it.
            if !tx.may_tell(no).await? {
                return Ok(());
            }
            for (account, drafts) in &letters {
                if tx.member_told(no, *account, now).await? {
                    crate::notices::queue_all(tx, drafts).await?;
                }
            }
            Ok(())
        });
        Ok(queued.await?)
    }

    /// One message for an account to each of its addresses that gets warnings.
    async fn drafts_for(
        &self,
        account: AccountNo,
        notice: &Notice,
        no: ContainmentNo,
        language: Locale,
        now: Timestamp,
        env: &mut Env,
    ) -> Result<Vec<Draft>, Fault> {
        let found = self
            .site
            .store
            .read(async move |tx| {
                let (row, living) = (tx.account(account).await?, tx.living(account).await?);
                Ok((row, living, tx.contacts(account).await?))
            })
            .await?;
        let (Some(row), Some(living), contacts) = found else {
            return Ok(Vec::new());
        };
        let locale = locale_of(living.locale.as_deref(), language);
        let contacts = with_standing(&contacts, row.created_at);
        let drafts = self.warn(account, &contacts, locale, notice, now, env);
        Ok(drafts.into_iter().map(|draft| draft.of_containment(no)).collect())
    }

    // ------------------------------------------------------------------ undo

    async fn undo_containments(&self, stopped: &impl Fn() -> bool) -> Result<bool, Fault> {
        let undoing = self
            .site
            .store
            .read(async move |tx| tx.containments_in(ContainmentState::Undoing).await)
            .await?;
        let mut worked = false;
        for no in undoing {
            let blocks = self.site.store.read(async move |tx| tx.cohort_blocks(no).await).await?;
            for block in blocks {
                if stopped() {
                    return Ok(worked);
                }
                self.undo_block(no, block).await?;
            }
            self.end_undo(no).await?;
            worked = true;
        }
        Ok(worked)
    }

    async fn undo_block(&self, no: ContainmentNo, block: i64) -> Result<(), Fault> {
        let Some(containment) = self.site.store.read(async move |tx| tx.containment(no).await).await? else {
            return Ok(());
        };
        let plan = read_plan(&containment)?;
        let mut env = self.env();
        let now = env.now();
        let (by, notices) = (format!("undo:{}", no.0), plan.notices);
        let told = self
            .site
            .store
            .read(async move |tx| tx.told_to_undo(no, block).await)
            .await?;
        let mut letters = HashMap::with_capacity(told.len());
        for account in told {
            let notice = Notice::TurnedOnAgain { at: now };
            let drafts = self.drafts_for(account, &notice, no, plan.language, now, &mut env);
            letters.insert(account, drafts.await?);
        }
        let undone = self.site.store.write(async move |tx| {
            for account in tx.undo_in_block(no, block, &by, now).await? {
                // What was told while the letters were drawn is seen the next time, as nothing of this is kept.
                let drafts = letters.get(&account).ok_or(StoreError::Changed { what: "cohort" })?;
                if tx.take_back_notices(account, no, now).await? && notices {
                    crate::notices::queue_all(tx, drafts).await?;
                }
            }
            Ok(())
        });
        match undone.await {
            Err(StoreError::Changed { .. }) => Ok(()),
            undone => Ok(undone?),
        }
    }

    async fn end_undo(&self, no: ContainmentNo) -> Result<(), Fault> {
        let now = self.now();
        let entry = self.entry(no, "containment.undone", "{}".to_owned(), now);
        let ended = self.site.store.write(async move |tx| {
            if tx.members_left_to_undo(no).await? > 0 {
                return Ok(());
            }
            let (from, to) = (ContainmentState::Undoing, ContainmentState::Undone);
            if tx.end_containment(no, from, to, now).await? {
                tx.end_all_waves(no, now).await?;
                tx.audit(&entry).await?;
            }
            Ok(())
        });
        Ok(ended.await?)
    }
}

/// What the owner of a member is told.
fn notice_of(member: &Member) -> Notice {
    let (at, source) = (member.changed_at, leak_source(member.because.kind));
    match member.action {
        Action::Hold => Notice::TurnedOff {
            at,
            source,
            // Said only by somebody who is sure, and no plan asks for that yet.
            site_not_broken_into: false,
        },
        Action::Change | Action::Notice | Action::Nothing => Notice::PleaseChange { at, source },
    }
}

fn decide_in_block(exposed: &[Exposed], used: &[(AccountNo, Timestamp, bool)], plan: &Plan) -> Vec<Listed> {
    let used: HashMap<AccountNo, (Timestamp, bool)> =
        used.iter().map(|(no, at, strange)| (*no, (*at, *strange))).collect();
    let mut gathered: HashMap<AccountNo, Gathered> = HashMap::new();
    for one in exposed {
        let account = gathered.entry(one.account).or_default();
        account.evidence.push(one.evidence);
        account.current = one.current;
        account.officer = one.role.is_some();
    }
    let listed = gathered.into_iter().filter_map(|(account, gathered)| {
        let decided = decide(&gathered.evidence, gathered.current, &plan.actions)?;
        let use_of = used.get(&account);
        Some(Listed {
            account,
            decided,
            urgency: Urgency {
                attacked: use_of.is_some_and(|(_, strange)| *strange),
                last_used_at: use_of.map(|(at, _)| *at),
                officer: gathered.officer,
            },
        })
    });
    listed.collect()
}

/// Deals the accounts, the most urgent first, to the waves.
fn in_waves(listed: &[Listed], waves: &[u64]) -> Vec<NewMember> {
    let numbers = (1i64..).zip(waves).flat_map(|(wave_no, size)| {
        let size = usize::try_from(*size).unwrap_or(usize::MAX);
        std::iter::repeat_n(wave_no, size)
    });
    let members = listed.iter().zip(numbers).map(|(one, wave_no)| NewMember {
        account: one.account,
        wave_no,
        decided: one.decided,
        attacked: one.urgency.attacked,
    });
    members.collect()
}

/// SHA-256 over all members in the order of their numbers: account, wave, action, grade, kind, leak and password version, each as a
/// line. What the audit log says was agreed to can be compared with the rows at any later date.
fn digest_of(members: &[NewMember]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for member in members {
        let because = member.decided.because;
        let line = format!(
            "{} {} {} {} {} {} {}\n",
            member.account.get(),
            member.wave_no,
            member.decided.action.word(),
            because.grade.word(),
            because.kind.word(),
            because.leak.0,
            because.password.map_or(0, |version| version.0),
        );
        digest.update(line.as_bytes());
    }
    digest.finalize().into()
}
