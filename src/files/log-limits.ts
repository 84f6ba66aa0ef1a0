/*
 * Each start of a device that writes is a log of its own, and logs stay (docs/decisions/0016): how many there may be (rule OL7).
 */

/** Logs of one device that are followed: ten starts a day for four years. */
export const MAX_DEVICE_LOGS = 16_384
/** A device that has so many goes on in its last one: what it needs for naming many others stays free. */
export const MAX_OWN_LOGS = 16_000
/** Logs of all devices of a dataset that are followed. */
export const MAX_HELD_LOGS = 130_000
