//! `shift.open`: a fact; the float is in the drawer.

use crate::clock::Timestamp;
use crate::decide::draft::{CaseLinks, Draft};
use crate::decide::permission::{check_staff, policy_in_force};
use crate::decide::{Change, Decision, State};
use crate::ids::StaffId;
use crate::ledger::{
    Book, CaseKind, CashMovement, CashMovementKind, LedgerAccount, Shift, ShiftState, Topic,
};
use crate::money::Money;
use crate::operation::{Operation, ShiftOpen};

pub(super) fn decide(
    state: &State,
    operation: &Operation,
    body: &ShiftOpen,
    now: Timestamp,
) -> Decision {
    let mut draft = Draft::new(operation, operation.business_time(now));
    let policy = policy_in_force(state, operation, draft.at);
    if policy
        .and_then(|policy| check_staff(policy, operation))
        .is_err()
    {
        draft.case(CaseKind::StaffIrregular, CaseLinks::default(), Money::ZERO);
    }
    let is_taken = state.shifts.contains_key(&body.shift);
    let Some(float) = counted(&body.float) else {
        draft.case(CaseKind::Unattributed, CaseLinks::default(), Money::ZERO);
        return draft.applied();
    };
    if is_taken || has_open_shift(state, operation) {
        let waiting = if is_taken { float } else { Money::ZERO };
        draft.case(CaseKind::ShiftIrregular, CaseLinks::default(), waiting);
    }
    if is_taken {
        // Another shift under the same identity: its float cannot be told from the first.
        move_float(&mut draft, body, LedgerAccount::Suspense, float);
        return draft.applied();
    }
    draft.event(Topic::ShiftOpened, body.shift.0);
    move_float(&mut draft, body, LedgerAccount::Opening, float);
    draft.push(Change::Shift(Shift {
        id: body.shift,
        shift_no: body.shift_no.clone(),
        store: operation.store,
        device: operation.device,
        cashier: operation
            .staff
            .map_or(StaffId(uuid::Uuid::nil()), |proof| proof.staff),
        opened_at: draft.at,
        opening_float: float,
        state: ShiftState::Open,
    }));
    draft.applied()
}

fn has_open_shift(state: &State, operation: &Operation) -> bool {
    let mut shifts = state.shifts.values();
    shifts.any(|shift| shift.device == operation.device && shift.state == ShiftState::Open)
}

/// Σ denomination × count; `None` when that is no amount of cash.
fn counted(float: &[(Money, u32)]) -> Option<Money> {
    float
        .iter()
        .try_fold(Money::ZERO, |sum, (denomination, count)| {
            let fen = denomination.fen().checked_mul(i64::from(*count))?;
            if fen < 0 {
                return None;
            }
            sum.checked_add(Money::from_fen(fen))
        })
}

/// Puts the float into the drawer, from `source`.
fn move_float(draft: &mut Draft<'_>, body: &ShiftOpen, source: LedgerAccount, float: Money) {
    if float.is_zero() {
        return;
    }
    draft.transfer(
        Book::Money,
        LedgerAccount::Drawer(body.shift),
        source,
        float,
    );
    let movement = CashMovement {
        id: draft.row_id(),
        shift: body.shift,
        kind: CashMovementKind::Float,
        amount: float,
        order: None,
        at: draft.at,
    };
    draft.push(Change::Cash(movement));
}
