//! The one call surface between the window and the counter. Each command is declared once;
//! the trait, the dispatch and the TypeScript bindings follow from the declaration, so a
//! command that nobody serves does not compile.

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::CallError;
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

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident: $request:ty => $response:ty;)*) => {
        /// What the window may ask of the counter.
        #[async_trait]
        pub trait CounterApi: Send + Sync {
            $($(#[$doc])* async fn $name(&self, request: $request) -> Result<$response, CallError>;)*
        }

        /// Runs the command called `name` with a JSON `payload`.
        pub async fn dispatch(
            api: &dyn CounterApi,
            name: &str,
            payload: serde_json::Value,
        ) -> Result<serde_json::Value, CallError> {
            match name {
                $(stringify!($name) => encode(api.$name(decode::<$request>(payload)?).await?),)*
                other => Err(CallError::unknown_command(other)),
            }
        }

        /// Name, request type and response type of every command, for the bindings.
        pub fn signatures(config: &ts_rs::Config) -> Vec<(&'static str, String, String)> {
            vec![$((
                stringify!($name),
                <$request as ts_rs::TS>::name(config),
                <$response as ts_rs::TS>::name(config),
            ),)*]
        }

        /// Shows `visitor` every request and response type.
        pub fn visit_types(visitor: &mut impl ts_rs::TypeVisitor) {
            $(
                visitor.visit::<$request>();
                visitor.visit::<$response>();
            )*
        }
    };
}

commands! {
    /// Where the start of the application stands; asked first and after every boot event.
    boot_status: () => BootStatus;
    /// Opens a vault whose key store was lost. The code is checked, nothing is overwritten.
    recover: RecoveryCode => BootStatus;
    /// Opens the shop's files once more, where the last try met trouble.
    open_again: () => BootStatus;
    /// Joins a shop by its enrolment code, where the start found that none was joined.
    enrol: TypedEnrolCode => BootStatus;
    /// Answers a screen of the first start; the last answer opens the shop.
    set_up: SetUp => BootStatus;
    /// The cashier has written the recovery code down and types its last group to prove it.
    confirm_recovery_code: RecoveryAnswer => BootStatus;
    /// Shop, people, shift, sync state and settings.
    session: () => SessionView;
    /// Signs a person in by PIN.
    sign_in: SignIn => SessionView;
    /// Locks the screen; the shift stays open.
    sign_out: () => SessionView;
    /// Opens a shift with its float.
    open_shift: OpenShift => SessionView;
    /// Begins to open the drawer without a sale, with an intent that makes a repeated click harmless.
    drawer_form: () => DrawerForm;
    /// Opens the drawer without a sale, with a manager's number and PIN: written when it returns, and
    /// then opened by the print queue.
    open_drawer: OpenDrawer => PrintJobView;
    /// Finds members by phone, last four, name, initials, pinyin, card or member number.
    search_members: MemberSearch => Vec<MemberHit>;
    /// One member with balance as the shop knows it now.
    member: MemberKey => MemberView;
    /// One member with lots, coupons and history.
    member_page: MemberKey => MemberPage;
    /// A member's history further back than it is shown.
    earlier_orders: EarlierOrders => MemberOrders;
    /// Begins a registration with an intent that makes a repeated click harmless.
    new_member_form: () => NewMemberForm;
    /// What is wrong with what was typed so far, and who has it already.
    check_new_member: NewMember => NewMemberCheck;
    /// Registers a member: durable on this terminal when it returns.
    create_member: NewMember => MemberView;
    /// What a line of the command bar may mean; nothing happens.
    understand: CommandLine => CommandReading;
    /// Starts a top-up: amounts on offer and an intent that makes a repeated click harmless.
    top_up_form: MemberKey => TopUpForm;
    /// Whether the balance is enough for a price, and the smallest top-up that makes it so.
    cover_price: BookedPrice => PriceCover;
    /// Prices what was chosen or typed.
    quote: QuoteRequest => QuoteView;
    /// Takes cash: durable on this terminal when it returns.
    pay_cash: PayCash => OrderView;
    /// Shows the shop's own code for a top-up; nothing is written.
    shop_code: ShowShopCode => OrderView;
    /// Records a payment by card, transfer or the shop's code: durable here when it returns.
    pay_recorded: PayRecorded => OrderView;
    /// Opens the order and asks the channel for a QR code.
    start_qr: StartQr => OrderView;
    /// What a scanner read; nothing happens.
    read_scan: Scan => ScanReading;
    /// Codes to print that choose an amount on sale.
    offer_codes: () => Vec<OfferCode>;
    /// Opens the order and charges the customer's payment code for it.
    start_code: StartCode => OrderView;
    /// Charges the customer's payment code for an order that waits for its money.
    charge_code: ChargeCode => OrderView;
    /// Tries again to be paid for an order whose last attempt ended unpaid.
    retry_payment: RetryPayment => OrderView;
    /// Asks the channel now.
    query_payment: OrderKey => OrderView;
    /// Stops waiting; takes effect once the channel confirms that nothing was paid.
    cancel_order: OrderKey => OrderView;
    /// One order as it stands.
    order: OrderKey => OrderView;
    /// Orders of this terminal, newest first, open ones before all others.
    orders: () => Vec<OrderSummary>;
    /// Orders of the shop that fit a filter, newest first.
    find_orders: OrderFilter => OrderList;
    /// One order from the rules that priced it to the books.
    order_page: OrderKey => OrderPage;
    /// Cases of the shop, for everybody but cashiers: what a person must look at.
    cases: () => CaseList;
    /// Has the money of a case credited, with a manager's number and PIN.
    credit_case: CreditCase => OrderView;
    /// The server's accounts at payment gateways, for managers.
    payment_accounts: () => PaymentAccounts;
    /// Has the server go through the set-up of an account, or enters it; for managers. Nobody is
    /// charged.
    check_account: CheckAccount => AccountCheck;
    /// The receipt as it will be or was printed.
    receipt: OrderKey => ReceiptView;
    /// Prints a marked and counted copy.
    reprint: PrintCopy => PrintJobView;
    /// Gives the receipt of a lost terminal to the server; the same again is safe.
    bring_back: ScannedReceipt => ReceiptBack;
    /// The tills of the shop, for managers.
    shop_terminals: () => ShopTerminals;
    /// Lets one more till in, once and within minutes; for managers.
    invite_terminal: InviteTerminal => TerminalInvitation;
    /// Takes a till out of service, for good; for managers.
    end_terminal: EndTerminal => ShopTerminals;
    /// The rules of the shop that a manager can change here.
    shop_rules: () => ShopRules;
    /// Changes one thing about the shop, with a manager's number and PIN.
    change_rules: ChangeRules => ShopRules;
    /// How the second copy of what this terminal wrote stands.
    second_copy: () => SecondCopyView;
    /// Sends the second copy to another folder, or to none.
    set_second_copy: SecondCopySetting => SecondCopyView;
    /// What waits to be sent or printed, item by item.
    queue: () => QueueView;
    /// Puts a failed print back into the queue.
    retry_print: JobKey => QueueView;
    /// Sends a slip that is not on paper to one of the printers.
    send_print: SendPrint => QueueView;
    /// Takes a slip that is not on paper out of the queue.
    cancel_print: JobKey => QueueView;
    /// The queues of the system's spooler.
    found_printers: () => FoundPrinters;
    /// The receipt printers on USB.
    found_usb: () => FoundUsb;
    /// Prints a page that shows what a printer can do.
    print_test_page: TestPrint => ();
    /// Saves language, theme, type size, sound and printer of this terminal.
    save_settings: Settings => SessionView;
}

fn decode<T: DeserializeOwned>(payload: serde_json::Value) -> Result<T, CallError> {
    serde_json::from_value(payload).map_err(|error| CallError::malformed(&error))
}

fn encode<T: Serialize>(value: T) -> Result<serde_json::Value, CallError> {
    serde_json::to_value(value).map_err(|error| CallError::malformed(&error))
}
