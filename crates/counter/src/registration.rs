//! Somebody becomes a member at the counter, with or without the server.

use qiantai_core::decide::{Change, Outcome, decide};
use qiantai_core::ids::{ActionId, MemberId};
use qiantai_core::member::{Member, MemberProfile};
use qiantai_core::member_input::{self, CardError, NameError, PhoneError};
use qiantai_core::operation::{MemberCreate, OperationBody};
use qiantai_core::payment_code::recognise;
use qiantai_core::pinyin_key::{KeyKind, fold};
use qiantai_store::{LogHead, MemberHit as Found, NewMember as Registration, SealedMember};
use qiantai_store::{SearchQuery, StoreError};
use qiantai_wire::SignedOperation;

use crate::commit::{not_written, refused};
use crate::counter::Counter;
use crate::error::{CallError, ErrorCode};
use crate::parse;
use crate::terminal::{Draft, LogPosition};
use crate::view::event::CounterEvent;
use crate::view::member::{MemberHit, MemberKey, MemberView};
use crate::view::new_member::{NewMember, NewMemberCheck, NewMemberForm};

/// Namesakes that fit a glance.
const NAMESAKES_MAX: usize = 5;

/// The last number given to a member here.
const LAST_SERIAL: &str = "member_serial";

impl Counter {
    /// Begins a registration.
    pub(crate) fn new_member_form(&self) -> Result<NewMemberForm, CallError> {
        self.staff()?;
        let intent = self.surroundings.new_id().to_string();
        Ok(NewMemberForm { intent })
    }

    /// Says what is wrong with what was typed so far, and who has it already.
    pub(crate) fn check_new_member(&self, typed: &NewMember) -> Result<NewMemberCheck, CallError> {
        self.staff()?;
        let name = member_input::name(&typed.name);
        let phone = member_input::phone(&typed.phone);
        let card_no = self.card_no(&typed.card_no)?;
        let mut registered = Vec::new();
        if let Ok(phone) = &phone {
            registered.extend(self.holders(&by_phone(phone))?);
        }
        if let Ok(Some(card)) = &card_no {
            registered.extend(self.holders(&SearchQuery::of_card(card))?);
        }
        let namesakes = match &name {
            Ok(name) => self.namesakes(name)?,
            Err(_) => Vec::new(),
        };
        let ready = name.is_ok() && phone.is_ok() && card_no.is_ok() && registered.is_empty();
        Ok(NewMemberCheck {
            name: name.err().map(name_key),
            phone_begun: matches!(phone, Err(PhoneError::Empty | PhoneError::TooShort)),
            phone: phone.err().map(phone_key),
            card_no: card_no.err(),
            registered: self.shown(&registered)?,
            namesakes: self.others(&namesakes, &registered)?,
            ready,
        })
    }

    /// Registers a member: durable on this terminal when it returns. The same intent twice
    /// returns the first member.
    pub(crate) fn create_member(&self, typed: &NewMember) -> Result<MemberView, CallError> {
        let (_, proof) = self.staff()?;
        let intent = ActionId(parse::id(&typed.intent)?);
        let _sale = self.sale_lock();
        let id = MemberId(intent.0);
        if self.store.operations_of_action(intent)?.is_empty() {
            let profile = self.profile(id, typed)?;
            let overlay = self.overlay(&[])?;
            let draft = Draft {
                action: intent,
                staff: Some(proof),
                shift: Some(self.open_shift_id(&overlay)?),
                offline: self.is_offline(),
                body: OperationBody::MemberCreate(MemberCreate {
                    member: id,
                    member_no: self.next_member_no()?,
                }),
            };
            self.register(draft, &profile)?;
        }
        self.member(&MemberKey {
            member_id: id.to_string(),
        })
    }

    /// What was typed, when nothing is wrong with it and nobody has it.
    fn profile(&self, id: MemberId, typed: &NewMember) -> Result<MemberProfile, CallError> {
        let wrong = |key: String| CallError {
            message_key: key,
            ..CallError::new(ErrorCode::InvalidInput, "internal")
        };
        let name = member_input::name(&typed.name).map_err(|error| wrong(name_key(error)))?;
        let phone = member_input::phone(&typed.phone).map_err(|error| wrong(phone_key(error)))?;
        let card_no = self.card_no(&typed.card_no)?.map_err(wrong)?;
        if !self.holders(&by_phone(&phone))?.is_empty() {
            return Err(CallError::new(ErrorCode::InvalidInput, "phone_registered"));
        }
        if let Some(card) = &card_no
            && !self.holders(&SearchQuery::of_card(card))?.is_empty()
        {
            return Err(CallError::new(ErrorCode::InvalidInput, "card_registered"));
        }
        Ok(MemberProfile {
            id,
            name,
            phone,
            card_no,
            birth_month: None,
            note: None,
        })
    }

    fn register(&self, draft: Draft, profile: &MemberProfile) -> Result<(), CallError> {
        let sealed = SealedMember::seal(profile)?;
        let hash = sealed.hash();
        let mark = self.store.sync_mark()?;
        let state = self.overlay(&[])?.state;
        let operation = |head: LogHead| {
            let at = LogPosition {
                head,
                cursor: mark.cursor,
                anchor: mark.server_time,
            };
            let mut operation = self.terminal.operation(draft.clone(), at);
            operation.attachment = Some(hash);
            operation
        };
        let first = operation(self.store.log_head()?);
        let decision = decide(&state, &first, first.wall_time);
        if let Outcome::Refused(refusal) = &decision.outcome {
            return Err(refused(refusal.code));
        }
        let member: Member = decision
            .changes
            .into_iter()
            .find_map(|change| match change {
                Change::Member(member) => Some(member),
                _ => None,
            })
            .ok_or_else(CallError::internal)?;
        let new = Registration {
            sealed,
            member: &member,
            profile,
        };
        let author = |head: LogHead| {
            let signed = SignedOperation::sign(&operation(head), self.terminal.key());
            Ok::<_, CallError>(signed)
        };
        self.store
            .commit_member(&new, author)
            .map_err(not_written)?;
        self.written();
        self.tell(CounterEvent::Member {
            member_id: member.id.to_string(),
        });
        Ok(())
    }

    /// The number of a card, or the key of what is wrong with it. One that has the form of a
    /// payment code would be charged, not looked for, whenever the card is scanned.
    fn card_no(&self, typed: &str) -> Result<Result<Option<String>, String>, CallError> {
        let card_no = match member_input::card_no(typed) {
            Ok(card_no) => card_no,
            Err(error) => return Ok(Err(card_key(error))),
        };
        let policy = self.policy()?;
        let is_code = |card: &String| recognise(card, &policy.channels).is_some();
        Ok(match card_no {
            Some(card) if is_code(&card) => Err("error.card_payment_code".to_owned()),
            card_no => Ok(card_no),
        })
    }

    fn holders(&self, query: &SearchQuery) -> Result<Vec<Found>, StoreError> {
        self.store.search_members(query, NAMESAKES_MAX + 1)
    }

    /// Members with exactly this name.
    fn namesakes(&self, name: &str) -> Result<Vec<Found>, StoreError> {
        let text = fold(name);
        let mut found = self.holders(&SearchQuery::of_key(KeyKind::Name, name))?;
        found.retain(|found| {
            let profile = found.member.profile.as_ref();
            profile.is_some_and(|profile| fold(&profile.name) == text)
        });
        Ok(found)
    }

    fn others(&self, found: &[Found], without: &[Found]) -> Result<Vec<MemberHit>, CallError> {
        let known = |other: &Found| {
            without
                .iter()
                .any(|it| it.member.member.id == other.member.member.id)
        };
        let others: Vec<Found> = found
            .iter()
            .filter(|found| !known(found))
            .take(NAMESAKES_MAX)
            .cloned()
            .collect();
        self.shown(&others)
    }

    /// Store, terminal and a serial of this terminal: unique without asking anybody. After the
    /// terminal was set up anew the serial begins again, and numbers in use are passed over.
    fn next_member_no(&self) -> Result<String, CallError> {
        let policy = self.policy()?;
        let mut serial = self.store.setting::<u32>(LAST_SERIAL)?.unwrap_or(0);
        loop {
            serial = serial.checked_add(1).ok_or_else(CallError::internal)?;
            let number = format!("{}{}{serial:05}", policy.store.code, self.terminal.code);
            let query = SearchQuery::of_key(KeyKind::MemberNo, &number);
            if self.holders(&query)?.is_empty() {
                self.store.set_setting(LAST_SERIAL, &serial)?;
                return Ok(number);
            }
        }
    }
}

fn by_phone(phone: &str) -> SearchQuery {
    SearchQuery::of_key(KeyKind::Phone, phone)
}

fn name_key(error: NameError) -> String {
    let key = match error {
        NameError::Empty => "name_empty",
        NameError::TooLong => "name_too_long",
        NameError::Emoji => "name_emoji",
        NameError::Invisible => "name_invisible",
        NameError::NoLetter => "name_no_letter",
    };
    format!("error.{key}")
}

fn phone_key(error: PhoneError) -> String {
    let key = match error {
        PhoneError::Empty => "phone_empty",
        PhoneError::TooShort => "phone_too_short",
        PhoneError::TooLong => "phone_too_long",
        PhoneError::NotMobile => "phone_not_mobile",
    };
    format!("error.{key}")
}

fn card_key(error: CardError) -> String {
    let key = match error {
        CardError::TooLong => "card_too_long",
        CardError::NotANumber => "card_not_a_number",
    };
    format!("error.{key}")
}
