//! From a letter to a mail server, and everything that can go wrong on the way.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};
use mail_parser::MessageParser;
use rightful_core::Timestamp;
use rightful_notify::{
    Address, Channel, Class, Credentials, Delivery, DkimKey, Envelope, Folder, Letter, Locale, MessageId, Names,
    Notice, Relay, ReturnPath, Security, Sender, Signer, Smtp, Step, Timeouts, Trouble, Trust, Whose, Wire,
    WireRefused, compose, render,
};
use rightful_testkit::smtp::{Fault, Protection, Setup, Sink, Verb};

/// 2026-11-24 14:02 UTC.
const AT: Timestamp = Timestamp::from_micros(1_795_528_920_000_000);

/// Long enough that nothing runs into it by accident.
const PATIENT: Duration = Duration::from_secs(60);

/// For servers that say nothing.
const IMPATIENT: Duration = Duration::from_millis(300);

fn letter() -> Letter {
    let names = Names {
        site: "Example",
        owner: Some("Jörg"),
    };
    render(&Notice::TooManyGuesses { at: AT }, "K7M4-QX2P", Locale::De, &names)
}

fn envelope_to(to: &str) -> Envelope {
    let from = Address::parse("hello@example.org").unwrap();
    Envelope {
        id: MessageId::new("4f1c", &from),
        from: Sender {
            name: "Example".to_owned(),
            address: from,
        },
        to: Address::parse(to).unwrap(),
        return_path: ReturnPath::make("k7m4qx2p", "mail.example.org").unwrap(),
        date: AT,
    }
}

fn envelope() -> Envelope {
    envelope_to("anna@owner.example")
}

fn message() -> Wire {
    compose(&letter(), &envelope()).unwrap()
}

fn relay(sink: &Sink, security: Security) -> Relay {
    Relay {
        host: "127.0.0.1".to_owned(),
        port: sink.port(),
        security,
        trust: Trust::Only(sink.authority().to_owned()),
        credentials: None,
        hello: "mail.example.org".to_owned(),
        timeouts: Timeouts {
            connect: PATIENT,
            command: PATIENT,
            message: PATIENT,
        },
        connections: 2,
    }
}

fn channel(relay: Relay) -> Channel {
    Channel::Smtp(Smtp::new(relay).unwrap())
}

async fn send(channel: &Channel) -> Delivery {
    channel.send(&envelope(), &message()).await
}

fn trouble(delivery: &Delivery) -> Option<&Trouble> {
    match delivery {
        Delivery::Sent { .. } => None,
        Delivery::Later { trouble } | Delivery::Never { trouble, .. } | Delivery::Unknown { trouble } => Some(trouble),
    }
}

// ---- the message -------------------------------------------------------------------------------------------------------

#[test]
fn a_message_has_the_fields_it_needs_and_no_others() {
    let bytes = message();
    let parsed = MessageParser::default().parse(bytes.as_bytes()).unwrap();
    let fields: Vec<&str> = parsed.headers().iter().map(|header| header.name.as_str()).collect();
    assert_eq!(
        fields,
        [
            "Date",
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type"
        ]
    );
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-11-24T14:02:00Z");
    assert_eq!(parsed.message_id(), Some("4f1c@example.org"));
    assert_eq!(parsed.subject(), Some(letter().subject.as_str()));
    assert_eq!(
        parsed.body_text(0).unwrap().replace("\r\n", "\n").trim_end(),
        letter().text.trim_end()
    );
    assert_eq!(
        parsed.body_html(0).unwrap().replace("\r\n", "\n").trim_end(),
        letter().html.trim_end()
    );
    assert_eq!(message(), bytes, "the same letter gives the same bytes");
}

/// I01, the headers: whatever stands in a name or a subject, there is one message with the fields we wrote.
#[test]
fn i01_hostile_names_and_subjects_make_no_field_of_their_own() {
    let long = "x ".repeat(5_000);
    for hostile in [
        "a\r\nBcc: thief@evil.example",
        "a\nBcc: thief@evil.example\n\n<html>",
        "a\rBcc: thief@evil.example",
        "a\0b",
        "\u{2028}Bcc: thief@evil.example\u{85}Bcc: x",
        "\"evil\" <thief@evil.example>, Example",
        "{{7*7}} ${x} <b>",
        &long,
    ] {
        let mut envelope = envelope();
        envelope.from.name = hostile.to_owned();
        envelope.id = MessageId::new(hostile, &envelope.from.address);
        let letter = Letter {
            subject: hostile.to_owned(),
            ..letter()
        };
        let wire = compose(&letter, &envelope).unwrap();
        let parsed = MessageParser::default().parse(wire.as_bytes()).unwrap();
        assert_eq!(parsed.headers().len(), 9, "{hostile:?}");
        assert!(parsed.bcc().is_none(), "{hostile:?}");
        let from: Vec<_> = parsed.from().unwrap().iter().collect();
        assert_eq!(from.len(), 1, "{hostile:?}");
        assert_eq!(from[0].address(), Some("hello@example.org"), "{hostile:?}");
        assert_eq!(
            parsed.to().unwrap().first().unwrap().address(),
            Some("anna@owner.example")
        );
    }
}

#[test]
fn dates_out_of_range_are_moved_into_it() {
    for micros in [i64::MIN, -1, 0, i64::MAX] {
        let envelope = Envelope {
            date: Timestamp::from_micros(micros),
            ..envelope()
        };
        assert!(compose(&letter(), &envelope).is_ok(), "{micros}");
    }
}

// ---- the signature -----------------------------------------------------------------------------------------------------

/// The DNS, with one record.
struct Dns(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Dns {
    fn get<Q: std::hash::Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q: std::hash::Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: std::borrow::Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: std::time::Instant) {}
}

async fn verify(bytes: &[u8], name: &str, record: &str) -> Vec<DkimResult> {
    let key = Txt::DomainKey(DomainKey::parse(record.as_bytes()).unwrap().into());
    let dns = Dns([name.into(), format!("{name}.").into()]
        .map(|name| (name, key.clone()))
        .into());
    let message = AuthenticatedMessage::parse(bytes).unwrap();
    let authenticator = MessageAuthenticator::new_cloudflare().unwrap();
    let outputs = authenticator
        .verify_dkim(Parameters::new(&message).with_txt_cache(&dns))
        .await;
    outputs.iter().map(|output| output.result().clone()).collect()
}

#[tokio::test]
async fn a_signed_message_verifies_by_its_record_and_a_changed_one_does_not() {
    let key = DkimKey::generate().unwrap();
    let record = key.dns_record("rightful", "example.org").unwrap();
    let signer = Signer::new(&key, "rightful", "example.org").unwrap();
    let signed = signer.sign(&message()).unwrap();
    let bytes = signed.as_bytes();
    assert!(
        bytes.ends_with(message().as_bytes()),
        "signing changes nothing below the signature"
    );
    assert_eq!(verify(bytes, &record.name, &record.value).await, [DkimResult::Pass]);
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    for changed in [
        text.replace("Subject: ", "Subject: Re: "),
        // What is put in front or behind is signed as absent.
        text.replacen("From: ", "From: thief@evil.example\r\nFrom: ", 1),
        text.replacen("Date: ", "Reply-To: thief@evil.example\r\nDate: ", 1),
        text.replacen("Subject: ", "Subject: free money\r\nSubject: ", 1),
        text.replace("Example", "Exomple"),
    ] {
        assert_ne!(changed, text);
        let results = verify(changed.as_bytes(), &record.name, &record.value).await;
        assert!(!results.contains(&DkimResult::Pass), "{results:?}");
    }
}

#[tokio::test]
async fn what_the_server_gets_still_verifies() {
    let key = DkimKey::generate().unwrap();
    let record = key.dns_record("rightful", "example.org").unwrap();
    let signed = Signer::new(&key, "rightful", "example.org")
        .unwrap()
        .sign(&message())
        .unwrap();
    let sink = Sink::starttls();
    let channel = channel(relay(&sink, Security::StartTls));
    let delivery = channel.send(&envelope(), &signed).await;
    assert!(
        matches!(&delivery, Delivery::Sent { reply } if reply.code == 250),
        "{delivery:?}"
    );
    let [taken] = &sink.wait_for(1)[..] else {
        panic!("one message")
    };
    assert_eq!(taken.data, signed.as_bytes(), "byte by byte");
    assert_eq!(
        (taken.from.as_str(), taken.to.as_slice()),
        (
            "bounce+k7m4qx2p@mail.example.org",
            &["anna@owner.example".to_owned()][..]
        )
    );
    assert_eq!(
        verify(&taken.data, &record.name, &record.value).await,
        [DkimResult::Pass]
    );
}

// ---- I03: where a message ends -----------------------------------------------------------------------------------------

/// The ends of a message as one server or another sees them.
const ENDS: [&str; 6] = ["\n.\n", "\r.\r", "\r\n.\r\n", "\n.\r\n", "\r\n.\n", "\r.\n"];

#[tokio::test]
async fn i03_a_message_cannot_hide_another_one() {
    let sink = Sink::new(Setup {
        is_lenient: true,
        ..Setup::default()
    });
    let channel = channel(relay(&sink, Security::PlainToLoopback));
    for (sent, end) in ENDS.iter().enumerate() {
        let smuggled = format!(
            "hello{end}MAIL FROM:<admin@example.org>\r\nRCPT TO:<anna@owner.example>\r\nDATA\r\nFrom: x\r\n\r\nevil{end}."
        );
        let letter = Letter {
            subject: smuggled.clone(),
            text: smuggled.clone(),
            html: smuggled.clone(),
        };
        let mut envelope = envelope();
        envelope.from.name = smuggled;
        let wire = compose(&letter, &envelope).unwrap();
        assert!(
            matches!(channel.send(&envelope, &wire).await, Delivery::Sent { .. }),
            "{end:?}"
        );
        let messages = sink.messages();
        assert_eq!(messages.len(), sent + 1, "{end:?} made two messages of one");
        assert_no_bare_ends(&messages[sent].raw);
        assert_eq!(messages[sent].data, wire.as_bytes());
    }
}

fn assert_no_bare_ends(raw: &[u8]) {
    let text = String::from_utf8(raw.to_vec()).unwrap();
    let rest = text.replace("\r\n", "");
    assert!(!rest.contains(['\r', '\n']));
}

#[test]
fn i03_bytes_with_a_bare_cr_or_lf_are_not_sent() {
    for end in ENDS.iter().filter(|end| **end != "\r\n.\r\n") {
        let bytes = format!("From: a@b.example\r\n\r\nhello{end}MAIL FROM:<>\r\n");
        let refused = Wire::check(bytes.into_bytes()).unwrap_err();
        assert!(
            matches!(refused, WireRefused::BareCr(_) | WireRefused::BareLf(_)),
            "{end:?}: {refused}"
        );
    }
}

// ---- I04: TLS ----------------------------------------------------------------------------------------------------------

fn with_credentials(mut relay: Relay) -> Relay {
    relay.credentials = Some(Credentials::new("sender", "a secret of ours"));
    relay
}

async fn check_nothing_was_said(what: &str, sink: &Sink, relay: Relay) {
    let channel = channel(with_credentials(relay));
    let delivery = send(&channel).await;
    let Delivery::Later { trouble } = &delivery else {
        panic!("{what}: {delivery:?}")
    };
    assert!(trouble.is_alarming(), "{what}: {trouble}");
    assert_eq!(trouble.step, Step::Tls, "{what}: {trouble}");
    assert!(sink.messages().is_empty(), "{what}");
    for line in sink.heard() {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        assert!(
            ["EHLO", "STARTTLS", "QUIT"].contains(&verb.as_str()),
            "{what}: we said {line}"
        );
    }
}

#[tokio::test]
async fn i04_without_starttls_nothing_is_said() {
    let sink = Sink::plain();
    check_nothing_was_said("STARTTLS stripped", &sink, relay(&sink, Security::StartTls)).await;
    let sink = Sink::starttls();
    sink.fail(Verb::StartTls, Fault::Reply("454 4.7.0 not today".to_owned()));
    check_nothing_was_said("STARTTLS refused", &sink, relay(&sink, Security::StartTls)).await;
    let sink = Sink::starttls();
    sink.fail(Verb::StartTls, Fault::NoTls);
    check_nothing_was_said("no TLS behind it", &sink, relay(&sink, Security::StartTls)).await;
    let sink = Sink::plain();
    check_nothing_was_said("no TLS at all", &sink, relay(&sink, Security::Tls)).await;
}

#[tokio::test]
async fn i04_a_certificate_must_hold() {
    for (protection, security) in [
        (Protection::StartTls, Security::StartTls),
        (Protection::Tls, Security::Tls),
    ] {
        let good = Setup {
            protection,
            ..Setup::default()
        };
        let sink = Sink::new(Setup {
            name: "other.example".to_owned(),
            ..good.clone()
        });
        check_nothing_was_said("wrong name", &sink, relay(&sink, security)).await;
        let sink = Sink::new(Setup {
            is_expired: true,
            ..good.clone()
        });
        check_nothing_was_said("expired", &sink, relay(&sink, security)).await;
        let sink = Sink::new(good);
        let mut stranger = relay(&sink, security);
        stranger.trust = Trust::Only(Sink::plain().authority().to_owned());
        check_nothing_was_said("unknown authority", &sink, stranger).await;
    }
}

#[tokio::test]
async fn i04_plaintext_behind_starttls_is_not_taken_for_the_servers() {
    for injected in [
        "250-evil.example\r\n250 AUTH PLAIN LOGIN\r\n",
        "250 evil.example\r\n235 2.7.0 welcome\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n",
    ] {
        let sink = Sink::starttls();
        sink.fail(Verb::StartTls, Fault::Inject(injected.as_bytes().to_vec()));
        check_nothing_was_said("injected", &sink, relay(&sink, Security::StartTls)).await;
    }
}

#[tokio::test]
async fn i04_without_tls_only_this_machine_is_spoken_to() {
    let sink = Sink::plain();
    let mut elsewhere = relay(&sink, Security::PlainToLoopback);
    // Of the documentation's own network (RFC 5737): nobody is there, and nobody is asked.
    elsewhere.host = "192.0.2.1".to_owned();
    check_nothing_was_said("elsewhere", &sink, elsewhere).await;
}

#[tokio::test]
async fn credentials_are_said_under_tls_and_refused_ones_are_an_alarm() {
    for protection in [Protection::StartTls, Protection::Tls] {
        let security = match protection {
            Protection::Tls => Security::Tls,
            _ => Security::StartTls,
        };
        let sink = Sink::new(Setup {
            protection,
            user: Some(("sender".to_owned(), "a secret of ours".to_owned())),
            ..Setup::default()
        });
        let good = channel(with_credentials(relay(&sink, security)));
        assert!(matches!(send(&good).await, Delivery::Sent { .. }));
        let taken = &sink.messages()[0];
        assert!(taken.under_tls && taken.user.as_deref() == Some("sender"));
        let mut wrong = relay(&sink, security);
        wrong.credentials = Some(Credentials::new("sender", "another"));
        assert_eq!(format!("{:?}", wrong.credentials), "Some(Credentials(sender, hidden))");
        let delivery = send(&channel(wrong)).await;
        let Delivery::Later { trouble } = &delivery else {
            panic!("{delivery:?}")
        };
        assert!(trouble.is_alarming() && trouble.step == Step::SignIn, "{trouble}");
        assert_eq!(trouble.reply().map(|reply| reply.code), Some(535));
    }
}

// ---- I05: every fault at every step ------------------------------------------------------------------------------------

/// What a delivery came to, without its texts.
#[derive(Debug, PartialEq)]
enum Came {
    Sent,
    Later(Step),
    Never(Step, Whose, Class),
    Unknown,
}

fn came(delivery: &Delivery) -> Came {
    match delivery {
        Delivery::Sent { .. } => Came::Sent,
        Delivery::Later { trouble } => Came::Later(trouble.step),
        Delivery::Never { trouble, whose, class } => Came::Never(trouble.step, *whose, *class),
        Delivery::Unknown { trouble } => {
            assert_eq!(
                trouble.step,
                Step::Message,
                "only the message itself can be lost sight of"
            );
            Came::Unknown
        }
    }
}

/// Every step, and the step as the channel names it.
const VERBS: [(Verb, Step); 8] = [
    (Verb::Greeting, Step::Connect),
    (Verb::Ehlo, Step::Connect),
    (Verb::StartTls, Step::Tls),
    (Verb::Auth, Step::SignIn),
    (Verb::Mail, Step::Sender),
    (Verb::Rcpt, Step::Recipient),
    (Verb::Data, Step::Data),
    (Verb::Message, Step::Message),
];

/// What each code means at each step.
fn expected(step: Step, code: u16) -> Came {
    match (step, code) {
        (Step::Connect | Step::Tls | Step::SignIn, _) | (_, 400..=499) => Came::Later(step),
        (Step::Sender, _) => Came::Never(step, Whose::Ours, Class::Blocked),
        (Step::Recipient, 550) => Came::Never(step, Whose::Address, Class::Hard),
        (Step::Recipient, _) => Came::Never(step, Whose::Address, Class::Soft),
        (_, 552 | 554) => Came::Never(step, Whose::Message, Class::Blocked),
        _ => Came::Never(step, Whose::Message, Class::Soft),
    }
}

fn full_sink() -> Sink {
    Sink::new(Setup {
        protection: Protection::StartTls,
        user: Some(("sender".to_owned(), "a secret of ours".to_owned())),
        ..Setup::default()
    })
}

/// One message into this fault, the next one without it: the first came to what is expected and is not there, the next one
/// is there once. That is: no loop, no loss, and no fault outlives its message.
async fn check_fault(verb: Verb, fault: Fault, wait: Duration, expected: Came, is_taken: bool) {
    let sink = full_sink();
    sink.fail(verb, fault.clone());
    let mut relay = with_credentials(relay(&sink, Security::StartTls));
    relay.timeouts = Timeouts {
        connect: if matches!(expected, Came::Later(Step::Connect)) {
            wait
        } else {
            PATIENT
        },
        command: wait,
        message: wait,
    };
    let channel = channel(relay);
    let delivery = send(&channel).await;
    assert_eq!(came(&delivery), expected, "{fault:?} at {verb:?}: {delivery:?}");
    let taken = usize::from(is_taken);
    assert_eq!(sink.messages().len(), taken, "{fault:?} at {verb:?}");
    if let Some(trouble) = trouble(&delivery) {
        let said = trouble.to_string();
        assert!(
            !said.chars().any(char::is_control) && said.chars().count() < 500,
            "{said:?}"
        );
        assert!(!said.contains("secret"), "{said}");
    }
    let connections = sink.connections();
    assert!(
        connections <= 1,
        "{fault:?} at {verb:?}: it was tried {connections} times"
    );
    let delivery = send(&channel).await;
    assert_eq!(came(&delivery), Came::Sent, "after {fault:?} at {verb:?}: {delivery:?}");
    assert_eq!(sink.messages().len(), taken + 1, "after {fault:?} at {verb:?}");
}

#[tokio::test]
async fn i05_every_code_at_every_step_means_what_it_says() {
    for (verb, step) in VERBS {
        for code in [421, 450, 451, 452, 550, 552, 554] {
            let reply = Fault::Reply(format!("{code} no"));
            check_fault(verb, reply, PATIENT, expected(step, code), false).await;
        }
    }
}

#[tokio::test]
async fn i05_enhanced_codes_say_more_than_the_step() {
    let rcpt = |whose, class| Came::Never(Step::Recipient, whose, class);
    for (verb, reply, expected) in [
        (Verb::Rcpt, "550 5.1.1 no such user", rcpt(Whose::Address, Class::Hard)),
        (Verb::Rcpt, "552 5.2.2 full", rcpt(Whose::Address, Class::Soft)),
        (
            Verb::Rcpt,
            "550 5.7.1 relaying denied",
            rcpt(Whose::Ours, Class::Blocked),
        ),
        (
            Verb::Rcpt,
            "550-5.1.1 no\r\n550 5.1.1 such user",
            rcpt(Whose::Address, Class::Hard),
        ),
        (
            Verb::Rcpt,
            "450 4.2.0 greylisted, come back in 300 seconds",
            Came::Later(Step::Recipient),
        ),
        (
            Verb::Mail,
            "552 5.3.4 too large",
            Came::Never(Step::Sender, Whose::Message, Class::Soft),
        ),
        (
            Verb::Message,
            "550 5.1.1 no such user after all",
            Came::Never(Step::Message, Whose::Address, Class::Hard),
        ),
        (
            Verb::Message,
            "554 5.7.1 looks like spam",
            Came::Never(Step::Message, Whose::Ours, Class::Blocked),
        ),
    ] {
        check_fault(verb, Fault::Reply(reply.to_owned()), PATIENT, expected, false).await;
    }
}

#[tokio::test]
async fn i05_a_lost_connection_is_later_until_the_message_was_sent() {
    for (verb, step) in VERBS {
        let is_message = step == Step::Message;
        let expected = || if is_message { Came::Unknown } else { Came::Later(step) };
        // The sink has the message and hangs up: it is there, and we cannot know.
        check_fault(verb, Fault::HangUp, PATIENT, expected(), is_message).await;
        for partial in [
            "2",
            "25",
            "250",
            "250-2.0.0 go\r\n",
            "250 2.0.0 go\r",
            "garbage\r\n",
            "\u{fffd}\r\n",
            "999 no\r\n",
        ] {
            check_fault(verb, Fault::Partial(partial.into()), PATIENT, expected(), false).await;
        }
        check_fault(
            verb,
            Fault::Partial(b"550 \xFC\xE4\r\n".to_vec()),
            PATIENT,
            expected(),
            false,
        )
        .await;
    }
}

#[tokio::test]
async fn i05_a_server_that_says_nothing_is_left() {
    for (verb, step) in VERBS {
        let expected = match step {
            Step::Message => Came::Unknown,
            // Connecting, TLS and signing in have one limit together.
            Step::Tls | Step::SignIn => Came::Later(Step::Connect),
            step => Came::Later(step),
        };
        check_fault(verb, Fault::Silence, IMPATIENT, expected, false).await;
    }
}

#[tokio::test]
async fn i05_a_connection_cut_within_the_message_is_never_sent_again_by_itself() {
    for bytes in [0, 1, 100, 1_000] {
        check_fault(Verb::Message, Fault::CutWithin(bytes), PATIENT, Came::Unknown, false).await;
    }
}

#[tokio::test]
async fn i05_an_answer_that_does_not_belong_is_no_consent() {
    // Had we sent the message after this, the server would have read it as commands.
    check_fault(
        Verb::Data,
        Fault::Reply("250 2.0.0 ok".to_owned()),
        PATIENT,
        Came::Later(Step::Data),
        false,
    )
    .await;
    check_fault(
        Verb::Mail,
        Fault::Reply("354 go".to_owned()),
        PATIENT,
        Came::Later(Step::Sender),
        false,
    )
    .await;
    check_fault(
        Verb::Rcpt,
        Fault::Reply("354 go".to_owned()),
        PATIENT,
        Came::Later(Step::Recipient),
        false,
    )
    .await;
    check_fault(
        Verb::Message,
        Fault::Reply("354 go".to_owned()),
        PATIENT,
        Came::Unknown,
        false,
    )
    .await;
}

#[tokio::test]
async fn i05_a_connection_that_ended_while_idle_costs_nothing() {
    let sink = Sink::plain();
    let channel = channel(relay(&sink, Security::PlainToLoopback));
    assert_eq!(came(&send(&channel).await), Came::Sent);
    assert_eq!((sink.connections(), sink.messages().len()), (1, 1));
    // Kept, and used again.
    assert_eq!(came(&send(&channel).await), Came::Sent);
    assert_eq!((sink.connections(), sink.messages().len()), (1, 2));
    for fault in [
        Fault::HangUp,
        Fault::Partial(b"421 4.4.2 you were silent\r\n".to_vec()),
        Fault::Reply("421 4.4.2 you were silent".to_owned()),
    ] {
        let before = (sink.connections(), sink.messages().len());
        sink.fail(Verb::Mail, fault);
        assert_eq!(came(&send(&channel).await), Came::Sent);
        assert_eq!(
            (sink.connections(), sink.messages().len()),
            (before.0 + 1, before.1 + 1)
        );
    }
    // A server that always hangs up is tried once more, not for ever.
    sink.fail_always(Verb::Mail, Fault::HangUp);
    let before = sink.connections();
    assert_eq!(came(&send(&channel).await), Came::Later(Step::Sender));
    assert_eq!(sink.connections(), before + 1);
}

#[tokio::test]
async fn i05_a_refused_receiver_stops_no_other() {
    let sink = Sink::plain();
    let channel = channel(relay(&sink, Security::PlainToLoopback));
    sink.fail(Verb::Rcpt, Fault::Reply("550 5.1.1 no such user".to_owned()));
    for (to, expected) in [
        (
            "gone@owner.example",
            Came::Never(Step::Recipient, Whose::Address, Class::Hard),
        ),
        ("ben@owner.example", Came::Sent),
        ("cleo@owner.example", Came::Sent),
    ] {
        let envelope = envelope_to(to);
        let wire = compose(&letter(), &envelope).unwrap();
        assert_eq!(came(&channel.send(&envelope, &wire).await), expected, "{to}");
    }
    let to: Vec<String> = sink.messages().into_iter().flat_map(|message| message.to).collect();
    assert_eq!(to, ["ben@owner.example", "cleo@owner.example"]);
    assert_eq!(sink.connections(), 1, "the connection was good all the time");
}

#[tokio::test]
async fn a_reply_is_kept_bounded_and_without_controls() {
    let sink = Sink::plain();
    let channel = channel(relay(&sink, Security::PlainToLoopback));
    let reply = format!("550 5.1.1 \u{1b}[31m{}", "no ".repeat(250));
    sink.fail(Verb::Rcpt, Fault::Reply(reply));
    let delivery = send(&channel).await;
    let reply = trouble(&delivery).and_then(Trouble::reply).unwrap();
    assert!(
        reply.text.chars().count() <= 300 && !reply.text.contains('\u{1b}'),
        "{reply}"
    );
    assert!(reply.text.starts_with("5.1.1 [31mno no"), "{reply}");
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let envelope = envelope_to("jörg@owner.example");
    let wire = compose(&letter(), &envelope).unwrap();
    assert!(wire.needs_utf8());
    let sink = Sink::plain();
    let delivery = channel(relay(&sink, Security::PlainToLoopback))
        .send(&envelope, &wire)
        .await;
    assert_eq!(
        came(&delivery),
        Came::Never(Step::Recipient, Whose::Address, Class::Soft)
    );
    let sink = Sink::new(Setup {
        takes_utf8: true,
        ..Setup::default()
    });
    let delivery = channel(relay(&sink, Security::PlainToLoopback))
        .send(&envelope, &wire)
        .await;
    assert_eq!(came(&delivery), Came::Sent, "{delivery:?}");
    assert_eq!(sink.messages()[0].to, ["jörg@owner.example"]);
    let mail = sink.heard().into_iter().find(|line| line.starts_with("MAIL")).unwrap();
    assert!(mail.ends_with(" SMTPUTF8 BODY=8BITMIME"), "{mail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_channel_and_its_few_connections() {
    let sink = Sink::plain();
    let channel = Arc::new(channel(relay(&sink, Security::PlainToLoopback)));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let channel = Arc::clone(&channel);
            tokio::spawn(async move {
                for _ in 0..40 {
                    assert_eq!(came(&send(&channel).await), Came::Sent);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(sink.messages().len(), 320);
    // Two at once, each given up after a hundred messages.
    let connections = sink.connections();
    assert!((4..=5).contains(&connections), "{connections}");
}

#[tokio::test]
async fn taking_leave_is_said_on_idle_connections() {
    let sink = Sink::plain();
    let smtp = Smtp::new(relay(&sink, Security::PlainToLoopback)).unwrap();
    let channel = Channel::Smtp(smtp);
    assert_eq!(came(&send(&channel).await), Came::Sent);
    let Channel::Smtp(smtp) = &channel else { unreachable!() };
    smtp.close().await;
    assert_eq!(sink.heard().last().map(String::as_str), Some("QUIT"));
}

#[test]
fn a_relay_that_cannot_be_is_refused_when_it_is_set_up() {
    let sink = Sink::plain();
    for name in ["", "a b", "a\r\nMAIL FROM:<>", "ä.example"] {
        let mut bad = relay(&sink, Security::StartTls);
        name.clone_into(&mut bad.hello);
        assert!(Smtp::new(bad).is_err(), "{name:?}");
    }
    let mut bad = relay(&sink, Security::Tls);
    bad.trust = Trust::Only("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----".to_owned());
    let error = Smtp::new(bad).unwrap_err().to_string();
    assert!(
        error.starts_with("there are no certificates to trust the mail server by"),
        "{error}"
    );
}

// ---- the folder --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_folder_keeps_messages_in_order_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = folder.path().join("mailbox");
    let kept = Folder::new(&mailbox);
    assert_eq!(kept.newest(10).unwrap(), []);
    let channel = Channel::Folder(kept.clone());
    for (seconds, id) in [(0, "one"), (5, "two"), (-5, "zero"), (0, "one")] {
        let mut envelope = envelope();
        envelope.date = AT.plus_seconds(seconds);
        envelope.id = MessageId::new(id, &envelope.from.address);
        let wire = compose(&letter(), &envelope).unwrap();
        assert_eq!(came(&channel.send(&envelope, &wire).await), Came::Sent);
    }
    let newest = kept.newest(10).unwrap();
    let names: Vec<&str> = newest.iter().map(|kept| kept.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "00001795528925000000-two.eml",
            "00001795528920000000-one.eml",
            "00001795528915000000-zero.eml"
        ]
    );
    assert_eq!(newest[1].to, "anna@owner.example");
    assert_eq!(newest[1].date, AT);
    assert_eq!(newest[1].subject, letter().subject);
    assert_eq!(newest[1].text.trim_end(), letter().text.trim_end());
    assert_eq!(kept.newest(1).unwrap().len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [mailbox.clone(), mailbox.join(names[0])] {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }
}

#[test]
fn a_name_that_is_not_ours_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Folder::new(folder.path());
    std::fs::write(folder.path().join("secret.eml"), "Subject: x\r\n\r\nx").unwrap();
    for name in [
        "secret.eml",
        "../secret.eml",
        "00001795528920000000-../secret.eml",
        "/etc/passwd",
        "00001795528920000000-gone.eml",
        "",
    ] {
        assert_eq!(kept.read(name).unwrap(), None, "{name}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_is_later() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let delivery = send(&Channel::Folder(Folder::new(&file))).await;
    assert_eq!(came(&delivery), Came::Later(Step::Folder));
}
