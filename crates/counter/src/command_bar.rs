//! The command bar: which members and forms a line may mean. It never touches money: what the
//! cashier chooses fills the ordinary form.

use std::collections::BTreeMap;

use qiantai_core::drawer;
use qiantai_core::ids::MemberId;
use qiantai_core::pinyin_key::{fold, search_keys, sounds};
use qiantai_core::top_up_command::{self, NotUnderstood, TopUpWish, Who};
use qiantai_store::{MemberHit as Found, SearchQuery};

use crate::counter::Counter;
use crate::error::CallError;
use crate::parse;
use crate::view::command::{CommandChoice, CommandLine, CommandReading, CommandRemark};
use crate::view::member::MemberHit;

/// Choices that fit a glance; beyond it the cashier says more.
const CHOICES_MAX: usize = 6;

/// Members with one phone tail that are looked at for a name.
const SAME_NUMBER_MAX: usize = 500;

/// Members that one reading may mean.
struct People {
    hits: Vec<MemberHit>,
    fit: Fit,
}

/// How what was said and the keys of a member fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// A key is what was said.
    Exact,
    /// A key begins so.
    Beginning,
    /// No key fits, but the name sounds the same: a dictated 张玮 may be 张伟.
    Sound,
}

impl Counter {
    /// Reads one line. Nothing happens.
    pub(crate) fn understand(&self, request: &CommandLine) -> Result<CommandReading, CallError> {
        self.staff()?;
        if drawer::is_asked_for(&request.text) {
            return Ok(CommandReading {
                drawer: true,
                ..CommandReading::default()
            });
        }
        let wishes = match top_up_command::read(&request.text) {
            Ok(wishes) => wishes,
            Err(reason) => return Ok(not_understood(&reason)),
        };
        let present: Vec<_> = self.present(request)?.into_iter().collect();
        let mut readings = Vec::new();
        for wish in &wishes {
            let people = match &wish.who {
                Some(who) => self.people(who)?,
                None => People {
                    hits: self.shown(&present)?,
                    fit: Fit::Exact,
                },
            };
            if !people.hits.is_empty() {
                readings.push((wish, people));
            }
        }
        // 王一万 is one person rather than everybody called 王.
        if readings.iter().any(|(_, people)| people.fit == Fit::Exact) {
            readings.retain(|(_, people)| people.fit == Fit::Exact);
        }
        if readings.is_empty() {
            readings = self.sounding(&wishes)?;
        }
        let here = request.member_id.as_ref();
        for (_, people) in &mut readings {
            people.hits.sort_by_key(|hit| here != Some(&hit.id));
        }
        Ok(reading(&wishes, &readings))
    }

    /// The member at the counter.
    fn present(&self, request: &CommandLine) -> Result<Option<Found>, CallError> {
        let Some(id) = &request.member_id else {
            return Ok(None);
        };
        let id = MemberId(parse::id(id)?);
        let account = self.store.account(id)?;
        let member = self.store.member(id)?;
        Ok(member.map(|member| Found { member, account }))
    }

    fn people(&self, who: &Who) -> Result<People, CallError> {
        let said = who.number.as_ref().or(who.words.as_ref());
        let Some(query) = said.and_then(|said| SearchQuery::from_typed(said)) else {
            return Ok(People {
                hits: Vec::new(),
                fit: Fit::Beginning,
            });
        };
        let with_name = who.number.is_some() && who.words.is_some();
        let limit = match with_name {
            true => SAME_NUMBER_MAX,
            false => CHOICES_MAX + 1,
        };
        let mut found = self.store.search_members(&query, limit)?;
        if with_name {
            let begins = |key: &str, said: &str| key.starts_with(said);
            found.retain(|found| has_key(found, who.words.as_ref(), begins));
        }
        let equals = |key: &str, said: &str| key == said;
        let is_exact = |found: &Found| {
            has_key(found, who.number.as_ref(), equals)
                && has_key(found, who.words.as_ref(), equals)
        };
        let mut fit = Fit::Beginning;
        if found.iter().any(is_exact) {
            found.retain(is_exact);
            fit = Fit::Exact;
        }
        Ok(People {
            hits: self.shown(&found)?,
            fit,
        })
    }

    /// What the wishes mean where nobody has such a name, but somebody's sounds the same.
    fn sounding<'w>(
        &self,
        wishes: &'w [TopUpWish],
    ) -> Result<Vec<(&'w TopUpWish, People)>, CallError> {
        let mut readings = Vec::new();
        for wish in wishes {
            let Some(who) = &wish.who else {
                continue;
            };
            let hits = self.shown(&self.homophones(who)?)?;
            if !hits.is_empty() {
                let fit = Fit::Sound;
                readings.push((wish, People { hits, fit }));
            }
        }
        Ok(readings)
    }

    fn homophones(&self, who: &Who) -> Result<Vec<Found>, CallError> {
        let Some(words) = &who.words else {
            return Ok(Vec::new());
        };
        let (queries, limit) = match &who.number {
            Some(number) => {
                let queries = SearchQuery::from_typed(number);
                (queries.into_iter().collect(), SAME_NUMBER_MAX)
            }
            None => (SearchQuery::from_sound(words), CHOICES_MAX + 1),
        };
        let said = sounds(words);
        let mut homophones: Vec<Found> = Vec::new();
        for query in queries {
            for found in self.store.search_members(&query, limit)? {
                let id = found.member.member.id;
                let is_known = homophones.iter().any(|known| known.member.member.id == id);
                let profile = found.member.profile.as_ref();
                let is_alike = profile.is_some_and(|profile| {
                    let own = sounds(&profile.name);
                    own.iter().any(|sound| said.contains(sound))
                });
                if is_alike && !is_known {
                    homophones.push(found);
                }
            }
        }
        Ok(homophones)
    }
}

/// Whether one of the member's keys and what was said are alike. Nothing said fits everybody.
fn has_key(found: &Found, said: Option<&String>, alike: impl Fn(&str, &str) -> bool) -> bool {
    let known = &found.member;
    let Some(said) = said else {
        return true;
    };
    let said = fold(said);
    let Some(profile) = &known.profile else {
        return false;
    };
    let keys = search_keys(&profile.name, &profile.phone, profile.card_no.as_deref());
    keys.iter().any(|key| alike(&key.text, &said)) || alike(&fold(&known.member.member_no), &said)
}

fn reading(wishes: &[TopUpWish], readings: &[(&TopUpWish, People)]) -> CommandReading {
    let mut choices: Vec<CommandChoice> = Vec::new();
    for (wish, people) in readings {
        for member in &people.hits {
            choices.push(CommandChoice {
                member: member.clone(),
                pay_fen: wish.amount.map(Into::into),
                channel: wish.channel.map(Into::into),
                sounds_like: people.fit == Fit::Sound,
            });
        }
    }
    let too_many = choices.len() > CHOICES_MAX;
    choices.truncate(CHOICES_MAX);
    let names = wishes.iter().find_map(|wish| wish.who.as_ref());
    let remark = match (choices.is_empty(), names) {
        (true, Some(who)) => Some(remark("command.nobody", &[("who", &said(who))])),
        (true, None) => Some(remark("command.who_missing", &[])),
        (false, Some(who)) if choices.iter().any(|choice| choice.sounds_like) => {
            Some(remark("command.nobody_but", &[("who", &said(who))]))
        }
        (false, _) if too_many => Some(remark("command.too_many", &[])),
        (false, _) if wishes.iter().any(|wish| wish.names_bonus) => {
            Some(remark("command.bonus_by_rules", &[]))
        }
        (false, _) => None,
    };
    CommandReading {
        choices,
        drawer: false,
        remark,
    }
}

fn said(who: &Who) -> String {
    let parts = [who.words.as_deref(), who.number.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn not_understood(reason: &NotUnderstood) -> CommandReading {
    let remark = match reason {
        NotUnderstood::Empty => None,
        NotUnderstood::TooLong => Some(remark("command.too_long", &[])),
        NotUnderstood::OtherAction => Some(remark("command.other_action", &[])),
        NotUnderstood::TooMuch => Some(remark("command.too_much", &[])),
        NotUnderstood::Unclear(words) => Some(remark("command.unclear", &[("words", words)])),
        NotUnderstood::Amount(error) => {
            let key = format!("error.{}", parse::amount_error(*error));
            Some(remark(&key, &[]))
        }
    };
    CommandReading {
        choices: Vec::new(),
        drawer: false,
        remark,
    }
}

fn remark(key: &str, params: &[(&str, &str)]) -> CommandRemark {
    let params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    CommandRemark {
        message_key: key.to_owned(),
        params: params.collect::<BTreeMap<_, _>>(),
    }
}
