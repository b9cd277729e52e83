import type { MemberView } from "../../bindings/MemberView";
import type { NewMember } from "../../bindings/NewMember";
import type { NewMemberCheck } from "../../bindings/NewMemberCheck";
import { hit } from "./commands";
import { type DemoBooks, refusal } from "./handlers";

const digits = (text: string) => text.normalize("NFKC").replace(/\D/g, "");
const masked = (phone: string) => `${phone.slice(0, 3)}****${phone.slice(-4)}`;

export function checkNewMember(books: DemoBooks, typed: NewMember): NewMemberCheck {
  const phone = digits(typed.phone);
  const name = typed.name.trim();
  const same = books.members.filter((member) => member.phone === masked(phone));
  const registered = phone.length === 11 ? same.map(hit) : [];
  const begun = phone.length < 11 && !/^[^1]/.test(phone);
  const phoneError = phone === "" ? "error.phone_empty" : begun ? "error.phone_too_short" : null;
  const check: NewMemberCheck = {
    name:
      name === ""
        ? "error.name_empty"
        : /\p{Emoji_Presentation}/u.test(name)
          ? "error.name_emoji"
          : null,
    phone: phoneError ?? (/^1[3-9]\d{9}$/.test(phone) ? null : "error.phone_not_mobile"),
    phone_begun: begun,
    card_no: null,
    registered,
    namesakes: books.members.filter((member) => member.name === name).map(hit),
    ready: false,
  };
  return { ...check, ready: !check.name && !check.phone && registered.length === 0 };
}

export function createMember(books: DemoBooks, typed: NewMember): MemberView {
  const known = books.members.find((member) => member.id === typed.intent);
  if (known !== undefined) return known;
  if (!checkNewMember(books, typed).ready) throw refusal("invalid_input", "phone_registered");
  const member: MemberView = {
    id: typed.intent,
    name: typed.name.trim(),
    phone: masked(digits(typed.phone)),
    member_no: `002010${String(books.members.length).padStart(6, "0")}`,
    tier: "普卡",
    available_fen: 0,
    principal_fen: 0,
    bonus_fen: 0,
    provisional_fen: 0,
    points: 0,
    recharged_fen: 0,
    next_tier: { name: "银卡", missing_fen: 200_000, percent: 0 },
    expiring: null,
    coupons: 0,
    active: true,
    recent: [],
    as_of_ms: Date.now(),
  };
  books.members.push(member);
  return member;
}
