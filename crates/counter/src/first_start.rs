//! A shop that is made at the first start: answers are kept one by one, so that a start which is
//! cut off goes on where it stopped, and the shop opens once they are whole.

mod answers;

use qiantai_core::ids::{DeviceId, StaffId, StoreId, TenantId};
use qiantai_core::policy::{PinHash, Role, Staff, Store as Shop, StoreKind};
use qiantai_store::{Store, StoreError};
use qiantai_wire::text::Hex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::boot::{OwnShop, PlannedShop};
use crate::settings;
use crate::surroundings::Surroundings;
use crate::view::first_start::{
    FirstStart, MerchantAccountView, NewShop, Profile, ReceiptHeader, SetUpStep, Trade,
};
use crate::view::session::{RoleView, StaffTile};
use crate::view::top_up::ChannelView;

/// Setting that holds the answers, and later who the shop of this terminal is.
const KEY: &str = "own_shop";
/// Code of a merchant's first store.
const STORE_CODE: &str = "00001";
/// Domain §1: the business date changes at 04:00.
const CUT_OFF_MINUTES: u16 = 240;
/// The line of the market regulator, which takes complaints of every shop.
const COMPLAINTS: &str = "12315";
const REFUND_RULE: &str = "七日内未消费可全额退款；其余按优惠比例退回本金，赠金同时作废。";
/// What needs no contract with anybody.
const FIRST_METHODS: [ChannelView; 3] =
    [ChannelView::Cash, ChannelView::Card, ChannelView::Transfer];

/// What the store keeps of a shop that lives in this process.
#[derive(Clone, Serialize, Deserialize)]
enum Kept {
    Planned(Box<Draft>),
    Opened { tenant: Uuid },
}

/// The answers so far.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Draft {
    step: SetUpStep,
    /// Drawn with the first answer: an opening that is repeated opens the same shop.
    tenant: Uuid,
    store: Uuid,
    server_device: Uuid,
    shop: Option<NewShop>,
    people: Vec<Person>,
    receipt: Option<ReceiptHeader>,
    has_printer: bool,
    methods: Vec<ChannelView>,
    /// Answers that were kept before shops had codes say nothing of it.
    #[serde(default)]
    merchant_account: Option<MerchantAccountView>,
    is_whole: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct Person {
    id: Uuid,
    staff_no: String,
    name: String,
    role: RoleView,
    salt: Hex<16>,
    hash: Hex<32>,
}

impl Draft {
    /// The answers that the store keeps, or none yet.
    pub(crate) fn load(
        store: &Store,
        surroundings: &dyn Surroundings,
    ) -> Result<Draft, StoreError> {
        Ok(match store.setting(KEY)? {
            Some(Kept::Planned(draft)) => *draft,
            Some(Kept::Opened { .. }) | None => Draft {
                step: SetUpStep::Welcome,
                tenant: surroundings.new_id(),
                store: surroundings.new_id(),
                server_device: surroundings.new_id(),
                shop: None,
                people: Vec::new(),
                receipt: None,
                has_printer: false,
                methods: FIRST_METHODS.into(),
                merchant_account: None,
                is_whole: false,
            },
        })
    }

    pub(crate) fn keep(&self, store: &Store) -> Result<(), StoreError> {
        store.set_setting(KEY, &Kept::Planned(Box::new(self.clone())))
    }

    /// Everything is answered: the shop can open.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Name of the shop, as far as it has one.
    pub(crate) fn name(&self) -> &str {
        self.shop.as_ref().map_or("", |shop| &shop.name)
    }

    /// The recovery code is on paper.
    pub(crate) fn code_is_kept(&mut self) {
        self.step = SetUpStep::People;
    }

    /// Shows no screen beyond what is answered, also where a start was cut off between two answers.
    pub(crate) fn fit(&mut self, code_is_kept: bool) {
        self.step = self.step.min(self.reached(code_is_kept));
        if self.step == SetUpStep::Code && code_is_kept {
            self.step = SetUpStep::People;
        }
    }

    /// The furthest screen that the answers allow.
    fn reached(&self, code_is_kept: bool) -> SetUpStep {
        let has_manager = self.people.iter().any(|it| it.role == RoleView::Manager);
        if self.shop.is_none() {
            SetUpStep::Shop
        } else if !code_is_kept {
            SetUpStep::Code
        } else if !has_manager {
            SetUpStep::People
        } else if self.receipt.is_none() {
            SetUpStep::Receipt
        } else if !self.has_printer {
            SetUpStep::Printer
        } else {
            SetUpStep::Methods
        }
    }

    /// What the window shows; `code` until it is on paper.
    pub(crate) fn view(
        &self,
        store: &Store,
        code: Option<String>,
    ) -> Result<FirstStart, StoreError> {
        let tile = |person: &Person| StaffTile {
            id: person.id.to_string(),
            staff_no: person.staff_no.clone(),
            name: person.name.clone(),
            role: person.role,
            locked_until_ms: None,
        };
        let begun = || ReceiptHeader {
            address: String::new(),
            phone: String::new(),
            complaint_phone: COMPLAINTS.to_owned(),
            refund_rule: REFUND_RULE.to_owned(),
        };
        Ok(FirstStart {
            step: self.step,
            reached: self.reached(code.is_none()),
            shop: self.shop.clone(),
            code,
            people: self.people.iter().map(tile).collect(),
            receipt: self.receipt.clone().unwrap_or_else(begun),
            settings: settings::load(store)?,
            methods: self.methods.clone(),
            merchant_account: self.merchant_account.clone(),
        })
    }

    fn planned(&self) -> Option<PlannedShop> {
        let (Some(shop), Some(receipt), true) = (&self.shop, &self.receipt, self.is_whole) else {
            return None;
        };
        Some(PlannedShop {
            tenant: TenantId(self.tenant),
            server_device: DeviceId(self.server_device),
            store: Shop {
                id: StoreId(self.store),
                code: STORE_CODE.to_owned(),
                name: shop.name.clone(),
                kind: match shop.trade {
                    Trade::Gym => StoreKind::Gym,
                    Trade::Salon => StoreKind::Salon,
                    Trade::Beauty => StoreKind::Beauty,
                },
                address: receipt.address.clone(),
                phone: receipt.phone.clone(),
                complaint_phone: receipt.complaint_phone.clone(),
                cut_off_minutes: CUT_OFF_MINUTES,
                refund_rule: receipt.refund_rule.clone(),
                brand: (&shop.brand).into(),
            },
            compliance: match shop.profile {
                Profile::CnService => qiantai_core::compliance::cn_service(),
                Profile::ShanghaiGym => qiantai_core::compliance::shanghai_gym(),
                Profile::Open => qiantai_core::compliance::open(),
            },
            staff: self.people.iter().map(Person::staff).collect(),
            channels: self.methods.iter().map(|&it| it.into()).collect(),
            merchant_account: self.merchant_account.as_ref().map(Into::into),
            bonus: shop.bonus,
        })
    }
}

impl Person {
    fn staff(&self) -> Staff {
        Staff {
            id: StaffId(self.id),
            staff_no: self.staff_no.clone(),
            name: self.name.clone(),
            role: match self.role {
                RoleView::Manager => Role::Manager,
                _ => Role::Cashier,
            },
            pin: PinHash {
                salt: self.salt.0,
                hash: self.hash.0,
            },
            active: true,
        }
    }
}

/// The shop that lives in this process, once everything about it is answered.
pub(crate) fn own_shop(store: &Store) -> Result<Option<OwnShop>, StoreError> {
    Ok(match store.setting(KEY)? {
        None => None,
        Some(Kept::Planned(draft)) => draft.planned().map(|plan| OwnShop::Planned(Box::new(plan))),
        Some(Kept::Opened { tenant }) => Some(OwnShop::Opened(TenantId(tenant))),
    })
}

/// The shop is open: its answers, and the hashes of PINs among them, are in its books now.
pub(crate) fn opened(store: &Store, tenant: TenantId) -> Result<(), StoreError> {
    store.set_setting(KEY, &Kept::Opened { tenant: tenant.0 })
}
