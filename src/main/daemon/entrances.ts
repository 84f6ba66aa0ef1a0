import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import type { Clock } from '../../base/clock.ts'

/** A one-time URL is opened by a program that was just started; 2 minutes cover a slow machine. */
const TOKEN_LIFE_MS = 2 * 60_000
/** Unused one-time URLs at a time. */
const MAX_TOKENS = 32
/** A display may come back by itself for 30 days; it finds the lock screen, so this is convenience and not the lock. */
const COOKIE_LIFE_MS = 30 * 24 * 3600_000
const MAX_COOKIES = 64

const cookieFile = z.object({ cookies: z.array(z.object({ hash: z.string().length(64), untilMs: z.number() })).max(MAX_COOKIES) })

/**
 * Who may see this desk's door at all. A one-time token, handed out over the 0600 socket, is exchanged once for a cookie.
 * Only hashes are kept, in a 0600 file, so that displays survive a restart of the device.
 */
export class Entrances {
  readonly #file: string
  readonly #clock: Clock
  readonly #tokens = new Map<string, number>()
  readonly #cookies = new Map<string, number>()

  constructor(file: string, clock: Clock) {
    this.#file = file
    this.#clock = clock
    for (const { hash, untilMs } of readCookies(file)) this.#cookies.set(hash, untilMs)
  }

  /** A token that opens the door once, soon. Never log it. */
  issueToken(): string {
    const token = randomBytes(32).toString('base64url')
    if (this.#tokens.size >= MAX_TOKENS) this.#tokens.delete(this.#tokens.keys().next().value as string)
    this.#tokens.set(hashOf(token), this.#clock.nowMs() + TOKEN_LIFE_MS)
    return token
  }

  /** A cookie value for a token, or undefined: unknown, used or too old. The token is spent either way. */
  redeem(token: string): string | undefined {
    const hash = hashOf(token)
    const untilMs = this.#tokens.get(hash)
    this.#tokens.delete(hash)
    if (untilMs === undefined || untilMs < this.#clock.nowMs()) return undefined
    const cookie = randomBytes(32).toString('base64url')
    if (this.#cookies.size >= MAX_COOKIES) this.#cookies.delete(this.#cookies.keys().next().value as string)
    this.#cookies.set(hashOf(cookie), this.#clock.nowMs() + COOKIE_LIFE_MS)
    this.#save()
    return cookie
  }

  /** Compares hashes of 256-bit random values: how long a look-up takes says nothing useful. */
  isKnown(cookie: string | undefined): boolean {
    if (cookie === undefined) return false
    const untilMs = this.#cookies.get(hashOf(cookie))
    return untilMs !== undefined && untilMs >= this.#clock.nowMs()
  }

  #save(): void {
    const cookies = [...this.#cookies].map(([hash, untilMs]) => ({ hash, untilMs })).filter((c) => c.untilMs >= this.#clock.nowMs())
    try {
      writeFileSync(`${this.#file}.new`, JSON.stringify({ cookies }), { mode: 0o600 })
      renameSync(`${this.#file}.new`, this.#file)
    } catch {
      // a full or read-only disk: this display will need a new one-time URL after a restart, nothing else is lost
    }
  }
}

/** Names a cookie without being one; for telling the displays of one browser from others. */
export const entranceKey = (cookie: string): string => hashOf(cookie)

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

function readCookies(file: string): readonly { hash: string; untilMs: number }[] {
  try {
    return cookieFile.parse(JSON.parse(readFileSync(file, 'utf8'))).cookies
  } catch {
    return [] // missing or damaged: displays ask for a new one-time URL
  }
}
