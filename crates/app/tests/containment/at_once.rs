//! A wave that starts on one node: what another node does before any row of it is written.

use rightful_app::app::App;
use rightful_app::new_password::ReturnOutcome;
use rightful_app::sign_in::{Attempt, SignInOutcome};
use rightful_core::containment::ContainmentNo;
use rightful_store::Tx;
use rightful_testkit::app::visitor;
use rightful_testkit::databases::Engine;

use crate::{Incident, address, in_one_wave, on_both_engines, password};

on_both_engines!(
    e05_what_a_wave_takes_is_gone_before_its_rows,
    a_sign_in_that_is_under_way_when_a_wave_starts_opens_nothing,
    a_hold_by_hand_is_seen_everywhere_within_a_second,
    nobody_else_notices_a_wave,
);

/// Starts the first wave and writes none of its rows.
async fn start_wave(incident: &Incident, no: ContainmentNo) {
    let now = incident.app.now();
    let start = async move |tx: &mut Tx| tx.start_wave(no, 1, now).await;
    assert!(incident.app.site.store.write(start).await.unwrap().is_some());
}

async fn try_sign_in(app: &App, number: usize) -> SignInOutcome {
    let attempt = Attempt {
        identifier: address(number),
        password: password(number).into(),
    };
    app.sign_in(attempt, &visitor()).await.unwrap()
}

async fn e05_what_a_wave_takes_is_gone_before_its_rows(engine: Engine) {
    let incident = Incident::new(engine, 3, |number| number <= 2).await;
    let other = incident.app.another_node().await;
    let (held, free) = (
        incident.app.sign_in_with(&address(1), &password(1)).await,
        incident.app.sign_in_with(&address(3), &password(3)).await,
    );
    // The other node knows the sessions, and a conversation about a new password is under way there.
    assert!(other.owner(&held).await.unwrap().is_some() && other.owner(&free).await.unwrap().is_some());
    let ReturnOutcome::Asked(flow) = other.ask_for_new_password(&address(1), &visitor()).await.unwrap() else {
        panic!("a code was to be sent")
    };
    let code = incident.app.mails().await.into_iter().find_map(|mail| mail.code);
    let no = incident.started(&in_one_wave()).await;
    start_wave(&incident, no).await;
    // On the node that started it, at once.
    assert!(incident.app.owner(&held).await.unwrap().is_none());
    incident.app.let_nodes_see();
    assert!(other.owner(&held).await.unwrap().is_none());
    assert!(other.owner(&free).await.unwrap().is_some());
    // The half-done conversation is over, the right password proves nothing, and nobody else is disturbed.
    let typed = other
        .new_password_code(&flow, &code.unwrap(), &visitor())
        .await
        .unwrap();
    assert!(matches!(typed, ReturnOutcome::StartAgain));
    let denied = try_sign_in(&other, 1).await;
    assert!(
        matches!(denied, SignInOutcome::Denied | SignInOutcome::Held(_)),
        "{denied:?}"
    );
    assert!(matches!(try_sign_in(&other, 3).await, SignInOutcome::Open(_)));
    assert_eq!(
        incident.lying(incident.account(1).await).await,
        [],
        "no row says so yet"
    );
}

/// The hash was being computed: the session would be born of a proof from before.
async fn a_sign_in_that_is_under_way_when_a_wave_starts_opens_nothing(engine: Engine) {
    let incident = Incident::new(engine, 2, |_| true).await;
    let no = incident.started(&in_one_wave()).await;
    // Whoever is signed in carries the mark from before the wave, whenever the session opens.
    let token = incident.app.sign_in_with(&address(1), &password(1)).await;
    start_wave(&incident, no).await;
    assert!(incident.app.owner(&token).await.unwrap().is_none());
    incident.app.run_all_containments().await;
    assert!(incident.app.owner(&token).await.unwrap().is_none());
}

async fn a_hold_by_hand_is_seen_everywhere_within_a_second(engine: Engine) {
    use rightful_testkit::given::{HoldAction, HoldSource};
    let incident = Incident::new(engine, 1, |_| false).await;
    let other = incident.app.another_node().await;
    let token = incident.app.sign_in_with(&address(1), &password(1)).await;
    assert!(other.owner(&token).await.unwrap().is_some());
    let account = incident.account(1).await;
    incident
        .app
        .hold(account, HoldSource::Administrator, HoldAction::Hold)
        .await;
    assert!(incident.app.owner(&token).await.unwrap().is_none(), "here at once");
    incident.app.let_nodes_see();
    assert!(other.owner(&token).await.unwrap().is_none(), "there within a second");
}

async fn nobody_else_notices_a_wave(engine: Engine) {
    let incident = Incident::new(engine, 4, |number| number == 1).await;
    let mut tokens = Vec::new();
    for number in 2..=4 {
        tokens.push(incident.app.sign_in_with(&address(number), &password(number)).await);
    }
    let no = incident.started(&in_one_wave()).await;
    start_wave(&incident, no).await;
    incident.app.run_all_containments().await;
    for token in &tokens {
        assert!(incident.app.owner(token).await.unwrap().is_some());
    }
}
