//! The pages of an account, for its owner, signed in.

mod app;
mod change;
mod delete;
mod glance;
mod history;
mod sessions;

pub use app::{EnrolApp, EnrolFor, RemoveApp};
pub use change::{ChangeAddress, ChangePassword, ChangePasswordProblem};
pub use delete::{DeleteAccount, WAIT_DAYS};
pub use glance::{Account, Done, NextThing};
pub use history::{
    Activity, ActivityLine, Device, MessageKind, MessageLine, MessageState, Messages, Outcome, Proof, Refusal,
};
pub use sessions::{SessionLine, Sessions};
