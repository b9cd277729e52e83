//! The drawer opened without a sale, with a manager's PIN (docs: domain §5.1, §5.2, adr 0047). What
//! is signed comes first; the pulse follows it by the print queue.

use qiantai_core::drawer::{DrawerOpen, DrawerReason};
use qiantai_core::ids::ActionId;
use qiantai_core::operation::OperationBody;

use crate::approval::releaser;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::printing::{has_drawer, pulse_job};
use crate::settings;
use crate::terminal::Draft;
use crate::view::drawer::{DrawerForm, OpenDrawer};
use crate::view::order::PrintJobView;

impl Counter {
    /// Begins to open it; says so where it cannot be opened.
    pub(crate) fn drawer_form(&self) -> Result<DrawerForm, CallError> {
        let (person, _) = self.staff()?;
        self.check_drawer()?;
        self.open_shift_id(&self.overlay(&[])?)?;
        Ok(DrawerForm {
            intent: self.surroundings.new_id().to_string(),
            alone: self.policy()?.only_manager() == Some(person.id),
        })
    }

    /// Writes that the drawer is opened: durable on this terminal when it returns. The queue then
    /// opens it. The same intent twice opens it once.
    pub(crate) fn open_drawer(&self, request: &OpenDrawer) -> Result<PrintJobView, CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let _sale = self.sale_lock();
        if !self.store.operations_of_action(intent)?.is_empty() {
            return self.print_view(intent.0);
        }
        self.check_drawer()?;
        let overlay = self.overlay(&[])?;
        let shift = self.open_shift_id(&overlay)?;
        let policy = self.policy()?;
        let approval = releaser(
            policy.as_ref(),
            proof.staff,
            &request.approval,
            "drawer_own",
        )?;
        let reason = request.reason.into();
        let body = DrawerOpen {
            reason,
            words: (reason == DrawerReason::Other).then(|| request.words.trim().to_owned()),
            approval,
        };
        if !body.is_whole() {
            return Err(CallError::new(ErrorCode::InvalidInput, "drawer_words"));
        }
        let draft = Draft {
            action: intent,
            staff: Some(proof),
            shift: Some(shift),
            offline: self.is_offline(),
            body: OperationBody::DrawerOpen(body),
        };
        self.check_no_case(&draft, &overlay)?;
        self.check_pin(approval.staff, &request.approval.pin)?;
        let job = pulse_job(intent.0, self.now());
        self.commit(&[draft], overlay, vec![job])?;
        self.print_view(intent.0)
    }

    fn check_drawer(&self) -> Result<(), CallError> {
        match has_drawer(&settings::load(&self.store)?.printer) {
            true => Ok(()),
            false => Err(CallError::new(ErrorCode::WrongState, "drawer_unset")),
        }
    }
}
