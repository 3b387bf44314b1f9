//! Incidents: what a responder works on.

use rightful_core::audit::AuditSubject;
use rightful_core::incident::Slug;
use rightful_core::leak::LeakState;
use rightful_core::{AccountNo, Grade, Kind, Timestamp};
pub use rightful_store::incident::{Entry, EntryKind, Incident};
use rightful_store::{StoreError, Tx};

use crate::app::{App, Fault};
use crate::containments::{ContainmentView, containment_view};
use crate::officer::Officer;

/// The most bytes of a title, and of a note or an update.
const MOST_TITLE: usize = 200;
const MOST_BODY: usize = 20_000;

/// Why an incident is not as somebody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentRefused {
    /// The title is empty, too long, or nothing of it can stand in an address.
    Title,
    /// The text is empty or too long.
    Body,
    /// The slug is not one.
    Slug,
    /// There is one of this slug.
    Taken,
    /// There is none of this slug.
    Unknown,
    /// There is no leak of this name.
    UnknownLeak,
    /// It is closed.
    Closed,
    /// A containment of it is still running.
    Running,
}

/// A leak of an incident, with what it came to.
#[derive(Clone, Debug)]
pub struct IncidentLeak {
    /// Its name.
    pub name: String,
    /// How far the reading is.
    pub state: LeakState,
    /// When it was taken from its source.
    pub leak_date: Option<Timestamp>,
    /// Exposures by grade and kind, and how many accounts they are about.
    pub counts: Vec<(Grade, Kind, u64)>,
}

/// An incident with everything that a responder looks at.
#[derive(Clone, Debug)]
pub struct IncidentView {
    /// Its row.
    pub incident: Incident,
    /// Its leaks.
    pub leaks: Vec<IncidentLeak>,
    /// Notes and updates, oldest first.
    pub entries: Vec<Entry>,
    /// Its containments.
    pub containments: Vec<ContainmentView>,
    /// How many accounts there are in all.
    pub accounts: u64,
}

/// The incident of a slug, inside a transaction.
pub(crate) async fn incident_of(tx: &mut Tx, slug: &str) -> Result<Option<Incident>, StoreError> {
    // What is no slug names nothing, and need not be a text that every engine takes.
    match Slug::parse(slug) {
        Some(slug) => tx.incident_by_slug(slug.text()).await,
        None => Ok(None),
    }
}

fn body_is_good(body: &str) -> bool {
    !body.trim().is_empty() && body.len() <= MOST_BODY && !body.contains('\0')
}

impl App {
    /// Opens an incident. Its slug is made of its title where none is given.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn open_incident(
        &self,
        officer: &Officer,
        title: &str,
        slug: Option<&str>,
    ) -> Result<Result<Slug, IncidentRefused>, Fault> {
        let title = title.trim().to_owned();
        if title.is_empty() || title.len() > MOST_TITLE || title.contains(char::is_control) {
            return Ok(Err(IncidentRefused::Title));
        }
        let slug = match slug {
            Some(slug) => Slug::parse(slug).ok_or(IncidentRefused::Slug),
            None => Slug::of_title(&title).ok_or(IncidentRefused::Title),
        };
        let slug = match slug {
            Ok(slug) => slug,
            Err(refused) => return Ok(Err(refused)),
        };
        let (now, owner, wanted) = (self.now(), officer.account(), slug.clone());
        let body = serde_json::json!({ "slug": slug.text(), "title": title }).to_string();
        let officer = officer.clone();
        let opened = self.site.store.write(async move |tx| {
            let no = tx.open_incident(wanted.text(), &title, owner, now).await?;
            let subject = AuditSubject::Incident(no.0);
            tx.audit(&officer.entry(subject, "incident.opened", body.clone(), now))
                .await
        });
        match opened.await {
            Ok(()) => Ok(Ok(slug)),
            Err(StoreError::AlreadyExists) => Ok(Err(IncidentRefused::Taken)),
            Err(error) => Err(error.into()),
        }
    }

    /// All incidents, in the order in which they were opened.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incidents(&self, _officer: &Officer) -> Result<Vec<Incident>, Fault> {
        Ok(self.site.store.read(async move |tx| tx.incidents().await).await?)
    }

    /// An incident with everything that a responder looks at.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident(&self, _officer: &Officer, slug: &str) -> Result<Option<IncidentView>, Fault> {
        let slug = slug.to_owned();
        let found = self.site.store.read(async move |tx| {
            let Some(incident) = incident_of(tx, &slug).await? else {
                return Ok(None);
            };
            let mut leaks = Vec::new();
            for no in tx.incident_leaks(incident.no).await? {
                let Some(leak) = tx.leak(no).await? else { continue };
                let counts = tx.exposure_counts(no).await?;
                leaks.push(IncidentLeak {
                    name: leak.noted.name,
                    state: leak.state,
                    leak_date: leak.noted.leak_date,
                    counts: counts
                        .into_iter()
                        .map(|count| (count.grade, count.kind, count.accounts))
                        .collect(),
                });
            }
            let mut containments = Vec::new();
            for containment in tx.containments(incident.no).await? {
                containments.push(containment_view(tx, containment).await?);
            }
            Ok(Some(IncidentView {
                leaks,
                entries: tx.incident_entries(incident.no).await?,
                containments,
                accounts: tx.count_accounts().await?,
                incident,
            }))
        });
        Ok(found.await?)
    }

    /// Attaches a leak to an incident; its exposures count there from then on.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn attach_leak(
        &self,
        officer: &Officer,
        slug: &str,
        leak: &str,
    ) -> Result<Result<(), IncidentRefused>, Fault> {
        let now = self.now();
        let (officer, slug, leak) = (officer.clone(), slug.to_owned(), leak.to_owned());
        let done = self.site.store.write(async move |tx| {
            let incident = match incident_of(tx, &slug).await? {
                None => return Ok(Err(IncidentRefused::Unknown)),
                Some(incident) if !incident.is_open => return Ok(Err(IncidentRefused::Closed)),
                Some(incident) => incident,
            };
            if leak.contains('\0') {
                return Ok(Err(IncidentRefused::UnknownLeak));
            }
            let Some(leak) = tx.leak_by_name(&leak).await? else {
                return Ok(Err(IncidentRefused::UnknownLeak));
            };
            if tx.attach_leak(incident.no, leak.no, now).await? {
                let body = serde_json::json!({ "leak": leak.noted.name }).to_string();
                let subject = AuditSubject::Incident(incident.no.0);
                tx.audit(&officer.entry(subject, "incident.leak_attached", body, now))
                    .await?;
            }
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Writes a note for colleagues, or an update for the public page.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn write_on_incident(
        &self,
        officer: &Officer,
        slug: &str,
        kind: EntryKind,
        body: &str,
    ) -> Result<Result<(), IncidentRefused>, Fault> {
        if !body_is_good(body) {
            return Ok(Err(IncidentRefused::Body));
        }
        let now = self.now();
        let entry = Entry {
            kind,
            author: officer.account(),
            body: body.trim().to_owned(),
            at: now,
        };
        let (officer, slug) = (officer.clone(), slug.to_owned());
        let done = self.site.store.write(async move |tx| {
            let Some(incident) = incident_of(tx, &slug).await? else {
                return Ok(Err(IncidentRefused::Unknown));
            };
            tx.add_incident_entry(incident.no, &entry).await?;
            let event = match entry.kind {
                EntryKind::Note => "incident.noted",
                EntryKind::Update => "incident.updated",
            };
            let subject = AuditSubject::Incident(incident.no.0);
            tx.audit(&officer.entry(subject, event, "{}".to_owned(), now)).await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// Closes an incident of which nothing runs any more.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn close_incident(&self, officer: &Officer, slug: &str) -> Result<Result<(), IncidentRefused>, Fault> {
        use rightful_core::containment::ContainmentState::{Freezing, Paused, Running, Undoing};
        let now = self.now();
        let (officer, slug) = (officer.clone(), slug.to_owned());
        let done = self.site.store.write(async move |tx| {
            let incident = match incident_of(tx, &slug).await? {
                None => return Ok(Err(IncidentRefused::Unknown)),
                Some(incident) if !incident.is_open => return Ok(Err(IncidentRefused::Closed)),
                Some(incident) => incident,
            };
            let containments = tx.containments(incident.no).await?;
            let runs = |state| matches!(state, Freezing | Running | Paused | Undoing);
            if containments.iter().any(|containment| runs(containment.state)) {
                return Ok(Err(IncidentRefused::Running));
            }
            tx.close_incident(&incident, now).await?;
            let subject = AuditSubject::Incident(incident.no.0);
            tx.audit(&officer.entry(subject, "incident.closed", "{}".to_owned(), now))
                .await?;
            Ok(Ok(()))
        });
        Ok(done.await?)
    }

    /// The public id of an officer's account, for lists.
    ///
    /// # Errors
    /// What the database says.
    pub async fn officer_name(&self, account: AccountNo) -> Result<Option<String>, Fault> {
        let found = self.site.store.read(async move |tx| {
            let names = tx.names(&[account]).await?;
            Ok(names.first().map(|name| name.given.clone()))
        });
        Ok(found.await?)
    }
}
