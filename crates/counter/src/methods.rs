//! The payment methods that the counter offers: in the shop's order, and behind the others those
//! whose channel cannot be paid through now.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qiantai_core::Timestamp;
use qiantai_core::attempt::Channel;
use qiantai_core::policy::Policy;
use qiantai_core::recorded_payment::RecordedMethod;
use qiantai_wire::api::{ChannelStandingDto, ChannelsAnswer, StandingDto};

use crate::counter::Counter;
use crate::shop_code::account_of;
use crate::top_up::{QR_CHANNELS, is_taken_at_once};
use crate::view::top_up::ChannelOffer;

impl Counter {
    /// Methods in order of display. One that comes back takes its old place.
    pub(crate) fn methods(&self, policy: &Policy) -> Vec<ChannelOffer> {
        let offline = self.is_offline();
        let served = policy
            .channels
            .iter()
            .filter(|channel| is_taken_at_once(**channel) || QR_CHANNELS.contains(channel));
        let (failing, mut offers): (Vec<_>, Vec<_>) = served
            .map(|channel| self.method(policy, *channel, offline))
            .partition(ChannelOffer::is_of_failing_channel);
        offers.extend(failing);
        offers
    }

    fn method(&self, policy: &Policy, channel: Channel, offline: bool) -> ChannelOffer {
        let fault = match offline {
            // What the server said last is old; that it cannot be reached is what counts.
            true => None,
            false => self.channel_board.fault(channel),
        };
        let (available, reason) = match fault {
            Some(ChannelFault::Down { .. }) => (false, Some(ChannelOffer::DOWN)),
            Some(ChannelFault::Absent) => (false, Some(ChannelOffer::ABSENT)),
            None if channel == Channel::ShopCode && account_of(policy).is_none() => {
                (false, Some("error.shop_code_unset"))
            }
            None if offline => without_server(channel),
            None => (true, None),
        };
        ChannelOffer {
            channel: channel.into(),
            available,
            reason: reason.map(str::to_owned),
            down_since_ms: match fault {
                Some(ChannelFault::Down { since }) => Some(since.into()),
                Some(ChannelFault::Absent) | None => None,
            },
        }
    }
}

/// Whether a method is offered while the server is out of reach, and what is said with it.
fn without_server(channel: Channel) -> (bool, Option<&'static str>) {
    match (channel, RecordedMethod::of(channel)) {
        (Channel::Cash, _) => (true, None),
        (_, Some(_)) => (true, Some("top_up.needs_manager")),
        (_, None) => (false, Some("error.server_unreachable")),
    }
}

/// What keeps a channel from taking money although the server can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelFault {
    /// Its gateway fails; the server tries it until it is back.
    Down {
        /// Since when.
        since: Timestamp,
    },
    /// The server has no gateway for it.
    Absent,
}

/// What the server last said of its channels. Of one that was never spoken of nothing bad is known.
#[derive(Default)]
pub(crate) struct ChannelBoard(Mutex<HashMap<Channel, ChannelFault>>);

impl ChannelBoard {
    /// Takes over what the server says; whether that is anything new.
    pub(crate) fn hear(&self, told: &ChannelsAnswer, now: Timestamp) -> bool {
        let faults = told.channels.iter().filter_map(|one| fault_of(one, now));
        let faults = faults.collect();
        let mut known = self.lock();
        let is_news = *known != faults;
        *known = faults;
        is_news
    }

    fn fault(&self, channel: Channel) -> Option<ChannelFault> {
        self.lock().get(&channel).copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Channel, ChannelFault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fault_of(told: &ChannelStandingDto, now: Timestamp) -> Option<(Channel, ChannelFault)> {
    let fault = match told.standing {
        StandingDto::Up => return None,
        StandingDto::Down => ChannelFault::Down {
            since: told.since_ms.map_or(now, Timestamp::from_ms),
        },
        StandingDto::Absent => ChannelFault::Absent,
    };
    Some((told.channel.into(), fault))
}

#[cfg(test)]
mod tests {
    use qiantai_wire::codes::ChannelDto;

    use super::*;

    #[test]
    fn only_what_changes_is_news() {
        let board = ChannelBoard::default();
        let tell = |standing, since_ms| {
            let channels = vec![ChannelStandingDto {
                channel: ChannelDto::Wechat,
                standing,
                since_ms,
            }];
            board.hear(&ChannelsAnswer { channels }, Timestamp::from_ms(8))
        };
        let down = |ms| {
            let since = Timestamp::from_ms(ms);
            Some(ChannelFault::Down { since })
        };
        for (standing, since_ms, is_news, fault) in [
            (StandingDto::Up, None, false, None),
            (StandingDto::Down, Some(7), true, down(7)),
            (StandingDto::Down, Some(7), false, down(7)),
            (StandingDto::Down, None, true, down(8)),
            (StandingDto::Absent, None, true, Some(ChannelFault::Absent)),
            (StandingDto::Up, None, true, None),
        ] {
            assert_eq!(tell(standing, since_ms), is_news, "{standing:?}");
            assert_eq!(board.fault(Channel::Wechat), fault, "{standing:?}");
        }
        assert_eq!(board.fault(Channel::Alipay), None);
    }
}
