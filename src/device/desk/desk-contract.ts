import * as z from 'zod'
import { cacheLimit } from '../../files/cache-limit-contract.ts'
import { anchorSettings } from '../../identity/ledger-contract.ts'
import { event, method, type Contract } from '../../rpc/contract.ts'

/*
 * What a display asks of its device before and after unlock. Needs:
 *   door:read, door:run   any display with the cookie, locked or not
 *   desk:read, desk:write only a display that is unlocked
 */

const text = (max: number) => z.string().min(1).max(max)
export const seatHow = z.enum(['move', 'beside'])
/** Where the person is. `atMs` is the claiming device's clock. */
export const seatState = z.object({
  display: z.string(),
  displayName: z.string(),
  device: z.string(),
  deviceName: z.string(),
  how: seatHow,
  counter: z.number().int().nonnegative(),
  atMs: z.number(),
  /** Displays of this person that have not confirmed the last move (names). */
  unconfirmed: z.array(z.string()),
})
export type SeatState = z.infer<typeof seatState>

/** Why the device keys are closed: since the start, because somebody asked, because the machine slept, because the device was removed. */
export const sealedBecause = z.enum(['started', 'asked', 'slept', 'removed', 'failed'])

/** `first-run`: no vault yet. `sealed`: device keys are locked. `display-locked`: only this display is. */
export const doorState = z.object({
  phase: z.enum(['first-run', 'sealed', 'display-locked', 'unlocked']),
  /** Only while `sealed`. */
  sealedBecause: sealedBecause.optional(),
  /** What the lock stopped, in plain sentences; only while `sealed`, and not after a start. */
  stopped: z.array(z.string()).optional(),
  deviceId: z.string().optional(),
  deviceName: z.string(),
  personName: z.string().optional(),
  /** Where the desk is now, if known to this device. */
  seat: seatState.optional(),
  /** Set after this display handed the seat over: the name of the display that took it. */
  handedOverTo: z.string().optional(),
  version: z.string(),
  /** Plain sentence and stable code of what keeps the device from working, e.g. a damaged store that was set aside. */
  notices: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      severity: z.enum(['info', 'warn', 'error']),
      /** Label of a button that does something about it (`actOnNotice`), on an unlocked display. */
      action: z.string().optional(),
    }),
  ),
  unattended: z.boolean(),
  /** What to ask the authenticator that unlocks this device, in base64url; absent: no passkey is set up. */
  passkey: z.object({ credentialId: z.string(), salt: z.string() }).optional(),
  /** May a wallet sign in to this display now? */
  walletSignIn: z.boolean(),
})
export type SealedBecause = z.infer<typeof sealedBecause>
export type DoorState = z.infer<typeof doorState>

const passphrase = z.string().min(1).max(1024)
const nothing = z.object({})
/** base64url of 32 bytes, for an operating system's key store. */
const opener = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

export const doorContract = {
  /** First call of every display. `displayName` is what the other displays show ("Chromium on kitchen"). */
  hello: method({ needs: 'door:read', parseInput: z.object({ displayName: text(80) }).parse, parseOutput: doorState.parse }),
  /** First run: makes the device's keys and, unless it will join others, the person. Errors: vault/exists, vault/weak-passphrase. */
  createVault: method({
    needs: 'door:run',
    parseInput: z.object({ personName: text(80), deviceName: text(80), passphrase, unattended: z.boolean() }).parse,
    parseOutput: doorState.parse,
  }),
  /** Opens vault (if sealed) and display, and claims the seat. Errors: vault/wrong-passphrase, vault/too-many-tries (message says how long). */
  unlock: method({ needs: 'door:run', parseInput: z.object({ passphrase, how: seatHow }).parse, parseOutput: doorState.parse }),
  /** Opens a sealed vault with what `keepOpener` gave; the display stays locked. Errors: vault/wrong-opener, vault/locked (a person locked it). */
  openDevice: method({ needs: 'door:run', parseInput: z.object({ opener }).parse, parseOutput: doorState.parse }),
  onDidChangeDoor: event({ needs: 'door:read', parse: doorState.parse }),
} satisfies Contract

export const deskContract = {
  /**
   * Joins a document's channel. `clientId` is the Yjs client id this display must use (ids are given, never chosen).
   * First message down the channel: kind 0 = whole state as one Yjs update (v1). Then both ways: kind 1 = update,
   * kind 2 = awareness update (y-protocols), kind 3 (down) = read-only: the schema is newer than ours.
   * Framing: one kind byte, then the bytes. `doc` is `workspace` or `text/<buffer id>`.
   */
  attachDocument: method({
    needs: 'desk:write',
    parseInput: z.object({ doc: z.string().max(128) }).parse,
    parseOutput: z.object({ channel: z.number().int(), clientId: z.number().int().nonnegative() }).parse,
  }),
  /** The buffer was saved or closed: its document is dropped everywhere. */
  dropText: method({ needs: 'desk:write', parseInput: z.object({ doc: z.string().max(128) }).parse, parseOutput: nothing.parse }),
  /**
   * Of this device alone; each other one has its own. Displays stay as they are. Errors: vault/wrong-passphrase, vault/too-many-tries,
   * vault/weak-passphrase, vault/locked; then nothing was changed.
   */
  changePassphrase: method({
    needs: 'desk:write',
    parseInput: z.object({ passphrase, next: passphrase }).parse,
    parseOutput: nothing.parse,
  }),
  lockDisplay: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: doorState.parse }),
  /** Device keys go too: links close. The answer says in plain words what that stopped. */
  lockDevice: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: z.object({ stopped: z.array(z.string()) }).parse }),
  /** A key that opens this device after a restart, for the key store of the system the display runs on. The one before is void. */
  keepOpener: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: z.object({ opener }).parse }),
  forgetOpener: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** Somebody touched this display: feeds the 30 s rule for late claims. At most once a second. */
  reportInput: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: nothing.parse }),
  /** "You also unlocked on X. Stay here / lock here." */
  answerSeatQuestion: method({
    needs: 'desk:write',
    parseInput: z.object({ answer: z.enum(['stay', 'lock']) }).parse,
    parseOutput: nothing.parse,
  }),
  /** Does what a standing notice offers with its `action`. Errors: notice/gone. */
  actOnNotice: method({ needs: 'desk:write', parseInput: z.object({ code: text(64) }).parse, parseOutput: nothing.parse }),
  onDidChangeSeat: event({ needs: 'desk:read', parse: seatState.parse }),
  onDidAskSeatQuestion: event({
    needs: 'desk:read',
    parse: z.object({ displayName: z.string(), atMs: z.number(), locksAtMs: z.number() }).parse,
  }),
  /** Things a person should know that happened without them: link lost for good, store healed, job ended. */
  onDidNotify: event({
    needs: 'desk:read',
    parse: z.object({
      id: z.string(),
      code: z.string(),
      severity: z.enum(['info', 'warn', 'error']),
      title: z.string(),
      body: z.string(),
      atMs: z.number(),
    }).parse,
  }),
  /** The same text `elsewhere debug` prints: peers, links, documents, queues. */
  debugSnapshot: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.object({ text: z.string() }).parse }),
  /** May this page be framed? The device has read its headers. `reason` is for people. Errors: web/unreachable, web/refused-url. */
  probePage: method({
    needs: 'desk:write',
    parseInput: z.object({ url: z.string().max(2048) }).parse,
    parseOutput: z.object({ url: z.string(), frameable: z.boolean(), reason: z.string(), title: z.string().optional() }).parse,
  }),
  readSettings: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.lazy(() => deviceSettings).parse }),
  writeSettings: method({
    needs: 'desk:write',
    parseInput: z.lazy(() => deviceSettings.partial()).parse,
    parseOutput: z.lazy(() => deviceSettings).parse,
  }),
} satisfies Contract

/** What belongs to this machine and does not follow the person (what does lives in the workspace document). */
export const deviceSettings = z.object({
  deviceName: text(80),
  /** WebSocket URLs of rendezvous services this device uses, besides its own and mDNS. */
  rendezvousUrls: z.array(z.string().max(512)).max(16),
  /** Run a rendezvous on this port (0 = off), reachable from the network. */
  rendezvousPort: z.number().int().min(0).max(65535),
  mdns: z.boolean(),
  /** Contents of files may cross encrypted TCP connections beside a link, where devices reach each other. */
  directFiles: z.boolean(),
  /** STUN/TURN URLs; default none. */
  iceServers: z.array(z.string().max(512)).max(8),
  unattended: z.boolean(),
  /** How much it keeps of the contents of files. */
  cacheLimit,
  autoLockMinutes: z.number().int().min(0).max(1440),
  /** The device locks when its machine wakes from sleep. */
  lockAfterSleep: z.boolean(),
  /** Anchoring the ledger; off unless somebody turns it on. */
  anchor: anchorSettings,
})
export type DeviceSettings = z.infer<typeof deviceSettings>
