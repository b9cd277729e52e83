import type { CommandChoice } from "../../bindings/CommandChoice";
import type { CommandReading } from "../../bindings/CommandReading";
import type { MemberView } from "../../bindings/MemberView";
import type { DemoBooks } from "./handlers";

type Wish = [member: string, pay_fen: number | null, channel: CommandChoice["channel"]];

/** Lines that the demo knows. Reading them is the counter's own art and not repeated here. */
const LINES: Record<string, Wish[]> = {
  "张伟 充 300 微信": [["张伟", 30_000, "wechat"]],
  "zw 300 现金": [["张伟", 30_000, "cash"]],
  "zw 680 现金": [["张伟", 68_000, "cash"]],
  "张伟 1234": [["张伟", 123_400, null]],
  "张伟 充 300 刷卡": [["张伟", 30_000, "card"]],
  "张伟 300 500": [
    ["张伟", 30_000, null],
    ["张伟", 50_000, null],
  ],
  "5678 充 500": [
    ["张伟", 50_000, null],
    ["尉迟敏", 50_000, null],
  ],
  尉迟敏: [["尉迟敏", null, null]],
  迪丽热巴充九十九万: [["迪丽热巴·阿不都热合曼·买买提江·吐尔逊", 99_999_999, "unionpay"]],
};

/** Names as they are dictated, and whose they sound like. */
const SOUNDS: Record<string, string> = { "张玮 充 300 微信": "张伟 充 300 微信" };

const REMARKS: Record<string, string> = { "张伟 退 300": "command.other_action" };

export const hit = ({ id, name, phone, member_no, tier, available_fen }: MemberView) => ({
  ...{ id, name, phone, member_no, tier, available_fen },
  birth_month: null,
});

export function understand({ members }: DemoBooks, text: string): CommandReading {
  const remark = REMARKS[text];
  if (remark !== undefined)
    return { choices: [], drawer: false, remark: { message_key: remark, params: {} } };
  if (text === "开钱箱") return { choices: [], drawer: true, remark: null };
  const meant = SOUNDS[text] ?? text;
  const sounds_like = meant !== text;
  const choices = (LINES[meant] ?? []).flatMap(([name, pay_fen, channel]) =>
    members
      .filter((member) => member.name === name)
      .map((member) => ({ member: hit(member), pay_fen, channel, sounds_like })),
  );
  if (choices.length > 0 && !sounds_like) return { choices, drawer: false, remark: null };
  const message_key = sounds_like ? "command.nobody_but" : "command.nobody";
  const who = text.split(" ")[0] ?? text;
  return { choices, drawer: false, remark: { message_key, params: { who } } };
}
