//! The plan of a containment as it is written down.

use rightful_core::containment::{Action, Actions, Banned, WavePlan, WaveSize};
use rightful_core::{Grade, Kind};
use serde::{Deserialize, Serialize};

use crate::notices::Locale;

/// The most waves of a plan.
const MOST_WAVES: usize = 100;

/// The most minutes between two waves: a week.
const MOST_SPACING: u32 = 7 * 24 * 60;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What each grade and kind leads to.
    pub actions: Actions,
    /// How the cohort is cut.
    pub waves: WavePlan,
    /// Whether owners are told.
    pub notices: bool,
    /// The language for owners of whom none is known.
    pub language: Locale,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            actions: Actions::default(),
            waves: WavePlan::default(),
            notices: true,
            language: Locale::En,
        }
    }
}

/// One choice that differs from the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// For exposures of this grade.
    pub grade: Grade,
    /// And this kind.
    pub kind: Kind,
    /// This is done.
    pub action: Action,
}

/// Why a plan cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanRefused {
    /// The action goes further than the grade allows.
    Banned(Banned),
    /// The waves are no list of numbers, percentages and `rest`, or too many.
    Waves,
    /// The waves are too far apart.
    Spacing,
}

#[derive(Serialize, Deserialize)]
struct Written {
    choices: Vec<(String, String, String)>,
    waves: String,
    spacing: u32,
    notices: bool,
    language: String,
}

impl Plan {
    /// Chooses other actions than the default ones.
    ///
    /// # Errors
    /// [`PlanRefused::Banned`].
    pub fn choose(&mut self, choices: &[Choice]) -> Result<(), PlanRefused> {
        for choice in choices {
            let set = self.actions.set(choice.grade, choice.kind, choice.action);
            set.map_err(PlanRefused::Banned)?;
        }
        Ok(())
    }

    /// Cuts the cohort in another way: `50,10%,rest`, and so many minutes apart.
    ///
    /// # Errors
    /// [`PlanRefused::Waves`], [`PlanRefused::Spacing`].
    pub fn cut(&mut self, waves: Option<&str>, spacing: Option<u32>) -> Result<(), PlanRefused> {
        if let Some(waves) = waves {
            self.waves.sizes = sizes(waves).ok_or(PlanRefused::Waves)?;
        }
        if let Some(spacing) = spacing {
            if spacing > MOST_SPACING {
                return Err(PlanRefused::Spacing);
            }
            self.waves.spacing = spacing;
        }
        Ok(())
    }

    /// The sizes of the waves, as [`Plan::cut`] reads them.
    pub fn sizes(&self) -> String {
        let size = |size: &WaveSize| match size {
            WaveSize::Accounts(accounts) => accounts.to_string(),
            WaveSize::Percent(percent) => format!("{percent}%"),
            WaveSize::Rest => "rest".to_owned(),
        };
        self.waves.sizes.iter().map(size).collect::<Vec<_>>().join(",")
    }

    /// What differs from nothing: every grade and kind that leads to something.
    pub fn choices(&self) -> Vec<Choice> {
        let all = Grade::ALL
            .into_iter()
            .flat_map(|grade| Kind::ALL.into_iter().map(move |kind| (grade, kind)));
        all.map(|(grade, kind)| Choice {
            grade,
            kind,
            action: self.actions.of(grade, kind),
        })
        .filter(|choice| choice.action != Action::Nothing)
        .collect()
    }

    /// As its row holds it.
    pub(crate) fn text(&self) -> String {
        let choices = Grade::ALL
            .into_iter()
            .flat_map(|grade| Kind::ALL.into_iter().map(move |kind| (grade, kind)));
        let word = |(grade, kind): (Grade, Kind)| {
            let action = self.actions.of(grade, kind);
            (
                grade.word().to_owned(),
                kind.word().to_owned(),
                action.word().to_owned(),
            )
        };
        let written = Written {
            choices: choices.map(word).collect(),
            waves: self.sizes(),
            spacing: self.waves.spacing,
            notices: self.notices,
            language: self.language.word().to_owned(),
        };
        serde_json::to_string(&written).expect("a plan is plain text")
    }

    /// From [`Plan::text`]; `None` when it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let written: Written = serde_json::from_str(text).ok()?;
        let mut plan = Self {
            notices: written.notices,
            language: Locale::from_tag(&written.language)?,
            ..Self::default()
        };
        for (grade, kind, action) in &written.choices {
            let (grade, kind) = (Grade::from_word(grade)?, Kind::from_word(kind)?);
            plan.actions.set(grade, kind, Action::from_word(action)?).ok()?;
        }
        plan.cut(Some(&written.waves), Some(written.spacing)).ok()?;
        Some(plan)
    }
}

fn sizes(text: &str) -> Option<Vec<WaveSize>> {
    let size = |part: &str| {
        let part = part.trim();
        match part.strip_suffix('%') {
            _ if part == "rest" => Some(WaveSize::Rest),
            Some(percent) => {
                let percent: u8 = percent.parse().ok()?;
                (1..=100).contains(&percent).then_some(WaveSize::Percent(percent))
            }
            None => {
                let accounts: u32 = part.parse().ok()?;
                (accounts > 0).then_some(WaveSize::Accounts(accounts))
            }
        }
    };
    let sizes: Option<Vec<WaveSize>> = text.split(',').map(size).collect();
    sizes.filter(|sizes| sizes.len() <= MOST_WAVES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_back_as_it_was_written() {
        let mut plan = Plan {
            notices: false,
            language: Locale::De,
            ..Plan::default()
        };
        let choice = Choice {
            grade: Grade::Untested,
            kind: Kind::Dump,
            action: Action::Notice,
        };
        assert_eq!(plan.choose(&[choice]), Ok(()));
        assert_eq!(plan.cut(Some("7, 25%,rest"), Some(5)), Ok(()));
        assert_eq!(plan.sizes(), "7,25%,rest");
        assert_eq!(Plan::read(&plan.text()), Some(plan));
        assert_eq!(Plan::read("{}"), None);
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        let mut plan = Plan::default();
        for waves in ["", "0", "-1", "101%", "0%", "rest,x", "1;2", &"1,".repeat(101)] {
            assert_eq!(plan.cut(Some(waves), None), Err(PlanRefused::Waves), "{waves}");
        }
        assert_eq!(plan.cut(None, Some(10_081)), Err(PlanRefused::Spacing));
        let hold = Choice {
            grade: Grade::Untested,
            kind: Kind::Dump,
            action: Action::Hold,
        };
        assert!(matches!(plan.choose(&[hold]), Err(PlanRefused::Banned(_))));
        assert_eq!(plan, Plan::default(), "nothing of it was taken");
    }
}
