//! Every command of the window, handed on to the counter.

use std::sync::Arc;

use async_trait::async_trait;
use qiantai_core::ids::OrderId;

use super::{CODE_CONFIRMED, Desk, Phase, is_last_group};
use crate::accounts;
use crate::api::CounterApi;
use crate::boot;
use crate::cases;
use crate::code_payment;
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::printing;
use crate::receipts_back;
use crate::rules;
use crate::serve::{self, blocking};
use crate::terminals;
use crate::view::account::{AccountCheck, CheckAccount, PaymentAccounts};
use crate::view::booked_price::{BookedPrice, PriceCover};
use crate::view::boot::{BootStatus, RecoveryAnswer, RecoveryCode, TypedEnrolCode};
use crate::view::case::{CaseList, CreditCase};
use crate::view::code::{ChargeCode, OfferCode, Scan, ScanReading, StartCode};
use crate::view::command::{CommandLine, CommandReading};
use crate::view::drawer::{DrawerForm, OpenDrawer};
use crate::view::first_start::SetUp;
use crate::view::member::{MemberHit, MemberKey, MemberSearch, MemberView};
use crate::view::member_page::{EarlierOrders, MemberOrders, MemberPage};
use crate::view::new_member::{NewMember, NewMemberCheck, NewMemberForm};
use crate::view::order::{
    OrderKey, OrderSummary, OrderView, PayCash, PrintCopy, PrintJobView, ReceiptView, RetryPayment,
    StartQr,
};
use crate::view::order_list::{OrderFilter, OrderList};
use crate::view::order_page::OrderPage;
use crate::view::printer::{FoundPrinters, FoundUsb, SendPrint, TestPrint};
use crate::view::queue::{JobKey, QueueView};
use crate::view::receipt_back::{ReceiptBack, ScannedReceipt};
use crate::view::recorded::{PayRecorded, ShowShopCode};
use crate::view::rules::{ChangeRules, ShopRules};
use crate::view::second_copy::{SecondCopySetting, SecondCopyView};
use crate::view::session::{OpenShift, SessionView, Settings, SignIn};
use crate::view::terminals::{EndTerminal, InviteTerminal, ShopTerminals, TerminalInvitation};
use crate::view::top_up::{QuoteRequest, QuoteView, TopUpForm};

#[async_trait]
impl CounterApi for Desk {
    async fn boot_status(&self, (): ()) -> Result<BootStatus, CallError> {
        Ok(self.status())
    }

    async fn recover(&self, request: RecoveryCode) -> Result<BootStatus, CallError> {
        if !matches!(
            self.state().phase,
            Phase::Trouble {
                recoverable: true,
                ..
            }
        ) {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        let host = Arc::clone(&self.host);
        let opened = blocking(move || {
            Ok(boot::open_with_code(
                host.folder(),
                host.key_holder(),
                &request.code,
            ))
        });
        match opened.await? {
            Ok(files) => self.open_or_say(files, None).await,
            Err(None) => return Err(CallError::new(ErrorCode::RecoveryWrong, "recovery_wrong")),
            Err(Some(trouble)) => self.say(trouble),
        }
        Ok(self.status())
    }

    async fn open_again(&self, (): ()) -> Result<BootStatus, CallError> {
        if !self.leave_trouble() {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        self.open(None).await;
        Ok(self.status())
    }

    async fn enrol(&self, request: TypedEnrolCode) -> Result<BootStatus, CallError> {
        if let Ok(making) = self.making() {
            self.leave_set_up(&making)?;
        } else if !matches!(
            &self.state().phase,
            Phase::Trouble { cause, .. } if cause.is_of_joining()
        ) {
            return Err(CallError::new(ErrorCode::WrongState, "internal"));
        }
        self.open(Some(request.code)).await;
        Ok(self.status())
    }

    async fn set_up(&self, answer: SetUp) -> Result<BootStatus, CallError> {
        self.take_answer(answer).await
    }

    async fn confirm_recovery_code(&self, answer: RecoveryAnswer) -> Result<BootStatus, CallError> {
        if let Ok(making) = self.making() {
            return self.keep_code(making, answer).await;
        }
        let counter = match &self.state().phase {
            Phase::ShowCode { code, counter } => {
                if !is_last_group(code, &answer) {
                    return Err(CallError::new(ErrorCode::RecoveryWrong, "recovery_wrong"));
                }
                Arc::clone(counter)
            }
            _ => return Err(CallError::new(ErrorCode::WrongState, "internal")),
        };
        let store = Arc::clone(&counter.store);
        blocking(move || Ok(store.set_setting(CODE_CONFIRMED, &true)?)).await?;
        self.enter(Phase::Ready(counter));
        Ok(self.status())
    }

    async fn session(&self, (): ()) -> Result<SessionView, CallError> {
        self.work(Counter::session).await
    }

    async fn sign_in(&self, request: SignIn) -> Result<SessionView, CallError> {
        self.work(move |counter| counter.sign_in(&request)).await
    }

    async fn sign_out(&self, (): ()) -> Result<SessionView, CallError> {
        self.work(Counter::sign_out).await
    }

    async fn open_shift(&self, request: OpenShift) -> Result<SessionView, CallError> {
        self.work(move |counter| counter.open_shift(&request)).await
    }

    async fn drawer_form(&self, (): ()) -> Result<DrawerForm, CallError> {
        self.work(|counter| counter.drawer_form()).await
    }

    async fn open_drawer(&self, request: OpenDrawer) -> Result<PrintJobView, CallError> {
        self.work(move |counter| counter.open_drawer(&request))
            .await
    }

    async fn search_members(&self, request: MemberSearch) -> Result<Vec<MemberHit>, CallError> {
        self.work(move |counter| counter.search_members(&request))
            .await
    }

    async fn member(&self, request: MemberKey) -> Result<MemberView, CallError> {
        self.work(move |counter| counter.member(&request)).await
    }

    async fn member_page(&self, request: MemberKey) -> Result<MemberPage, CallError> {
        self.work(move |counter| counter.member_page(&request))
            .await
    }

    async fn earlier_orders(&self, request: EarlierOrders) -> Result<MemberOrders, CallError> {
        self.work(move |counter| counter.earlier_orders(&request))
            .await
    }

    async fn new_member_form(&self, (): ()) -> Result<NewMemberForm, CallError> {
        self.work(Counter::new_member_form).await
    }

    async fn check_new_member(&self, request: NewMember) -> Result<NewMemberCheck, CallError> {
        self.work(move |counter| counter.check_new_member(&request))
            .await
    }

    async fn create_member(&self, request: NewMember) -> Result<MemberView, CallError> {
        self.work(move |counter| counter.create_member(&request))
            .await
    }

    async fn understand(&self, request: CommandLine) -> Result<CommandReading, CallError> {
        self.work(move |counter| counter.understand(&request)).await
    }

    async fn top_up_form(&self, request: MemberKey) -> Result<TopUpForm, CallError> {
        self.work(move |counter| counter.top_up_form(&request))
            .await
    }

    async fn cover_price(&self, request: BookedPrice) -> Result<PriceCover, CallError> {
        self.work(move |counter| counter.cover_price(&request))
            .await
    }

    async fn quote(&self, request: QuoteRequest) -> Result<QuoteView, CallError> {
        self.work(move |counter| counter.quote(&request)).await
    }

    async fn pay_cash(&self, request: PayCash) -> Result<OrderView, CallError> {
        serve::pay_cash(&self.counter()?, request).await
    }

    async fn shop_code(&self, request: ShowShopCode) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.shop_code(&request)).await
    }

    async fn pay_recorded(&self, request: PayRecorded) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.pay_recorded(&request))
            .await
    }

    async fn start_qr(&self, request: StartQr) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.start_qr(&request)).await
    }

    async fn read_scan(&self, request: Scan) -> Result<ScanReading, CallError> {
        self.work(move |counter| counter.read_scan(&request)).await
    }

    async fn offer_codes(&self, (): ()) -> Result<Vec<OfferCode>, CallError> {
        self.work(|counter| counter.offer_codes()).await
    }

    async fn start_code(&self, request: StartCode) -> Result<OrderView, CallError> {
        code_payment::start_code(&self.counter()?, request).await
    }

    async fn charge_code(&self, request: ChargeCode) -> Result<OrderView, CallError> {
        code_payment::charge_code(&self.counter()?, request).await
    }

    async fn retry_payment(&self, request: RetryPayment) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.retry_payment(&request))
            .await
    }

    async fn query_payment(&self, request: OrderKey) -> Result<OrderView, CallError> {
        serve::query_payment(&self.counter()?, request).await
    }

    async fn cancel_order(&self, request: OrderKey) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.cancel_order(&request))
            .await
    }

    async fn order(&self, request: OrderKey) -> Result<OrderView, CallError> {
        self.work(move |counter| counter.shown_order(&request))
            .await
    }

    async fn orders(&self, (): ()) -> Result<Vec<OrderSummary>, CallError> {
        self.work(Counter::orders).await
    }

    async fn find_orders(&self, request: OrderFilter) -> Result<OrderList, CallError> {
        self.work(move |counter| counter.find_orders(&request))
            .await
    }

    async fn order_page(&self, request: OrderKey) -> Result<OrderPage, CallError> {
        self.work(move |counter| counter.order_page(OrderId(parse::id(&request.order_id)?)))
            .await
    }

    async fn cases(&self, (): ()) -> Result<CaseList, CallError> {
        self.work(Counter::cases).await
    }

    async fn credit_case(&self, request: CreditCase) -> Result<OrderView, CallError> {
        cases::credit_case(&self.counter()?, request).await
    }

    async fn receipt(&self, request: OrderKey) -> Result<ReceiptView, CallError> {
        serve::receipt(&self.counter()?, request).await
    }

    async fn reprint(&self, request: PrintCopy) -> Result<PrintJobView, CallError> {
        self.work(move |counter| counter.reprint(&request)).await
    }

    async fn bring_back(&self, request: ScannedReceipt) -> Result<ReceiptBack, CallError> {
        receipts_back::bring_back(&self.counter()?, request).await
    }

    async fn payment_accounts(&self, (): ()) -> Result<PaymentAccounts, CallError> {
        accounts::payment_accounts(&self.counter()?).await
    }

    async fn check_account(&self, request: CheckAccount) -> Result<AccountCheck, CallError> {
        accounts::check_account(&self.counter()?, request).await
    }

    async fn shop_rules(&self, (): ()) -> Result<ShopRules, CallError> {
        self.work(Counter::shop_rules).await
    }

    async fn change_rules(&self, request: ChangeRules) -> Result<ShopRules, CallError> {
        rules::change_rules(&self.counter()?, request).await
    }

    async fn shop_terminals(&self, (): ()) -> Result<ShopTerminals, CallError> {
        terminals::shop_terminals(&self.counter()?).await
    }

    async fn invite_terminal(
        &self,
        request: InviteTerminal,
    ) -> Result<TerminalInvitation, CallError> {
        terminals::invite_terminal(&self.counter()?, request).await
    }

    async fn end_terminal(&self, request: EndTerminal) -> Result<ShopTerminals, CallError> {
        terminals::end_terminal(&self.counter()?, request).await
    }

    async fn second_copy(&self, (): ()) -> Result<SecondCopyView, CallError> {
        self.work(|counter| counter.second_copy()).await
    }

    async fn set_second_copy(&self, to: SecondCopySetting) -> Result<SecondCopyView, CallError> {
        self.work(move |counter| counter.set_second_copy(&to)).await
    }

    async fn queue(&self, (): ()) -> Result<QueueView, CallError> {
        self.work(Counter::queue).await
    }

    async fn retry_print(&self, request: JobKey) -> Result<QueueView, CallError> {
        self.work(move |counter| {
            counter.retry_print(parse::id(&request.job_id)?)?;
            counter.queue()
        })
        .await
    }

    async fn send_print(&self, request: SendPrint) -> Result<QueueView, CallError> {
        self.work(move |counter| {
            counter.send_print(parse::id(&request.job_id)?, request.printer)?;
            counter.queue()
        })
        .await
    }

    async fn cancel_print(&self, request: JobKey) -> Result<QueueView, CallError> {
        self.work(move |counter| {
            counter.cancel_print(parse::id(&request.job_id)?)?;
            counter.queue()
        })
        .await
    }

    async fn found_printers(&self, (): ()) -> Result<FoundPrinters, CallError> {
        if self.making().is_err() {
            self.counter()?.staff()?;
        }
        Ok(printing::found_printers(self.surroundings.as_ref()).await)
    }

    async fn found_usb(&self, (): ()) -> Result<FoundUsb, CallError> {
        if self.making().is_err() {
            self.counter()?.staff()?;
        }
        printing::found_usb(self.surroundings.as_ref()).await
    }

    async fn print_test_page(&self, request: TestPrint) -> Result<(), CallError> {
        match self.making() {
            Ok(making) => self.print_page_before(making, request).await,
            Err(_) => printing::print_test_page(&self.counter()?, request).await,
        }
    }

    async fn save_settings(&self, settings: Settings) -> Result<SessionView, CallError> {
        self.work(move |counter| counter.save_settings(&settings))
            .await
    }
}
