//! Receipts to test with.

use qiantai_core::{Money, Timestamp};
use qiantai_print::recharge_receipt::{
    Balance, CashTendered, CouponOnReceipt, Credited, Gifts, MemberOnReceipt, PaymentOnReceipt,
    Reprint, SlipHolder, SplitOnReceipt, StoreHeader,
};
use qiantai_print::{Language, PaperWidth, RechargeReceipt};
use time::macros::date;

/// The QR text of an operation of `bytes`: `QT1:` and base45, three characters for two bytes.
pub fn qr_payload(bytes: usize) -> String {
    let base45 = "6BFOXN*TS0BI$ZD-PHQ7I9AD66V5B22CH9M9ESI9XBHXK-%69LQOGI.*V76GCV4*XUA2PWKP";
    "QT1:"
        .chars()
        .chain(base45.chars().cycle().take(bytes / 2 * 3))
        .collect()
}

/// Bytes of an ordinary recharge (docs: sync, "Receipt QR").
pub const ORDINARY: usize = 400;

/// Bytes of the largest operation a receipt carries.
pub const LARGEST: usize = 640;

/// A WeChat payment of 1,200.00 that makes the member silver.
pub fn wechat(width: PaperWidth) -> RechargeReceipt {
    RechargeReceipt {
        width,
        language: Language::ZhCn,
        holder: SlipHolder::Member,
        store: StoreHeader {
            name: "青禾健身·徐汇店".into(),
            address: "上海市徐汇区衡山路 88 号 2 层".into(),
            phone: "021-6433 0088".into(),
        },
        order_no: "CZ20261121140355123001230 1K7QZ".replace(' ', ""),
        taken_at: Timestamp::from_ms(1_795_241_035_123),
        printed_at: Timestamp::from_ms(1_795_241_037_000),
        terminal: "01".into(),
        cashier: "王芳".into(),
        seller: Some("李*强".into()),
        approver: None,
        released_alone: false,
        member: MemberOnReceipt {
            member_no: "M0001024".into(),
            masked_name: "龚*".into(),
            masked_phone: "138****5678".into(),
            tier_before: "普卡".into(),
            tier_after: "银卡".into(),
        },
        paid: Money::from_yuan(1_200),
        payment: PaymentOnReceipt {
            method: "微信支付".into(),
            channel_txn_no: Some("4200002891202611217350418266".into()),
            cash: None,
            split: None,
        },
        credited: Some(Credited {
            gifts: Gifts {
                bonus: Money::from_yuan(230),
                points: 1_200,
                coupons: vec![CouponOnReceipt {
                    name: "私教体验券".into(),
                    count: 1,
                }],
                rules: vec!["阶梯充值 满1000送230".into(), "充值满1000赠券".into()],
            },
            before: Balance {
                principal: Money::from_yuan(460),
                bonus: Money::from_yuan(70),
            },
            after: Balance {
                principal: Money::from_yuan(1_660),
                bonus: Money::from_yuan(300),
            },
            bonus_valid_until: Some(date!(2027 - 11 - 21)),
        }),
        refund_rule: "未消费本金按优惠比例退还，剩余赠金作废；七日内未使用可全额退款。".into(),
        contract_no: Some("HT-2026-000318".into()),
        complaint_phone: "12315".into(),
        qr_payload: Some(qr_payload(ORDINARY)),
        reprint: None,
        provisional: false,
        training: false,
        open_drawer: false,
    }
}

/// Cash taken offline in training, printed a second time, in English.
pub fn cash_reprint_in_english(width: PaperWidth) -> RechargeReceipt {
    let mut receipt = wechat(width);
    receipt.language = Language::En;
    receipt.holder = SlipHolder::Shop;
    receipt.store.name = "Greenfield Fitness Xuhui".into();
    receipt.store.address = "88 Hengshan Road, Xuhui, Shanghai, second floor".into();
    receipt.member.masked_name = "Gong *".into();
    receipt.member.tier_before = "Basic".into();
    receipt.member.tier_after = "Silver".into();
    receipt.payment = PaymentOnReceipt {
        method: "Cash".into(),
        channel_txn_no: None,
        cash: Some(CashTendered {
            tendered: Money::from_yuan(500),
            change: Money::from_yuan(200),
        }),
        split: None,
    };
    receipt.paid = Money::from_yuan(300);
    let credited = credited(&mut receipt);
    credited.gifts = Gifts {
        bonus: Money::from_yuan(50),
        points: 300,
        coupons: Vec::new(),
        rules: vec!["Top up 300, get 50".into()],
    };
    credited.after = Balance {
        principal: Money::from_yuan(760),
        bonus: Money::from_yuan(120),
    };
    receipt.refund_rule = "unspent principal is returned, unspent bonus lapses.".into();
    receipt.reprint = Some(Reprint {
        copy: 1,
        operator: "Wang Fang".into(),
    });
    receipt.approver = Some("Zhao Min".into());
    receipt.provisional = true;
    receipt.training = true;
    receipt.open_drawer = true;
    receipt
}

/// What a receipt says of the account.
pub fn credited(receipt: &mut RechargeReceipt) -> &mut Credited {
    receipt.credited.as_mut().expect("the samples are credited")
}

/// Cash that the shop has and the account does not.
pub fn not_credited(width: PaperWidth, language: Language) -> RechargeReceipt {
    let mut receipt = match language {
        Language::ZhCn => wechat(width),
        Language::En => RechargeReceipt {
            reprint: None,
            provisional: false,
            training: false,
            ..cash_reprint_in_english(width)
        },
    };
    receipt.payment = PaymentOnReceipt {
        method: match language {
            Language::ZhCn => "现金",
            Language::En => "Cash",
        }
        .into(),
        channel_txn_no: None,
        cash: Some(CashTendered {
            tendered: Money::from_yuan(1_300),
            change: Money::from_yuan(100),
        }),
        split: None,
    };
    receipt.paid = Money::from_yuan(1_200);
    receipt.member.tier_after = receipt.member.tier_before.clone();
    receipt.credited = None;
    receipt.open_drawer = false;
    receipt
}

/// A part in cash, the rest by card under the longest reference.
pub fn split(width: PaperWidth, language: Language) -> RechargeReceipt {
    let mut receipt = match language {
        Language::ZhCn => wechat(width),
        Language::En => RechargeReceipt {
            reprint: None,
            training: false,
            ..cash_reprint_in_english(width)
        },
    };
    let (method, cash_method) = match language {
        Language::ZhCn => ("刷卡（人工登记）", "现金"),
        Language::En => ("Card (recorded)", "Cash"),
    };
    let cash = Money::from_fen(10_001);
    receipt.payment = PaymentOnReceipt {
        method: method.into(),
        channel_txn_no: Some("20261122-140312480002010103A0Z9-X".into()),
        cash: None,
        split: Some(SplitOnReceipt {
            other: receipt.paid - cash,
            cash_method: cash_method.into(),
            cash,
        }),
    };
    receipt.open_drawer = true;
    receipt
}

/// Everything as long, large and rare as it gets.
pub fn extreme(width: PaperWidth) -> RechargeReceipt {
    let mut receipt = wechat(width);
    receipt.store.name = "尉迟敏与龚䶮联合美容美发养生会所有限公司".into();
    receipt.member.masked_name = "尉迟㛃雅㼆敏一二三四五六七八九十甲乙丙丁".into();
    receipt.member.tier_after = "至尊黑金钻石终身荣誉会员".into();
    receipt.cashier = "龚䶮".into();
    receipt.qr_payload = Some(qr_payload(LARGEST));
    receipt.paid = Money::from_fen(99_999_999);
    let principal = receipt.paid;
    let bonus = Money::from_fen(49_999_999);
    let credited = credited(&mut receipt);
    credited.gifts.bonus = bonus;
    credited.gifts.rules = vec!["周年庆典专享阶梯充值多充多送满一千送二百三十".into()];
    credited.before = Balance::default();
    credited.after = Balance { principal, bonus };
    receipt
}
