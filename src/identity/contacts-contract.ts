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

/** One thing that a contact's device lets this one reach. */
const contactOffer = z.object({
  kind: z.literal('port'),
  port: z.number().int().min(1).max(65_535),
  /** Something listens there now. */
  isOpen: z.boolean(),
  untilMs: z.number().optional(),
  /** Where this device reaches it, on its 127.0.0.1, once it was opened. */
  here: z.number().int().optional(),
})

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
        offers: z.array(contactOffer).max(256),
      }),
    )
    .max(128),
})
export type ContactRow = z.infer<typeof contactRow>

const contactPort = z.object({ person, deviceId: person, port: z.number().int().min(1).max(65_535) })

const contactList = z.object({ contacts: z.array(contactRow).max(64), mayChange: z.boolean() })
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
  closeContactPort: method({ needs: 'desk:write', parseInput: contactPort.parse, parseOutput: nothing.parse }),
} satisfies Contract
