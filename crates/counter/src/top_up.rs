//! Choosing and pricing a top-up.

use qiantai_core::attempt::Channel;
use qiantai_core::ids::{ActionId, MemberId, OrderId, PackageId};
use qiantai_core::member::Member;
use qiantai_core::policy::{LimitAction, Policy};
use qiantai_core::quote::price::price;
use qiantai_core::quote::{CashShare, Quote};
use qiantai_core::recharge::AmountChoice;
use qiantai_core::recorded_payment::RecordedMethod;
use qiantai_core::{Money, Timestamp};

use crate::commit::refused;
use crate::counter::{Counter, DUPLICATE_WITHIN};
use crate::error::{CallError, ErrorCode};
use crate::overlay::{Overlay, duplicate_of, is_over};
use crate::parse;
use crate::quotes::ShownQuote;
use crate::settings;
use crate::show::member::available;
use crate::show::quote::{QuoteContext, forbidden_by, quote_view};
use crate::split::{check_part, parts_of, read_part, share_of};
use crate::view::member::MemberKey;
use crate::view::order::Stage;
use crate::view::top_up::{Choice, Offer, QuoteRequest, QuoteView, TopUpForm};

/// Orders looked through for the last top-up.
const RECENT_MAX: u32 = 4;

/// Channels that a training or settled gateway serves by QR code; the others are recorded by hand.
pub(crate) const QR_CHANNELS: [Channel; 4] = [
    Channel::Wechat,
    Channel::Alipay,
    Channel::Unionpay,
    Channel::Ecny,
];

impl Counter {
    /// Amounts and methods for one member.
    pub(crate) fn top_up_form(&self, request: &MemberKey) -> Result<TopUpForm, CallError> {
        self.staff()?;
        let id = MemberId(parse::id(&request.member_id)?);
        let policy = self.policy()?;
        let overlay = self.overlay(&[id])?;
        let member = member_of(&overlay, id)?;
        let mut offers = self.offers(&policy, &overlay, &member)?;
        mark_most_favourable(&mut offers);
        let suggested = self.suggested(&overlay, id, &offers)?;
        Ok(TopUpForm {
            intent: self.surroundings.new_id().to_string(),
            offers,
            suggested,
            custom: policy.custom_amount,
            channels: self.methods(&policy),
        })
    }

    fn offers(
        &self,
        policy: &Policy,
        overlay: &Overlay,
        member: &Member,
    ) -> Result<Vec<Offer>, CallError> {
        let mut offers = Vec::new();
        for (choice, name, _) in on_sale(policy) {
            // What is not on sale today is not offered.
            let now = self.now();
            let priced = |share| self.price_now(policy, overlay, member, choice, share, now);
            let (Ok(quote), Ok(in_cash)) = (priced(CashShare::None), priced(CashShare::Whole))
            else {
                continue;
            };
            offers.push(Offer {
                choice: choice_view(choice),
                name: name
                    .filter(|name| says_more(name, &quote))
                    .map(str::to_owned),
                pay_fen: quote.pay.into(),
                bonus_fen: quote.bonus.into(),
                most_favourable: false,
                blocked: forbidden_by(&quote),
                blocked_in_cash: forbidden_by(&in_cash),
            });
        }
        Ok(offers)
    }

    /// What a member with little left is offered in one step: the last top-up again, or the
    /// smallest on sale. Spending is not booked here, so it says nothing of when the balance will
    /// run out (docs: domain §3.12).
    fn suggested(
        &self,
        overlay: &Overlay,
        member: MemberId,
        offers: &[Offer],
    ) -> Result<Option<Choice>, CallError> {
        let low = Money::from(settings::load(&self.store)?.low_balance_fen);
        let has_enough = overlay
            .account(member)
            .is_none_or(|account| available(account) >= low);
        if has_enough {
            return Ok(None);
        }
        let sold = |offer: &&Offer| offer.blocked.is_none();
        let files = self.order_files_of(member, RECENT_MAX)?;
        let last = files.iter().find(|file| file.stage() == Stage::Credited);
        let last = last.map(|file| file.order.quote.pay.into());
        let again = offers
            .iter()
            .filter(sold)
            .find(|offer| Some(offer.pay_fen) == last);
        let offer = again.or_else(|| offers.iter().find(sold));
        Ok(offer.map(|offer| offer.choice.clone()))
    }

    /// Prices what was chosen or typed, and remembers the price under a name.
    pub(crate) fn quote(&self, request: &QuoteRequest) -> Result<QuoteView, CallError> {
        self.staff()?;
        let intent = ActionId(parse::id(&request.intent)?);
        let id = MemberId(parse::id(&request.member_id)?);
        let choice = choice(&request.choice)?;
        let channel = Channel::from(request.channel);
        let now = self.now();
        let policy = self.policy()?;
        let overlay = self.overlay(&[id])?;
        let member = member_of(&overlay, id)?;
        let cash_part = read_part(&request.cash_part, channel)?;
        let share = share_of(channel, cash_part);
        let quote = self.price_now(&policy, &overlay, &member, choice, share, now)?;
        check_part(cash_part, quote.pay)?;
        let shown = ShownQuote {
            id: self.surroundings.new_id(),
            intent,
            member: id,
            choice,
            channel,
            cash_part,
            quote: quote.clone(),
        };
        let account = overlay
            .account(id)
            .ok_or_else(|| CallError::new(ErrorCode::NotFound, "member_unknown"))?;
        let duplicate = duplicate_of(&overlay.state, id, quote.pay, now, DUPLICATE_WITHIN);
        let duplicate = match duplicate {
            Some(order) => self.order_no_of(&overlay, order)?,
            None => None,
        };
        let unsettled = match self.unsettled_of(&overlay, id, OrderId(intent.0))? {
            Some(order) => self.order_no_of(&overlay, order)?,
            None => None,
        };
        let context = QuoteContext {
            policy: &policy,
            account,
            quote_id: shown.id.to_string(),
            duplicate_of: duplicate,
            unsettled,
            parts: parts_of(cash_part, quote.pay),
        };
        let view = quote_view(&quote, context);
        self.quotes().put(shown);
        Ok(view)
    }

    /// The newest order of `member` besides `own` whose payment has not ended: its money may be on
    /// its way, whatever its amount and however old it is (docs: domain §3.9).
    pub(crate) fn unsettled_of(
        &self,
        overlay: &Overlay,
        member: MemberId,
        own: OrderId,
    ) -> Result<Option<OrderId>, CallError> {
        let mut known: Vec<_> = overlay.state.recent_orders.iter().collect();
        known.retain(|order| order.member == member && order.alive && order.order != own);
        known.sort_by_key(|order| std::cmp::Reverse(order.opened_at));
        for order in known {
            let mut attempts = overlay.attempts(order.order);
            if attempts.is_empty() {
                attempts = self.store.attempts_of(order.order)?;
            }
            if attempts.iter().any(|attempt| !is_over(attempt)) {
                return Ok(Some(order.order));
            }
        }
        Ok(None)
    }

    /// The number of an order that may have synchronised already.
    pub(crate) fn order_no_of(
        &self,
        overlay: &Overlay,
        id: OrderId,
    ) -> Result<Option<String>, CallError> {
        if let Some(order) = overlay.state.orders.get(&id) {
            return Ok(Some(order.order_no.clone()));
        }
        Ok(self.store.order(id)?.map(|order| order.order_no))
    }

    /// The price of `choice` now.
    pub(crate) fn price_now(
        &self,
        policy: &Policy,
        overlay: &Overlay,
        member: &Member,
        choice: AmountChoice,
        share: CashShare,
        now: Timestamp,
    ) -> Result<Quote, CallError> {
        let account = overlay
            .account(member.id)
            .ok_or_else(|| CallError::new(ErrorCode::NotFound, "member_unknown"))?;
        let recent = &overlay.state.recent_orders;
        price(
            policy,
            account,
            member.registered_at,
            choice,
            share,
            recent,
            now,
        )
        .map_err(|refusal| refused(refusal.code))
    }
}

/// Packages, and amounts that no package has, by what is paid; a package with its name.
pub(crate) fn on_sale(policy: &Policy) -> Vec<(AmountChoice, Option<&str>, Money)> {
    let packages = policy.packages.iter().map(|package| {
        let choice = AmountChoice::Package(package.id, package.version);
        (choice, Some(package.name.as_str()), package.pay)
    });
    let is_package = |amount: &Money| policy.packages.iter().any(|package| package.pay == *amount);
    let amounts = policy
        .fixed_amounts
        .iter()
        .filter(|amount| !is_package(amount))
        .map(|amount| (AmountChoice::Amount(*amount), None, *amount));
    let mut all: Vec<_> = packages.chain(amounts).collect();
    all.sort_by_key(|(_, _, pay)| *pay);
    all
}

/// The member, who must be active.
pub(crate) fn member_of(overlay: &Overlay, id: MemberId) -> Result<Member, CallError> {
    overlay
        .state
        .members
        .get(&id)
        .cloned()
        .ok_or_else(|| CallError::new(ErrorCode::NotFound, "member_unknown"))
}

/// Whether the shop has the money when the order is written, so that nothing can come before it.
pub(crate) fn is_taken_at_once(channel: Channel) -> bool {
    channel == Channel::Cash || RecordedMethod::of(channel).is_some()
}

/// Whether a limit stops this price before money is taken. A review comes before payment (docs:
/// domain §3.8), and no counter has a place for one: an order that waits for it could only be
/// given up.
pub(crate) fn blocked(quote: &Quote) -> Option<CallError> {
    let key = match quote.limit_action()? {
        LimitAction::Block => "limit_blocked",
        LimitAction::Review => "review_needed",
        LimitAction::Warn => return None,
    };
    Some(CallError::new(ErrorCode::LimitBlocked, key))
}

fn choice(view: &Choice) -> Result<AmountChoice, CallError> {
    match view {
        Choice::Amount { fen } => Ok(AmountChoice::Amount(Money::from(*fen))),
        Choice::Typed { text } => parse::amount(text).map(AmountChoice::Amount),
        Choice::Package { id, version } => {
            Ok(AmountChoice::Package(PackageId(parse::id(id)?), *version))
        }
    }
}

pub(crate) fn choice_view(choice: AmountChoice) -> Choice {
    match choice {
        AmountChoice::Amount(amount) => Choice::Amount { fen: amount.into() },
        AmountChoice::Package(id, version) => Choice::Package {
            id: id.to_string(),
            version,
        },
    }
}

/// Whether a package's name is more than the two amounts beside it, as 充300送50 is not.
fn says_more(name: &str, quote: &Quote) -> bool {
    let amounts = name.split(|c: char| !c.is_ascii_digit());
    let amounts: Vec<&str> = amounts.filter(|digits| !digits.is_empty()).collect();
    let yuan = |money: Money| (money.fen() / 100).to_string();
    let plain = |c: char| c.is_ascii_digit() || c.is_whitespace() || "充满送赠元¥￥".contains(c);
    !name.chars().all(plain) || amounts != [yuan(quote.pay), yuan(quote.bonus)]
}

/// Marks the highest bonus per yuan of what may be sold; of equals the smallest amount.
fn mark_most_favourable(offers: &mut [Offer]) {
    let mut best: Option<usize> = None;
    for (index, offer) in offers.iter().enumerate() {
        if offer.bonus_fen.0 == 0 || offer.blocked.is_some() {
            continue;
        }
        let better = best.is_none_or(|other| {
            let other = &offers[other];
            i128::from(offer.bonus_fen.0) * i128::from(other.pay_fen.0)
                > i128::from(other.bonus_fen.0) * i128::from(offer.pay_fen.0)
        });
        if better {
            best = Some(index);
        }
    }
    if let Some(index) = best {
        offers[index].most_favourable = true;
    }
}
