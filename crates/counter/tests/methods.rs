//! Methods of payment while their gateway fails, and after it is back.

use qiantai_core::Millis;
use qiantai_counter::api::CounterApi;
use qiantai_counter::view::event::CounterEvent;
use qiantai_counter::view::member::MemberKey;
use qiantai_counter::view::top_up::{ChannelOffer, ChannelView};
use qiantai_paysim::gateway::{AnswerFault, AnswerRule};

use crate::shop::Shop;
use crate::till::Till;

use ChannelView::{Alipay, Card, Cash, Ecny, Transfer, Unionpay, Wechat};

/// The salon's own order.
const USUAL: [ChannelView; 7] = [Wechat, Alipay, Unionpay, Cash, Ecny, Card, Transfer];

async fn offers(till: &Till, member: &str) -> Vec<ChannelOffer> {
    let member_id = member.to_owned();
    let form = till.desk.top_up_form(MemberKey { member_id });
    form.await.unwrap().channels
}

fn channels(offers: &[ChannelOffer]) -> Vec<ChannelView> {
    offers.iter().map(|offer| offer.channel).collect()
}

/// All wallets of the salon are carried by one gateway.
#[tokio::test(flavor = "multi_thread")]
async fn methods_of_a_failing_gateway_stand_last_and_come_back() {
    let shop = Shop::salon().await;
    let till = Till::open(&shop).await;
    let member = till.zhang_wei().await;
    assert_eq!(channels(&offers(&till, &member).await), USUAL);
    let mut events = till.desk.subscribe();
    till.show_qr(&member, "300").await;
    let spoil = |answers| {
        shop.simulator
            .with(|gateway, _| gateway.faults().answers = answers)
    };
    spoil(vec![AnswerRule {
        attempt_no: None,
        operation: None,
        fault: AnswerFault::Garbled,
        times: None,
    }]);
    let since = shop.time.now().ms();
    let down = till.until("the wallets to be down", async || {
        shop.pass(Millis::seconds(5)).await;
        let offers = offers(&till, &member).await;
        let is_down = offers.iter().any(ChannelOffer::is_of_failing_channel);
        is_down.then_some(offers)
    });
    let down = down.await;
    let order = [Cash, Card, Transfer, Wechat, Alipay, Unionpay, Ecny];
    assert_eq!(channels(&down), order);
    for offer in &down {
        let wallet = !matches!(offer.channel, Cash | Card | Transfer);
        let reason = wallet.then(|| ChannelOffer::DOWN.to_owned());
        assert_eq!((offer.available, &offer.reason), (!wallet, &reason));
        let told = offer.down_since_ms.map(|ms| ms.0 >= since);
        assert_eq!(told, wallet.then_some(true), "{:?}", offer.channel);
    }
    spoil(Vec::new());
    let back = till.until("the wallets to be back", async || {
        shop.pass(Millis::seconds(30)).await;
        let offers = offers(&till, &member).await;
        (channels(&offers) == USUAL).then_some(offers)
    });
    let back = back.await;
    assert!(
        back.iter()
            .all(|offer| offer.available && offer.down_since_ms.is_none())
    );
    let mut told = 0;
    while let Ok(event) = events.try_recv() {
        told += usize::from(matches!(event, CounterEvent::Channels));
    }
    assert!(told >= 2, "the window is told of both");
}
