import * as z from 'zod'
import { parseDeviceId } from '../base/ids.ts'
import { signalNote } from './signal-note.ts'

const deviceId = z
  .string()
  .max(44)
  .transform((text, context) => {
    try {
      return parseDeviceId(text)
    } catch {
      context.addIssue('not a device id')
      return z.NEVER
    }
  })

/** Can be decoded: no length of base64 leaves one letter over. */
const base64Url = (maxLetters: number) =>
  z
    .string()
    .max(maxLetters)
    .regex(/^[A-Za-z0-9_-]+$/)
    .refine((text) => text.length % 4 !== 1)

/** A sealed rendezvous secret: 32 bytes in a box. */
const MAX_SEALED_LETTERS = 128
/** One operation that admits a device: a signature, two keys, two names, and the heads it was made on. */
const MAX_ADMISSION_LETTERS = 8 * 1024

/**
 * `here` is told to all on joining a topic, and to one as the answer to theirs. `twin-asked` and `twin-here` pass between two
 * that claim one name (TwinWatch). `moved` says where the others
 * meet now, sealed to the device it is for: it was away when the topic was left. `admitted` is told to all by a device that the
 * person's root key let in where no other device was: the signed word for it. Kinds that are not known are ignored.
 */
const letter = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('here'), from: deviceId, isAnswer: z.boolean() }),
  z.strictObject({ kind: z.literal('note'), from: deviceId, to: deviceId, note: signalNote }),
  z.strictObject({ kind: z.literal('twin-asked'), from: deviceId, nonce: z.string().regex(/^[0-9a-f]{32}$/) }),
  z.strictObject({
    kind: z.literal('twin-here'),
    from: deviceId,
    nonce: z.string().regex(/^[0-9a-f]{32}$/),
    sig: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
  }),
  z.strictObject({
    kind: z.literal('moved'),
    to: deviceId,
    sealed: base64Url(MAX_SEALED_LETTERS),
  }),
  z.strictObject({
    kind: z.literal('admitted'),
    by: base64Url(MAX_ADMISSION_LETTERS),
  }),
])
export type Letter = z.infer<typeof letter>

/** Undefined: of a version we do not know, or of somebody who only knows the topic. */
export function parseLetter(text: string): Letter | undefined {
  try {
    return letter.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
