import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

const nothing = z.object({})
/** Shown to people and part of what is signed: one line. */
const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\u2028\u2029]+$/u, 'it holds a character that cannot be shown')
const publisher = z.string().min(32).max(44)

/** A publisher says: these are my program. The signature is over programReleaseText. */
export const programRelease = z.strictObject({
  format: z.literal('elsewhere-program-release'),
  version: z.literal(1),
  /** base58 of an Ed25519 key: `pub:` of it is what a grant names. */
  publisher,
  name: line(80),
  /** As the publisher counts. */
  release: line(40),
  /** What the program is, on each kind of machine. Sorted, each once. */
  ids: z
    .array(z.string().regex(/^sha256:[0-9a-f]{64}$/))
    .min(1)
    .max(64),
  sig: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
})
export type ProgramRelease = z.infer<typeof programRelease>

const releases = z.object({ releases: z.array(programRelease).max(1_000) })

/** Releases that this device takes a publisher's word for, when it runs a job by a grant to that publisher. */
export const releasesContract = {
  listReleases: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: releases.parse }),
  /** Errors: release/malformed, release/refused, release/too-many. */
  addRelease: method({ needs: 'desk:write', parseInput: z.object({ release: programRelease }).parse, parseOutput: nothing.parse }),
  /** Errors: release/unknown. */
  forgetRelease: method({
    needs: 'desk:write',
    parseInput: z.object({ publisher, name: line(80), release: line(40) }).parse,
    parseOutput: nothing.parse,
  }),
} satisfies Contract
