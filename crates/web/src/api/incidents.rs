//! Incidents and containments, for those who answer leaks.
//!
//! Who calls is an officer: an account with a role, in a session with two factors. What touches many accounts asks for a fresh proof.

use axum::Json;
use axum::response::NoContent;
use rightful_app::containments::{ContainmentView, MemberRow, OrderRefused};
use rightful_app::incidents::{EntryKind, IncidentRefused, IncidentView};
use rightful_app::notices::Locale;
use rightful_app::officer::{NotAllowed, Officer, officer};
use rightful_app::plan::{Choice, Plan, PlanRefused};
use rightful_core::containment::{Action, ContainmentNo};
use rightful_core::role::{Power, Role};
use rightful_core::{Grade, Kind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::SignedIn;
use super::problem::{Code, Problem, Refused};
use super::words::Moment;

impl From<NotAllowed> for Refused {
    fn from(not_allowed: NotAllowed) -> Self {
        match not_allowed {
            NotAllowed::Role => Code::NotAllowed,
            NotAllowed::TwoFactors => Code::TwoFactors,
            NotAllowed::StepUp => Code::FreshProof,
        }
        .into()
    }
}

impl From<IncidentRefused> for Refused {
    fn from(refused: IncidentRefused) -> Self {
        match refused {
            IncidentRefused::Unknown => Code::NotFound.into(),
            IncidentRefused::UnknownLeak => because(
                Code::NotFound,
                "No leak has this name; `rightful leak list` names them.",
            ),
            IncidentRefused::Title => because(
                Code::NotNow,
                "A title has 1 to 200 bytes on one line, with a letter or digit of ASCII, or a slug beside it.",
            ),
            IncidentRefused::Body => because(Code::NotNow, "A text has 1 to 20,000 bytes."),
            IncidentRefused::Slug => because(
                Code::NotNow,
                "A slug has lower-case letters, digits and single hyphens between them, at most 60.",
            ),
            IncidentRefused::Taken => because(Code::NotNow, "Another incident has this slug; choose another."),
            IncidentRefused::Closed => because(Code::NotNow, "The incident is closed."),
            IncidentRefused::Running => because(
                Code::NotNow,
                "A containment of it is still at work: wait for its end, or undo it.",
            ),
        }
    }
}

impl From<OrderRefused> for Refused {
    fn from(refused: OrderRefused) -> Self {
        match refused {
            OrderRefused::Unknown => Code::NotFound.into(),
            OrderRefused::Role => Code::NotAllowed.into(),
            OrderRefused::Wait(until) => Self::Wait(until),
            OrderRefused::Closed => because(Code::NotNow, "The incident is closed."),
            OrderRefused::NoLeak => because(Code::NotNow, "The incident has no leak; attach one first."),
            OrderRefused::StillReading => because(
                Code::NotNow,
                "A leak of the incident is still being read, so the list would not be whole. Wait for its end.",
            ),
            OrderRefused::Empty => because(
                Code::NotNow,
                "The cohort is empty: there is nobody to do anything about.",
            ),
            OrderRefused::Author => because(
                Code::NeedsApproval,
                "Whoever drafted it, or asked to undo it, cannot agree to it himself: there is somebody else who can.",
            ),
            OrderRefused::State(state) => because(
                Code::NotNow,
                &format!("It is in the state \"{}\", where this has no meaning.", state.word()),
            ),
            OrderRefused::NeedsApproval { takes, taken, cap } => because(
                Code::NeedsApproval,
                &format!(
                    "It takes from {takes} accounts, after {taken} in the last 24 hours; one person may decide about {cap}. \
                     Somebody else must approve it."
                ),
            ),
        }
    }
}

impl From<PlanRefused> for Refused {
    fn from(refused: PlanRefused) -> Self {
        match refused {
            PlanRefused::Banned(banned) => because(
                Code::NotNow,
                &format!(
                    "Exposures of the grade \"{}\" may lead to \"{}\" at most.",
                    banned.grade.word(),
                    banned.at_most.word()
                ),
            ),
            PlanRefused::Waves => because(
                Code::NotNow,
                "Waves are numbers, percentages and \"rest\", separated by commas, as in \"50,10%,rest\"; 100 at most.",
            ),
            PlanRefused::Spacing => because(Code::NotNow, "Waves are at most 10,080 minutes (a week) apart."),
        }
    }
}

fn because(code: Code, detail: &str) -> Refused {
    Refused::Because(Box::new(Problem::because(code, detail)))
}

/// Whoever calls, as somebody who may do this.
fn acting(caller: &SignedIn, power: Power) -> Result<Officer, Refused> {
    Ok(officer(&caller.owner, power, caller.call.app().now())?)
}

/// The same, freshly proved.
fn acting_freshly(caller: &SignedIn, power: Power) -> Result<Officer, Refused> {
    let officer = acting(caller, power)?;
    officer.freshly()?;
    Ok(officer)
}

// ---------------------------------------------------------------- incidents

/// An incident to open.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIncident {
    /// What people call it.
    pub title: String,
    /// What addresses and commands name it by; made of the title where it is missing.
    pub slug: Option<String>,
}

/// What an incident is named by.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedIncident {
    /// Its slug.
    pub incident: String,
}

/// An incident in the list.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ListedIncident {
    /// Its slug.
    pub incident: String,
    /// What people call it.
    pub title: String,
    /// Whether it is still worked on.
    pub open: bool,
    /// When it was opened.
    pub opened_at: Moment,
    /// When it was closed.
    pub closed_at: Option<Moment>,
}

/// All incidents.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct IncidentList {
    /// In the order in which they were opened.
    pub incidents: Vec<ListedIncident>,
}

/// How many accounts a leak is evidence about.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// The grade.
    pub grade: String,
    /// The kind.
    pub kind: String,
    /// How many accounts.
    pub accounts: u64,
}

/// A leak of an incident.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ShownLeak {
    /// Its name.
    pub name: String,
    /// How far the reading is.
    pub state: String,
    /// When it was taken from its source.
    pub leak_date: Option<Moment>,
    /// What it came to.
    pub counts: Vec<Counted>,
}

/// What somebody wrote about an incident.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Written {
    /// `colleagues`, or `everybody` on the public page.
    pub to: String,
    /// What.
    pub text: String,
    /// When.
    pub at: Moment,
}

/// An incident.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ShownIncident {
    /// Its slug.
    pub incident: String,
    /// What people call it.
    pub title: String,
    /// Whether it is still worked on.
    pub open: bool,
    /// When it was opened.
    pub opened_at: Moment,
    /// How many accounts the site has.
    pub accounts: u64,
    /// Its leaks.
    pub leaks: Vec<ShownLeak>,
    /// Notes and updates, oldest first.
    pub written: Vec<Written>,
    /// Its containments.
    pub containments: Vec<ShownContainment>,
}

impl From<IncidentView> for ShownIncident {
    fn from(view: IncidentView) -> Self {
        let leaks = view.leaks.into_iter().map(|leak| ShownLeak {
            name: leak.name,
            state: leak.state.word().to_owned(),
            leak_date: leak.leak_date.map(Moment::from),
            counts: leak
                .counts
                .into_iter()
                .map(|(grade, kind, accounts)| Counted {
                    grade: grade.word().to_owned(),
                    kind: kind.word().to_owned(),
                    accounts,
                })
                .collect(),
        });
        let written = view.entries.into_iter().map(|entry| Written {
            to: match entry.kind {
                EntryKind::Note => "colleagues",
                EntryKind::Update => "everybody",
            }
            .to_owned(),
            text: entry.body,
            at: entry.at.into(),
        });
        Self {
            incident: view.incident.slug,
            title: view.incident.title,
            open: view.incident.is_open,
            opened_at: view.incident.opened_at.into(),
            accounts: view.accounts,
            leaks: leaks.collect(),
            written: written.collect(),
            containments: view.containments.into_iter().map(ShownContainment::from).collect(),
        }
    }
}

/// `POST /incidents/open`.
pub(super) async fn open(caller: SignedIn, asked: NewIncident) -> Result<Json<NamedIncident>, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    let opened = caller
        .call
        .app()
        .open_incident(&officer, &asked.title, asked.slug.as_deref());
    let slug = opened.await??;
    Ok(Json(NamedIncident {
        incident: slug.text().to_owned(),
    }))
}

/// `GET /incidents`.
pub(super) async fn list(caller: SignedIn) -> Result<Json<IncidentList>, Refused> {
    let officer = acting(&caller, Power::See)?;
    let incidents = caller.call.app().incidents(&officer).await?;
    let listed = incidents.into_iter().map(|incident| ListedIncident {
        incident: incident.slug,
        title: incident.title,
        open: incident.is_open,
        opened_at: incident.opened_at.into(),
        closed_at: incident.closed_at.map(Moment::from),
    });
    Ok(Json(IncidentList {
        incidents: listed.collect(),
    }))
}

/// `POST /incidents/show`.
pub(super) async fn show(caller: SignedIn, asked: NamedIncident) -> Result<Json<ShownIncident>, Refused> {
    let officer = acting(&caller, Power::See)?;
    let view = caller.call.app().incident(&officer, &asked.incident).await?;
    Ok(Json(view.ok_or(Code::NotFound)?.into()))
}

/// A leak to attach.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeakToAttach {
    /// The slug of the incident.
    pub incident: String,
    /// The name of the leak.
    pub leak: String,
}

/// `POST /incidents/leaks/attach`.
pub(super) async fn attach_leak(caller: SignedIn, asked: LeakToAttach) -> Result<NoContent, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    let attached = caller.call.app().attach_leak(&officer, &asked.incident, &asked.leak);
    attached.await??;
    Ok(NoContent)
}

/// Whom a text is for.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Readers {
    /// A note.
    Colleagues,
    /// An update on the public page.
    Everybody,
}

/// Something to write about an incident.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextToWrite {
    /// The slug of the incident.
    pub incident: String,
    /// Whom it is for.
    pub to: Readers,
    /// What.
    pub text: String,
}

/// `POST /incidents/write`.
pub(super) async fn write(caller: SignedIn, asked: TextToWrite) -> Result<NoContent, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    let kind = match asked.to {
        Readers::Colleagues => EntryKind::Note,
        Readers::Everybody => EntryKind::Update,
    };
    let app = caller.call.app();
    app.write_on_incident(&officer, &asked.incident, kind, &asked.text)
        .await??;
    Ok(NoContent)
}

/// `POST /incidents/close`.
pub(super) async fn close(caller: SignedIn, asked: NamedIncident) -> Result<NoContent, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    caller.call.app().close_incident(&officer, &asked.incident).await??;
    Ok(NoContent)
}

// ---------------------------------------------------------------- containments

/// What exposures of a grade and kind lead to.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// `exact`, `variant`, `former`, `untested`.
    pub grade: String,
    /// `dump`, `stealer`, `ours`.
    pub kind: String,
    /// `nothing`, `notice`, `change`, `hold`.
    pub action: String,
}

/// What a containment is to do. What is missing is as usual.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanAsked {
    /// What differs from the usual: after a dump `exact` hold, `variant` change, `former` notice; after a stealer log hold.
    #[serde(default)]
    #[schema(required = false)]
    pub choices: Vec<Chosen>,
    /// Sizes of the waves, the canary first: `50,10%,rest`.
    pub waves: Option<String>,
    /// Minutes from one wave to the next: 30.
    pub spacing_minutes: Option<u32>,
    /// Whether owners are told: yes.
    pub notices: Option<bool>,
    /// The language for owners of whom none is known: `en`.
    pub language: Option<String>,
}

impl PlanAsked {
    fn plan(&self) -> Result<Plan, Refused> {
        let mut plan = Plan::default();
        let choice = |chosen: &Chosen| {
            Some(Choice {
                grade: Grade::from_word(&chosen.grade)?,
                kind: Kind::from_word(&chosen.kind)?,
                action: Action::from_word(&chosen.action)?,
            })
        };
        let choices: Option<Vec<Choice>> = self.choices.iter().map(choice).collect();
        plan.choose(&choices.ok_or(Code::NotAsDescribed)?)?;
        plan.cut(self.waves.as_deref(), self.spacing_minutes)?;
        plan.notices = self.notices.unwrap_or(true);
        if let Some(language) = &self.language {
            plan.language = Locale::from_tag(language).ok_or(Code::NotAsDescribed)?;
        }
        Ok(plan)
    }
}

/// A containment to draft.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// The slug of the incident.
    pub incident: String,
    /// What it is to do.
    #[serde(default)]
    #[schema(required = false)]
    pub plan: PlanAsked,
}

/// What a containment is named by.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedContainment {
    /// Its number.
    pub containment: i64,
}

impl NamedContainment {
    const fn no(&self) -> ContainmentNo {
        ContainmentNo(self.containment)
    }
}

/// Members of a cohort that have these in common.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CountedMembers {
    /// The wave.
    pub wave: i64,
    /// What is done about them.
    pub action: String,
    /// The grade of the reason.
    pub grade: String,
    /// Its kind.
    pub kind: String,
    /// What became of them: `frozen`, `done`, `changed`, `returned`, `undone`.
    pub state: String,
    /// How many.
    pub members: u64,
    /// How many of them were written to.
    pub told: u64,
}

/// A wave.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ShownWave {
    /// Which, from 1: the canary.
    pub wave: i64,
    /// How many accounts.
    pub members: u64,
    /// `waiting`, `running` (it counts, and rows are being written), `done`.
    pub state: String,
    /// When it is to start.
    pub due_at: Option<Moment>,
    /// When it started.
    pub started_at: Option<Moment>,
    /// When its rows were written.
    pub done_at: Option<Moment>,
}

/// A containment.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ShownContainment {
    /// Its number.
    pub containment: i64,
    /// How far it is.
    pub state: String,
    /// What is done about which exposures.
    pub choices: Vec<Chosen>,
    /// How it is cut.
    pub wave_sizes: String,
    /// Minutes from one wave to the next.
    pub spacing_minutes: u32,
    /// Whether owners are told.
    pub notices: bool,
    /// How many accounts are in its cohort.
    pub members: u64,
    /// From how many of them something is taken.
    pub takes: u64,
    /// SHA-256 over the cohort, in hex, as the audit log has it.
    pub digest: Option<String>,
    /// When the cohort was frozen.
    pub frozen_at: Option<Moment>,
    /// When somebody agreed.
    pub approved_at: Option<Moment>,
    /// When it started.
    pub started_at: Option<Moment>,
    /// When it came to its end.
    pub ended_at: Option<Moment>,
    /// Since when somebody wants it undone.
    pub undo_asked_at: Option<Moment>,
    /// Its waves.
    pub waves: Vec<ShownWave>,
    /// Its members.
    pub counts: Vec<CountedMembers>,
}

impl From<ContainmentView> for ShownContainment {
    fn from(view: ContainmentView) -> Self {
        let row = &view.containment;
        let choices = view.plan.choices().into_iter().map(|choice| Chosen {
            grade: choice.grade.word().to_owned(),
            kind: choice.kind.word().to_owned(),
            action: choice.action.word().to_owned(),
        });
        let waves = view.waves.iter().map(|wave| ShownWave {
            wave: wave.wave_no,
            members: wave.members,
            state: wave.state.word().to_owned(),
            due_at: wave.due_at.map(Moment::from),
            started_at: wave.started_at.map(Moment::from),
            done_at: wave.done_at.map(Moment::from),
        });
        let counts = view.counts.iter().map(|count| CountedMembers {
            wave: count.wave_no,
            action: count.action.word().to_owned(),
            grade: count.grade.word().to_owned(),
            kind: count.kind.word().to_owned(),
            state: count.state.word().to_owned(),
            members: count.members,
            told: count.told,
        });
        Self {
            containment: row.no.0,
            state: row.state.word().to_owned(),
            choices: choices.collect(),
            wave_sizes: view.plan.sizes(),
            spacing_minutes: view.plan.waves.spacing,
            notices: view.plan.notices,
            members: row.members,
            takes: row.takes,
            digest: row
                .digest
                .map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect()),
            frozen_at: row.frozen_at.map(Moment::from),
            approved_at: row.approved_at.map(Moment::from),
            started_at: row.started_at.map(Moment::from),
            ended_at: row.ended_at.map(Moment::from),
            undo_asked_at: view.undo.map(|undo| undo.at.into()),
            waves: waves.collect(),
            counts: counts.collect(),
        }
    }
}

/// `POST /containments/draft`.
pub(super) async fn draft(caller: SignedIn, asked: Draft) -> Result<Json<NamedContainment>, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    let plan = asked.plan.plan()?;
    let drafted = caller.call.app().draft_containment(&officer, &asked.incident, &plan);
    Ok(Json(NamedContainment {
        containment: drafted.await??.0,
    }))
}

/// Another plan for a containment.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replan {
    /// Its number.
    pub containment: i64,
    /// What it is to do.
    #[serde(default)]
    #[schema(required = false)]
    pub plan: PlanAsked,
}

/// `POST /containments/plan`.
pub(super) async fn replan(caller: SignedIn, asked: Replan) -> Result<NoContent, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    let plan = asked.plan.plan()?;
    let no = ContainmentNo(asked.containment);
    caller.call.app().replan_containment(&officer, no, &plan).await??;
    Ok(NoContent)
}

/// `POST /containments/show`.
pub(super) async fn containment(caller: SignedIn, asked: NamedContainment) -> Result<Json<ShownContainment>, Refused> {
    let officer = acting(&caller, Power::See)?;
    let view = caller.call.app().containment(&officer, asked.no()).await?;
    Ok(Json(view.ok_or(Code::NotFound)?.into()))
}

/// `POST /containments/dry-run`.
pub(super) async fn dry_run(caller: SignedIn, asked: NamedContainment) -> Result<NoContent, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    caller.call.app().dry_run(&officer, asked.no()).await??;
    Ok(NoContent)
}

/// `POST /containments/approve`.
pub(super) async fn approve(caller: SignedIn, asked: NamedContainment) -> Result<NoContent, Refused> {
    let officer = acting_freshly(&caller, Power::Approve)?;
    caller.call.app().approve_containment(&officer, asked.no()).await??;
    Ok(NoContent)
}

/// `POST /containments/start`.
pub(super) async fn start(caller: SignedIn, asked: NamedContainment) -> Result<NoContent, Refused> {
    let officer = acting_freshly(&caller, Power::Respond)?;
    caller.call.app().start_containment(&officer, asked.no()).await??;
    Ok(NoContent)
}

/// `POST /containments/pause`. Needs no fresh proof: it only stops.
pub(super) async fn pause(caller: SignedIn, asked: NamedContainment) -> Result<NoContent, Refused> {
    let officer = acting(&caller, Power::Respond)?;
    caller.call.app().pause_containment(&officer, asked.no()).await??;
    Ok(NoContent)
}

/// `POST /containments/resume`.
pub(super) async fn resume(caller: SignedIn, asked: NamedContainment) -> Result<NoContent, Refused> {
    let officer = acting_freshly(&caller, Power::Respond)?;
    caller.call.app().resume_containment(&officer, asked.no()).await??;
    Ok(NoContent)
}

/// Whether an undoing has begun.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Undoing {
    /// No: somebody else is to agree first, by asking for the same.
    pub begun: bool,
}

/// `POST /containments/undo`.
pub(super) async fn undo(caller: SignedIn, asked: NamedContainment) -> Result<Json<Undoing>, Refused> {
    let officer = acting_freshly(&caller, Power::See)?;
    let begun = caller.call.app().undo_containment(&officer, asked.no()).await??;
    Ok(Json(Undoing { begun }))
}

/// A page of a cohort.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageAsked {
    /// The number of the containment.
    pub containment: i64,
    /// What the page before said; nothing for the first.
    pub after: Option<String>,
}

/// A member of a cohort.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ShownMember {
    /// The id under which the site knows the account.
    pub account: String,
    /// In which wave.
    pub wave: i64,
    /// What is done.
    pub action: String,
    /// The grade of the reason.
    pub grade: String,
    /// Its kind.
    pub kind: String,
    /// The leak that it was found in.
    pub leak: String,
    /// The password version that it was tested against.
    pub password_version: Option<i64>,
    /// Somebody signed in, since the leak's date, from a browser not seen before.
    pub attacked: bool,
    /// What became of it.
    pub state: String,
    /// To how many addresses we may write.
    pub contacts: usize,
    /// When its owner was written to.
    pub told_at: Option<Moment>,
    /// What the account may do for the site itself.
    pub role: Option<String>,
}

impl From<MemberRow> for ShownMember {
    fn from(row: MemberRow) -> Self {
        let because = row.member.because;
        Self {
            account: row.account_id,
            wave: row.member.wave_no,
            action: row.member.action.word().to_owned(),
            grade: because.grade.word().to_owned(),
            kind: because.kind.word().to_owned(),
            leak: row.leak,
            password_version: because.password.map(|version| version.0),
            attacked: row.member.attacked,
            state: row.member.state.word().to_owned(),
            contacts: row.contacts,
            told_at: row.member.told_at.map(Moment::from),
            role: row.role.map(|role: Role| role.word().to_owned()),
        }
    }
}

/// A page of a cohort.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CohortPage {
    /// In the order of waves.
    pub members: Vec<ShownMember>,
    /// For the next page; missing on the last.
    pub after: Option<String>,
}

/// `POST /containments/cohort`.
pub(super) async fn cohort(caller: SignedIn, asked: PageAsked) -> Result<Json<CohortPage>, Refused> {
    let officer = acting(&caller, Power::See)?;
    let no = ContainmentNo(asked.containment);
    let page = caller
        .call
        .app()
        .cohort_page_after(&officer, no, asked.after.as_deref());
    let page = page.await?.ok_or(Code::NotAsDescribed)?;
    Ok(Json(CohortPage {
        members: page.rows.into_iter().map(ShownMember::from).collect(),
        after: page.after,
    }))
}
