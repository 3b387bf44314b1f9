//! A code that we sent by mail, to be typed: never a link, so that nobody who merely opens a page uses it up.

use super::{
    Content, Shell, Trouble, page, paths,
    problem::{MAILED_CODE_MINUTES, MailedCodeProblem},
};

/// What the code is for, and what may be said about where it went.
pub enum MailedTo {
    /// To the address that was typed for a new account. Said whether or not the address already has one.
    SignUp {
        /// As it was typed.
        address: String,
    },
    /// To the address of the account that was named, if there is such an account: whether there is, is not told.
    NewPassword {
        /// As it was typed.
        identifier: String,
    },
    /// To the address of an account whose password was right.
    ChangeRequired {
        /// Masked.
        masked_address: String,
    },
    /// To the address that an owner wants to use from now on.
    NewAddress {
        /// As it was typed.
        address: String,
    },
}

/// The code. Posts `code` to [`paths::SIGN_UP_CODE`], [`paths::NEW_PASSWORD_CODE`] or [`paths::ACCOUNT_ADDRESS_CODE`]; a second form
/// asks for another one.
pub struct MailedCode {
    /// Where it went.
    pub to: MailedTo,
    /// Whether another one has just been sent.
    pub sent_again: bool,
    /// What is wrong with the last one.
    pub problem: Option<MailedCodeProblem>,
}

impl Content for MailedCode {
    fn title(&self, shell: &Shell) -> String {
        shell.t("mailed-code-title")
    }

    fn trouble(&self, shell: &Shell) -> Option<Trouble> {
        Trouble::of(self.problem.as_ref(), "code", shell)
    }
}

impl MailedCode {
    fn where_it_went(&self, shell: &Shell) -> String {
        match &self.to {
            MailedTo::SignUp { address } | MailedTo::NewAddress { address } => {
                shell.t1("mailed-code-sent", "address", address.as_str())
            }
            MailedTo::ChangeRequired { masked_address } => {
                shell.t1("mailed-code-sent", "address", masked_address.as_str())
            }
            MailedTo::NewPassword { identifier } => shell.t1("mailed-code-perhaps", "identifier", identifier.as_str()),
        }
    }

    fn minutes(&self) -> u64 {
        MAILED_CODE_MINUTES
    }

    fn path(&self) -> &'static str {
        match self.to {
            MailedTo::SignUp { .. } => paths::SIGN_UP_CODE,
            MailedTo::NewPassword { .. } | MailedTo::ChangeRequired { .. } => paths::NEW_PASSWORD_CODE,
            MailedTo::NewAddress { .. } => paths::ACCOUNT_ADDRESS_CODE,
        }
    }

    fn again_path(&self) -> &'static str {
        match self.to {
            MailedTo::SignUp { .. } => paths::SIGN_UP_CODE_AGAIN,
            MailedTo::NewPassword { .. } | MailedTo::ChangeRequired { .. } => paths::NEW_PASSWORD_CODE_AGAIN,
            MailedTo::NewAddress { .. } => paths::ACCOUNT_ADDRESS_CODE_AGAIN,
        }
    }

    fn back_path(&self) -> &'static str {
        match self.to {
            MailedTo::SignUp { .. } => paths::SIGN_UP,
            MailedTo::NewPassword { .. } => paths::NEW_PASSWORD,
            MailedTo::ChangeRequired { .. } => paths::SIGN_IN,
            MailedTo::NewAddress { .. } => paths::ACCOUNT_ADDRESS,
        }
    }
}

page!(MailedCode, "mailed_code.html");
