import type { EndTerminal } from "../../bindings/EndTerminal";
import type { InviteTerminal } from "../../bindings/InviteTerminal";
import type { ShopTerminal } from "../../bindings/ShopTerminal";
import type { ShopTerminals } from "../../bindings/ShopTerminals";
import type { TerminalInvitation } from "../../bindings/TerminalInvitation";
import { type DemoBooks, refusal } from "./handlers";
import { qrOf } from "./money";

const till = (code: string, name: string): ShopTerminal => ({
  ...{ device: `d${code}`, code, name, here: code === "01", state: "in_service" as const },
  ...{ ended_ms: null, reason: null, heard_ms: Date.now() - 20_000, waiting: 0 },
});

export const freshTerminals = (): ShopTerminals => ({
  server: "https://192.168.1.10:7810",
  terminals: [
    till("01", "前台"),
    till("02", "二楼吧台"),
    {
      ...till("03", "旧平板"),
      ...{ state: "out_of_service", ended_ms: Date.now() - 90_000_000, reason: "丢失", waiting: 2 },
    },
  ],
});

function checkPin(books: DemoBooks, pin: string): void {
  if (pin !== books.session.signed_in?.staff_no)
    throw refusal("pin_wrong", "pin_wrong", { left: "4" });
}

export function inviteTerminal(books: DemoBooks, { pin }: InviteTerminal): TerminalInvitation {
  checkPin(books, pin);
  const code = "QTE1hHgZaHR0cHM6Ly8xOTIuMTY4LjEuMTA6NzgxMPZQBwcHBwcHBwcHBwcHBwcHBxprATNgNDcYIA";
  return { code, qr: qrOf(code), expires_ms: Date.now() + 600_000 };
}

export function endTerminal(books: DemoBooks, { device, reason, pin }: EndTerminal): ShopTerminals {
  if (reason.trim() === "") throw refusal("invalid_input", "reason_empty", { field: "reason" });
  checkPin(books, pin);
  const ended = { state: "out_of_service" as const, ended_ms: Date.now(), reason };
  const terminals = books.tills.terminals.map((it) =>
    it.device === device ? { ...it, ...ended } : it,
  );
  return (books.tills = { ...books.tills, terminals });
}
