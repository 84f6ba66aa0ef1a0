import * as z from 'zod'
import { DomainError } from '../base/errors.ts'

/*
 * What a device and a rendezvous say to each other: JSON in WebSocket text messages (SY61). A rendezvous sees topics
 * (hashes nobody can guess), addresses it made up itself, and ciphertext. It keeps nothing.
 */

/** A sealed note (24 KiB) in base64, with its frame. */
export const MAX_RENDEZVOUS_MESSAGE = 48 * 1024
/** Three days of topics, a pairing, and room for a second person's workspace on the same device. */
export const MAX_TOPICS = 32
/** Devices of one person that are awake at once, or people guessing one meeting number. */
export const MAX_TOPIC_MEMBERS = 64
/** A client says something at least this often; a rendezvous drops it after two and a half of them. */
export const PING_EVERY_MS = 60_000

const topic = z.string().regex(/^[A-Za-z0-9_-]{43}$/) // 32 bytes
const address = z.string().regex(/^[A-Za-z0-9_-]{22}$/) // 16 bytes, made by the rendezvous for each connection
const data = z
  .string()
  .min(1)
  .max(40 * 1024)

export const toRendezvous = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('join'), topic }),
  z.strictObject({ t: z.literal('leave'), topic }),
  /** To one member of a topic the sender is in, or to all the others. */
  z.strictObject({ t: z.literal('send'), topic, to: address.optional(), data }),
  z.strictObject({ t: z.literal('ping') }),
])
export type ToRendezvous = z.infer<typeof toRendezvous>

export const fromRendezvous = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('joined'), topic, members: z.array(address).max(MAX_TOPIC_MEMBERS) }),
  z.strictObject({ t: z.literal('left'), topic, member: address }),
  z.strictObject({ t: z.literal('data'), topic, from: address, data }),
  z.strictObject({ t: z.literal('pong') }),
  z.strictObject({ t: z.literal('error'), code: z.string().max(64) }),
])
export type FromRendezvous = z.infer<typeof fromRendezvous>

export type RendezvousErrorCode =
  | 'rendezvous/bad-message'
  | 'rendezvous/too-fast'
  | 'rendezvous/too-many-topics'
  | 'rendezvous/full'
  | 'rendezvous/busy-port'
  | 'rendezvous/bad-url'

export class RendezvousError extends DomainError<RendezvousErrorCode> {
  override readonly name = 'RendezvousError'
  readonly code: RendezvousErrorCode

  constructor(code: RendezvousErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static badMessage(cause?: unknown): RendezvousError {
    return new RendezvousError('rendezvous/bad-message', 'not a rendezvous message; the connection was closed', { cause })
  }
}

const parseWith = <T>(schema: { parse(value: unknown): T }, text: string): T => {
  if (text.length > MAX_RENDEZVOUS_MESSAGE) throw RendezvousError.badMessage()
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    throw RendezvousError.badMessage(error)
  }
}

/** @throws RendezvousError `rendezvous/bad-message` */
export const parseToRendezvous = (text: string): ToRendezvous => parseWith(toRendezvous, text)
/** @throws RendezvousError `rendezvous/bad-message` */
export const parseFromRendezvous = (text: string): FromRendezvous => parseWith(fromRendezvous, text)
