import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'
import { doorState } from '../desk/desk-contract.ts'

/** Letters of the largest kit in base64url: 1,280 kB. */
const MAX_KIT_LETTERS = 1_750_000

/** What a bare machine is given. `kit`: the age file, armoured or not, in base64url; `words`: as typed. */
export const restoreInput = z.object({
  kit: z
    .string()
    .min(1)
    .max(MAX_KIT_LETTERS)
    .regex(/^[A-Za-z0-9_-]+$/),
  words: z.string().min(1).max(1024),
  passphrase: z.string().min(1).max(1024),
  deviceName: z.string().min(1).max(80),
  unattended: z.boolean(),
})
export type RestoreInput = z.infer<typeof restoreInput>

/** A kit as it is handed over, once. `file` is armoured text; `words` go on paper and nowhere else; `page` is HTML to print. */
const madeKit = z.object({
  file: z.string(),
  fileName: z.string(),
  page: z.string(),
  words: z.array(z.string()),
  person: z.string(),
  personName: z.string(),
  madeAtMs: z.number(),
  /** Names of the devices that are in it. */
  devices: z.array(z.string()),
})
export type MadeKit = z.infer<typeof madeKit>

export const recoveryContract = {
  /**
   * A recovery kit: whoever holds file and words is this person. Needs the passphrase each time.
   * Errors: vault/no-person-key (it lies on another device), vault/wrong-passphrase, vault/too-many-tries.
   */
  makeRecoveryKit: method({
    needs: 'desk:write',
    parseInput: z.object({ passphrase: z.string().min(1).max(1024) }).parse,
    parseOutput: madeKit.parse,
  }),
  /** Is the person's root key here, so that a kit can be made? When was the last one made here, and who was not in it? */
  readRecovery: method({
    needs: 'desk:read',
    parseInput: z.object({}).parse,
    parseOutput: z.object({
      possible: z.boolean(),
      lastMadeAtMs: z.number().optional(),
      /** Names of devices that the last kit knows nothing of. */
      missing: z.array(z.string()),
    }).parse,
  }),
  /**
   * First run of a machine that becomes a device of a person who exists. Errors: vault/exists, vault/weak-passphrase,
   * recovery/bad-words, recovery/wrong-words, recovery/damaged, recovery/newer.
   */
  restoreVault: method({ needs: 'door:run', parseInput: restoreInput.parse, parseOutput: doorState.parse }),
} satisfies Contract
