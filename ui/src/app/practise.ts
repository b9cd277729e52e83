import { currentLanguage, t, type MessageKey } from "../i18n/index.svelte";
import type { Desk } from "./desk.svelte";

let opening = false;

/** Opens training beside what is on the screen, once for a double press, and says so by `opens`. */
export async function practise(desk: Desk, opens: MessageKey): Promise<void> {
  if (opening) return;
  opening = true;
  await desk.attempt(async () => {
    const isNew = await desk.host.openTraining(currentLanguage());
    desk.notices.tell("good", () => t(isNew ? opens : "first_start.training_open"));
  });
  opening = false;
}
