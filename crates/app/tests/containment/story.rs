use rightful_app::containments::{MemberPlace, MemberState, OrderRefused};
use rightful_app::incidents::{EntryKind, IncidentRefused};
use rightful_app::plan::Plan;
use rightful_app::sign_in::{Attempt, SignInOutcome};
use rightful_core::containment::{Action, ContainmentState};
use rightful_core::role::Power;
use rightful_core::{Grade, Kind};
use rightful_testkit::app::visitor;
use rightful_testkit::databases::Engine;
use rightful_testkit::given::HoldAction;

use crate::{Incident, address, in_one_wave, on_both_engines, password};

on_both_engines!(
    an_incident_shows_what_its_leaks_came_to,
    a_dry_run_lists_exactly_those_and_touches_nobody,
    the_canary_goes_first_and_the_rest_after_its_time,
    a_cohort_above_the_cap_needs_somebody_else,
    a_pause_holds_the_next_wave_and_the_messages_back,
    owners_are_told_once,
    an_undoing_needs_somebody_else_and_tells_those_who_were_told,
    a_list_that_was_cut_off_is_made_anew,
    who_only_looks_orders_nothing,
    a_changed_password_is_seen_at_the_list_and_at_the_wave,
    an_account_can_say_why_since_when_and_who_agreed,
);

async fn an_incident_shows_what_its_leaks_came_to(engine: Engine) {
    let incident = Incident::new(engine, 6, |number| number <= 4).await;
    let (app, responder) = (&incident.app, &incident.responder);
    let view = app.incident(responder, "forum").await.unwrap().unwrap();
    assert_eq!(view.leaks.len(), 1);
    let mut counts = view.leaks[0].counts.clone();
    counts.sort();
    assert_eq!(counts, [(Grade::Exact, Kind::Dump, 4), (Grade::Named, Kind::Dump, 2)]);
    assert_eq!(view.accounts, 8, "the officers are accounts too");
    let write = async |kind, body| app.write_on_incident(responder, "forum", kind, body).await.unwrap();
    assert_eq!(write(EntryKind::Note, " the forum confirms it ").await, Ok(()));
    assert_eq!(write(EntryKind::Update, "We know more at noon.").await, Ok(()));
    assert_eq!(write(EntryKind::Update, "  ").await, Err(IncidentRefused::Body));
    let view = app.incident(responder, "forum").await.unwrap().unwrap();
    let bodies: Vec<&str> = view.entries.iter().map(|entry| entry.body.as_str()).collect();
    assert_eq!(bodies, ["the forum confirms it", "We know more at noon."]);
    for (title, slug, refused) in [
        ("", None, IncidentRefused::Title),
        ("two\nlines", None, IncidentRefused::Title),
        ("Another", Some("forum"), IncidentRefused::Taken),
        ("Another", Some("../up"), IncidentRefused::Slug),
    ] {
        assert_eq!(
            app.open_incident(responder, title, slug).await.unwrap(),
            Err(refused),
            "{title:?}"
        );
    }
    let attached = app.attach_leak(responder, "forum", "no such leak").await.unwrap();
    assert_eq!(attached, Err(IncidentRefused::UnknownLeak));
    assert_eq!(app.close_incident(responder, "forum").await.unwrap(), Ok(()));
    assert_eq!(
        app.close_incident(responder, "forum").await.unwrap(),
        Err(IncidentRefused::Closed)
    );
    let drafted = app
        .draft_containment(responder, "forum", &Plan::default())
        .await
        .unwrap();
    assert_eq!(drafted, Err(OrderRefused::Closed));
}

async fn a_dry_run_lists_exactly_those_and_touches_nobody(engine: Engine) {
    let incident = Incident::new(engine, 6, |number| number != 3).await;
    let session = incident.app.sign_in_with(&address(1), &password(1)).await;
    let no = incident.frozen(&Plan::default()).await;
    let view = incident.view(no).await;
    assert_eq!(view.containment.state, ContainmentState::DryRun);
    assert_eq!((view.containment.members, view.containment.takes), (5, 5));
    let page = incident
        .app
        .cohort_page(&incident.responder, no, MemberPlace::default())
        .await;
    let rows = page.unwrap();
    assert_eq!(rows.len(), 5);
    for row in &rows {
        assert_eq!(
            (row.member.action, row.member.because.grade),
            (Action::Hold, Grade::Exact)
        );
        assert_eq!((row.leak.as_str(), row.member.state), ("a forum", MemberState::Frozen));
        assert_eq!(row.contacts, 1);
    }
    // Nobody feels it.
    assert!(incident.app.owner(&session).await.unwrap().is_some());
    for number in 1..=6 {
        let account = incident.account(number).await;
        assert_eq!(incident.lying(account).await, []);
    }
    // Asked for again it says the same.
    let digest = view.containment.digest;
    incident.app.dry_run(&incident.responder, no).await.unwrap().unwrap();
    incident.app.run_all_containments().await;
    let again = incident.view(no).await;
    assert_eq!((again.containment.members, again.containment.digest), (5, digest));
}

async fn the_canary_goes_first_and_the_rest_after_its_time(engine: Engine) {
    let incident = Incident::new(engine, 9, |_| true).await;
    let mut plan = Plan::default();
    plan.cut(Some("2,50%,rest"), Some(10)).unwrap();
    let no = incident.started(&plan).await;
    let sizes: Vec<u64> = incident.view(no).await.waves.iter().map(|wave| wave.members).collect();
    assert_eq!(sizes, [2, 5, 2]);
    let mut held = Vec::new();
    for _ in 0..4 {
        incident.app.run_all_containments().await;
        held.push(incident.members_in(no, MemberState::Done).await);
        incident.app.pass(599);
        incident.app.run_all_containments().await;
        assert_eq!(
            incident.members_in(no, MemberState::Done).await,
            *held.last().unwrap(),
            "not yet"
        );
        incident.app.pass(1);
    }
    assert_eq!(held, [2, 7, 9, 9]);
    assert_eq!(incident.view(no).await.containment.state, ContainmentState::Done);
    let audited = incident.audited(no).await;
    let ends = ["containment.drafted", "containment.done"];
    assert_eq!(
        (audited.first().unwrap().as_str(), audited.last().unwrap().as_str()),
        ends.into()
    );
    let starts = audited.iter().filter(|event| *event == "containment.wave_started");
    assert_eq!(starts.count(), 3);
}

async fn a_cohort_above_the_cap_needs_somebody_else(engine: Engine) {
    let incident = Incident::new(engine, 60, |number| number <= 2).await;
    let (app, responder) = (&incident.app, &incident.responder);
    // 62 accounts: one may be decided about alone.
    let no = incident.frozen(&in_one_wave()).await;
    let refused = app.start_containment(responder, no).await.unwrap();
    let wanted = OrderRefused::NeedsApproval {
        takes: 2,
        taken: 0,
        cap: 1,
    };
    assert_eq!(refused, Err(wanted));
    let by_author = app.approve_containment(responder, no).await.unwrap();
    assert_eq!(by_author, Err(OrderRefused::Author));
    app.approve_containment(&incident.approver, no).await.unwrap().unwrap();
    // A list that is made anew was approved by nobody.
    app.dry_run(responder, no).await.unwrap().unwrap();
    app.run_all_containments().await;
    assert!(matches!(
        app.start_containment(responder, no).await.unwrap(),
        Err(OrderRefused::NeedsApproval { .. })
    ));
    app.approve_containment(&incident.approver, no).await.unwrap().unwrap();
    app.start_containment(responder, no).await.unwrap().unwrap();
    // Another one, of one account, counts together with it.
    let mut milder = in_one_wave();
    milder.notices = false;
    let second = incident.frozen(&milder).await;
    let refused = app.start_containment(responder, second).await.unwrap();
    assert!(
        matches!(refused, Err(OrderRefused::NeedsApproval { taken: 2, .. })),
        "{refused:?}"
    );
}

async fn a_pause_holds_the_next_wave_and_the_messages_back(engine: Engine) {
    let incident = Incident::new(engine, 4, |_| true).await;
    let (app, responder) = (&incident.app, &incident.responder);
    let mut plan = Plan::default();
    plan.cut(Some("1,rest"), Some(1)).unwrap();
    let no = incident.started(&plan).await;
    app.run_all_containments().await;
    app.pause_containment(responder, no).await.unwrap().unwrap();
    app.pass(3600);
    app.run_all_containments().await;
    assert_eq!(
        incident.members_in(no, MemberState::Done).await,
        1,
        "what was done stays"
    );
    assert_eq!(incident.members_in(no, MemberState::Frozen).await, 3);
    app.resume_containment(responder, no).await.unwrap().unwrap();
    app.run_all_containments().await;
    assert_eq!(incident.members_in(no, MemberState::Done).await, 4);
    let again = app.resume_containment(responder, no).await.unwrap();
    assert_eq!(again, Err(OrderRefused::State(ContainmentState::Done)));
}

async fn owners_are_told_once(engine: Engine) {
    let incident = Incident::new(engine, 3, |number| number <= 2).await;
    incident.started(&in_one_wave()).await;
    incident.app.run_all_containments().await;
    incident.app.run_all_containments().await;
    for (number, told) in [(1, &["turned-off"][..]), (2, &["turned-off"]), (3, &[])] {
        let account = incident.account(number).await;
        assert_eq!(incident.told(account).await, told, "owner {number}");
    }
    let mails = incident.app.mails().await;
    let turned_off: Vec<&str> = mails
        .iter()
        .filter(|mail| mail.kind == "turned-off")
        .map(|mail| mail.to.as_str())
        .collect();
    assert_eq!(turned_off.len(), 2);
    assert!(
        mails.iter().all(|mail| !mail.text.contains("http")),
        "no message holds a link"
    );
    incident.app.run_all_containments().await;
    assert!(incident.app.mails().await.is_empty());
}

async fn an_undoing_needs_somebody_else_and_tells_those_who_were_told(engine: Engine) {
    let incident = Incident::new(engine, 4, |_| true).await;
    let (app, responder) = (&incident.app, &incident.responder);
    let mut plan = Plan::default();
    plan.cut(Some("2,rest"), Some(60)).unwrap();
    let no = incident.started(&plan).await;
    app.run_all_containments().await;
    // The canary's messages go out; then one more wave starts, and its messages lie in the outbox.
    app.mails().await;
    app.pass(3600);
    app.run_all_containments().await;
    assert_eq!(
        app.undo_containment(responder, no).await.unwrap(),
        Ok(false),
        "somebody else is to agree"
    );
    assert_eq!(
        app.undo_containment(responder, no).await.unwrap(),
        Err(OrderRefused::Author)
    );
    assert_eq!(
        incident.members_in(no, MemberState::Done).await,
        4,
        "nothing happened yet"
    );
    assert_eq!(app.undo_containment(&incident.approver, no).await.unwrap(), Ok(true));
    app.run_all_containments().await;
    assert_eq!(incident.view(no).await.containment.state, ContainmentState::Undone);
    assert_eq!(incident.members_in(no, MemberState::Undone).await, 4);
    let (mut taken_back, mut never_told) = (0, 0);
    for number in 1..=4 {
        let account = incident.account(number).await;
        assert_eq!(
            incident.lying(account).await,
            [HoldAction::Change],
            "the password is in a leak all the same"
        );
        match incident.told(account).await.as_slice() {
            [first, second] if first == "turned-off" && second == "turned-on-again" => taken_back += 1,
            [] => never_told += 1,
            other => panic!("owner {number} was told {other:?}"),
        }
    }
    assert_eq!((taken_back, never_told), (2, 2));
}

/// A worker that died while it listed left some members behind.
async fn a_list_that_was_cut_off_is_made_anew(engine: Engine) {
    let incident = Incident::new(engine, 5, |_| true).await;
    let no = incident.frozen(&Plan::default()).await;
    incident.app.dry_run(&incident.responder, no).await.unwrap().unwrap();
    // The members of the list before are there still, as a dead worker would have left them.
    assert_eq!(incident.members_in(no, MemberState::Frozen).await, 5);
    incident.app.run_all_containments().await;
    let view = incident.view(no).await;
    assert_eq!(
        (view.containment.state, view.containment.members),
        (ContainmentState::DryRun, 5)
    );
    assert_eq!(incident.members_in(no, MemberState::Frozen).await, 5);
}

async fn who_only_looks_orders_nothing(engine: Engine) {
    let incident = Incident::new(engine, 2, |_| true).await;
    let no = incident.started(&in_one_wave()).await;
    incident.app.run_all_containments().await;
    let auditor = incident.app.officer("auditor@example.com", "auditor", Power::See).await;
    assert_eq!(
        incident.app.undo_containment(&auditor, no).await.unwrap(),
        Err(OrderRefused::Role)
    );
    // A second responder may ask to undo, and may not agree.
    let second = incident
        .app
        .officer("second@example.com", "responder", Power::Respond)
        .await;
    assert_eq!(incident.app.undo_containment(&second, no).await.unwrap(), Ok(false));
    let third = incident
        .app
        .officer("third@example.com", "responder", Power::Respond)
        .await;
    assert_eq!(
        incident.app.undo_containment(&third, no).await.unwrap(),
        Err(OrderRefused::Role)
    );
    assert_eq!(incident.members_in(no, MemberState::Done).await, 2);
}

async fn an_account_can_say_why_since_when_and_who_agreed(engine: Engine) {
    let incident = Incident::new(engine, 2, |number| number == 1).await;
    let no = incident.started(&in_one_wave()).await;
    incident.app.run_all_containments().await;
    let said = async |number: usize| {
        let account = incident.account(number).await;
        let history = rightful_app::accounts::history(&incident.app.site, account)
            .await
            .unwrap();
        history
            .into_iter()
            .map(|happening| happening.what)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let held = said(1).await;
    for wanted in [
        "exact: the leak \"a forum\"",
        &format!(
            "listed in containment {}, wave 1: hold, because exact (dump) in the leak \"a forum\"",
            no.0
        ),
        "tested against password version 1",
        &format!("containment {} approved by ", no.0),
        "wave 1 of containment",
        "hold 1 placed by containment:",
        "told of containment",
    ] {
        assert!(held.contains(wanted), "{wanted} is missing: {held}");
    }
    let free = said(2).await;
    assert!(!free.contains("containment"), "{free}");
}

async fn a_changed_password_is_seen_at_the_list_and_at_the_wave(engine: Engine) {
    let incident = Incident::new(engine, 3, |_| true).await;
    let change = async |number: usize| {
        let token = incident.app.sign_in_with(&address(number), &password(number)).await;
        let owner = incident.app.owner(&token).await.unwrap().unwrap();
        let (current, new) = (password(number).into(), format!("quite another phrase {number}").into());
        let changed = incident.app.change_password(&owner, &current, &new, &visitor()).await;
        changed.unwrap();
    };
    change(1).await;
    let no = incident.frozen(&in_one_wave()).await;
    assert_eq!(incident.members_in(no, MemberState::Changed).await, 1);
    assert_eq!(incident.view(no).await.containment.takes, 2);
    change(2).await;
    incident
        .app
        .approve_containment(&incident.approver, no)
        .await
        .unwrap()
        .unwrap();
    incident
        .app
        .start_containment(&incident.responder, no)
        .await
        .unwrap()
        .unwrap();
    incident.app.run_all_containments().await;
    assert_eq!(incident.members_in(no, MemberState::Changed).await, 2);
    assert_eq!(incident.members_in(no, MemberState::Done).await, 1);
    let attempt = Attempt {
        identifier: address(2),
        password: "quite another phrase 2".to_owned().into(),
    };
    let signed_in = incident.app.sign_in(attempt, &visitor()).await.unwrap();
    assert!(matches!(signed_in, SignInOutcome::Open(_)), "{signed_in:?}");
    assert_eq!(
        incident
            .told(incident.account(1).await)
            .await
            .iter()
            .filter(|kind| *kind == "turned-off")
            .count(),
        0
    );
}
