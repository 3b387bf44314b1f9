//! One of every page, in every state that looks different: for the tests that render them all, and for pictures of them.

use super::{
    Page,
    account::{
        Account, Activity, ActivityLine, ChangeAddress, ChangePassword, ChangePasswordProblem, DeleteAccount, Device,
        Done, EnrolApp, EnrolFor, MessageKind, MessageLine, MessageState, Messages, NextThing, Outcome, Proof, Refusal,
        RemoveApp, SessionLine, Sessions,
    },
    check::{Check, CheckAnswer, CheckProblem},
    dev_mailbox::{DevLetter, DevLetterLine, DevMailbox},
    error::ErrorPage,
    factor::{AppCode, AskedFor, RecoveryCode},
    help::{Help, HelpSafe},
    login::{LoginAnswered, LoginApprove, Power},
    mailed_code::{MailedCode, MailedTo},
    new_password::{ChoosePassword, ChosenFor, NewPassword, NewPasswordDone},
    problem::{
        AddressProblem, AppCodeProblem, CurrentPasswordProblem, IdentifierProblem, MailedCodeProblem,
        NewPasswordProblem, RecoveryCodeProblem, SlowDown,
    },
    qr::QrSvg,
    recovery_codes::{AfterCodes, RecoveryCodes, RecoveryCodesLeft},
    setup::{Setup, SetupAccount, SetupAccountProblem, SetupCodeProblem},
    sign_in::{ChangeRequired, LeakSource, PasswordKnownLeaked, PasswordTurnedOff, SignIn, SignInNote, SignInProblem},
    sign_up::SignUp,
    step_up::{AskedProof, StepUp, StepUpFor},
};
use rightful_core::Timestamp;

/// A page with made-up content.
pub struct Sample {
    /// Names the page and its state; good as the name of a file.
    pub name: &'static str,
    /// Whether whoever sees it is signed in.
    pub signed_in: bool,
    /// The page.
    pub page: Box<dyn Page>,
}

const ADDRESS: &str = "anna@example.com";
const MASKED: &str = "a•••@example.com";

/// 3 June 2026, 14:02 UTC.
const NOW: Timestamp = Timestamp::from_micros(1_780_495_320_000_000);
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Every sample, in the order in which owners may meet them.
pub fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    samples.extend(signing_in());
    samples.extend(signing_up());
    samples.extend(returning());
    samples.extend(account());
    samples.extend(account_changes());
    samples.extend(account_lists());
    samples.extend(checking());
    samples.extend(setting_up());
    samples.extend(programs());
    samples.extend(errors());
    samples
}

fn out(name: &'static str, page: impl Page + 'static) -> Sample {
    Sample {
        name,
        signed_in: false,
        page: Box::new(page),
    }
}

fn signed_in(name: &'static str, page: impl Page + 'static) -> Sample {
    Sample {
        name,
        signed_in: true,
        page: Box::new(page),
    }
}

fn sign_in(identifier: &str, note: Option<SignInNote>, problem: Option<SignInProblem>) -> SignIn {
    SignIn {
        identifier: identifier.to_owned(),
        note,
        problem,
        sign_up: true,
    }
}

const SLOW_DOWN: SlowDown = SlowDown { seconds: 340 };

fn signing_in() -> Vec<Sample> {
    let off = |source| PasswordTurnedOff {
        identifier: ADDRESS.to_owned(),
        at: NOW.plus_seconds(-5 * HOUR),
        source,
        site_not_broken_into: true,
    };
    let app = |problem| AppCode {
        asked_for: AskedFor::SignIn,
        problem,
    };
    let recovery = |problem| RecoveryCode {
        asked_for: AskedFor::SignIn,
        problem,
    };
    vec![
        out("sign-in", sign_in("", None, None)),
        out(
            "sign-in-no-sign-up",
            SignIn {
                sign_up: false,
                ..sign_in("", Some(SignInNote::SignInFirst), None)
            },
        ),
        out(
            "sign-in-signed-out",
            sign_in(ADDRESS, Some(SignInNote::SignedOut), None),
        ),
        out(
            "sign-in-session-ended",
            sign_in(ADDRESS, Some(SignInNote::SessionEnded), None),
        ),
        out("sign-in-start-again", sign_in("", Some(SignInNote::StartAgain), None)),
        out("sign-in-incomplete", sign_in("", None, Some(SignInProblem::Incomplete))),
        out("sign-in-denied", sign_in(ADDRESS, None, Some(SignInProblem::Denied))),
        out(
            "sign-in-slow-down",
            sign_in(ADDRESS, None, Some(SignInProblem::SlowDown(SLOW_DOWN))),
        ),
        out(
            "sign-in-slow-down-a-minute",
            sign_in(ADDRESS, None, Some(SignInProblem::SlowDown(SlowDown { seconds: 20 }))),
        ),
        out("password-turned-off", off(Some(LeakSource::Dump))),
        out("password-turned-off-stealer", off(Some(LeakSource::Stealer))),
        out("password-turned-off-ours", off(Some(LeakSource::Ours))),
        out("password-turned-off-by-hand", off(None)),
        out("sign-in-code", app(None)),
        out("sign-in-code-missing", app(Some(AppCodeProblem::Missing))),
        out("sign-in-code-wrong", app(Some(AppCodeProblem::Wrong))),
        out("sign-in-code-used", app(Some(AppCodeProblem::Used))),
        out("sign-in-code-slow-down", app(Some(AppCodeProblem::SlowDown(SLOW_DOWN)))),
        out("sign-in-recovery-code", recovery(None)),
        out(
            "sign-in-recovery-code-missing",
            recovery(Some(RecoveryCodeProblem::Missing)),
        ),
        out(
            "sign-in-recovery-code-wrong",
            recovery(Some(RecoveryCodeProblem::Wrong)),
        ),
        out(
            "sign-in-recovery-code-slow-down",
            recovery(Some(RecoveryCodeProblem::SlowDown(SLOW_DOWN))),
        ),
        signed_in(
            "password-known-leaked",
            PasswordKnownLeaked {
                times: Some(37_000),
                next: "/account".to_owned(),
            },
        ),
        signed_in(
            "password-known-leaked-once",
            PasswordKnownLeaked {
                times: Some(1),
                next: "/account".to_owned(),
            },
        ),
        signed_in(
            "password-known-leaked-uncounted",
            PasswordKnownLeaked {
                times: None,
                next: "/account".to_owned(),
            },
        ),
        out(
            "change-required",
            ChangeRequired {
                source: Some(LeakSource::Dump),
                masked_address: Some(MASKED.to_owned()),
            },
        ),
        out(
            "change-required-by-hand",
            ChangeRequired {
                source: None,
                masked_address: Some(MASKED.to_owned()),
            },
        ),
        out(
            "change-required-no-address",
            ChangeRequired {
                source: Some(LeakSource::Ours),
                masked_address: None,
            },
        ),
    ]
}

fn mailed(to: MailedTo, problem: Option<MailedCodeProblem>) -> MailedCode {
    MailedCode {
        to,
        sent_again: false,
        problem,
    }
}

fn choose(chosen_for: ChosenFor, problem: Option<NewPasswordProblem>) -> ChoosePassword {
    ChoosePassword {
        chosen_for,
        identifier: ADDRESS.to_owned(),
        least: 15,
        problem,
    }
}

fn signing_up() -> Vec<Sample> {
    let sign_up = |address: &str, problem| SignUp {
        address: address.to_owned(),
        problem,
    };
    let code = || MailedTo::SignUp {
        address: ADDRESS.to_owned(),
    };
    vec![
        out("sign-up", sign_up("", None)),
        out("sign-up-missing", sign_up("", Some(AddressProblem::Missing))),
        out(
            "sign-up-not-an-address",
            sign_up("anna@", Some(AddressProblem::NotAnAddress)),
        ),
        out(
            "sign-up-slow-down",
            sign_up(ADDRESS, Some(AddressProblem::SlowDown(SLOW_DOWN))),
        ),
        out("sign-up-code", mailed(code(), None)),
        out("sign-up-code-wrong", mailed(code(), Some(MailedCodeProblem::Wrong))),
        out(
            "sign-up-code-again",
            MailedCode {
                sent_again: true,
                ..mailed(code(), None)
            },
        ),
        out("sign-up-password", choose(ChosenFor::SignUp, None)),
        out(
            "sign-up-password-missing",
            choose(ChosenFor::SignUp, Some(NewPasswordProblem::Missing)),
        ),
    ]
}

fn returning() -> Vec<Sample> {
    let ask = |identifier: &str, problem| NewPassword {
        identifier: identifier.to_owned(),
        problem,
    };
    let code = || MailedTo::NewPassword {
        identifier: ADDRESS.to_owned(),
    };
    let new = |problem| choose(ChosenFor::NewPassword, Some(problem));
    vec![
        out("new-password", ask("", None)),
        out("new-password-missing", ask("", Some(IdentifierProblem::Missing))),
        out(
            "new-password-slow-down",
            ask(ADDRESS, Some(IdentifierProblem::SlowDown(SLOW_DOWN))),
        ),
        out("new-password-code", mailed(code(), None)),
        out(
            "new-password-code-missing",
            mailed(code(), Some(MailedCodeProblem::Missing)),
        ),
        out(
            "new-password-code-wrong",
            mailed(code(), Some(MailedCodeProblem::Wrong)),
        ),
        out(
            "new-password-code-slow-down",
            mailed(code(), Some(MailedCodeProblem::SlowDown(SLOW_DOWN))),
        ),
        out(
            "new-password-code-change-required",
            mailed(
                MailedTo::ChangeRequired {
                    masked_address: MASKED.to_owned(),
                },
                None,
            ),
        ),
        out(
            "new-password-factor",
            AppCode {
                asked_for: AskedFor::NewPassword,
                problem: None,
            },
        ),
        out(
            "new-password-recovery-code",
            RecoveryCode {
                asked_for: AskedFor::NewPassword,
                problem: None,
            },
        ),
        out("new-password-choose", choose(ChosenFor::NewPassword, None)),
        out(
            "new-password-choose-too-short",
            new(NewPasswordProblem::TooShort { least: 15 }),
        ),
        out(
            "new-password-choose-too-long",
            new(NewPasswordProblem::TooLong { most: 512 }),
        ),
        out("new-password-choose-untypable", new(NewPasswordProblem::Untypable)),
        out(
            "new-password-choose-leaked",
            new(NewPasswordProblem::Leaked { times: Some(37_000) }),
        ),
        out(
            "new-password-choose-leaked-once",
            new(NewPasswordProblem::Leaked { times: Some(1) }),
        ),
        out(
            "new-password-choose-leaked-uncounted",
            new(NewPasswordProblem::Leaked { times: None }),
        ),
        out("new-password-choose-guessable", new(NewPasswordProblem::Guessable)),
        out("new-password-choose-same", new(NewPasswordProblem::Same)),
        out("new-password-choose-variation", new(NewPasswordProblem::Variation)),
        out("new-password-done", NewPasswordDone),
    ]
}

fn glance(next: Option<NextThing>, done: Option<Done>) -> Account {
    Account {
        identifier: ADDRESS.to_owned(),
        done,
        next,
        password_set_at: Some(NOW.plus_seconds(-400 * DAY)),
        address: Some(ADDRESS.to_owned()),
        app_since: Some(NOW.plus_seconds(-90 * DAY)),
        recovery_codes_left: 8,
        sessions: 3,
        messages: 4,
        last_sign_in_at: Some(NOW.plus_seconds(-2 * DAY)),
    }
}

fn bare(next: NextThing, done: Done) -> Account {
    Account {
        password_set_at: None,
        address: None,
        app_since: None,
        sessions: 1,
        messages: 0,
        last_sign_in_at: None,
        ..glance(Some(next), Some(done))
    }
}

fn account() -> Vec<Sample> {
    let on = NOW.plus_seconds(14 * DAY);
    let few = |left| Account {
        recovery_codes_left: left,
        messages: 1,
        ..glance(Some(NextThing::MakeRecoveryCodes { left }), None)
    };
    vec![
        signed_in("account", glance(None, None)),
        signed_in(
            "account-leaked-password",
            glance(Some(NextThing::ChangeLeakedPassword), None),
        ),
        signed_in("account-new", bare(NextThing::AddApp, Done::AccountMade)),
        signed_in("account-no-address", bare(NextThing::AddAddress, Done::PasswordChanged)),
        signed_in("account-no-codes", few(0)),
        signed_in("account-one-code", few(1)),
        signed_in("account-few-codes", few(2)),
        signed_in(
            "account-deletion-planned",
            glance(Some(NextThing::DeletionPlanned { on }), None),
        ),
        signed_in("account-address-changed", glance(None, Some(Done::AddressChanged))),
        signed_in("account-app-removed", bare(NextThing::AddApp, Done::AppRemoved)),
        signed_in("account-others-signed-out", glance(None, Some(Done::OthersSignedOut))),
        signed_in("account-deletion-stopped", glance(None, Some(Done::DeletionStopped))),
    ]
}

fn step_up(asked: AskedProof, change: StepUpFor) -> StepUp {
    StepUp {
        asked,
        change,
        identifier: ADDRESS.to_owned(),
    }
}

fn account_changes() -> Vec<Sample> {
    let password = |problem| ChangePassword {
        identifier: ADDRESS.to_owned(),
        least: 8,
        problem,
    };
    let current = |problem| password(Some(ChangePasswordProblem::Current(problem)));
    let address = |address: &str, problem| ChangeAddress {
        current: Some(ADDRESS.to_owned()),
        address: address.to_owned(),
        problem,
    };
    vec![
        signed_in("account-password", password(None)),
        signed_in(
            "account-password-current-missing",
            current(CurrentPasswordProblem::Missing),
        ),
        signed_in("account-password-current-wrong", current(CurrentPasswordProblem::Wrong)),
        signed_in(
            "account-password-new-leaked",
            password(Some(ChangePasswordProblem::New(NewPasswordProblem::Leaked {
                times: Some(2_306),
            }))),
        ),
        signed_in("account-address", address("", None)),
        signed_in("account-address-same", address(ADDRESS, Some(AddressProblem::Same))),
        signed_in(
            "account-address-none",
            ChangeAddress {
                current: None,
                address: String::new(),
                problem: None,
            },
        ),
        signed_in(
            "account-address-code",
            mailed(
                MailedTo::NewAddress {
                    address: "anna.berg@example.org".to_owned(),
                },
                None,
            ),
        ),
        signed_in("account-app", enrol(EnrolFor::Account, true, None)),
        signed_in(
            "account-app-wrong-code",
            enrol(EnrolFor::Account, true, Some(AppCodeProblem::Wrong)),
        ),
        signed_in(
            "account-app-remove",
            RemoveApp {
                since: NOW.plus_seconds(-90 * DAY),
                longer_password: None,
            },
        ),
        signed_in(
            "account-app-remove-longer-password",
            RemoveApp {
                since: NOW.plus_seconds(-90 * DAY),
                longer_password: Some(15),
            },
        ),
        signed_in("account-recovery-codes", RecoveryCodesLeft { left: 8 }),
        signed_in("account-recovery-codes-one", RecoveryCodesLeft { left: 1 }),
        signed_in("account-recovery-codes-none", RecoveryCodesLeft { left: 0 }),
        signed_in("account-recovery-codes-new", codes(10, AfterCodes::Account)),
        signed_in("account-recovery-codes-new-one", codes(1, AfterCodes::Account)),
        signed_in("account-delete", DeleteAccount::NotPlanned),
        signed_in(
            "account-delete-planned",
            DeleteAccount::Planned {
                on: NOW.plus_seconds(14 * DAY),
            },
        ),
        signed_in(
            "step-up-password",
            step_up(AskedProof::Password(None), StepUpFor::Address),
        ),
        signed_in(
            "step-up-password-slow-down",
            step_up(
                AskedProof::Password(Some(CurrentPasswordProblem::SlowDown(SLOW_DOWN))),
                StepUpFor::App,
            ),
        ),
        signed_in(
            "step-up-code",
            step_up(AskedProof::AppCode(None), StepUpFor::RecoveryCodes),
        ),
        signed_in(
            "step-up-code-wrong",
            step_up(AskedProof::AppCode(Some(AppCodeProblem::Wrong)), StepUpFor::Delete),
        ),
        signed_in(
            "step-up-for-login",
            step_up(AskedProof::AppCode(None), StepUpFor::Login),
        ),
    ]
}

/// A made-up secret, as long as real ones.
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn enrol(enrol_for: EnrolFor, drawn: bool, problem: Option<AppCodeProblem>) -> EnrolApp {
    let uri =
        format!("otpauth://totp/Example:{ADDRESS}?secret={SECRET}&issuer=Example&algorithm=SHA1&digits=6&period=30");
    EnrolApp {
        enrol_for,
        qr: QrSvg::of(&uri).filter(|_| drawn),
        secret: SECRET.to_owned(),
        problem,
    }
}

fn codes(count: usize, after: AfterCodes) -> RecoveryCodes {
    let made_up = [
        "k3m9-x2pq-7tnv-4hcd",
        "q8rd-5wnz-m2kc-9xtp",
        "v4hn-c7xk-2pmd-8rqw",
        "t9pz-3kcx-h5vn-6mdq",
        "n2wq-8dtr-x4kh-5pcv",
    ];
    RecoveryCodes {
        codes: made_up
            .iter()
            .cycle()
            .take(count)
            .map(|code| (*code).to_owned())
            .collect(),
        after,
    }
}

/// A device; what is empty is not known.
fn device(browser: &str, system: &str, place: &str) -> Device {
    let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Device {
        browser: known(browser),
        system: known(system),
        place: known(place),
    }
}

fn account_lists() -> Vec<Sample> {
    vec![
        signed_in(
            "account-sessions",
            Sessions {
                sessions: session_lines(),
                one_ended: false,
            },
        ),
        signed_in(
            "account-sessions-alone",
            Sessions {
                sessions: session_lines().into_iter().take(1).collect(),
                one_ended: true,
            },
        ),
        signed_in("account-messages", Messages { lines: message_lines() }),
        signed_in("account-messages-none", Messages { lines: Vec::new() }),
        signed_in(
            "account-activity",
            Activity {
                lines: activity_lines(),
            },
        ),
        signed_in("account-activity-none", Activity { lines: Vec::new() }),
    ]
}

fn session_lines() -> Vec<SessionLine> {
    let line = |id: &str, device, opened_days_ago: i64, seen_hours_ago: i64, current| SessionLine {
        id: id.to_owned(),
        device,
        signed_in_at: NOW.plus_seconds(-opened_days_ago * DAY),
        seen_at: NOW.plus_seconds(-seen_hours_ago * HOUR),
        current,
    };
    vec![
        line("1", device("Firefox", "Windows", "Hamburg, Germany"), 2, 0, true),
        line("2", device("Safari", "iPhone", "Hamburg, Germany"), 40, 3, false),
        line("3", device("", "", ""), 60, 31, false),
    ]
}

fn message_lines() -> Vec<MessageLine> {
    let states = [
        MessageState::Queued,
        MessageState::Sending,
        MessageState::Sent,
        MessageState::Unknown,
        MessageState::Failed,
        MessageState::Sent,
    ];
    let mut at = NOW;
    MessageKind::ALL
        .into_iter()
        .zip(states.into_iter().cycle())
        .map(|(kind, state)| {
            at = at.plus_seconds(-5 * DAY - 7 * HOUR);
            MessageLine {
                kind,
                at,
                masked_address: MASKED.to_owned(),
                state,
            }
        })
        .collect()
}

fn activity_lines() -> Vec<ActivityLine> {
    let outcomes = [
        Outcome::SignedIn(vec![Proof::Password, Proof::AppCode]),
        Outcome::Refused(Refusal::WrongPassword),
        Outcome::SignedIn(vec![Proof::Password]),
        Outcome::Refused(Refusal::WrongCode),
        Outcome::SignedIn(vec![Proof::Password, Proof::RecoveryCode]),
        Outcome::Refused(Refusal::PasswordOff),
        Outcome::Refused(Refusal::TooMany),
        Outcome::Refused(Refusal::ChangeRequired),
        Outcome::Refused(Refusal::GivenUp),
        Outcome::SignedIn(vec![Proof::MailedCode]),
    ];
    let devices = [
        ("Firefox", "Windows", "Hamburg, Germany"),
        ("Chrome", "Android", ""),
        ("", "Linux", "Lagos, Nigeria"),
    ];
    let mut at = NOW;
    outcomes
        .into_iter()
        .zip(devices.into_iter().cycle())
        .map(|(outcome, (browser, system, place))| {
            at = at.plus_seconds(-3 * DAY - 5 * HOUR);
            ActivityLine {
                at,
                device: device(browser, system, place),
                outcome,
            }
        })
        .collect()
}

fn checking() -> Vec<Sample> {
    let check = |address: &str, number: &str, problem| Check {
        address: address.to_owned(),
        number: number.to_owned(),
        problem,
    };
    vec![
        out("check", check("", "", None)),
        out(
            "check-address-missing",
            check("", "K7M4-QX2P", Some(CheckProblem::AddressMissing)),
        ),
        out(
            "check-number-missing",
            check(ADDRESS, "", Some(CheckProblem::NumberMissing)),
        ),
        out(
            "check-slow-down",
            check(ADDRESS, "K7M4-QX2P", Some(CheckProblem::SlowDown(SLOW_DOWN))),
        ),
        out(
            "check-yes",
            CheckAnswer::Ours {
                kind: MessageKind::TurnedOff,
                at: NOW,
            },
        ),
        out("check-no", CheckAnswer::NotOurs),
        out(
            "help",
            Help {
                contact: Some("help@example.com".to_owned()),
                sign_up: true,
            },
        ),
        out(
            "help-no-contact",
            Help {
                contact: None,
                sign_up: false,
            },
        ),
        out("help-safe", HelpSafe),
    ]
}

fn setting_up() -> Vec<Sample> {
    let first = |address: &str, problem| SetupAccount {
        address: address.to_owned(),
        least: 8,
        problem,
    };
    vec![
        out("setup", Setup { problem: None }),
        out(
            "setup-missing",
            Setup {
                problem: Some(SetupCodeProblem::Missing),
            },
        ),
        out(
            "setup-wrong",
            Setup {
                problem: Some(SetupCodeProblem::Wrong),
            },
        ),
        out(
            "setup-slow-down",
            Setup {
                problem: Some(SetupCodeProblem::SlowDown(SLOW_DOWN)),
            },
        ),
        out("setup-account", first("", None)),
        out(
            "setup-account-not-an-address",
            first("anna", Some(SetupAccountProblem::Address(AddressProblem::NotAnAddress))),
        ),
        out(
            "setup-account-too-short",
            first(
                ADDRESS,
                Some(SetupAccountProblem::Password(NewPasswordProblem::TooShort { least: 8 })),
            ),
        ),
        out("setup-app", enrol(EnrolFor::Setup, true, None)),
        out("setup-app-typed", enrol(EnrolFor::Setup, false, None)),
        out("setup-recovery-codes", codes(10, AfterCodes::Start)),
    ]
}

fn programs() -> Vec<Sample> {
    let approve = |hours| LoginApprove {
        request: "7".to_owned(),
        code: "WDJB-MJHT".to_owned(),
        powers: vec![Power::See, Power::Act, Power::Configure],
        hours,
    };
    let letter = |name: &str, subject: &str, hours_ago: i64| DevLetterLine {
        name: name.to_owned(),
        to: ADDRESS.to_owned(),
        subject: subject.to_owned(),
        at: NOW.plus_seconds(-hours_ago * HOUR),
    };
    vec![
        signed_in("login-approve", approve(12)),
        signed_in("login-approve-an-hour", approve(1)),
        signed_in("login-approved", LoginAnswered::Approved),
        signed_in("login-refused", LoginAnswered::Refused),
        signed_in("login-gone", LoginAnswered::Gone),
        out(
            "dev-mailbox",
            DevMailbox {
                letters: vec![
                    letter("1780495320000000-2.eml", "Your code for Example", 1),
                    letter("1780491720000000-1.eml", "We turned off your Example password", 2),
                ],
            },
        ),
        out("dev-mailbox-none", DevMailbox { letters: Vec::new() }),
        out(
            "dev-mailbox-letter",
            DevLetter {
                from: "Example <no-reply@example.com>".to_owned(),
                to: ADDRESS.to_owned(),
                subject: "Your code for Example".to_owned(),
                at: NOW,
                text: "Hello,\n\nyour code is K7M4-QX2P. It lasts 30 minutes.\n\nIf you did not ask for it, there is nothing to do.\n"
                    .to_owned(),
            },
        ),
    ]
}

fn errors() -> Vec<Sample> {
    vec![
        out("error-not-found", ErrorPage::NotFound),
        out("error-cross-site", ErrorPage::CrossSite),
        out("error-not-this-way", ErrorPage::NotThisWay),
        out("error-unreadable", ErrorPage::Unreadable),
        out("error-slow-down", ErrorPage::SlowDown(SLOW_DOWN)),
        out("error-too-busy", ErrorPage::TooBusy),
        out(
            "error-went-wrong",
            ErrorPage::WentWrong {
                reference: "7GQ4-2MXR-9KTC".to_owned(),
            },
        ),
    ]
}
