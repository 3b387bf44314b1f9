//! Looking at accounts: `accounts show`, `list`, `history`.

use rightful_core::audit::AuditSubject;
use rightful_core::identifier::{DefaultRegion, Identifier};
use rightful_core::leak::LeakNo;
use rightful_core::{AccountNo, Grade, Kind, PublicId, Timestamp};
use rightful_store::account::{Account, Contact, Name};
use rightful_store::cohort::{Member, MemberState};
use rightful_store::containment::{Containment, Wave};
use rightful_store::identifier::{id_key, reference_key};
use rightful_store::password::StoredPassword;
use rightful_store::{StoreError, Tx};
use uuid::Uuid;

use crate::scan_leak::open_position;
use crate::site::Site;

/// An account with what belongs to it.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// Its own row.
    pub account: Account,
    /// Its names, the first first.
    pub names: Vec<Name>,
    /// Where it is written to.
    pub contacts: Vec<Contact>,
    /// Its passwords by version; their hashes stay sealed.
    pub passwords: Vec<StoredPassword>,
}

/// One piece of evidence, as it is told to whoever may ask "why me?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The leak's number and name.
    pub leak: (LeakNo, String),
    /// How strong the evidence is.
    pub grade: Grade,
    /// Where the secret comes from.
    pub kind: Kind,
    /// The password version that it was tested against.
    pub password_no: Option<i64>,
    /// Found by a look-alike of the account's names, proven by the password.
    pub loose: bool,
    /// When it was found.
    pub found_at: Timestamp,
    /// The file within the leak, the line in it, and the name of the account that stands there.
    pub place: Option<(String, u64, String)>,
}

/// One thing that happened to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// What, in words.
    pub what: String,
}

/// The id under which the site knows an account: the one that it was imported with, else its public id.
pub fn account_id(account: &Account) -> String {
    let public = || account.public_id.to_string();
    account.reference.clone().unwrap_or_else(public)
}

/// Which of an account's names stands in a leak. One that is known by nothing but its id is named by that.
pub fn name_in_leak(account: &Account, names: &[Name], number: u8) -> String {
    let name = names.get(usize::from(number)).map(|name| name.given.clone());
    name.unwrap_or_else(|| {
        if names.is_empty() {
            account_id(account)
        } else {
            String::new()
        }
    })
}

/// Finds the account that a person means: by its public id, the id it was imported with, or any of its names.
///
/// # Errors
/// What the database says.
pub async fn find_account(
    site: &Site,
    meant: &str,
    region: Option<DefaultRegion>,
) -> Result<Option<AccountNo>, StoreError> {
    let meant = meant.trim();
    if meant.contains('\0') {
        // Nothing is named so, and PostgreSQL has no such text.
        return Ok(None);
    }
    let mut keys = Vec::new();
    keys.extend(Uuid::try_parse(meant).map(|id| id_key(PublicId(id))));
    keys.push(reference_key(meant));
    let read = [
        Identifier::email(meant),
        Identifier::username(meant),
        Identifier::phone(meant, region),
    ];
    keys.extend(
        read.into_iter()
            .flatten()
            .map(|identifier| identifier.sign_in_key().text().to_owned()),
    );
    site.store
        .read(async move |tx| {
            for key in &keys {
                if let Some(found) = tx.account_by_key(key).await? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
        .await
}

/// An account with all that belongs to it.
///
/// # Errors
/// What the database says.
pub async fn view_account(site: &Site, no: AccountNo) -> Result<Option<AccountView>, StoreError> {
    site.store
        .read(async |tx| {
            let Some(account) = tx.accounts(&[no]).await?.pop() else {
                return Ok(None);
            };
            let (names, passwords) = (tx.names(&[no]).await?, tx.passwords(&[no]).await?);
            Ok(Some(AccountView {
                account,
                names,
                contacts: tx.contacts(no).await?,
                passwords,
            }))
        })
        .await
}

/// The accounts after a place, in the order in which they came, at most `limit`.
///
/// # Errors
/// What the database says.
pub async fn account_page(
    site: &Site,
    after: Option<AccountNo>,
    limit: i64,
) -> Result<Vec<(Account, Vec<Name>)>, StoreError> {
    site.store
        .read(async |tx| {
            let accounts = tx.account_page(after, limit).await?;
            let numbers: Vec<AccountNo> = accounts.iter().map(|account| account.no).collect();
            let mut names = tx.names(&numbers).await?;
            let with_names = accounts.into_iter().map(|account| {
                let own = names.extract_if(.., |name| name.account == account.no).collect();
                (account, own)
            });
            Ok(with_names.collect())
        })
        .await
}

/// All evidence about an account, strongest first.
///
/// # Errors
/// What the database says.
pub async fn why(site: &Site, no: AccountNo) -> Result<Vec<Reason>, StoreError> {
    let mut reasons = site.store.read(async |tx| reasons(tx, site, no).await).await?;
    reasons.sort_by_key(|reason| (reason.grade, reason.kind, reason.leak.0, reason.place.clone()));
    Ok(reasons)
}

async fn reasons(tx: &mut Tx, site: &Site, no: AccountNo) -> Result<Vec<Reason>, StoreError> {
    let Some(account) = tx.accounts(&[no]).await?.pop() else {
        return Ok(Vec::new());
    };
    let names = tx.names(&[no]).await?;
    let mut reasons = Vec::new();
    for (leak_no, found) in tx.exposures_of_account(no).await? {
        let leak_name = tx.leak(leak_no).await?.map(|leak| leak.noted.name).unwrap_or_default();
        let place = open_position(site, leak_no, &found).map(|position| {
            let named = name_in_leak(&account, &names, position.account_name);
            (position.name, position.line, named)
        });
        reasons.push(Reason {
            leak: (leak_no, leak_name),
            grade: found.grade,
            kind: found.kind,
            password_no: found.password_no,
            loose: found.loose,
            found_at: found.found_at,
            place,
        });
    }
    Ok(reasons)
}

/// Everything that happened to an account, earliest first.
///
/// # Errors
/// What the database says.
pub async fn history(site: &Site, no: AccountNo) -> Result<Vec<Happening>, StoreError> {
    let Some(view) = view_account(site, no).await? else {
        return Ok(Vec::new());
    };
    let mut happenings = vec![Happening {
        at: view.account.created_at,
        what: "account made".to_owned(),
    }];
    let (import, audit) = site
        .store
        .read(async |tx| {
            let import = match view.account.import_no {
                Some(import_no) => {
                    let begun = tx.audit_rows(AuditSubject::Import(import_no)).await?.into_iter().next();
                    tx.import(import_no).await?.zip(begun)
                }
                None => None,
            };
            Ok((import, tx.audit_rows(AuditSubject::Account(no)).await?))
        })
        .await?;
    if let Some((import, begun)) = import {
        let what = format!(
            "imported from {} (import {}) by {}",
            import.name, import.import_no, begun.actor
        );
        happenings.push(Happening {
            at: import.started_at,
            what,
        });
    }
    for password in &view.passwords {
        let state = if password.current { "current" } else { "former" };
        let what = format!(
            "password version {} stored ({}, {state})",
            password.password_no, password.kind
        );
        happenings.push(Happening {
            at: password.set_at,
            what,
        });
    }
    for reason in why(site, no).await? {
        happenings.push(Happening {
            at: reason.found_at,
            what: in_words(&reason),
        });
    }
    happenings.append(&mut what_was_done(site, no).await?);
    for row in audit {
        happenings.push(Happening {
            at: row.at,
            what: format!("{} by {} {}", row.event, row.actor, row.body),
        });
    }
    happenings.sort_by_key(|happening| happening.at);
    Ok(happenings)
}

/// What containments and others did about an account: why, who agreed, when it counted, when its owner was told, how it came back.
async fn what_was_done(site: &Site, no: AccountNo) -> Result<Vec<Happening>, StoreError> {
    site.store
        .read(async move |tx| {
            let mut happenings = Vec::new();
            for member in tx.memberships(no).await? {
                let Some(containment) = tx.containment(member.containment).await? else {
                    continue;
                };
                let waves = tx.waves(member.containment).await?;
                let wave = waves.into_iter().find(|wave| wave.wave_no == member.wave_no);
                let approver = match containment.approver {
                    Some(approver) => tx.account(approver).await?.map(|account| account_id(&account)),
                    None => None,
                };
                let leak = tx.leak(member.because.leak).await?.map(|leak| leak.noted.name);
                happenings.append(&mut of_member(&member, &containment, wave, approver, leak));
            }
            for hold in tx.holds(no).await? {
                let what = format!("{} {} placed by {}", hold.action.word(), hold.hold_no, hold.placed_by);
                happenings.push(Happening {
                    at: hold.placed_at,
                    what,
                });
                happenings.extend(hold.lifted_at.map(|at| Happening {
                    at,
                    what: format!("{} {} lifted", hold.action.word(), hold.hold_no),
                }));
            }
            Ok(happenings)
        })
        .await
}

/// What a containment did about one of its members.
fn of_member(
    member: &Member,
    containment: &Containment,
    wave: Option<Wave>,
    approver: Option<String>,
    leak: Option<String>,
) -> Vec<Happening> {
    let no = containment.no.0;
    let because = member.because;
    let tested = because.password.map_or("no password".to_owned(), |version| {
        format!("password version {}", version.0)
    });
    let listed = format!(
        "listed in containment {no}, wave {}: {}, because {} ({}) in the leak {:?}, tested against {tested}",
        member.wave_no,
        member.action.word(),
        because.grade.word(),
        because.kind.word(),
        leak.unwrap_or_default(),
    );
    let approved = approver.map_or_else(
        || format!("containment {no} approved"),
        |approver| format!("containment {no} approved by {approver}"),
    );
    let became = match member.state {
        MemberState::Frozen => None,
        MemberState::Done => Some("written"),
        MemberState::Changed => Some("left alone: the password was changed since it was tested"),
        MemberState::Returned => Some("over: the owner chose a new password"),
        MemberState::Undone => Some("undone"),
    };
    [
        containment.frozen_at.map(|at| (at, listed)),
        containment.approved_at.map(|at| (at, approved)),
        wave.and_then(|wave| wave.started_at)
            .map(|at| (at, format!("wave {} of containment {no} started", member.wave_no))),
        member.told_at.map(|at| (at, format!("told of containment {no}"))),
        became.map(|became| (member.changed_at, format!("containment {no}: {became}"))),
    ]
    .into_iter()
    .flatten()
    .map(|(at, what)| Happening { at, what })
    .collect()
}

/// A reason as one sentence for people. Holds no secret.
pub fn in_words(reason: &Reason) -> String {
    let place = match &reason.place {
        Some((file, line, name)) => format!("line {line} of {file}, under {name}"),
        None => "a place that cannot be read".to_owned(),
    };
    let version = reason.password_no.map_or("no password".to_owned(), |version| {
        format!("password version {version}")
    });
    let what = match reason.grade {
        Grade::Exact if reason.kind == Kind::Ours => "holds our own stored hash",
        Grade::Exact => "holds the password",
        Grade::Variant => "holds a password that is a simple variation away",
        Grade::Former => "holds an earlier password",
        Grade::Untested => "holds a hash that can be tried at the next sign-in",
        Grade::Named => "names the account with a password that is not its own",
    };
    format!(
        "{}: the leak {:?} ({}) {what}: {place}; tested against {version}",
        reason.grade.word(),
        reason.leak.1,
        reason.kind.word()
    )
}
