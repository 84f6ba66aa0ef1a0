import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

const nothing = z.object({})
const id = z.string().regex(/^[0-9a-f]{64}$/)
const deviceId = z.string().min(32).max(44)

export const grantTarget = z.discriminatedUnion('kind', [
  /** The account on that machine: shells, its files, its programs. */
  z.strictObject({ kind: z.literal('shell') }),
  z.strictObject({ kind: z.literal('dataset'), dataset: z.string().min(16).max(24) }),
  /** `any`: every class of jobs. */
  z.strictObject({ kind: z.literal('jobs'), jobClass: z.string().regex(/^[a-z][a-z:-]{0,31}$/) }),
  z.strictObject({ kind: z.literal('port'), port: z.number().int().min(1).max(65_535) }),
])

/** What is left out means *any*. */
export const grantInput = z.object({
  /** To another person; then `device` is one of theirs. Absent: to one's own devices. */
  contact: deviceId.optional(),
  device: deviceId.optional(),
  program: z.string().max(80).optional(),
  on: deviceId.optional(),
  target: grantTarget,
  abilities: z.array(z.string().max(32)).min(1).max(8),
  mayDelegate: z.boolean(),
  /** ms since 1970, by the clock of whoever checks. */
  untilMs: z
    .number()
    .int()
    .positive()
    .max(2 ** 48)
    .optional(),
})
export type GrantInput = z.infer<typeof grantInput>

export const grantRow = z.object({
  id,
  /** "phone may run programs in a shell on server": everything but the time. */
  sentence: z.string(),
  untilMs: z.number().optional(),
  isOver: z.boolean(),
  /** What it is about, and what it allows there. */
  target: grantTarget,
  abilities: z.array(z.string().max(32)).max(8),
  /** The person it was given to, where that is a contact. */
  contact: z.string().optional(),
  /** Who gave it, by name. */
  by: z.string(),
  atMs: z.number(),
  /** The grant it was made from. */
  from: id.optional(),
  canRevoke: z.boolean(),
})
export type GrantRow = z.infer<typeof grantRow>

/** What one of the person's devices may on the device that is asked, and why: its role, or grants. */
export const accessRow = z.object({
  deviceId: z.string(),
  name: z.string(),
  role: z.enum(['admin', 'member']),
  /** By ability: from the role, by a grant, or not at all. */
  may: z.record(z.string(), z.enum(['role', 'grant', 'no'])),
})
export type AccessRow = z.infer<typeof accessRow>

const grantList = z.object({
  grants: z.array(grantRow).max(10_000),
  access: z.array(accessRow).max(128),
  /** Abilities in plain words, in the order they are shown. */
  abilities: z.array(z.object({ ability: z.string(), words: z.string() })),
  mayGrant: z.boolean(),
})
export type GrantList = z.infer<typeof grantList>

export const grantsContract = {
  listGrants: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: grantList.parse }),
  onDidChangeGrants: event({ needs: 'desk:read', parse: grantList.parse }),
  /** `from`: passes on that grant, narrower or equal. Errors: grant/refused, grant/unknown, grant/not-narrower, authority/malformed. */
  addGrant: method({
    needs: 'desk:write',
    parseInput: z.object({ grant: grantInput, from: id.optional() }).parse,
    parseOutput: nothing.parse,
  }),
  /** With all that was made from it. Errors: grant/refused, grant/unknown. */
  revokeGrant: method({ needs: 'desk:write', parseInput: z.object({ id }).parse, parseOutput: nothing.parse }),
} satisfies Contract
