//! Signing in by PIN, and the frame around every screen.

use qiantai_core::ids::StaffId;
use qiantai_core::ledger::ShiftState;
use qiantai_core::policy::{Policy, Staff};
use qiantai_store::{Moment, PinResult};

use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::settings;
use crate::view::session::{SessionView, ShiftView, SignIn, StaffTile};

impl Counter {
    /// Shop, people, shift, sync state and settings.
    pub(crate) fn session(&self) -> Result<SessionView, CallError> {
        let policy = self.policy()?;
        let mut staff = Vec::new();
        for person in policy.staff.iter().filter(|person| person.active) {
            staff.push(self.tile(person)?);
        }
        let settings = settings::load(&self.store)?;
        let who = self.signed_in();
        let guided = match who {
            Some(id) => self.is_led(id, settings.guide)?,
            None => false,
        };
        let signed_in = who.map(|id| id.to_string());
        Ok(SessionView {
            shop: policy.store.name.clone(),
            brand: (&policy.store.brand).into(),
            terminal: self.terminal.code.clone(),
            signed_in: staff
                .iter()
                .find(|tile| Some(&tile.id) == signed_in.as_ref())
                .cloned(),
            staff,
            shift: self.shift_view(&policy)?,
            sync: self.sync_view()?,
            settings,
            guided,
            clock_skew_ms: self.clock_skew()?,
        })
    }

    /// Checks a PIN and signs the person in.
    pub(crate) fn sign_in(&self, request: &SignIn) -> Result<SessionView, CallError> {
        let staff = StaffId(parse::id(&request.staff_id)?);
        self.check_pin(staff, &request.pin)?;
        self.set_signed_in(Some(staff));
        self.session()
    }

    /// Looks whether `pin` is that of `staff`, whatever it is wanted for.
    pub(crate) fn check_pin(&self, staff: StaffId, pin: &str) -> Result<(), CallError> {
        match self.store.check_pin(staff, pin, self.moment())? {
            PinResult::Ok => Ok(()),
            PinResult::Wrong { left } => Err(CallError::new(ErrorCode::PinWrong, "pin_wrong")
                .with("left", left.to_string())
                .retryable()),
            PinResult::Locked { until } => Err(CallError::new(ErrorCode::PinLocked, "pin_locked")
                .with("until_ms", until.ms().to_string())),
            PinResult::UnknownStaff => Err(CallError::new(ErrorCode::NotFound, "staff_unknown")),
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            wall: self.now(),
            monotonic_ms: self.surroundings.monotonic_ms(),
        }
    }

    /// Locks the screen.
    pub(crate) fn sign_out(&self) -> Result<SessionView, CallError> {
        self.set_signed_in(None);
        self.session()
    }

    fn tile(&self, person: &Staff) -> Result<StaffTile, CallError> {
        let locked = self.store.staff_locked_until(person.id, self.moment())?;
        Ok(StaffTile {
            id: person.id.to_string(),
            staff_no: person.staff_no.clone(),
            name: person.name.clone(),
            role: person.role.into(),
            locked_until_ms: locked.map(Into::into),
        })
    }

    fn shift_view(&self, policy: &Policy) -> Result<Option<ShiftView>, CallError> {
        let overlay = self.overlay(&[])?;
        let open =
            overlay.state.shifts.values().find(|shift| {
                shift.device == self.terminal.device && shift.state == ShiftState::Open
            });
        Ok(open.map(|shift| {
            let cashier = policy
                .staff
                .iter()
                .find(|person| person.id == shift.cashier);
            ShiftView {
                shift_no: shift.shift_no.clone(),
                cashier: cashier.map_or_else(String::new, |person| person.name.clone()),
                opened_at_ms: shift.opened_at.into(),
                float_fen: shift.opening_float.into(),
            }
        }))
    }
}
