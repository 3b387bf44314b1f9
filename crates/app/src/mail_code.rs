//! Codes by mail, as a conversation remembers them.

use rightful_core::Timestamp;
use rightful_crypto::code::MailCode;
use rightful_notify::Code;
use rightful_store::flow::Flow;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::env::Env;
use crate::second_factor::{hex, unhex};

/// How long a code by mail lives, in seconds.
pub(crate) const MAIL_CODE_LASTS: i64 = rightful_core::notice::CODE_LASTS;

/// A code that was asked for. Never the code: its keyed digest, bound to account and conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AskedCode {
    digest: String,
    context: String,
    pub(crate) contact_no: Option<i64>,
    expires_at: i64,
}

/// What a conversation remembers between its steps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The strict key of the name or address that it began with.
    pub(crate) name: String,
    /// As it was typed, for a new account or address.
    pub(crate) given: String,
    /// The code that counts now; a newer one takes its place.
    pub(crate) code: Option<AskedCode>,
    /// How many new passwords were looked at.
    pub(crate) tries: u32,
    /// Nothing typed in it is ever right: the name is nobody's, or somebody's where it must be nobody's.
    pub(crate) hollow: bool,
}

impl Memory {
    pub(crate) fn of(flow: &Flow) -> Option<Self> {
        serde_json::from_str(&flow.body).ok()
    }

    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }
}

impl App {
    /// Draws a code for a conversation.
    pub(crate) fn ask_code(
        &self,
        account: i64,
        flow_hash: [u8; 32],
        contact_no: Option<i64>,
        now: Timestamp,
        env: &mut Env,
    ) -> (AskedCode, Code) {
        let code = MailCode::mint(&mut *env.chance);
        let asked = AskedCode {
            digest: hex(&code.digest(&self.site.tagger, account, &flow_hash)),
            context: hex(&flow_hash),
            contact_no,
            expires_at: now.plus_seconds(MAIL_CODE_LASTS).micros(),
        };
        (asked, Code::new(code.shown().to_string()))
    }

    /// Whether what was typed is the code. The digests are of 256 bits under a key, so comparing them tells nothing.
    pub(crate) fn is_code(&self, account: i64, asked: &AskedCode, typed: &str, now: Timestamp) -> bool {
        let context = unhex(&asked.context).and_then(|bytes| bytes.try_into().ok());
        let (Some(code), Some(context)) = (MailCode::parse(typed), context) else {
            return false;
        };
        let digest = hex(&code.digest(&self.site.tagger, account, &context));
        now.micros() < asked.expires_at && digest == asked.digest
    }
}
