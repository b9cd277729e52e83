import type { SyncState } from "../../bindings/SyncState";
import type { SyncView } from "../../bindings/SyncView";
import { t } from "../../i18n/index.svelte";
import { clock } from "../../i18n/time";

const TONES = { synced: "good", syncing: "plain", offline: "warn", stopped: "bad" } as const;

export const syncTone = (state: SyncState) => TONES[state];

/** What the pill says. `wave` is the most that was pending since sending began. */
export function pillWords(sync: SyncView, wave: number): string {
  const words = syncWords(sync, wave);
  return sync.copy_key === null ? words : t("sync.copy_waits", { words });
}

/** A second copy that needs somebody is told where all else is well. */
export const pillTone = ({ state, copy_key }: SyncView) =>
  copy_key !== null && (state === "synced" || state === "syncing") ? "warn" : syncTone(state);

export function syncWords(sync: SyncView, wave: number): string {
  const { state, pending, oldest_ms } = sync;
  if (state === "synced") return t("sync.synced");
  if (state === "stopped") return t("sync.stopped", { pending });
  if (state === "syncing")
    return wave > 0 ? t("sync.syncing", { done: wave - pending, all: wave }) : t("sync.fetching");
  if (pending === 0 || oldest_ms === null) return t("sync.offline");
  return t("sync.offline_pending", { pending, oldest: clock(oldest_ms) });
}
