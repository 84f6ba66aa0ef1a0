import * as z from 'zod'
import { walletControlContract } from '../identity/wallet-contract.ts'
import { method, type Contract } from '../rpc/contract.ts'
import { restoreInput } from './trust/recovery-contract.ts'
import { pairingState } from '../sync/links-contract.ts'

/*
 * What the command line and the supervisor ask of a device over its 0600 socket, besides what displays may ask: whoever
 * can open that socket owns the account. `desk:*` still needs open device keys.
 */

const nothing = z.object({})

export const controlContract = {
  ...walletControlContract,
  /** What runs here. `origin` is where displays go; it opens nothing by itself. */
  status: method({
    needs: 'local:read',
    parseInput: nothing.parse,
    parseOutput: z.object({
      pid: z.number().int(),
      phase: z.enum(['first-run', 'sealed', 'open']),
      deviceId: z.string().optional(),
      deviceName: z.string(),
      personName: z.string().optional(),
      origin: z.string(),
      /** Names of the displays that are connected, and whether they are unlocked. */
      displays: z.array(z.object({ name: z.string(), unlocked: z.boolean() })),
      links: z.number().int(),
      version: z.string(),
    }).parse,
  }),
  /** Hooked shells of this machine may ask from now on (`elsewhere on`). */
  serveShells: method({ needs: 'local:run', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** A URL that opens a display, once, within two minutes. */
  openEntrance: method({ needs: 'local:run', parseInput: nothing.parse, parseOutput: z.object({ url: z.string() }).parse }),
  /** Opens the device keys without a display (a server). Errors: vault/wrong-passphrase, vault/too-many-tries, vault/missing. */
  unlockDevice: method({
    needs: 'local:run',
    parseInput: z.object({ passphrase: z.string().min(1).max(1024) }).parse,
    parseOutput: nothing.parse,
  }),
  /** First run without a display. Errors: vault/exists, vault/weak-passphrase. */
  createDevice: method({
    needs: 'local:run',
    parseInput: z.object({
      personName: z.string().min(1).max(80),
      deviceName: z.string().min(1).max(80),
      passphrase: z.string().min(1).max(1024),
      unattended: z.boolean(),
    }).parse,
    parseOutput: z.object({ deviceId: z.string() }).parse,
  }),
  /** First run without a display, out of a recovery kit. Errors as restoreVault. `others`: the devices that the kit knows, by name. */
  restoreDevice: method({
    needs: 'local:run',
    parseInput: restoreInput.parse,
    parseOutput: z.object({ deviceId: z.string(), personName: z.string(), others: z.array(z.string()) }).parse,
  }),
  /** Opens the person's root key while this connection lasts, where it lies here. Errors as unlockDevice, vault/no-person-key. */
  openPerson: method({
    needs: 'local:run',
    parseInput: z.object({ passphrase: z.string().min(1).max(1024) }).parse,
    parseOutput: nothing.parse,
  }),
  /** Wipes it again. */
  closePerson: method({ needs: 'local:run', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** What `elsewhere debug` prints, open or locked. */
  readDebug: method({ needs: 'local:read', parseInput: nothing.parse, parseOutput: z.object({ text: z.string() }).parse }),
  /** How the pairing stands that `offerPairing` or `joinPairing` began. */
  readPairing: method({ needs: 'local:read', parseInput: nothing.parse, parseOutput: pairingState.parse }),
} satisfies Contract
