import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

/** Of a command line, as much as is shown. */
export const MAX_GUEST_LINE = 400
const attempt = z.string().min(16).max(32)
const asker = z.string().min(1).max(64)
const nothing = z.object({})

/** What runs here for another device, and has not ended. */
export const guestJob = z.object({
  attempt,
  /** The device that asked for it, as its link proved it: one of this person's, or of a contact's. */
  asker,
  /** What it asked to run, as it says itself. */
  line: z.string().max(MAX_GUEST_LINE),
  startedAtMs: z.number(),
  /** It holds still: this machine's owner is at it. */
  isHeld: z.boolean(),
})
export type GuestJob = z.infer<typeof guestJob>
/** More run at once on no device. */
const guestJobs = z.array(guestJob).max(256)

/** Jobs of other devices on this one, as its owner sees them (rule JB111). */
export const guestJobsContract = {
  listGuestJobs: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: guestJobs.parse }),
  /** Ends it there and then: `stopped` is told to who asked. One that is over is no error. */
  endGuestJob: method({ needs: 'desk:run', parseInput: z.object({ attempt }).parse, parseOutput: nothing.parse }),
  onDidChangeGuestJobs: event({ needs: 'desk:read', parse: guestJobs.parse }),
} satisfies Contract

/** The same, asked of the host process. */
export const hostGuestJobs = {
  listForOthers: method({ needs: 'host:run', parseInput: nothing.parse, parseOutput: guestJobs.parse }),
  endForOthers: method({ needs: 'host:run', parseInput: z.object({ attempt }).parse, parseOutput: nothing.parse }),
  /** One began, ended, or was held still. */
  onDidChangeForOthers: event({ needs: 'host:run', parse: nothing.parse }),
} satisfies Contract
