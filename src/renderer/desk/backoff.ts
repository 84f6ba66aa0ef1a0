/** First pause: a device process that restarts is back in about a second. */
const FIRST_MS = 250
/** A display that waits for its device asks at least this often: a person who starts it by hand sees it at once. */
const LONGEST_MS = 5_000

/** Pause before try `attempt` (0 = the first after a loss), in ms: doubles up to a limit. */
export const backoffMs = (attempt: number): number => Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, attempt))
