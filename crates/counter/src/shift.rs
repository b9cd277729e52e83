//! Opening a shift (docs: domain §5.1).

use qiantai_core::Money;
use qiantai_core::decide::RefusalCode;
use qiantai_core::ids::{ActionId, ShiftId};
use qiantai_core::ledger::ShiftState;
use qiantai_core::operation::{OperationBody, ShiftOpen};
use qiantai_core::order_no::Prefix;

use crate::commit::refused;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::overlay::Overlay;
use crate::terminal::Draft;
use crate::view::session::{OpenShift, SessionView};

/// Notes and coins that a float is counted in, in fen.
const DENOMINATIONS: [i64; 8] = [10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10];

/// Nobody counts more of one denomination into a drawer.
const COUNT_MAX: u32 = 9_999;

impl Counter {
    /// Opens a shift with its float.
    pub(crate) fn open_shift(&self, request: &OpenShift) -> Result<SessionView, CallError> {
        let (_, proof) = self.staff()?;
        let float = counted(request)?;
        let _sale = self.sale_lock();
        let draft = Draft {
            action: ActionId(self.surroundings.new_id()),
            staff: Some(proof),
            shift: None,
            offline: self.is_offline(),
            body: OperationBody::ShiftOpen(ShiftOpen {
                shift: ShiftId(self.surroundings.new_id()),
                shift_no: self.number(Prefix::Shift)?,
                float,
            }),
        };
        let overlay = self.overlay(&[])?;
        if self.open_shift_id(&overlay).is_ok() {
            return Err(refused(RefusalCode::ShiftAlreadyOpen));
        }
        self.check_no_case(&draft, &overlay)?;
        self.commit(&[draft], overlay, Vec::new())?;
        self.session()
    }

    /// The open shift of this terminal.
    pub(crate) fn open_shift_id(&self, overlay: &Overlay) -> Result<ShiftId, CallError> {
        let open =
            overlay.state.shifts.values().find(|shift| {
                shift.device == self.terminal.device && shift.state == ShiftState::Open
            });
        let shift = open.ok_or_else(|| CallError::new(ErrorCode::NoShift, "no_shift"))?;
        Ok(shift.id)
    }
}

fn counted(request: &OpenShift) -> Result<Vec<(Money, u32)>, CallError> {
    let invalid = || CallError::new(ErrorCode::InvalidInput, "float_invalid");
    let mut float = Vec::new();
    for (denomination, count) in &request.counts {
        let known = DENOMINATIONS.contains(&denomination.0);
        let twice = float
            .iter()
            .any(|(seen, _)| *seen == Money::from(*denomination));
        if !known || twice || *count > COUNT_MAX {
            return Err(invalid());
        }
        if *count > 0 {
            float.push((Money::from(*denomination), *count));
        }
    }
    Ok(float)
}
