//! Where pages lie: what forms post to and links lead to. The router uses the same names.

/// The start: the account when signed in, else the sign-in.
pub const START: &str = "/";

/// Name and password.
pub const SIGN_IN: &str = "/sign-in";
/// The second factor of a sign-in: a code of the authenticator app.
pub const SIGN_IN_CODE: &str = "/sign-in/code";
/// The second factor of a sign-in: a recovery code.
pub const SIGN_IN_RECOVERY_CODE: &str = "/sign-in/recovery-code";
/// A new password is asked for before a session opens.
pub const CHANGE_REQUIRED: &str = "/sign-in/change";
/// Said once after a sign-in: the password is in lists of stolen ones.
pub const PASSWORD_KNOWN_LEAKED: &str = "/sign-in/known-password";
/// Ends this session.
pub const SIGN_OUT: &str = "/sign-out";

/// The address of a new account.
pub const SIGN_UP: &str = "/sign-up";
/// The code that was mailed to it.
pub const SIGN_UP_CODE: &str = "/sign-up/code";
/// Sends that code again.
pub const SIGN_UP_CODE_AGAIN: &str = "/sign-up/code/again";
/// The password of a new account.
pub const SIGN_UP_PASSWORD: &str = "/sign-up/password";

/// Which account needs a new password.
pub const NEW_PASSWORD: &str = "/new-password";
/// The code that was mailed.
pub const NEW_PASSWORD_CODE: &str = "/new-password/code";
/// Sends that code again.
pub const NEW_PASSWORD_CODE_AGAIN: &str = "/new-password/code/again";
/// The second factor of a return: a code of the authenticator app.
pub const NEW_PASSWORD_FACTOR: &str = "/new-password/factor";
/// The second factor of a return: a recovery code.
pub const NEW_PASSWORD_RECOVERY_CODE: &str = "/new-password/recovery-code";
/// The new password itself.
pub const NEW_PASSWORD_CHOOSE: &str = "/new-password/choose";
/// Done, and where else to change it.
pub const NEW_PASSWORD_DONE: &str = "/new-password/done";

/// The account at a glance.
pub const ACCOUNT: &str = "/account";
/// Another password, signed in.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// Another e-mail address.
pub const ACCOUNT_ADDRESS: &str = "/account/address";
/// The code that was mailed to the new address.
pub const ACCOUNT_ADDRESS_CODE: &str = "/account/address/code";
/// Sends that code again.
pub const ACCOUNT_ADDRESS_CODE_AGAIN: &str = "/account/address/code/again";
/// Adds an authenticator app.
pub const ACCOUNT_APP: &str = "/account/app";
/// Removes the authenticator app.
pub const ACCOUNT_APP_REMOVE: &str = "/account/app/remove";
/// How many recovery codes are left; makes new ones.
pub const ACCOUNT_RECOVERY_CODES: &str = "/account/recovery-codes";
/// Where the account is signed in.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// Ends one session.
pub const ACCOUNT_SESSIONS_END: &str = "/account/sessions/end";
/// Ends all sessions but this.
pub const ACCOUNT_SESSIONS_END_OTHERS: &str = "/account/sessions/end-others";
/// Messages that we sent to the owner.
pub const ACCOUNT_MESSAGES: &str = "/account/messages";
/// Sign-ins, also refused ones.
pub const ACCOUNT_ACTIVITY: &str = "/account/activity";
/// Plans the deletion of the account.
pub const ACCOUNT_DELETE: &str = "/account/delete";
/// Stops a planned deletion.
pub const ACCOUNT_DELETE_STOP: &str = "/account/delete/stop";
/// Fresh proof before a change.
pub const STEP_UP: &str = "/step-up";

/// Tells whether a message is ours.
pub const CHECK: &str = "/check";
/// Answers to what people ask.
pub const HELP: &str = "/help";
/// How to keep an account safe.
pub const HELP_SAFE: &str = "/help/safe";

/// The set-up code of a new server.
pub const SETUP: &str = "/setup";
/// The first administrator's address and password.
pub const SETUP_ACCOUNT: &str = "/setup/account";
/// The first administrator's authenticator app.
pub const SETUP_APP: &str = "/setup/app";

/// A command-line program asks for a token.
pub const LOGIN: &str = "/login";

/// Mail that lies on this machine because no mail server is configured.
pub const DEV_MAILBOX: &str = "/dev/mailbox";

/// Below it lie the stylesheets, the icon and the logo.
pub const ASSETS: &str = "/assets";
