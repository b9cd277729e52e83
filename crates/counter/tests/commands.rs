//! The command bar: lines as people say them, and the members of a real shop.

use qiantai_counter::api::CounterApi;
use qiantai_counter::view::command::{CommandLine, CommandReading};

use crate::shop::Shop;
use crate::till::Till;

async fn understood(till: &Till, text: &str, member_id: Option<String>) -> CommandReading {
    let text = text.to_owned();
    let line = CommandLine { text, member_id };
    till.desk.understand(line).await.unwrap()
}

fn shown(reading: &CommandReading) -> Vec<String> {
    let choices = reading.choices.iter().map(|choice| {
        let amount = choice.pay_fen.map(|fen| fen.0.to_string());
        let channel = choice.channel.map(|channel| format!("{channel:?}"));
        let parts = [Some(choice.member.name.clone()), amount, channel];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    choices.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reading_is_one_choice() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for (line, expected) in [
        ("单雨 充 300 微信", "单雨 30000 Wechat"),
        ("给龚䶮充值两百元", "龚䶮 20000"),
        ("sy 300 现金", "单雨 30000 Cash"),
        ("ouyang na 300 cash", "欧阳娜 30000 Cash"),
        ("5678 充 300 现金", "张伟 30000 Cash"),
        ("张伟 5678 充 300", "张伟 30000"),
        ("00201-9000001 充 500", "张伟 50000"),
        ("00201000001 充 500", "张伟 50000"),
        ("13812345678", "张伟"),
        ("ycm 充一千二 支付宝", "尉迟敏 120000 Alipay"),
        ("龚䶮充三百", "龚䶮 30000"),
        ("Anna 300 wechat", "Anna Müller 30000 Wechat"),
    ] {
        let reading = understood(&till, line, None).await;
        assert_eq!(shown(&reading), [expected], "{line}: {reading:?}");
        assert!(reading.choices[0].member.phone.contains("****"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_certain_is_asked() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let two = understood(&till, "单雨 300 500", None).await;
    assert_eq!(shown(&two), ["单雨 30000", "单雨 50000"]);
    // Namesakes: never one of them by itself, the one at the counter first.
    let namesakes = understood(&till, "张伟 充 300 微信", None).await;
    assert_eq!(shown(&namesakes), ["张伟 30000 Wechat"; 3]);
    let last = namesakes.choices[2].member.id.clone();
    let served = understood(&till, "zhang wei 300", Some(last.clone())).await;
    assert_eq!(shown(&served), ["张伟 30000"; 3]);
    assert_eq!(served.choices[0].member.id, last);
    let many = understood(&till, "张 充 300", None).await;
    assert_eq!(many.choices.len(), 6);
    assert_eq!(many.remark.unwrap().message_key, "command.too_many");

    let zhang_wei = till.zhang_wei().await;
    let present = understood(&till, "充300微信", Some(zhang_wei.clone())).await;
    assert_eq!(shown(&present), ["张伟 30000 Wechat"]);
    let other = understood(&till, "给单雨充300", Some(zhang_wei)).await;
    assert_eq!(shown(&other), ["单雨 30000"]);
}

/// Dictation knows the sound of a name and not its characters.
#[tokio::test(flavor = "multi_thread")]
async fn who_only_sounds_like_the_name_is_marked() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    for (line, who, expected) in [
        ("张玮 充 300 微信", "张玮", vec!["张伟 30000 Wechat"; 3]),
        ("张玮 5678 充三百", "张玮 5678", vec!["张伟 30000"]),
        ("给单语充值两百元", "单语", vec!["单雨 20000"]),
        ("欧杨娜 300 现金", "欧杨娜", vec!["欧阳娜 30000 Cash"]),
    ] {
        let reading = understood(&till, line, None).await;
        assert_eq!(shown(&reading), expected, "{line}: {reading:?}");
        assert!(reading.choices.iter().all(|choice| choice.sounds_like));
        let remark = reading.remark.unwrap();
        assert_eq!(remark.message_key, "command.nobody_but", "{line}");
        assert_eq!(remark.params["who"], who);
    }
    for line in ["张伟 充 300", "zhang wei 300", "单 充 300"] {
        let reading = understood(&till, line, None).await;
        assert!(!reading.choices.is_empty(), "{line}");
        assert!(reading.choices.iter().all(|choice| !choice.sounds_like));
    }
    let other_number = understood(&till, "张玮 9999 充 300", None).await;
    assert_eq!(other_number.remark.unwrap().message_key, "command.nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let asked = understood(&till, "开钱箱", None).await;
    assert_eq!((asked.drawer, asked.choices.len()), (true, 0));
    assert!(!understood(&till, "张伟 充 300", None).await.drawer);
    for (line, key) in [
        ("充300", "command.who_missing"),
        ("无此人 充 300", "command.nobody"),
        ("王芳 9999 充 300", "command.nobody"),
        ("张伟 退 300", "command.other_action"),
        ("张伟充300王芳充200", "command.unclear"),
        ("张伟 充 0", "error.amount_zero"),
        ("张伟 300 500 微信 支付宝 现金", "command.too_much"),
    ] {
        let reading = understood(&till, line, None).await;
        assert_eq!(shown(&reading), [""; 0], "{line}");
        assert_eq!(reading.remark.unwrap().message_key, key, "{line}");
    }
    let long = understood(&till, &"张".repeat(121), None).await;
    assert_eq!(long.remark.unwrap().message_key, "command.too_long");
    let nothing = understood(&till, "  ", None).await;
    assert_eq!((nothing.choices.len(), nothing.remark), (0, None));
    let bonus = understood(&till, "单雨充300送50", None).await;
    assert_eq!(shown(&bonus), ["单雨 30000"]);
    assert_eq!(bonus.remark.unwrap().message_key, "command.bonus_by_rules");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_on_a_locked_screen() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    till.desk.sign_out(()).await.unwrap();
    let line = CommandLine {
        text: "张伟 充 300".to_owned(),
        member_id: None,
    };
    assert!(till.desk.understand(line).await.is_err());
}
