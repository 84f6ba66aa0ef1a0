import * as z from 'zod'
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { type Disposable, DisposableStore, toDisposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import { LinkError } from './link-error.ts'
import { pairingMeeting } from './meeting-keys.ts'
import { PairingAttempt } from './pairing-attempt.ts'
import type { PairingPipe } from './pairing-pipe.ts'
import type { RendezvousPool } from './rendezvous-pool.ts'
import type { RtcOptions, RtcStack } from './rtc-stack.ts'
import { SealedTopic } from './sealed-topic.ts'
import { signalNote } from './signal-note.ts'

/** Who guesses meeting numbers may keep this many connections busy, no more. */
const MAX_ATTEMPTS_AT_ONCE = 4
/** How long the joining device looks for the other: several rendezvous and the LAN answer within two seconds. */
export const JOIN_TIMEOUT_MS = 20_000

const letter = z.discriminatedUnion('kind', [
  /** Said by the joining device: is anybody showing a code with this number? */
  z.strictObject({ kind: z.literal('who') }),
  /** Said by the offering one: knock. */
  z.strictObject({ kind: z.literal('here') }),
  z.strictObject({ kind: z.literal('note'), note: signalNote }),
])
type Letter = z.infer<typeof letter>

export interface PairingMeetingOptions {
  /** The public part of the code: digits before the first dash. Chooses the topic; no secret. */
  readonly meetingNumber: string
  readonly pool: RendezvousPool
  readonly rtc: RtcStack
  readonly rtcOptions: RtcOptions
  readonly clock: Clock
  readonly random: RandomSource
  readonly logger: Logger
}

/** The topics of a meeting number at every rendezvous of the pool, also at those that come later. */
class PairingTopics implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #received = this.#owned.add(new Emitter<{ readonly letter: Letter; readonly reply: (content: Letter) => void }>())
  readonly onDidReceive = this.#received.event

  /** @param greeting  said to all on joining a topic */
  constructor({ meetingNumber, pool, random }: PairingMeetingOptions, greeting: Letter) {
    const keys = pairingMeeting(meetingNumber)
    const use = (client: (typeof pool.clients)[number]) => {
      const topic = this.#owned.add(new SealedTopic(client, keys, random))
      topic.onDidJoin(() => topic.send(JSON.stringify(greeting)))
      topic.onDidReceive(({ from, text }) => {
        const read = parseLetter(text)
        if (read !== undefined) this.#received.fire({ letter: read, reply: (content) => topic.send(JSON.stringify(content), from) })
      })
    }
    for (const client of pool.clients) use(client)
    this.#owned.add(pool.onDidAdd(use))
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

export interface PairingOffer extends Disposable {
  /** Somebody who knows the meeting number is connected; whether they know the secret is for the listener to find out. It owns the pipe. */
  readonly onDidMeet: Event<PairingPipe>
}

/** Waits for devices that typed the code (SY64). Disposing stops waiting; pipes handed out stay. */
export function offerPairing(options: PairingMeetingOptions): PairingOffer {
  const owned = new DisposableStore()
  const met = owned.add(new Emitter<PairingPipe>())
  const attempts = new Map<string, PairingAttempt>()
  const topics = owned.add(new PairingTopics(options, { kind: 'here' }))
  topics.onDidReceive(({ letter: read, reply }) => {
    if (read.kind === 'who') reply({ kind: 'here' })
    if (read.kind !== 'note') return
    const { note } = read
    let attempt = attempts.get(note.attempt)
    if (attempt === undefined && note.kind === 'offer' && attempts.size < MAX_ATTEMPTS_AT_ONCE) {
      attempt = new PairingAttempt({
        ...options,
        role: 'offer',
        attempt: note.attempt,
        sendNote: (answer) => reply({ kind: 'note', note: answer }),
        onDidMeet: (pipe) => {
          attempts.delete(note.attempt)
          met.fire(pipe)
        },
        onDidFail: (error) => {
          attempts.delete(note.attempt)
          options.logger.debug('a pairing connection failed', { code: errorCode(error) })
        },
      })
      attempts.set(note.attempt, attempt)
    }
    void attempt?.receive(note)
  })
  owned.defer(() => {
    for (const attempt of attempts.values()) attempt.dispose()
  })
  return { onDidMeet: met.event, dispose: () => owned.dispose() }
}

/**
 * Looks for the device that shows the code and connects to it. The caller owns the pipe.
 *
 * @throws LinkError `link/timeout`  nobody with that meeting number was found
 */
export function joinPairing(options: PairingMeetingOptions & { readonly signal?: AbortSignal }): Promise<PairingPipe> {
  const { signal, clock, random } = options
  const owned = new DisposableStore()
  const attempts = new Map<string, PairingAttempt>()
  const topics = owned.add(new PairingTopics(options, { kind: 'who' }))
  owned.defer(() => {
    for (const attempt of attempts.values()) attempt.dispose()
  })
  return new Promise<PairingPipe>((resolve, reject) => {
    const stop = () => reject(signal?.reason)
    if (signal?.aborted === true) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    owned.add(toDisposable(() => signal?.removeEventListener('abort', stop)))
    owned.add(clock.after(JOIN_TIMEOUT_MS, () => reject(LinkError.timeout('looking for the device that shows the code', JOIN_TIMEOUT_MS))))
    // The same device answers at every rendezvous both are at: one is knocked at, the others are for when that fails.
    const doors: ((content: Letter) => void)[] = []
    const knockNext = (): void => {
      const reply = doors.shift()
      if (reply === undefined || owned.isDisposed) return
      const attempt = new PairingAttempt({
        ...options,
        role: 'join',
        attempt: toHex(random.bytes(16)),
        sendNote: (note) => reply({ kind: 'note', note }),
        onDidMeet: resolve,
        onDidFail: () => {
          attempts.delete(attempt.attempt)
          knockNext()
        },
      })
      attempts.set(attempt.attempt, attempt)
      void attempt.knock()
    }
    topics.onDidReceive(({ letter: read, reply }) => {
      if (read.kind === 'note') void attempts.get(read.note.attempt)?.receive(read.note)
      else if (read.kind === 'here' && doors.length < MAX_ATTEMPTS_AT_ONCE) {
        doors.push(reply)
        if (attempts.size === 0) knockNext()
      }
    })
  }).finally(() => owned.dispose())
}

function parseLetter(text: string): Letter | undefined {
  try {
    return letter.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
