import { configure, screen } from "@testing-library/dom";
import userEvent from "@testing-library/user-event";
import { mount, unmount } from "svelte";
import { afterEach } from "vitest";

import App from "../src/App.svelte";
import { Desk } from "../src/app/desk.svelte";
import { DemoCounter } from "../src/platform/bridge";
import { SCENES, type SceneName } from "../src/platform/demo/scenes";

// What the window fetches on demand is fetched before the first test looks at its watch.
await Promise.all([
  import("../src/features/scan/Scanner.svelte"),
  import("../src/features/scan/WhoseCode.svelte"),
  import("../src/features/frame/Frame.svelte"),
  import("../src/features/shift/OpenShift.svelte"),
  import("../src/features/command/CommandBar.svelte"),
  import("../src/features/new-member/NewMember.svelte"),
  import("../src/features/member-page/MemberPage.svelte"),
  import("../src/features/settings/Settings.svelte"),
  import("../src/features/orders/Orders.svelte"),
  import("../src/features/cases/Cases.svelte"),
  import("../src/features/order-page/OrderPage.svelte"),
  import("../src/features/keys/Keys.svelte"),
  import("../src/features/queue/Queue.svelte"),
  import("../src/features/drawer/OpenDrawer.svelte"),
  import("../src/features/receipts-back/ReceiptsBack.svelte"),
  import("../src/features/boot/Trouble.svelte"),
  import("../src/features/boot/KeepCode.svelte"),
  import("../src/features/first-start/FirstStart.svelte"),
]);
configure({ asyncUtilTimeout: 5000 });

const opened: ReturnType<typeof mount>[] = [];

afterEach(async () => {
  for (const app of opened.splice(0)) await unmount(app);
  document.body.replaceChildren();
});

/** The whole window over a demo counter in the given scene. */
export async function openWindow(scene: SceneName) {
  const counter = new DemoCounter();
  SCENES[scene](counter);
  const desk = new Desk(counter);
  const target = document.body.appendChild(document.createElement("div"));
  opened.push(mount(App, { target, props: { desk } }));
  await desk.start();
  return { counter, desk, user: userEvent.setup(), screen };
}

/** The longest that a scanner pauses, and a hand that looks where it types does at least. */
export const aMoment = () => new Promise<void>((then) => setTimeout(then, 100));

/** The window with 张伟 at the counter. */
export async function serving(scene: SceneName = "counter") {
  const window = await openWindow(scene);
  await window.user.type(await window.screen.findByRole("combobox"), "张伟{Enter}");
  await window.screen.findByRole("radio", { name: /¥300/ });
  return window;
}
