import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

const counters = z.object({ sentBytes: z.number(), receivedBytes: z.number(), sentMessages: z.number(), receivedMessages: z.number() })

/** Every way to remove a device, by names, as the device that is asked stands to it (rule ID60). */
const removal = z.object({
  /** What comes of removing it here, now: it is out, a second admin must follow, or nothing. */
  outcome: z.enum(['removed', 'asked', 'refused']),
  /** The person's root key is open here and would sign. */
  byRoot: z.boolean(),
  /** Devices that may alone. */
  alone: z.array(z.string()),
  /** Two admins may together: who has asked, who could ask or second, how many are missing. */
  together: z.object({ asked: z.array(z.string()), open: z.array(z.string()), missing: z.number().int() }).optional(),
})

export const deviceRow = z.object({
  deviceId: z.string(),
  name: z.string(),
  self: z.boolean(),
  state: z.enum(['self', 'linked', 'connecting', 'away']),
  /** When away: last moment it was linked, ms since epoch; absent if never. */
  lastSeenMs: z.number().optional(),
  platform: z.string(),
  /** An admin adds and removes, grants and rotates keys; a member uses what it was given. */
  role: z.enum(['admin', 'member']),
  removal,
  path: z.enum(['host', 'srflx', 'prflx', 'relay', 'unknown']).optional(),
  localAddress: z.string().optional(),
  remoteAddress: z.string().optional(),
  roundTripMs: z.number().optional(),
  lanes: z.record(z.string(), counters).optional(),
  /** While linked: connections that carry contents of files beside the link; 0: the link carries them. */
  directFiles: z.number().int().min(0).optional(),
  /** What those connections are: encrypted TCP, or WebRTC as the link itself. */
  directKind: z.enum(['tls', 'webrtc']).optional(),
  /** Five words that both people can read aloud. */
  safetyWords: z.array(z.string()),
})
export type DeviceRow = z.infer<typeof deviceRow>

/** By which way contents of files come from a device, in words; undefined: it is not linked. */
export function wordsOfFilesWay({ directFiles, directKind }: Pick<DeviceRow, 'directFiles' | 'directKind'>): string | undefined {
  if (directFiles === undefined) return undefined
  if (directFiles === 0) return 'WebRTC, as everything else'
  return `${directKind === 'webrtc' ? 'WebRTC of their own' : 'direct TLS'}, ${directFiles} connections`
}

/** One pairing as a person sees it, on either side. */
export const pairingState = z.object({
  step: z.enum(['idle', 'offering', 'joining', 'confirm', 'done', 'failed']),
  /** While offering: the code to type on the other device, e.g. `4217-guitar-ozone`. Shown once, never logged. */
  code: z.string().optional(),
  /** While offering: the same as a link, for a camera or the clipboard. Shown once, never logged. */
  link: z.string().optional(),
  expiresAtMs: z.number().optional(),
  /** From `confirm` on: `join` becomes a device of `personName`. */
  role: z.enum(['offer', 'join']).optional(),
  /** At `confirm`: both names, and words that must be the same on both screens. */
  peerName: z.string().optional(),
  ownName: z.string().optional(),
  personName: z.string().optional(),
  /** At `confirm`, of a contact: the device that speaks for that person. */
  deviceName: z.string().optional(),
  safetyWords: z.array(z.string()).optional(),
  /** At `confirm`: this side has said yes and waits for the other. */
  answered: z.boolean().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})
export type PairingState = z.infer<typeof pairingState>

const nothing = z.object({})

export const linksContract = {
  listDevices: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.array(deviceRow).parse }),
  onDidChangeDevices: event({ needs: 'desk:read', parse: z.array(deviceRow).parse }),
  renameDevice: method({
    needs: 'desk:write',
    parseInput: z.object({ deviceId: z.string(), name: z.string().min(1).max(80) }).parse,
    parseOutput: nothing.parse,
  }),
  removeDevice: method({ needs: 'desk:write', parseInput: z.object({ deviceId: z.string() }).parse, parseOutput: nothing.parse }),
  /**
   * Removes a device (or names one that was) and takes out of every document what this device has heard of it since then.
   * `dryRun` only says what. Errors: as removeDevice; devices/unknown.
   */
  undoDeviceSince: method({
    needs: 'desk:write',
    parseInput: z.object({
      deviceId: z.string(),
      sinceMs: z
        .number()
        .int()
        .min(0)
        .max(2 ** 48),
      dryRun: z.boolean(),
    }).parse,
    parseOutput: z.object({ documents: z.array(z.object({ doc: z.string(), changes: z.number().int(), kept: z.number().int() })) }).parse,
  }),
  /** Only the root makes admins. Errors: devices/refused, devices/needs-second. */
  changeDeviceRole: method({
    needs: 'desk:write',
    parseInput: z.object({ deviceId: z.string(), role: z.enum(['admin', 'member']) }).parse,
    parseOutput: nothing.parse,
  }),
  /** This device shows a code. Errors: pairing/too-many-tries, pairing/no-rendezvous. */
  offerPairing: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: pairingState.parse }),
  /** This device types a code. `rendezvousUrl`: where to meet, when neither mDNS nor settings find the other. Errors: pairing/wrong-code, pairing/not-found. */
  joinPairing: method({
    needs: 'desk:write',
    parseInput: z.object({ code: z.string().max(640), rendezvousUrl: z.string().max(512).optional() }).parse,
    parseOutput: pairingState.parse,
  }),
  confirmPairing: method({ needs: 'desk:write', parseInput: z.object({ accept: z.boolean() }).parse, parseOutput: pairingState.parse }),
  cancelPairing: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: pairingState.parse }),
  onDidChangePairing: event({ needs: 'desk:read', parse: pairingState.parse }),
} satisfies Contract
