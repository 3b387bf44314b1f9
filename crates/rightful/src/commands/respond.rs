//! `rightful incident …`, `rightful containment …` and `rightful role …`: a responder's work, over the API of a running server. Who acts is whoever let
//! this program in by `rightful login`; the local files alone make nobody a responder.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use rightful_app::export::csv_field;
use rightful_web::api::incidents::{
    CohortPage, Draft, IncidentList, LeakToAttach, NamedContainment, NamedIncident, NewIncident, PageAsked, PlanAsked,
    Readers, Replan, ShownContainment, ShownIncident, ShownMember, TextToWrite, Undoing,
};
use rightful_web::api::login::Moment;
use rightful_web::api::roles::RoleToGive;
use rightful_web::server::BaseUrl;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use zeroize::Zeroizing;

use super::login::{read_token, usual_file, write_token};
use super::print_json;
use crate::cli::{ContainmentCommand, IncidentCommand, PlanArgs, ServerArgs};
use crate::client::{Client, Told};
use crate::terminal::{Line, number};
use crate::world::Unusable;

/// How long to wait between two looks at a list that is being made, in milliseconds.
const LOOK_EVERY: u64 = 500;

/// A server, and the token with which it is asked.
struct Desk {
    client: Client,
    token: Zeroizing<String>,
    file: PathBuf,
}

impl Desk {
    fn open(args: &ServerArgs) -> Result<Self> {
        let server = &args.server;
        let base_url = BaseUrl::parse(server).map_err(|fault| Unusable(format!("--server {server} {fault}")))?;
        let file = match &args.token_file {
            Some(file) => file.clone(),
            None => usual_file()?,
        };
        Ok(Self {
            token: read_token(&file, server)?,
            client: Client::new(base_url),
            file,
        })
    }

    /// Asks for a document. Where a fresh proof is needed first, asks for it on the terminal.
    async fn ask<T: DeserializeOwned>(&mut self, path: &str, document: &impl Serialize) -> Result<T> {
        let path = format!("/api/v1{path}");
        match self.client.post_as(&path, Some(document), Some(&self.token)).await {
            Err(error) if is_code(&error, "fresh-proof") => {
                self.prove().await?;
                self.client.post_as(&path, Some(document), Some(&self.token)).await
            }
            answered => answered,
        }
    }

    /// Orders something that has no answer but that it is done.
    async fn order(&mut self, path: &str, document: &impl Serialize) -> Result<()> {
        self.ask::<()>(path, document).await
    }

    /// Proves afresh that whoever sits here has the authenticator app. The token is another one afterwards.
    async fn prove(&mut self) -> Result<()> {
        #[derive(serde::Deserialize)]
        struct NewToken {
            token: Zeroizing<String>,
        }
        if !std::io::stdin().is_terminal() {
            bail!("this needs a fresh code of your authenticator app: run it on a terminal");
        }
        eprint!("This touches many accounts. A code of your authenticator app: ");
        std::io::stderr().flush()?;
        let mut typed = Zeroizing::new(String::new());
        std::io::stdin().lock().read_line(&mut typed)?;
        let proof = json!({ "proof": typed.trim() });
        let path = "/api/v1/step-up";
        let NewToken { token } = self.client.post_as(path, Some(&proof), Some(&self.token)).await?;
        write_token(&self.file, &token)?;
        self.token = token;
        Ok(())
    }
}

fn is_code(error: &anyhow::Error, code: &str) -> bool {
    error.downcast_ref::<Told>().is_some_and(|told| told.code == code)
}

/// `rightful incident …`
pub(crate) async fn incident(json: bool, server: &ServerArgs, command: IncidentCommand) -> Result<ExitCode> {
    let mut desk = Desk::open(server)?;
    match command {
        IncidentCommand::Open { title, slug } => {
            let opened: NamedIncident = desk.ask("/incidents/open", &NewIncident { title, slug }).await?;
            said(json, &opened, || format!("opened: {}", opened.incident))?;
        }
        IncidentCommand::List => {
            let list: IncidentList = desk.client.get_as("/api/v1/incidents", &desk.token).await?;
            said(json, &list, || incidents_text(&list))?;
        }
        IncidentCommand::Show { incident } => {
            let shown: ShownIncident = desk.ask("/incidents/show", &NamedIncident { incident }).await?;
            said(json, &shown, || incident_text(&shown))?;
        }
        IncidentCommand::Attach { incident, leak } => {
            desk.order("/incidents/leaks/attach", &LeakToAttach { incident, leak })
                .await?;
            done(json, "attached")?;
        }
        IncidentCommand::Note { incident, text } => {
            let to = Readers::Colleagues;
            desk.order("/incidents/write", &TextToWrite { incident, to, text })
                .await?;
            done(json, "written")?;
        }
        IncidentCommand::Update { incident, text } => {
            let to = Readers::Everybody;
            desk.order("/incidents/write", &TextToWrite { incident, to, text })
                .await?;
            done(json, "written")?;
        }
        IncidentCommand::Close { incident } => {
            desk.order("/incidents/close", &NamedIncident { incident }).await?;
            done(json, "closed")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `rightful role …`
pub(crate) async fn role(json: bool, server: &ServerArgs, account: String, role: String) -> Result<ExitCode> {
    let mut desk = Desk::open(server)?;
    desk.order("/roles/give", &RoleToGive { account, role }).await?;
    done(json, "given")?;
    Ok(ExitCode::SUCCESS)
}

/// `rightful containment …`
pub(crate) async fn containment(json: bool, server: &ServerArgs, command: ContainmentCommand) -> Result<ExitCode> {
    let mut desk = Desk::open(server)?;
    match command {
        ContainmentCommand::Draft { incident, plan } => {
            let plan = plan_asked(&plan)?;
            let drafted: NamedContainment = desk.ask("/containments/draft", &Draft { incident, plan }).await?;
            let no = drafted.containment;
            said(json, &drafted, || {
                format!("drafted: containment {no}\nNext: rightful containment dry-run {no}")
            })?;
        }
        ContainmentCommand::Plan { containment, plan } => {
            let plan = plan_asked(&plan)?;
            desk.order("/containments/plan", &Replan { containment, plan }).await?;
            done(json, "planned anew")?;
        }
        ContainmentCommand::DryRun { containment, out } => {
            desk.order("/containments/dry-run", &NamedContainment { containment })
                .await?;
            let shown = until_listed(&mut desk, containment).await?;
            if let Some(out) = &out {
                export(&mut desk, containment, out).await?;
            }
            said(json, &shown, || containment_text(&shown))?;
        }
        ContainmentCommand::Export { containment, out } => {
            let rows = export(&mut desk, containment, &out).await?;
            said(json, &json!({ "file": out, "accounts": rows }), || {
                format!("{}: {} accounts", out.display(), number(rows))
            })?;
        }
        ContainmentCommand::Status { containment } => {
            let shown = show(&mut desk, containment).await?;
            said(json, &shown, || containment_text(&shown))?;
        }
        ContainmentCommand::Approve { containment } => order(&mut desk, json, "approve", containment).await?,
        ContainmentCommand::Start { containment } => order(&mut desk, json, "start", containment).await?,
        ContainmentCommand::Pause { containment } => order(&mut desk, json, "pause", containment).await?,
        ContainmentCommand::Resume { containment } => order(&mut desk, json, "resume", containment).await?,
        ContainmentCommand::Undo { containment } => {
            let undoing: Undoing = desk
                .ask("/containments/undo", &NamedContainment { containment })
                .await?;
            said(json, &undoing, || {
                if undoing.begun {
                    format!("being undone: see rightful containment status {containment}")
                } else {
                    "noted. It held accounts whose password is in a leak, so somebody else must order the same"
                        .to_owned()
                }
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn order(desk: &mut Desk, json: bool, what: &str, containment: i64) -> Result<()> {
    desk.order(&format!("/containments/{what}"), &NamedContainment { containment })
        .await?;
    let shown = show(desk, containment).await?;
    said(json, &shown, || containment_text(&shown))
}

async fn show(desk: &mut Desk, containment: i64) -> Result<ShownContainment> {
    desk.ask("/containments/show", &NamedContainment { containment }).await
}

/// Waits for the list of a cohort.
async fn until_listed(desk: &mut Desk, containment: i64) -> Result<ShownContainment> {
    let line = Line::new();
    loop {
        let shown = show(desk, containment).await?;
        if shown.state != "freezing" {
            line.clear();
            return Ok(shown);
        }
        line.say(format!("listing whom it is about, for {:.0} s", line.seconds()));
        tokio::time::sleep(std::time::Duration::from_millis(LOOK_EVERY)).await;
    }
}

/// Writes a cohort as CSV, page by page; mode 0600, whole or not at all.
async fn export(desk: &mut Desk, containment: i64, out: &std::path::Path) -> Result<u64> {
    let cannot = || format!("{} cannot be written", out.display());
    let folder = match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => std::path::Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    writeln!(
        file,
        "account,wave,action,grade,kind,leak,password_version,attacked,state,contacts,told_at,role"
    )
    .with_context(cannot)?;
    let (mut after, mut rows) = (None, 0);
    loop {
        let page: CohortPage = desk
            .ask("/containments/cohort", &PageAsked { containment, after })
            .await?;
        for member in &page.members {
            writeln!(file, "{}", member_csv(member)).with_context(cannot)?;
            rows += 1;
        }
        after = page.after;
        if after.is_none() {
            break;
        }
    }
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(out).map_err(|error| error.error).with_context(cannot)?;
    Ok(rows)
}

fn member_csv(member: &ShownMember) -> String {
    let told_at = member.told_at.as_ref().map_or("", |Moment(at)| at.as_str());
    let fields = [
        member.account.clone(),
        member.wave.to_string(),
        member.action.clone(),
        member.grade.clone(),
        member.kind.clone(),
        member.leak.clone(),
        member
            .password_version
            .map(|version| version.to_string())
            .unwrap_or_default(),
        member.attacked.to_string(),
        member.state.clone(),
        member.contacts.to_string(),
        told_at.to_owned(),
        member.role.clone().unwrap_or_default(),
    ];
    // Read in a spreadsheet by people in a hurry: no cell is taken for a formula.
    let cells = fields.iter().map(|field| csv_field(field, true));
    cells.collect::<Vec<_>>().join(",")
}

fn plan_asked(args: &PlanArgs) -> Result<PlanAsked> {
    let choices = args.action.iter().map(|text| {
        let parts = text.split_once('=').and_then(|(which, action)| {
            let (grade, kind) = which.split_once('/')?;
            Some((grade, kind, action))
        });
        let (grade, kind, action) = parts.ok_or_else(|| {
            Unusable(format!(
                "--action {text} is not of the form GRADE/KIND=ACTION, as in variant/dump=notice"
            ))
        })?;
        Ok(rightful_web::api::incidents::Chosen {
            grade: grade.to_owned(),
            kind: kind.to_owned(),
            action: action.to_owned(),
        })
    });
    Ok(PlanAsked {
        choices: choices.collect::<Result<_>>()?,
        waves: args.waves.clone(),
        spacing_minutes: args.spacing,
        notices: args.no_notices.then_some(false),
        language: args.language.clone(),
    })
}

// ---------------------------------------------------------------- words

fn said(json: bool, document: &impl Serialize, text: impl FnOnce() -> String) -> Result<()> {
    if json {
        return print_json(&serde_json::to_value(document)?);
    }
    println!("{}", text());
    Ok(())
}

fn done(json: bool, word: &str) -> Result<()> {
    said(json, &json!({ "done": word }), || word.to_owned())
}

fn incidents_text(list: &IncidentList) -> String {
    if list.incidents.is_empty() {
        return "There is no incident.".to_owned();
    }
    let line = |incident: &rightful_web::api::incidents::ListedIncident| {
        let state = if incident.open { "open" } else { "closed" };
        format!(
            "{:<30} {state:<7} {}  {}",
            incident.incident, incident.opened_at.0, incident.title
        )
    };
    list.incidents.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn incident_text(shown: &ShownIncident) -> String {
    let mut lines = vec![format!("{} ({})", shown.title, shown.incident)];
    lines.push(format!(
        "{}, opened {}; the site has {} accounts",
        if shown.open { "open" } else { "closed" },
        shown.opened_at.0,
        number(shown.accounts)
    ));
    for leak in &shown.leaks {
        lines.push(format!("\nleak \"{}\" ({})", leak.name, leak.state));
        for count in &leak.counts {
            lines.push(format!(
                "  {:<9} {:<8} {:>12} accounts",
                count.grade,
                count.kind,
                number(count.accounts)
            ));
        }
    }
    for containment in &shown.containments {
        lines.push(format!(
            "\ncontainment {}: {}, {} accounts",
            containment.containment,
            containment.state,
            number(containment.members)
        ));
    }
    for written in &shown.written {
        lines.push(format!(
            "\n{} to {}:\n  {}",
            written.at.0,
            written.to,
            written.text.replace('\n', "\n  ")
        ));
    }
    lines.join("\n")
}

fn containment_text(shown: &ShownContainment) -> String {
    let mut lines = vec![format!(
        "containment {}: {}. {} accounts, something is taken from {}.",
        shown.containment,
        shown.state,
        number(shown.members),
        number(shown.takes)
    )];
    for count in &shown.counts {
        lines.push(format!(
            "  wave {:<3} {:<7} {:<9} {:<8} {:<9} {:>12}  told {}",
            count.wave,
            count.action,
            count.grade,
            count.kind,
            count.state,
            number(count.members),
            number(count.told)
        ));
    }
    for wave in &shown.waves {
        let moment = wave
            .done_at
            .as_ref()
            .or(wave.started_at.as_ref())
            .or(wave.due_at.as_ref());
        lines.push(format!(
            "wave {}: {}, {} accounts{}",
            wave.wave,
            wave.state,
            number(wave.members),
            moment.map(|Moment(at)| format!(", {at}")).unwrap_or_default()
        ));
    }
    let next = match shown.state.as_str() {
        "draft" => Some("dry-run"),
        "dry-run" | "approved" => Some("start"),
        "paused" => Some("resume"),
        _ => None,
    };
    if let Some(next) = next {
        lines.push(format!("Next: rightful containment {next} {}", shown.containment));
    }
    lines.join("\n")
}
