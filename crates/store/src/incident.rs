//! Incidents: what a responder works on. Its leaks, its notes, what the public was told.

use rightful_core::containment::IncidentNo;
use rightful_core::leak::LeakNo;
use rightful_core::{AccountNo, Timestamp};

use crate::StoreError;
use crate::adapter::Tx;
use crate::text::statements;

statements! {
    : OPEN = "INSERT INTO incident (incident_no, slug, title, state, version, owner_no, opened_at)
        VALUES ($1, $2, $3, 'open', 1, $4, $5)";
    : BY_SLUG = "SELECT incident_no, slug, title, state, version, owner_no, opened_at, closed_at, published_at FROM incident
        WHERE slug = $1";
    : FIND = "SELECT incident_no, slug, title, state, version, owner_no, opened_at, closed_at, published_at FROM incident
        WHERE incident_no = $1";
    : ALL = "SELECT incident_no, slug, title, state, version, owner_no, opened_at, closed_at, published_at FROM incident
        ORDER BY incident_no";
    : CLOSE = "UPDATE incident SET state = 'closed', closed_at = $3, version = version + 1
        WHERE incident_no = $1 AND version = $2 AND state = 'open'";
    : PUBLISH = "UPDATE incident SET published_at = $3, version = version + 1 WHERE incident_no = $1 AND version = $2";
    : ATTACH = "INSERT INTO incident_leak (incident_no, leak_no, attached_at) VALUES ($1, $2, $3)
        ON CONFLICT (incident_no, leak_no) DO NOTHING";
    : LEAKS = "SELECT leak_no FROM incident_leak WHERE incident_no = $1 ORDER BY leak_no";
    : LAST_ENTRY = "SELECT CAST(COALESCE(MAX(entry_no), 0) AS BIGINT) FROM incident_entry WHERE incident_no = $1";
    : ADD_ENTRY = "INSERT INTO incident_entry (incident_no, entry_no, kind, author_no, body, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    : ENTRIES = "SELECT kind, author_no, body, at FROM incident_entry WHERE incident_no = $1 ORDER BY entry_no";
}

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its number.
    pub no: IncidentNo,
    /// What addresses and commands name it by.
    pub slug: String,
    /// What people call it.
    pub title: String,
    /// Whether it is still worked on.
    pub is_open: bool,
    /// Rises with every write; the next write names the one it saw.
    pub version: i64,
    /// Who answers for it.
    pub owner: AccountNo,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Since when its page is public.
    pub published_at: Option<Timestamp>,
}

/// For whom an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// For colleagues.
    Note,
    /// For everybody, on the public page.
    Update,
}

impl EntryKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Update => "update",
        }
    }
}

/// What somebody wrote about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// For whom.
    pub kind: EntryKind,
    /// Who.
    pub author: AccountNo,
    /// What.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

type Row = (i64, String, String, String, i64, i64, i64, Option<i64>, Option<i64>);

fn incident((no, slug, title, state, version, owner, opened_at, closed_at, published_at): Row) -> Incident {
    Incident {
        no: IncidentNo(no),
        slug,
        title,
        is_open: state == "open",
        version,
        owner: AccountNo::new(owner),
        opened_at: Timestamp::from_micros(opened_at),
        closed_at: closed_at.map(Timestamp::from_micros),
        published_at: published_at.map(Timestamp::from_micros),
    }
}

/// A guarded write that wrote nothing: somebody else did.
const fn guarded(written: u64) -> Result<(), StoreError> {
    if written == 0 {
        Err(StoreError::Changed { what: "incident" })
    } else {
        Ok(())
    }
}

impl Tx {
    /// Opens an incident.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when another has this slug.
    pub async fn open_incident(
        &mut self,
        slug: &str,
        title: &str,
        owner: AccountNo,
        now: Timestamp,
    ) -> Result<IncidentNo, StoreError> {
        let no = self.next_number("incident").await?;
        let open = self.sql(OPEN).bind(no).bind(slug.to_owned()).bind(title.to_owned());
        open.bind(owner.get()).bind(now.micros()).run().await?;
        Ok(IncidentNo(no))
    }

    /// An incident by its slug.
    pub async fn incident_by_slug(&mut self, slug: &str) -> Result<Option<Incident>, StoreError> {
        let row: Option<Row> = self.sql(BY_SLUG).bind(slug.to_owned()).opt().await?;
        Ok(row.map(incident))
    }

    /// An incident by its number.
    pub async fn incident(&mut self, no: IncidentNo) -> Result<Option<Incident>, StoreError> {
        let row: Option<Row> = self.sql(FIND).bind(no.0).opt().await?;
        Ok(row.map(incident))
    }

    /// All incidents, in the order in which they were opened.
    pub async fn incidents(&mut self) -> Result<Vec<Incident>, StoreError> {
        let rows: Vec<Row> = self.sql(ALL).all().await?;
        Ok(rows.into_iter().map(incident).collect())
    }

    /// Ends the work on an incident.
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read, or it is closed.
    pub async fn close_incident(&mut self, seen: &Incident, now: Timestamp) -> Result<(), StoreError> {
        let close = self.sql(CLOSE).bind(seen.no.0).bind(seen.version).bind(now.micros());
        guarded(close.run().await?)
    }

    /// Makes the page of an incident public, or takes it back (`None`).
    ///
    /// # Errors
    /// [`StoreError::Changed`] when somebody wrote it since it was read.
    pub async fn publish_incident(&mut self, seen: &Incident, at: Option<Timestamp>) -> Result<(), StoreError> {
        let publish = self.sql(PUBLISH).bind(seen.no.0).bind(seen.version);
        guarded(publish.bind(at.map(Timestamp::micros)).run().await?)
    }

    /// Attaches a leak to an incident. False when it was attached already.
    pub async fn attach_leak(
        &mut self,
        incident: IncidentNo,
        leak: LeakNo,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let attach = self.sql(ATTACH).bind(incident.0).bind(leak.0).bind(now.micros());
        Ok(attach.run().await? == 1)
    }

    /// The leaks of an incident.
    pub async fn incident_leaks(&mut self, incident: IncidentNo) -> Result<Vec<LeakNo>, StoreError> {
        let rows: Vec<(i64,)> = self.sql(LEAKS).bind(incident.0).all().await?;
        Ok(rows.into_iter().map(|(no,)| LeakNo(no)).collect())
    }

    /// Writes down what somebody has to say of an incident.
    pub async fn add_incident_entry(&mut self, incident: IncidentNo, entry: &Entry) -> Result<(), StoreError> {
        let (last,): (i64,) = self.sql(LAST_ENTRY).bind(incident.0).one().await?;
        let add = self.sql(ADD_ENTRY).bind(incident.0).bind(last + 1);
        let add = add.bind(entry.kind.word()).bind(entry.author.get());
        let added = add.bind(entry.body.clone()).bind(entry.at.micros()).run().await;
        added.map(drop).map_err(|error| match error {
            StoreError::AlreadyExists => StoreError::Contention {
                message: "somebody else wrote about the incident meanwhile".to_owned(),
            },
            other => other,
        })
    }

    /// What was written about an incident, oldest first.
    pub async fn incident_entries(&mut self, incident: IncidentNo) -> Result<Vec<Entry>, StoreError> {
        let rows: Vec<(String, i64, String, i64)> = self.sql(ENTRIES).bind(incident.0).all().await?;
        let entry = |(kind, author, body, at): (String, i64, String, i64)| {
            let kind = [EntryKind::Note, EntryKind::Update]
                .into_iter()
                .find(|known| known.word() == kind);
            Ok(Entry {
                kind: kind.ok_or(StoreError::Corrupt {
                    table: "incident_entry",
                    column: "kind",
                })?,
                author: AccountNo::new(author),
                body,
                at: Timestamp::from_micros(at),
            })
        };
        rows.into_iter().map(entry).collect()
    }
}
