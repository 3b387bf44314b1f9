//! Containments from the draft to the undoing, on one node and on two, whoever comes between.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod at_once;
mod interleaved;
mod story;

use rightful_app::containments::{ContainmentView, MemberState};
use rightful_app::officer::Officer;
use rightful_app::plan::Plan;
use rightful_core::containment::ContainmentNo;
use rightful_core::role::Power;
use rightful_core::{AccountNo, Timestamp};
use rightful_store::Tx;
use rightful_testkit::app::TestApp;
use rightful_testkit::databases::Engine;
use rightful_testkit::given::{HoldAction, cheap_hash};

/// Declares each test for both engines.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(rightful_testkit::databases::Engine::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(rightful_testkit::databases::Engine::Postgres).await;
            })+
        }
    };
}
use on_both_engines;

/// The password of the owner of this number.
fn password(number: usize) -> String {
    format!("correct horse battery {number}")
}

fn address(number: usize) -> String {
    format!("owner{number}@example.com")
}

/// A site with an incident: two officers, so many owners, a leak that holds the passwords of some of them and a wrong one of the others.
struct Incident {
    app: TestApp,
    responder: Officer,
    approver: Officer,
}

impl Incident {
    async fn new(engine: Engine, owners: usize, leaked: impl Fn(usize) -> bool) -> Self {
        let app = TestApp::new(engine).await;
        let responder = app
            .officer("responder@example.com", "administrator", Power::Respond)
            .await;
        let approver = app.officer("approver@example.com", "approver", Power::Approve).await;
        let mut accounts = String::from("email,password\n");
        let mut leak = String::new();
        for number in 1..=owners {
            let (address, password) = (address(number), password(number));
            accounts.push_str(&format!("{address},\"{}\"\n", cheap_hash(&password)));
            let leaked = if leaked(number) {
                password
            } else {
                "not theirs".to_owned()
            };
            leak.push_str(&format!("{address}:{leaked}\n"));
        }
        app.import(&accounts).await;
        app.scan("a forum", &leak).await;
        let opened = app
            .open_incident(&responder, "A forum lost its passwords", Some("forum"))
            .await;
        assert_eq!(opened.unwrap().unwrap().text(), "forum");
        assert_eq!(app.attach_leak(&responder, "forum", "a forum").await.unwrap(), Ok(()));
        Self {
            app,
            responder,
            approver,
        }
    }

    async fn account(&self, number: usize) -> AccountNo {
        self.app.account_of(&address(number)).await
    }

    /// A containment whose cohort is frozen.
    async fn frozen(&self, plan: &Plan) -> ContainmentNo {
        let drafted = self.app.draft_containment(&self.responder, "forum", plan).await;
        let no = drafted.unwrap().unwrap();
        self.app.dry_run(&self.responder, no).await.unwrap().unwrap();
        self.app.run_all_containments().await;
        no
    }

    /// A containment that somebody else approved and that has started; nothing followed yet.
    async fn started(&self, plan: &Plan) -> ContainmentNo {
        let no = self.frozen(plan).await;
        self.app.approve_containment(&self.approver, no).await.unwrap().unwrap();
        self.app.start_containment(&self.responder, no).await.unwrap().unwrap();
        no
    }

    async fn view(&self, no: ContainmentNo) -> ContainmentView {
        self.app.containment(&self.responder, no).await.unwrap().unwrap()
    }

    /// How many members are in this state.
    async fn members_in(&self, no: ContainmentNo, state: MemberState) -> u64 {
        let counts = self.view(no).await.counts;
        let of_state = counts.iter().filter(|count| count.state == state);
        of_state.map(|count| count.members).sum()
    }

    /// The actions that lie on an account.
    async fn lying(&self, account: AccountNo) -> Vec<HoldAction> {
        let find = async move |tx: &mut Tx| tx.holds(account).await;
        let holds = self.app.site.store.read(find).await.unwrap();
        let lying = holds.into_iter().filter(|hold| hold.lifted_at.is_none());
        lying.map(|hold| hold.action).collect()
    }

    /// What the audit log says of a containment, the oldest first.
    async fn audited(&self, no: ContainmentNo) -> Vec<String> {
        let subject = rightful_core::audit::AuditSubject::Containment(no.0);
        let find = async move |tx: &mut Tx| tx.audit_rows(subject).await;
        let rows = self.app.site.store.read(find).await.unwrap();
        rows.into_iter().map(|row| row.event).collect()
    }

    /// The kinds of the messages to an account, the oldest first, without those that were taken back.
    async fn told(&self, account: AccountNo) -> Vec<String> {
        let find = async move |tx: &mut Tx| tx.notices(account.into(), Timestamp::from_micros(0), 100).await;
        let mut notices = self.app.site.store.read(find).await.unwrap();
        notices.reverse();
        notices.retain(|notice| notice.state != rightful_store::notice::NoticeState::Cancelled);
        notices.into_iter().map(|notice| notice.kind).collect()
    }
}

/// One wave at once.
fn in_one_wave() -> Plan {
    let mut plan = Plan::default();
    plan.cut(Some("rest"), Some(0)).unwrap();
    plan
}
