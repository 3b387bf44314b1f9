//! Whatever comes between: in the end every account is in the state that its surviving holds say.

use std::collections::BTreeSet;

use rand_core::Rng;
use rightful_app::containments::{MemberPlace, MemberState};
use rightful_core::containment::ContainmentNo;
use rightful_crypto::testing::SeededChance;
use rightful_store::Tx;
use rightful_store::account::AccountState;
use rightful_store::hold::{HoldAction, HoldSource};
use rightful_testkit::databases::Engine;

use crate::{Incident, in_one_wave, on_both_engines};

on_both_engines!(any_order_leaves_what_the_surviving_holds_say,);

/// Accounts of the site, all of them leaked.
const OWNERS: usize = 6;

/// What happens next, drawn at random.
async fn step(incident: &Incident, containments: &[ContainmentNo], dice: &mut SeededChance, trace: &mut Vec<String>) {
    let app = &incident.app;
    let number = dice.next_u32() as usize % OWNERS + 1;
    let account = incident.account(number).await;
    let no = containments[dice.next_u32() as usize % containments.len()];
    let now = app.now();
    let what = dice.next_u32() % 8;
    trace.push(format!("{what} owner {number} containment {}", no.0));
    match what {
        // A wave starts; its rows may come much later.
        0 => {
            let start = async move |tx: &mut Tx| tx.start_wave(no, 1, now).await.map(drop);
            app.site.store.write(start).await.unwrap();
        }
        1 | 2 => {
            let act = async move |tx: &mut Tx| {
                let started = tx.waves(no).await?.first().is_some_and(|wave| wave.mark.is_some());
                if started {
                    tx.act_in_block(no, 1, account.block(), "containment", now).await?;
                }
                Ok(())
            };
            app.site.store.write(act).await.unwrap();
        }
        3 => {
            let come_back = async move |tx: &mut Tx| {
                let seen = tx.current_password(account).await?.map(|password| password.password_no);
                tx.replace_password(&rightful_store::password::Replacement {
                    account,
                    seen,
                    password: rightful_store::password::NewPassword {
                        sealed: vec![1],
                        kind: "argon2id".to_owned(),
                        weak: false,
                        alone: true,
                        origin: rightful_store::password::Origin::Set,
                    },
                    replaced_digest: None,
                    now,
                })
                .await?;
                tx.lift_holds_at_return(account, now).await.map(drop)
            };
            app.site.store.write(come_back).await.unwrap();
        }
        4 => {
            app.hold(account, HoldSource::Administrator, HoldAction::Hold).await;
        }
        5 => {
            let lift = async move |tx: &mut Tx| {
                for hold in tx.holds(account).await? {
                    if hold.source == HoldSource::Administrator && hold.lifted_at.is_none() {
                        tx.lift_hold(account, hold.hold_no, "a tester", now).await?;
                    }
                }
                Ok(())
            };
            app.site.store.write(lift).await.unwrap();
        }
        6 => {
            let undo = async move |tx: &mut Tx| tx.undo_in_block(no, account.block(), "undo", now).await.map(drop);
            app.site.store.write(undo).await.unwrap();
        }
        _ => {
            app.hold(account, HoldSource::SignIn, HoldAction::Change).await;
        }
    }
}

async fn any_order_leaves_what_the_surviving_holds_say(engine: Engine) {
    for seed in 0..6 {
        let incident = Incident::new(engine, OWNERS, |_| true).await;
        let containments = [
            incident.started(&in_one_wave()).await,
            incident.started(&in_one_wave()).await,
        ];
        let (mut dice, mut trace) = (SeededChance::new(seed), Vec::new());
        for _ in 0..40 {
            step(&incident, &containments, &mut dice, &mut trace).await;
            check(&incident, &containments, &trace).await;
        }
    }
}

/// What must hold at any moment.
async fn check(incident: &Incident, containments: &[ContainmentNo], trace: &[String]) {
    for number in 1..=OWNERS {
        let account = incident.account(number).await;
        let (holds, living, pending) = incident
            .app
            .site
            .store
            .read(async move |tx: &mut Tx| {
                Ok((
                    tx.holds(account).await?,
                    tx.living(account).await?.unwrap(),
                    tx.pending(account).await?,
                ))
            })
            .await
            .unwrap();
        let lying: Vec<_> = holds.iter().filter(|hold| hold.lifted_at.is_none()).collect();
        let held = lying.iter().any(|hold| hold.action == HoldAction::Hold);
        let wanted = if held { AccountState::Held } else { AccountState::Open };
        assert_eq!(living.state, wanted, "owner {number} after {trace:#?}");
        for no in containments {
            let members = incident
                .app
                .cohort_page(&incident.responder, *no, MemberPlace::default())
                .await
                .unwrap();
            let member = members.iter().find(|row| row.member.account == account).unwrap();
            let of_this = lying
                .iter()
                .filter(|hold| hold.source == HoldSource::Containment && hold.action == HoldAction::Hold);
            let states: BTreeSet<MemberState> = members.iter().map(|row| row.member.state).collect();
            assert!(!states.is_empty());
            // A hold of a containment lies only on members of whom it was done, in one containment or the other.
            if member.member.state == MemberState::Done {
                assert!(of_this.count() >= 1, "owner {number} of {no:?} after {trace:#?}");
            }
        }
        let members_done = {
            let mut done = 0;
            for no in containments {
                let members = incident
                    .app
                    .cohort_page(&incident.responder, *no, MemberPlace::default())
                    .await
                    .unwrap();
                done += members
                    .iter()
                    .filter(|row| row.member.account == account && row.member.state == MemberState::Done)
                    .count();
            }
            done
        };
        let placed = lying
            .iter()
            .filter(|hold| hold.source == HoldSource::Containment && hold.action == HoldAction::Hold)
            .count();
        assert_eq!(placed, members_done, "owner {number} after {trace:#?}");
        // What is about to be written is about the password that the account has.
        assert!(pending.len() <= containments.len());
    }
}
