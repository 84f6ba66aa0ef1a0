import * as z from 'zod'

const deviceId = z.string().min(32).max(44)
const operation = z.string().regex(/^[0-9a-f]{64}$/)
const bytes = z.number().int().nonnegative()
const port = z.number().int().min(1).max(65_535)
const shell = z.string().min(1).max(64)
const ofJob = z.string().min(16).max(32)

/**
 * What a ledger tells. Ids only, no names: a name changes, and an export goes to others. `operation` is the id in the
 * authority log, which holds what was granted.
 */
export const ledgerEvent = z.discriminatedUnion('kind', [
  /** The first entry of every ledger. */
  z.strictObject({ kind: z.literal('began'), person: deviceId }),
  z.strictObject({ kind: z.literal('linked'), peer: deviceId, path: z.string().max(16) }),
  z.strictObject({
    kind: z.literal('unlinked'),
    peer: deviceId,
    path: z.string().max(16),
    forMs: z.number().int().nonnegative(),
    sentBytes: bytes,
    receivedBytes: bytes,
  }),
  /** A display was opened: what a wallet signed of it, this device's own or, by `wallet`, one that its owner listed. */
  z.strictObject({
    kind: z.literal('signed-in'),
    display: z.string().max(64),
    way: z.enum(['passphrase', 'passkey', 'wallet']),
    wallet: deviceId,
    text: z.string().max(1_024),
    /** base64url, over `text` in UTF-8. */
    sig: z.string().length(86),
  }),
  z.strictObject({ kind: z.literal('device-added'), peer: deviceId, by: deviceId, role: z.enum(['admin', 'member']), operation }),
  z.strictObject({ kind: z.literal('device-removed'), peer: deviceId, by: deviceId, operation }),
  z.strictObject({ kind: z.literal('role-changed'), peer: deviceId, by: deviceId, role: z.enum(['admin', 'member']), operation }),
  z.strictObject({ kind: z.literal('contact-added'), person: deviceId, by: deviceId, operation }),
  /** With every grant they had. */
  z.strictObject({ kind: z.literal('contact-removed'), person: deviceId, by: deviceId, operation }),
  /** `person`: to another one, a contact. */
  z.strictObject({ kind: z.literal('granted'), by: deviceId, peer: deviceId.optional(), person: deviceId.optional(), operation }),
  z.strictObject({ kind: z.literal('revoked'), by: deviceId, grant: operation, operation }),
  /** A port of this device, of an attempt that runs here for the peer, was used by it; and no more. */
  z.strictObject({ kind: z.literal('port-shared'), peer: deviceId, port, attempt: ofJob.optional() }),
  z.strictObject({ kind: z.literal('port-closed'), peer: deviceId, port, forMs: bytes, attempt: ofJob.optional() }),
  /** A port of a job that runs on the peer, or that a contact shares, could be reached on this device's loopback, as `here`; and no more. */
  z.strictObject({ kind: z.literal('port-opened'), peer: deviceId, port, here: port, job: ofJob.optional(), attempt: ofJob.optional() }),
  z.strictObject({
    kind: z.literal('port-ended'),
    peer: deviceId,
    port,
    here: port,
    job: ofJob.optional(),
    attempt: ofJob.optional(),
    forMs: bytes,
  }),
  /** A device of a contact opened a shell here, as this account; and it ended. */
  z.strictObject({ kind: z.literal('shell-opened'), peer: deviceId, person: deviceId, shell }),
  z.strictObject({ kind: z.literal('shell-ended'), peer: deviceId, person: deviceId, shell, forMs: bytes }),
  /** This device opened a shell on a contact's, as far as that one said; and it ended there, or was let go of here. */
  z.strictObject({ kind: z.literal('shell-entered'), peer: deviceId, person: deviceId, shell }),
  z.strictObject({ kind: z.literal('shell-left'), peer: deviceId, person: deviceId, shell, forMs: bytes }),
  /** Devices of a contact ran jobs here, with no more than a minute between them: the first, and how many there were at the end. */
  z.strictObject({ kind: z.literal('jobs-begun'), peer: deviceId, person: deviceId }),
  z.strictObject({ kind: z.literal('jobs-ended'), person: deviceId, count: z.number().int().positive(), forMs: bytes }),
  /** The root over the entries before this one stands on a network. */
  z.strictObject({
    kind: z.literal('anchored'),
    count: bytes,
    root: z.string().length(43),
    signature: z.string().max(90),
    network: z.string().max(64),
    feeLamports: bytes,
  }),
  /** Entries that could not be written for so long (a full disk) that they were given up. */
  z.strictObject({ kind: z.literal('lost'), count: z.number().int().positive() }),
])
export type LedgerEvent = z.infer<typeof ledgerEvent>

/** Where what happens is told to the ledger, by whoever does it. Never throws and never waits: a ledger holds nothing up. */
export interface LedgerRecorder {
  record(event: LedgerEvent): void
}
