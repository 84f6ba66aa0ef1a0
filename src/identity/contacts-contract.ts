import * as z from 'zod'
import { event, method, type Contract } from '../rpc/contract.ts'

const nothing = z.object({})
const person = z.string().min(32).max(44)

/** As `pairingState` of devices, for two persons (sync/links-contract.ts). */
export const contactPairing = z.object({
  step: z.enum(['idle', 'offering', 'joining', 'confirm', 'done', 'failed']),
  code: z.string().optional(),
  link: z.string().optional(),
  expiresAtMs: z.number().optional(),
  role: z.enum(['offer', 'join']).optional(),
  peerName: z.string().optional(),
  ownName: z.string().optional(),
  personName: z.string().optional(),
  deviceName: z.string().optional(),
  safetyWords: z.array(z.string()).optional(),
  answered: z.boolean().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

export type ContactPairing = z.infer<typeof contactPairing>

const port = z.number().int().min(1).max(65_535)
const dataset = z.string().min(16).max(24)

/** A port that a contact's device lets this one reach. */
const offeredPort = z.object({
  kind: z.literal('port'),
  port,
  /** Something listens there now. */
  isOpen: z.boolean(),
  untilMs: z.number().optional(),
})
/** Its files can be read, or changed, through the device that offers it. */
const offeredDataset = z.object({
  kind: z.literal('dataset'),
  dataset,
  mayRead: z.boolean().default(true),
  mayWrite: z.boolean().default(false),
  untilMs: z.number().optional(),
})

/** It runs jobs of that class for this device in its sandbox; with `program`, that one only. */
const offeredJobs = z.object({
  kind: z.literal('jobs'),
  jobClass: z.string().max(32),
  program: z.string().max(80).optional(),
  untilMs: z.number().optional(),
})

/** A shell on it, as its account. */
const offeredShell = z.object({ kind: z.literal('shell'), untilMs: z.number().optional() })

/** One thing that a contact's device lets this one reach, as it says so. */
export const contactOffer = z.discriminatedUnion('kind', [offeredPort, offeredDataset, offeredJobs, offeredShell])
export type ContactOfferRow = z.infer<typeof contactOffer>
/** In one answer. */
export const MAX_OFFERS = 256

/** As a display sees it. `here`: where this device reaches it, on its 127.0.0.1, once it was opened. */
const reachableOffer = z.discriminatedUnion('kind', [
  offeredPort.extend({ here: z.number().int().optional() }),
  offeredDataset,
  offeredJobs,
  offeredShell,
])

/** A file, folder or link of a dataset, as a contact sees it. */
export const sharedEntry = z.object({
  name: z.string().max(255),
  kind: z.enum(['file', 'folder', 'link']),
  mtimeMs: z.number(),
  bytes: z.number().int().min(0),
  version: z.string().max(40),
})
export type SharedEntry = z.infer<typeof sharedEntry>

export const contactRow = z.object({
  person,
  name: z.string(),
  /** The same five words on both persons' devices. */
  safetyWords: z.array(z.string()),
  checkedBy: z.enum(['qr', 'words']),
  devices: z
    .array(
      z.object({
        deviceId: z.string(),
        name: z.string(),
        state: z.enum(['linked', 'connecting', 'away']),
        /** What it lets this device reach, while it is linked. */
        offers: z.array(reachableOffer).max(MAX_OFFERS),
        /** Offers beyond what a list holds. */
        offersLeftOut: z.number().int().min(0),
      }),
    )
    .max(128),
})
export type ContactRow = z.infer<typeof contactRow>

const contactPort = z.object({ person, deviceId: person, port })
const contactWrite = z.object({ write: z.string().min(1).max(64) })
const contactWriting = contactWrite.extend({ person, deviceId: person })
const contactPath = z.object({ person, deviceId: person, dataset, path: z.string().min(1).max(65_536) })

const contactList = z.object({ contacts: z.array(contactRow), mayChange: z.boolean() })
export type ContactList = z.infer<typeof contactList>

/** Other persons, as this device knows them. */
export const contactsContract = {
  listContacts: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: contactList.parse }),
  onDidChangeContacts: event({ needs: 'desk:read', parse: contactList.parse }),
  /** Shows a code and a link. Errors: contact/refused, pairing/too-many-tries, pairing/no-rendezvous. */
  offerContact: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: contactPairing.parse }),
  /** Takes the code or link of the other person. Errors: contact/refused, pairing/bad-code, pairing/too-many-tries, pairing/no-rendezvous. */
  joinContact: method({
    needs: 'desk:write',
    parseInput: z.object({ code: z.string().max(640), rendezvousUrl: z.string().max(512).optional() }).parse,
    parseOutput: contactPairing.parse,
  }),
  confirmContact: method({ needs: 'desk:write', parseInput: z.object({ accept: z.boolean() }).parse, parseOutput: contactPairing.parse }),
  cancelContact: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: contactPairing.parse }),
  /** How it stands now. */
  readContactPairing: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: contactPairing.parse }),
  onDidChangeContactPairing: event({ needs: 'desk:read', parse: contactPairing.parse }),
  /** What this person calls them. Errors: contact/unknown, contact/refused, authority/malformed. */
  renameContact: method({
    needs: 'desk:write',
    parseInput: z.object({ person, name: z.string().min(1).max(80) }).parse,
    parseOutput: nothing.parse,
  }),
  /** With every grant they have; their devices are cut off at once. Errors: contact/unknown, contact/refused. */
  removeContact: method({ needs: 'desk:write', parseInput: z.object({ person }).parse, parseOutput: nothing.parse }),
  /** Makes a port that a contact's device shares reachable on this device's 127.0.0.1. Errors: contact/away, contact/not-offered. */
  openContactPort: method({
    needs: 'desk:write',
    parseInput: contactPort.parse,
    parseOutput: z.object({ here: z.number().int().min(1).max(65_535) }).parse,
  }),
  /** A folder of a dataset that a contact lets this device read. Errors: contact/away, grant/refused, file/not-found. */
  listContactFolder: method({
    needs: 'desk:read',
    parseInput: contactPath.extend({ from: z.number().int().min(0).max(1e7).default(0) }).parse,
    parseOutput: z.object({ entries: z.array(sharedEntry).max(500), total: z.number().int() }).parse,
  }),
  /** Fewer bytes at the end. Give `version` as the first answer said it: another one is contact/changed. Errors: also contact/away, grant/refused, file/not-found. */
  readContactFile: method({
    needs: 'desk:read',
    parseInput: contactPath.extend({
      version: z.string().max(40).optional(),
      offset: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
      length: z
        .number()
        .int()
        .min(1)
        .max(256 * 1024),
    }).parse,
    parseOutput: z.object({ version: z.string().max(40), base64: z.string().max(400_000), bytes: z.number().int().min(0) }).parse,
  }),
  /** A new file, or with `version` the next content of that one. Errors: contact/away, grant/refused, file/exists, file/not-found, contact/changed. */
  beginContactWrite: method({
    needs: 'desk:write',
    parseInput: contactPath.extend({ version: z.string().max(40).optional() }).parse,
    parseOutput: contactWrite.parse,
  }),
  appendContactWrite: method({
    needs: 'desk:write',
    parseInput: contactWriting.extend({ base64: z.string().max(400_000) }).parse,
    parseOutput: z.object({ bytes: z.number().int().min(0) }).parse,
  }),
  commitContactWrite: method({ needs: 'desk:write', parseInput: contactWriting.parse, parseOutput: sharedEntry.parse }),
  makeContactFolder: method({ needs: 'desk:write', parseInput: contactPath.parse, parseOutput: sharedEntry.parse }),
  /** To the trash of their dataset. */
  removeContactEntry: method({ needs: 'desk:write', parseInput: contactPath.parse, parseOutput: nothing.parse }),
  closeContactPort: method({ needs: 'desk:write', parseInput: contactPort.parse, parseOutput: nothing.parse }),
} satisfies Contract
