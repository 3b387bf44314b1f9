//! Containments: what is done about which exposure, to whom first, and who must agree (NIST SP 800-61 Rev. 2, 3.3.1).
//!
//! A plan says what each grade and kind of exposure leads to. The dry run decides it for every account and freezes the answer: the
//! cohort. Waves of the cohort then start one after the other.

use crate::leak::LeakNo;
use crate::{Grade, Kind, PasswordVersion, Timestamp};

/// The number of an incident, from 1 upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentNo(pub i64);

/// The number of a containment, from 1 upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainmentNo(pub i64);

/// What is done about an account, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Its owner is told.
    Notice,
    /// Sessions end, and the next sign-in must choose a new password after fresh proof.
    Change,
    /// The password no longer works, and sessions end.
    Hold,
}

impl Action {
    /// Every action, mildest first.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Notice, Self::Change, Self::Hold];

    /// The word in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Notice => "notice",
            Self::Change => "change",
            Self::Hold => "hold",
        }
    }

    /// The action of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// Whether it takes something away from the account: such actions count in the cap.
    pub const fn takes_away(self) -> bool {
        matches!(self, Self::Change | Self::Hold)
    }
}

/// Why an action cannot be chosen for a grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banned {
    /// The grade.
    pub grade: Grade,
    /// The hardest action that it allows.
    pub at_most: Action,
}

/// What each grade and kind of exposure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actions([[Action; Kind::ALL.len()]; Grade::ALL.len()]);

impl Default for Actions {
    /// After a dump `exact` hold, `variant` change required, `former` notice; after a stealer log all three hold; the rest nothing.
    fn default() -> Self {
        let mut table = [[Action::Nothing; Kind::ALL.len()]; Grade::ALL.len()];
        for kind in Kind::ALL {
            let stealer = matches!(kind, Kind::Stealer);
            table[Grade::Exact as usize][kind as usize] = Action::Hold;
            table[Grade::Variant as usize][kind as usize] = if stealer { Action::Hold } else { Action::Change };
            table[Grade::Former as usize][kind as usize] = if stealer { Action::Hold } else { Action::Notice };
        }
        Self(table)
    }
}

impl Actions {
    /// What an exposure of this grade and kind leads to.
    pub const fn of(&self, grade: Grade, kind: Kind) -> Action {
        self.0[grade as usize][kind as usize]
    }

    /// Chooses another action. `named` is no evidence and is never acted on; `untested` proves nothing until its owner signs in, so
    /// it can be no hold.
    ///
    /// # Errors
    /// [`Banned`].
    pub fn set(&mut self, grade: Grade, kind: Kind, action: Action) -> Result<(), Banned> {
        let at_most = match grade {
            Grade::Exact | Grade::Variant | Grade::Former => Action::Hold,
            Grade::Untested => Action::Change,
            Grade::Named => Action::Nothing,
        };
        if action > at_most {
            return Err(Banned { grade, at_most });
        }
        self.0[grade as usize][kind as usize] = action;
        Ok(())
    }
}

/// What of an exposure decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How strong it is.
    pub grade: Grade,
    /// Where the secret comes from.
    pub kind: Kind,
    /// Which leak it was found in.
    pub leak: LeakNo,
    /// The password version that it was tested against; `None` where there was none to test.
    pub password: Option<PasswordVersion>,
}

/// What is done about an account, and because of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The action.
    pub action: Action,
    /// The reason: of all that lead to this action the strongest, gravest, earliest leak.
    pub because: Evidence,
    /// The password was changed since it was tested: nothing is taken away, and the account is listed so.
    pub changed_since: bool,
}

/// Decides about one account. `current` is the version of its password now, `None` where it has none. `None`: nothing is done.
///
/// Evidence about a password that is no longer the account's takes nothing away; it stands in the list only where nothing else
/// leads to an action.
pub fn decide(evidence: &[Evidence], current: Option<PasswordVersion>, actions: &Actions) -> Option<Decided> {
    let about = |evidence: &Evidence| {
        let action = actions.of(evidence.grade, evidence.kind);
        Decided {
            action,
            because: *evidence,
            changed_since: action.takes_away() && evidence.password != current,
        }
    };
    let order = |decided: &Decided| {
        let because = decided.because;
        (
            decided.changed_since,
            std::cmp::Reverse(decided.action),
            because.grade,
            because.kind,
            because.leak,
        )
    };
    let acting = evidence
        .iter()
        .map(about)
        .filter(|decided| decided.action != Action::Nothing);
    acting.min_by_key(order)
}

/// What of an account decides in which wave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Urgency {
    /// Somebody signed in, since the leak's date, from a browser not seen before.
    pub attacked: bool,
    /// When its owner used it last.
    pub last_used_at: Option<Timestamp>,
    /// It answers leaks itself: left for the last wave, so that somebody is left to undo.
    pub officer: bool,
}

impl Urgency {
    /// The key to sort by: the most urgent first.
    pub fn order(&self) -> impl Ord + use<> {
        let unused_for = std::cmp::Reverse(self.last_used_at.map_or(i64::MIN, Timestamp::micros));
        (self.officer, !self.attacked, unused_for)
    }
}

/// How many accounts a wave has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveSize {
    /// So many.
    Accounts(u32),
    /// So many of a hundred of the cohort.
    Percent(u8),
    /// All that are left.
    Rest,
}

/// How a cohort is cut into waves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WavePlan {
    /// The sizes, the canary's first. The last one takes the rest, whatever it says.
    pub sizes: Vec<WaveSize>,
    /// Minutes from the start of one wave to the start of the next.
    pub spacing: u32,
}

impl Default for WavePlan {
    /// Fifty accounts; after half an hour one in ten; half an hour later the rest.
    fn default() -> Self {
        Self {
            sizes: vec![WaveSize::Accounts(50), WaveSize::Percent(10), WaveSize::Rest],
            spacing: 30,
        }
    }
}

impl WavePlan {
    /// The sizes of the waves of a cohort: of `members` who are no officers, then one wave of the `officers` in it, if there are any.
    /// None is empty.
    pub fn cut(&self, members: u64, officers: u64) -> Vec<u64> {
        let mut left = members;
        let mut waves = Vec::new();
        for size in &self.sizes {
            let wanted = match *size {
                WaveSize::Accounts(accounts) => u64::from(accounts),
                // Rounded up, so that a percentage of a small cohort is somebody.
                WaveSize::Percent(percent) => (members * u64::from(percent)).div_ceil(100),
                WaveSize::Rest => left,
            };
            waves.push(wanted.min(left));
            left -= wanted.min(left);
        }
        match waves.last_mut() {
            Some(last) => *last += left,
            None => waves.push(left),
        }
        waves.push(officers);
        waves.retain(|size| *size > 0);
        waves
    }
}

/// How far a containment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContainmentState {
    /// Its plan may be changed.
    Draft,
    /// Its cohort is being listed.
    Freezing,
    /// Its cohort is frozen: who, why and what is known, and nothing was done.
    DryRun,
    /// Somebody who may has agreed.
    Approved,
    /// Waves start.
    Running,
    /// No wave starts and no message is queued. What was done stays.
    Paused,
    /// Every wave is done.
    Done,
    /// Its holds are being lifted.
    Undoing,
    /// Its holds were lifted.
    Undone,
}

impl ContainmentState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Draft,
        Self::Freezing,
        Self::DryRun,
        Self::Approved,
        Self::Running,
        Self::Paused,
        Self::Done,
        Self::Undoing,
        Self::Undone,
    ];

    /// The word in tables, files and pages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Freezing => "freezing",
            Self::DryRun => "dry-run",
            Self::Approved => "approved",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// The state of a word; `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Where an order leads from here; `None` where it has no meaning.
    pub const fn after(self, order: Order) -> Option<Self> {
        match (self, order) {
            (Self::Draft | Self::DryRun | Self::Approved, Order::DryRun) => Some(Self::Freezing),
            (Self::DryRun, Order::Approve) => Some(Self::Approved),
            (Self::DryRun | Self::Approved, Order::Start) | (Self::Paused, Order::Resume) => Some(Self::Running),
            (Self::Running, Order::Pause) => Some(Self::Paused),
            (Self::Running | Self::Paused | Self::Done, Order::Undo) => Some(Self::Undoing),
            _ => None,
        }
    }
}

/// What somebody orders about a containment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// List whom it is about, why, and what would happen.
    DryRun,
    /// Agree to it.
    Approve,
    /// Begin with the first wave.
    Start,
    /// Start no further wave.
    Pause,
    /// Go on.
    Resume,
    /// Lift what it did.
    Undo,
}

/// Holds and required changes of a day above which a second person must agree: the smaller of one in fifty accounts and 10,000.
pub const fn cap(accounts: u64) -> u64 {
    let share = accounts / 50;
    if share < 10_000 { share } else { 10_000 }
}

/// How long whoever is the only one that could approve must wait before doing it alone, in seconds.
pub const ALONE_AFTER: i64 = 60 * 60;

/// Whether a containment may start without a second person.
pub const fn is_within_cap(taken_in_a_day: u64, about_to_take: u64, accounts: u64) -> bool {
    taken_in_a_day.saturating_add(about_to_take) <= cap(accounts)
}

/// Who asks for something to be approved, or undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whoever approves is who asked for it.
    pub by_author: bool,
    /// How many accounts may approve, the author among them where he may.
    pub approvers: u64,
    /// Since when it could be approved.
    pub since: Timestamp,
}

/// Why somebody may not approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalRefused {
    /// Somebody else must: there is one.
    Author,
    /// The only one who could must wait until then.
    Wait(Timestamp),
}

/// Somebody approved who may. `alone`: the author himself, because there is nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approved {
    alone: bool,
}

impl Approved {
    /// Whether the author approved it himself.
    pub const fn alone(self) -> bool {
        self.alone
    }
}

/// Whether somebody may approve. The caller has checked that his role may.
///
/// # Errors
/// [`ApprovalRefused`].
pub fn approve(approval: Approval, now: Timestamp) -> Result<Approved, ApprovalRefused> {
    if !approval.by_author {
        return Ok(Approved { alone: false });
    }
    if approval.approvers > 1 {
        return Err(ApprovalRefused::Author);
    }
    let until = approval.since.plus_seconds(ALONE_AFTER);
    if now < until {
        return Err(ApprovalRefused::Wait(until));
    }
    Ok(Approved { alone: true })
}

/// A member of a wave that has started, whose rows are not written yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What is about to be written.
    pub action: Action,
    /// What kind of leak it answers.
    pub kind: Kind,
    /// Which leak it answers.
    pub leak: LeakNo,
    /// The mark of the wave.
    pub mark: i64,
    /// When the wave started.
    pub started_at: Timestamp,
}

/// The mark under which everything of an account is dead: the site's floor, or the highest of the waves that it is in.
pub fn floor(site: i64, pending: &[Pending]) -> i64 {
    let marks = pending.iter().filter(|one| one.action.takes_away()).map(|one| one.mark);
    marks.fold(site, i64::max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: Option<PasswordVersion> = Some(PasswordVersion(1));
    const CURRENT: Option<PasswordVersion> = Some(PasswordVersion(2));

    fn evidence(grade: Grade, kind: Kind) -> Evidence {
        Evidence {
            grade,
            kind,
            leak: LeakNo(1),
            password: CURRENT,
        }
    }

    fn action(evidence: &[Evidence]) -> Option<(Action, bool)> {
        decide(evidence, CURRENT, &Actions::default()).map(|decided| (decided.action, decided.changed_since))
    }

    #[test]
    fn each_grade_and_kind_leads_to_what_the_story_says() {
        use Grade::{Exact, Former, Named, Untested, Variant};
        for (grade, dump, stealer) in [
            (Exact, Some(Action::Hold), Some(Action::Hold)),
            (Variant, Some(Action::Change), Some(Action::Hold)),
            (Former, Some(Action::Notice), Some(Action::Hold)),
            (Untested, None, None),
            (Named, None, None),
        ] {
            let of = |kind| action(&[evidence(grade, kind)]).map(|(action, _)| action);
            assert_eq!((of(Kind::Dump), of(Kind::Stealer)), (dump, stealer), "{grade:?}");
            assert_eq!(of(Kind::Ours), dump, "{grade:?}");
        }
    }

    #[test]
    fn a_hold_needs_evidence() {
        let mut actions = Actions::default();
        for kind in Kind::ALL {
            for (grade, at_most) in [
                (Grade::Untested, Action::Change),
                (Grade::Named, Action::Nothing),
                (Grade::Former, Action::Hold),
            ] {
                for action in Action::ALL {
                    let wanted = if action > at_most {
                        Err(Banned { grade, at_most })
                    } else {
                        Ok(())
                    };
                    assert_eq!(actions.set(grade, kind, action), wanted, "{grade:?} {action:?}");
                }
                assert_eq!(actions.of(grade, kind), at_most);
            }
        }
    }

    #[test]
    fn a_password_that_was_changed_since_is_not_held() {
        let old = Evidence {
            password: OLD,
            ..evidence(Grade::Exact, Kind::Dump)
        };
        assert_eq!(action(&[old]), Some((Action::Hold, true)));
        // Something that still holds goes first, however mild.
        let variant = evidence(Grade::Variant, Kind::Dump);
        assert_eq!(action(&[old, variant]), Some((Action::Change, false)));
        // Who is only told is told all the same.
        let former = Evidence {
            password: OLD,
            ..evidence(Grade::Former, Kind::Dump)
        };
        assert_eq!(action(&[former]), Some((Action::Notice, false)));
    }

    #[test]
    fn waves_take_the_canary_first_and_officers_last() {
        let plan = WavePlan::default();
        for (members, officers, waves) in [
            (0, 0, &[][..]),
            (7, 0, &[7]),
            (100, 0, &[50, 10, 40]),
            (100, 3, &[50, 10, 40, 3]),
            (0, 2, &[2]),
            (1_000_000, 1, &[50, 100_000, 899_950, 1]),
        ] {
            assert_eq!(plan.cut(members, officers), waves, "{members} {officers}");
        }
        let short = WavePlan {
            sizes: vec![WaveSize::Accounts(5)],
            spacing: 1,
        };
        assert_eq!(short.cut(8, 0), [8], "the last one takes the rest");
    }

    #[test]
    fn the_most_urgent_come_first() {
        let at = |seconds| Some(Timestamp::from_micros(seconds));
        let urgency = |attacked, last_used_at, officer| Urgency {
            attacked,
            last_used_at,
            officer,
        };
        let wanted = [
            urgency(true, at(9), false),
            urgency(true, None, false),
            urgency(false, at(8), false),
            urgency(false, at(7), false),
            urgency(false, None, false),
            urgency(true, at(9), true),
        ];
        let mut sorted = wanted;
        sorted.reverse();
        sorted.sort_by_key(Urgency::order);
        assert_eq!(sorted, wanted);
    }

    #[test]
    fn a_cap_is_one_in_fifty_and_never_above_ten_thousand() {
        assert_eq!((cap(0), cap(49), cap(50), cap(2_000)), (0, 0, 1, 40));
        assert_eq!((cap(500_000), cap(10_000_000)), (10_000, 10_000));
        assert!(is_within_cap(10, 30, 2_000) && !is_within_cap(11, 30, 2_000));
        assert!(!is_within_cap(u64::MAX, 1, 2_000));
    }

    #[test]
    fn nobody_approves_what_he_drafted_while_there_is_somebody_else() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let approval = |by_author, approvers| Approval {
            by_author,
            approvers,
            since: at(0),
        };
        let alone = |approval, now| approve(approval, now).map(Approved::alone);
        assert_eq!(alone(approval(false, 2), at(0)), Ok(false));
        assert_eq!(alone(approval(true, 2), at(999_999)), Err(ApprovalRefused::Author));
        assert_eq!(
            alone(approval(true, 1), at(3_599)),
            Err(ApprovalRefused::Wait(at(3_600)))
        );
        assert_eq!(alone(approval(true, 1), at(3_600)), Ok(true));
    }

    #[test]
    fn a_wave_kills_what_was_proved_before_it_and_a_notice_nothing() {
        let pending = |action, mark| Pending {
            action,
            kind: Kind::Dump,
            leak: LeakNo(1),
            mark,
            started_at: Timestamp::from_micros(0),
        };
        assert_eq!(floor(3, &[]), 3);
        assert_eq!(floor(3, &[pending(Action::Notice, 9)]), 3);
        assert_eq!(floor(3, &[pending(Action::Change, 5), pending(Action::Hold, 7)]), 7);
        assert_eq!(floor(8, &[pending(Action::Hold, 7)]), 8);
    }

    proptest! {
        /// Whatever is known of an account, in whatever order: nothing is taken away but for evidence about the password that it
        /// has, and `named` and, as a hold, `untested` lead to nothing, whatever was chosen.
        #[test]
        fn nothing_is_taken_away_without_evidence(
            found in proptest::collection::vec((0usize..5, 0usize..3, 0i64..3), 0..6),
            chosen in proptest::collection::vec((0usize..5, 0usize..3, 0usize..4), 0..20),
        ) {
            let mut actions = Actions::default();
            for (grade, kind, action) in chosen {
                let _ = actions.set(Grade::ALL[grade], Kind::ALL[kind], Action::ALL[action]);
            }
            let found: Vec<Evidence> = found
                .into_iter()
                .map(|(grade, kind, version)| Evidence {
                    grade: Grade::ALL[grade],
                    kind: Kind::ALL[kind],
                    leak: LeakNo(1),
                    password: Some(PasswordVersion(version)),
                })
                .collect();
            let Some(decided) = decide(&found, CURRENT, &actions) else { return Ok(()) };
            prop_assert!(decided.because.grade != Grade::Named);
            prop_assert!(decided.because.grade != Grade::Untested || decided.action != Action::Hold);
            prop_assert!(!decided.action.takes_away() || decided.changed_since || decided.because.password == CURRENT);
        }

        /// Every member is in one wave.
        #[test]
        fn waves_add_up(members in 0u64..5_000_000, officers in 0u64..50, sizes in proptest::collection::vec((0u8..3, 0u32..200), 0..6)) {
            let size = |(kind, n): (u8, u32)| match kind {
                0 => WaveSize::Accounts(n),
                1 => WaveSize::Percent(u8::try_from(n % 101).expect("small")),
                _ => WaveSize::Rest,
            };
            let plan = WavePlan { sizes: sizes.into_iter().map(size).collect(), spacing: 0 };
            let waves = plan.cut(members, officers);
            prop_assert_eq!(waves.iter().sum::<u64>(), members + officers);
            prop_assert!(waves.iter().all(|wave| *wave > 0));
        }
    }
}
