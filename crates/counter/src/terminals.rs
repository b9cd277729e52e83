//! The tills of the shop: who they are, one more of them, one less. The manager who is signed in
//! does it, with the PIN typed anew.

use std::sync::Arc;

use qiantai_core::Timestamp;
use qiantai_core::decide::RefusalCode;
use qiantai_sync::CallFailed;
use qiantai_wire::api::{
    InvitationAnswer, InvitationRequest, REASON_MAX, RevocationRequest, TerminalDto,
    TerminalStandingDto, TerminalsAnswer,
};
use qiantai_wire::enrol::{EnrolCode, ServerPlace, invite_secret};
use sha2::{Digest, Sha256};

use crate::commit::refused;
use crate::counter::Counter;
use crate::desk::SERVER;
use crate::error::{CallError, ErrorCode, outdated};
use crate::parse;
use crate::serve::blocking;
use crate::show::order::qr_view;
use crate::view::Ms;
use crate::view::terminals::{
    EndTerminal, InviteTerminal, ShopTerminal, ShopTerminals, TerminalInvitation, TerminalState,
};

const REASON: &str = "reason";

/// The tills of the shop.
pub(crate) async fn shop_terminals(counter: &Arc<Counter>) -> Result<ShopTerminals, CallError> {
    counter.manager()?;
    let answer = counter.client.terminals().await;
    counter.tills(answer.map_err(|error| unanswered(&error))?)
}

/// Lets one more till in.
pub(crate) async fn invite_terminal(
    counter: &Arc<Counter>,
    request: InviteTerminal,
) -> Result<TerminalInvitation, CallError> {
    let manager = counter.manager()?;
    let place = counter.server_place()?.ok_or_else(no_way_in)?;
    let looker = Arc::clone(counter);
    blocking(move || looker.check_pin(manager, &request.pin)).await?;
    let asked = InvitationRequest { manager: manager.0 };
    let answer = counter.client.invite(&asked).await;
    let answer = answer.map_err(|error| unanswered(&error))?;
    code(place, &answer).ok_or_else(|| unread(&"an invitation that makes no code"))
}

/// Takes a till out of service. Asked twice, it is done once.
pub(crate) async fn end_terminal(
    counter: &Arc<Counter>,
    request: EndTerminal,
) -> Result<ShopTerminals, CallError> {
    let manager = counter.manager()?;
    let device = parse::id(&request.device)?;
    let reason = request.reason.trim().to_owned();
    if reason.is_empty() {
        return Err(wrong("reason_empty"));
    }
    if reason.chars().count() > REASON_MAX || reason.chars().any(char::is_control) {
        return Err(wrong("reason_too_long").with("most", REASON_MAX.to_string()));
    }
    if device == counter.terminal.device.0 {
        return Err(own_terminal());
    }
    let looker = Arc::clone(counter);
    blocking(move || looker.check_pin(manager, &request.pin)).await?;
    let asked = RevocationRequest {
        manager: manager.0,
        reason,
    };
    let answer = counter.client.revoke_terminal(device, &asked).await;
    counter.tills(answer.map_err(|error| unanswered(&error))?)
}

impl Counter {
    fn server_place(&self) -> Result<Option<ServerPlace>, CallError> {
        Ok(self.store.setting(SERVER)?)
    }

    fn tills(&self, answer: TerminalsAnswer) -> Result<ShopTerminals, CallError> {
        let here = self.terminal.device.0;
        let shown = |till: TerminalDto| ShopTerminal {
            here: till.device == here,
            device: till.device.to_string(),
            code: till.terminal_code,
            name: till.name,
            state: match till.standing {
                TerminalStandingDto::InService => TerminalState::InService,
                TerminalStandingDto::TwoHistories => TerminalState::TwoHistories,
                TerminalStandingDto::OutOfService => TerminalState::OutOfService,
            },
            ended_ms: till.revoked_at_ms.map(Ms),
            reason: till.reason,
            heard_ms: till.heard_at_ms.map(Ms),
            waiting: u32::try_from(till.waiting).unwrap_or(u32::MAX),
        };
        Ok(ShopTerminals {
            terminals: answer.terminals.into_iter().map(shown).collect(),
            server: self.server_place()?.map(|place| place.url),
        })
    }
}

/// The other till reaches the server as this one does, and knows it by the same authority.
fn code(place: ServerPlace, answer: &InvitationAnswer) -> Option<TerminalInvitation> {
    let code = EnrolCode {
        server: place.url,
        authority: place.authority.map(|it| Sha256::digest(it.0).into()),
        secret: invite_secret(&answer.invite)?,
        expires_at: Timestamp::from_ms(answer.expires_at_ms),
    };
    let code = code.to_string();
    Some(TerminalInvitation {
        qr: qr_view(&code)?,
        code,
        expires_ms: Ms(answer.expires_at_ms),
    })
}

fn wrong(key: &str) -> CallError {
    CallError::new(ErrorCode::InvalidInput, key)
        .with("field", REASON)
        .retryable()
}

fn no_way_in() -> CallError {
    CallError::new(ErrorCode::WrongState, "no_way_in")
}

fn own_terminal() -> CallError {
    CallError::new(ErrorCode::WrongState, "own_terminal")
}

fn unread(cause: &dyn std::fmt::Display) -> CallError {
    tracing::warn!(%cause, "the tills of the shop");
    CallError::new(ErrorCode::ServerUnreachable, "terminals_unreachable").retryable()
}

fn unanswered(error: &CallFailed) -> CallError {
    if let Some(outdated) = outdated(error) {
        return outdated;
    }
    if let CallFailed::Refused(refusal) = error {
        use qiantai_wire::ErrorCode as Told;
        match refusal.error_code() {
            Some(Told::NoManager) => return refused(RefusalCode::RoleNotAllowed),
            Some(Told::NotFound) => {
                return CallError::new(ErrorCode::NotFound, "terminal_unknown");
            }
            Some(Told::NoWayIn) => return no_way_in(),
            Some(Told::OwnTerminal) => return own_terminal(),
            Some(Told::DiskFull) => {
                return CallError::new(ErrorCode::DiskFull, "disk_full").retryable();
            }
            _ => {}
        }
    }
    unread(error)
}
