//! From the outbox to the server.

use std::collections::BTreeSet;

use rightful_app::check_message::CheckAnswer;
use rightful_app::outbox::{Post, SentCount};
use rightful_core::contact::Reach;
use rightful_notify::{Address, DkimKey, Sender, Signer};
use rightful_store::notice::NoticeState;
use rightful_testkit::app::{TestApp, post, to_sink, visitor};
use rightful_testkit::databases::Engine;
use rightful_testkit::smtp::{Fault, Sink, Verb};

use crate::{assert_audit_holds, letters, on_both_engines, reach, sent, state, waiting, write_to};

on_both_engines!(
    a_letter_goes_out_once_and_what_it_held_is_dropped,
    a_number_is_true_for_its_address_alone,
    a_code_that_is_asked_for_again_goes_out_once,
    i05_each_answer_of_a_mail_server_leaves_the_right_state,
    what_is_put_off_goes_out_later_and_is_given_up_after_a_day,
    a_code_that_does_not_work_any_more_is_not_sent,
    while_the_mail_server_is_down_nothing_is_lost,
    a_worker_that_dies_while_it_sends_leaves_the_letter_unknown,
    a_worker_that_dies_before_it_sends_leaves_the_letter_to_others,
    four_workers_send_each_letter_once,
    a_letter_that_cannot_be_read_does_not_stop_the_others,
    a_post_office_that_closes_begins_no_letter,
    letters_are_signed,
);

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

async fn a_letter_goes_out_once_and_what_it_held_is_dropped(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    write_to(&app, "anna@example.org").await;
    assert_eq!((state(&app, anna).await, waiting(&app).await), (NoticeState::Queued, 1));

    let mails = app.mails().await;
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].to.as_str(), mails[0].kind.as_str()),
        ("anna@example.org", "sign-up-known")
    );
    assert_eq!((state(&app, anna).await, waiting(&app).await), (NoticeState::Sent, 0));
    assert_eq!(app.mails().await, []);
}

async fn a_number_is_true_for_its_address_alone(engine: Engine) {
    let app = TestApp::new(engine).await;
    app.add_owner(&["anna@example.org"]).await;
    app.add_owner(&["ben@example.org"]).await;
    for address in ["anna@example.org", "ben@example.org", "carla@example.org"] {
        write_to(&app, address).await;
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 3);
    app.pass(HOUR);
    for mail in &mails {
        for other in &mails {
            let answer = app.check_message(&mail.to, &other.number, &visitor()).await.unwrap();
            let is_ours = matches!(&answer, CheckAnswer::Ours { kind, .. } if *kind == mail.kind);
            assert_eq!(
                is_ours,
                mail == other,
                "{} of {} at {}",
                other.number,
                other.to,
                mail.to
            );
        }
    }
}

async fn a_code_that_is_asked_for_again_goes_out_once(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    for _ in 0..2 {
        app.ask_for_new_password("anna@example.org", &visitor()).await.unwrap();
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].code.is_some());
    let mut states: Vec<&str> = letters(&app, anna)
        .await
        .iter()
        .map(|letter| letter.state.word())
        .collect();
    states.sort_unstable();
    assert_eq!(states, ["cancelled", "sent"]);
}

/// A fault at a step, and what it must come to: the state of the letter, the reach of its contact, and whether it goes out once
/// the server is well again.
struct Answer {
    at: Verb,
    fault: Fault,
    state: NoticeState,
    reach: Reach,
}

fn answers() -> Vec<Answer> {
    use NoticeState::{Failed, Queued, Unknown};
    use Reach::{Dead, Good, Soft};
    let reply = |at, text: &str, state, reach| Answer {
        at,
        fault: Fault::Reply(text.to_owned()),
        state,
        reach,
    };
    let cut = |at, fault, state| Answer {
        at,
        fault,
        state,
        reach: Good,
    };
    let mut answers = vec![
        // About the mailbox.
        reply(Verb::Rcpt, "550 5.1.1 no such user", Failed, Dead),
        reply(Verb::Rcpt, "550 no such user", Failed, Dead),
        reply(Verb::Rcpt, "552 5.2.2 mailbox full", Failed, Soft),
        // About this letter.
        reply(Verb::Message, "554 5.6.1 not like this", Failed, Good),
        reply(Verb::Message, "552 5.3.4 too large", Failed, Good),
        // About us: somebody mends it, then it goes out.
        reply(Verb::Mail, "550 5.7.1 sender refused", Queued, Good),
        reply(Verb::Rcpt, "554 5.7.1 blocked by reputation", Queued, Good),
        reply(Verb::Rcpt, "550 5.7.26 not authenticated", Queued, Good),
        // The answer to the message is lost: it may have arrived.
        cut(Verb::Message, Fault::HangUp, Unknown),
        cut(Verb::Message, Fault::CutWithin(100), Unknown),
        cut(Verb::Message, Fault::Partial(b"25".to_vec()), Unknown),
    ];
    for at in [Verb::Greeting, Verb::Ehlo, Verb::Mail, Verb::Rcpt, Verb::Data] {
        for code in ["421", "450", "451", "452"] {
            answers.push(reply(at, &format!("{code} not now"), Queued, Good));
        }
        answers.push(cut(at, Fault::HangUp, Queued));
        answers.push(cut(at, Fault::Partial(b"2".to_vec()), Queued));
    }
    for code in ["421", "450", "451", "452"] {
        answers.push(reply(Verb::Message, &format!("{code} not now"), Queued, Good));
    }
    answers
}

async fn i05_each_answer_of_a_mail_server_leaves_the_right_state(engine: Engine) {
    let app = TestApp::new(engine).await;
    for (number, answer) in answers().into_iter().enumerate() {
        let what = format!("{:?} at {:?}", answer.fault, answer.at);
        let address = format!("owner{number}@example.org");
        let owner = app.add_owner(&[&address]).await;
        write_to(&app, &address).await;

        let sink = Sink::plain();
        sink.fail_always(answer.at, answer.fault);
        let post = post(to_sink(&sink, 2));
        let count = app.send_due(&post).await.unwrap();
        assert_eq!(count.all(), 1, "{what}: {count:?}");
        assert_eq!(state(&app, owner).await, answer.state, "{what}");
        assert_eq!(reach(&app, owner).await, [answer.reach], "{what}");
        assert_eq!(
            app.send_due(&post).await.unwrap(),
            SentCount::default(),
            "{what}: not at once"
        );

        // Only what surely did not arrive goes out, and once, when all is well again. (A server may hang up after it took one.)
        let arrived = sink.messages().len();
        sink.mend();
        app.pass(HOUR);
        let is_queued = answer.state == NoticeState::Queued;
        assert_eq!(app.send_all(&post).await, sent(is_queued.into()), "{what}");
        assert_eq!(sink.messages().len(), arrived + usize::from(is_queued), "{what}");
        let end = if is_queued { NoticeState::Sent } else { answer.state };
        assert_eq!(state(&app, owner).await, end, "{what}");
        assert_eq!(waiting(&app).await, 0, "{what}");
    }
    assert_audit_holds(&app).await;
}

async fn what_is_put_off_goes_out_later_and_is_given_up_after_a_day(engine: Engine) {
    let app = TestApp::new(engine).await;
    let (anna, ben) = (
        app.add_owner(&["anna@example.org"]).await,
        app.add_owner(&["ben@example.org"]).await,
    );
    let sink = Sink::plain();
    let post = post(to_sink(&sink, 1));
    write_to(&app, "anna@example.org").await;
    sink.fail(Verb::Rcpt, Fault::Reply("450 4.2.0 greylisted".to_owned()));
    assert_eq!(app.send_due(&post).await.unwrap().later, 1);
    app.pass(MINUTE - 1);
    assert_eq!(app.send_due(&post).await.unwrap(), SentCount::default());
    app.pass(1);
    assert_eq!(app.send_due(&post).await.unwrap(), sent(1));
    assert_eq!(state(&app, anna).await, NoticeState::Sent);

    sink.fail_always(Verb::Rcpt, Fault::Reply("450 4.2.0 greylisted".to_owned()));
    write_to(&app, "ben@example.org").await;
    let mut attempts = 0;
    for _ in 0..2 * DAY / (10 * MINUTE) {
        attempts += app.send_due(&post).await.unwrap().all();
        app.pass(10 * MINUTE);
    }
    assert_eq!((attempts, state(&app, ben).await), (8, NoticeState::Failed));
    assert_eq!((waiting(&app).await, reach(&app, ben).await), (0, vec![Reach::Good]));
}

async fn a_code_that_does_not_work_any_more_is_not_sent(engine: Engine) {
    let app = TestApp::new(engine).await;
    let sink = Sink::plain();
    let post = post(to_sink(&sink, 1));
    let anna = app.add_owner(&["anna@example.org"]).await;
    app.ask_for_new_password("anna@example.org", &visitor()).await.unwrap();
    app.pass(30 * MINUTE);
    assert_eq!(app.send_due(&post).await.unwrap().failed, 1);
    assert_eq!(state(&app, anna).await, NoticeState::Failed);

    // Nor one that is put off for so long.
    sink.fail_always(Verb::Rcpt, Fault::Reply("450 4.2.0 greylisted".to_owned()));
    app.ask_for_new_password("anna@example.org", &visitor()).await.unwrap();
    let mut attempts = 0;
    for _ in 0..30 {
        attempts += app.send_due(&post).await.unwrap().all();
        app.pass(MINUTE);
    }
    sink.mend();
    app.pass(DAY);
    assert_eq!(app.send_all(&post).await, SentCount::default());
    assert_eq!((attempts, state(&app, anna).await), (7, NoticeState::Failed));
    assert_eq!(sink.messages(), []);
}

async fn while_the_mail_server_is_down_nothing_is_lost(engine: Engine) {
    const LETTERS: usize = 60;
    let app = TestApp::new(engine).await;
    for number in 0..LETTERS {
        let address = format!("owner{number}@example.org");
        app.add_owner(&[&address]).await;
        write_to(&app, &address).await;
    }
    let sink = Sink::plain();
    sink.fail_always(Verb::Greeting, Fault::HangUp);
    let post = post(to_sink(&sink, 4));
    for _ in 0..4 * DAY / (2 * HOUR) {
        let round = app.send_due(&post).await.unwrap();
        // A server that is down is not asked once for each letter.
        assert!(round.is_way_down && round.all() <= 8, "{round:?}");
        app.pass(2 * HOUR);
    }
    sink.mend();
    let mut all = SentCount::default();
    for _ in 0..10 {
        all = all.and(app.send_all(&post).await);
        app.pass(30 * MINUTE);
    }
    assert_eq!(all, sent(LETTERS as u64));
    let to: BTreeSet<String> = sink.messages().into_iter().flat_map(|message| message.to).collect();
    assert_eq!((sink.messages().len(), to.len()), (LETTERS, LETTERS));
}

async fn a_worker_that_dies_while_it_sends_leaves_the_letter_unknown(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    write_to(&app, "anna@example.org").await;
    let sink = Sink::plain();
    sink.fail(Verb::Message, Fault::Silence);
    let (node, dying) = (app.node(), post(to_sink(&sink, 1)));
    let worker = tokio::spawn(async move { node.send_due(&dying).await });
    while !sink.heard().iter().any(|line| line.starts_with("DATA")) {
        tokio::task::yield_now().await;
    }
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    assert_eq!(state(&app, anna).await, NoticeState::Sending);

    // For a time it may be only slow.
    let (other, post) = (app.another_node().await, post(to_sink(&sink, 1)));
    app.pass(29 * MINUTE);
    assert_eq!(other.send_due(&post).await.unwrap(), SentCount::default());
    app.pass(MINUTE);
    assert_eq!(other.send_due(&post).await.unwrap(), SentCount::default());
    assert_eq!(
        (state(&app, anna).await, waiting(&app).await),
        (NoticeState::Unknown, 0)
    );
    app.pass(DAY);
    assert_eq!(other.send_due(&post).await.unwrap(), SentCount::default());
    assert_eq!(sink.messages(), []);
}

async fn a_worker_that_dies_before_it_sends_leaves_the_letter_to_others(engine: Engine) {
    let app = TestApp::new(engine).await;
    let anna = app.add_owner(&["anna@example.org"]).await;
    write_to(&app, "anna@example.org").await;
    let (now, until) = (app.now(), app.now().plus_seconds(2 * MINUTE));
    let lease = uuid::Uuid::from_u128(1);
    let take = async move |tx: &mut rightful_store::Tx| tx.lease_notices(anna.block(), lease, now, until, 50).await;
    assert_eq!(app.site.store.write(take).await.unwrap().len(), 1);

    assert_eq!(app.mails().await, []);
    app.pass(2 * MINUTE);
    assert_eq!(app.mails().await.len(), 1);
    assert_eq!(state(&app, anna).await, NoticeState::Sent);
}

async fn four_workers_send_each_letter_once(engine: Engine) {
    const LETTERS: usize = 500;
    let app = TestApp::new(engine).await;
    for number in 0..LETTERS {
        let address = format!("owner{number}@example.org");
        // Half of them to accounts of one block, half to strangers, each with a home of their own.
        if number % 2 == 0 {
            app.add_owner(&[&address]).await;
        }
        write_to(&app, &address).await;
    }
    let sink = Sink::plain();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (node, post) = (app.another_node().await, post(to_sink(&sink, 2)));
        workers.spawn(async move {
            let mut all = SentCount::default();
            loop {
                let round = node.send_due(&post).await.unwrap();
                all = all.and(round);
                if round.all() == 0 {
                    return all;
                }
            }
        });
    }
    let counts = workers.join_all().await;
    let all = counts.into_iter().fold(SentCount::default(), SentCount::and);
    assert_eq!(all, sent(LETTERS as u64));
    let to: Vec<String> = sink.messages().into_iter().flat_map(|message| message.to).collect();
    assert_eq!((to.len(), to.iter().collect::<BTreeSet<_>>().len()), (LETTERS, LETTERS));
    assert_eq!(app.texts("SELECT DISTINCT state FROM notice").await, ["sent"]);
    assert_eq!(waiting(&app).await, 0);
}

async fn a_letter_that_cannot_be_read_does_not_stop_the_others(engine: Engine) {
    let app = TestApp::new(engine).await;
    let (anna, ben) = (
        app.add_owner(&["anna@example.org"]).await,
        app.add_owner(&["ben@example.org"]).await,
    );
    write_to(&app, "anna@example.org").await;
    app.tamper("UPDATE outbox SET sealed = (SELECT digest FROM notice WHERE notice.notice_id = outbox.notice_id)")
        .await;
    write_to(&app, "ben@example.org").await;
    let sink = Sink::plain();
    let count = app.send_due(&post(to_sink(&sink, 1))).await.unwrap();
    assert_eq!((count.sent, count.failed), (1, 1));
    assert_eq!(
        (state(&app, anna).await, state(&app, ben).await),
        (NoticeState::Failed, NoticeState::Sent)
    );
}

async fn a_post_office_that_closes_begins_no_letter(engine: Engine) {
    let app = TestApp::new(engine).await;
    app.add_owner(&["anna@example.org"]).await;
    write_to(&app, "anna@example.org").await;
    let sink = Sink::plain();
    let closed = post(to_sink(&sink, 1));
    closed.close();
    assert_eq!(app.send_due(&closed).await.unwrap(), SentCount::default());
    assert_eq!(app.send_due(&post(to_sink(&sink, 1))).await.unwrap(), sent(1));
}

async fn letters_are_signed(engine: Engine) {
    let app = TestApp::new(engine).await;
    app.add_owner(&["anna@example.org"]).await;
    write_to(&app, "anna@example.org").await;
    let sink = Sink::plain();
    let sender = Sender {
        name: "Example".to_owned(),
        address: Address::parse("accounts@example.org").unwrap(),
    };
    let signer = Signer::new(&DkimKey::generate().unwrap(), "rightful", "example.org").unwrap();
    let post = Post::new(to_sink(&sink, 1), sender, Some(signer), None).unwrap();
    assert_eq!(app.send_due(&post).await.unwrap(), sent(1));
    let message = sink.messages().remove(0);
    let text = String::from_utf8(message.data).unwrap();
    assert!(text.starts_with("DKIM-Signature: "), "{text}");
    assert!(text.contains("d=example.org") && text.contains("s=rightful"), "{text}");
    assert!(
        message.from.starts_with("bounce+") && message.from.ends_with("@example.org"),
        "{}",
        message.from
    );
}
