import type { SyncState } from "../bindings/SyncState";

/** Nothing can be asked of the server: only what this terminal may book by itself goes on. */
export const isOutOfReach = (state: SyncState) => state === "offline" || state === "stopped";
