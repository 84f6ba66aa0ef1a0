import { type Clock, sleep } from '../../../base/clock.ts'
import { utf8 } from '../../../base/bytes.ts'
import { Emitter } from '../../../base/emitter.ts'
import { errorCode, errorMessage } from '../../../base/errors.ts'
import type { CallOptions } from '../../../rpc/contract.ts'
import type { ArchiveBranch } from './archive-branch.ts'
import { archiveName, MAX_ARCHIVE_PATH_BYTES, type TakenNames } from './archive-name.ts'
import { Lead } from './lead.ts'

/** Files and folders in one archive: what is kept of each until its end is some 200 bytes. */
export const MAX_ARCHIVE_ENTRIES = 500_000
/** A device that makes one up could nest without end. */
const MAX_DEPTH = 256
/** Found before they are read, so that the whole is known early; more are waited for. */
const FOUND_AHEAD = 20_000
/** Files of which the first piece is read before their turn: small ones of a device far away come without a wait for each. */
const OPENED_AHEAD = 8
/** Read in one call. */
const PIECE_BYTES = 1024 * 1024
/** What is left out and named; more are counted. */
const MAX_NAMED = 1_000
/** A device that is away is waited for, as long as a file that is put there waits: a minute. */
const RETRY_MS = 2_000
const RETRIES = 30
const CUT_OFF = ['file/device-away', 'device/process-away', 'rpc/closed']

/** Something of an archive, in the order it stands there: a folder before what is in it. */
export interface ArchivePart {
  /** From the top of the archive, by `/`; of a folder with one at its end. Safe to unpack, and the only one of its kind. */
  readonly path: string
  readonly modifiedMs: number
  readonly mode: number | undefined
  /** Of a file. */
  readonly content?: ArchiveContent
}

export interface ArchiveContent {
  readonly bytes: number
  readonly first: Uint8Array
  /** What follows; ends with whether all of it came. Undefined: nothing does. */
  readonly rest?: () => AsyncGenerator<Uint8Array, boolean>
}

export interface ArchiveState {
  /** Another with every change. */
  readonly step: number
  readonly phase: 'waiting' | 'reading' | 'done' | 'stopped'
  /** Found until now; all there are once `isCounted`. */
  readonly files: number
  readonly bytes: number
  readonly isCounted: boolean
  readonly doneFiles: number
  readonly doneBytes: number
  /** Could not be read, named in the archive itself. */
  readonly leftOut: number
  readonly firstLeftOut: string | undefined
}

export interface ArchiveOptions {
  /** As its file is called. */
  readonly name: string
  tops(options: CallOptions): AsyncIterable<ArchiveBranch>
  /** Aborted when nobody may read it any more. */
  readonly signal: AbortSignal
  readonly clock: Clock
}

type Found = { readonly path: string; readonly branch: ArchiveBranch }

/**
 * Files and folders that are brought out together, read once, as they are taken. What cannot be read is left out whole and named in a
 * text at the end; it never stops the rest. Knows nothing of the format.
 */
export class Archive {
  readonly name: string
  readonly signal: AbortSignal
  readonly #options: ArchiveOptions
  readonly #changed = new Emitter<void>()
  readonly #leftOut: string[] = []
  readonly #topNames: TakenNames = new Map()
  #entries = 0
  #state: ArchiveState = {
    step: 0,
    phase: 'waiting',
    files: 0,
    bytes: 0,
    isCounted: false,
    doneFiles: 0,
    doneBytes: 0,
    leftOut: 0,
    firstLeftOut: undefined,
  }

  constructor(options: ArchiveOptions) {
    this.#options = options
    this.name = options.name
    this.signal = options.signal
    options.signal.addEventListener('abort', () => this.end(false), { once: true })
  }

  /** What is to be written; undefined: somebody reads it already, or has. */
  begin(signal: AbortSignal): AsyncGenerator<ArchivePart> | undefined {
    if (this.#state.phase !== 'waiting') return undefined
    this.#set({ phase: 'reading' })
    return this.#parts(AbortSignal.any([this.signal, signal]))
  }

  get isRead(): boolean {
    return this.#state.phase === 'reading'
  }

  /** All of it was taken, or no more of it will be. */
  end(isWhole: boolean): void {
    const { phase } = this.#state
    if (phase !== 'done' && phase !== 'stopped') this.#set({ phase: isWhole ? 'done' : 'stopped' })
  }

  /** How it stands, once that is another than at `step`. */
  async stateAfter(step: number, signal: AbortSignal): Promise<ArchiveState> {
    while (this.#state.step === step) {
      await new Promise<void>((resolve, reject) => {
        const stop = () => reject(signal.reason)
        if (signal.aborted) return stop()
        signal.addEventListener('abort', stop, { once: true })
        const heard = this.#changed.event(() => {
          heard.dispose()
          signal.removeEventListener('abort', stop)
          resolve()
        })
      })
    }
    return this.#state
  }

  #set(change: Partial<ArchiveState>): void {
    this.#state = { ...this.#state, ...change, step: this.#state.step + 1 }
    this.#changed.fire()
  }

  async *#parts(signal: AbortSignal): AsyncGenerator<ArchivePart> {
    const lead = new Lead<Found>(FOUND_AHEAD, signal)
    const finding = this.#find(this.#options.tops({ signal }), '', 0, lead, signal)
      .catch((error: unknown) => this.#leaveOut(this.name, error))
      .finally(() => {
        this.#set({ isCounted: true })
        lead.end()
      })
    const opened: { found: Found; content: Promise<ArchiveContent | undefined> | undefined }[] = []
    for (let isMore = true; isMore || opened.length > 0; ) {
      while (isMore && opened.length < OPENED_AHEAD) {
        const found = await lead.next()
        if (found) opened.push({ found, content: found.branch.kind === 'folder' ? undefined : this.#open(found, signal) })
        else isMore = false
      }
      const one = opened.shift()
      signal.throwIfAborted()
      if (!one) continue
      const { path, branch } = one.found
      const content = await one.content
      if (one.content && !content) continue // left out
      yield { path, modifiedMs: branch.modifiedMs, mode: branch.mode, ...(content && { content }) }
    }
    await finding
    if (this.#state.leftOut > 0) yield this.#report()
  }

  async #find(branches: AsyncIterable<ArchiveBranch>, above: string, depth: number, lead: Lead<Found>, signal: AbortSignal) {
    const names = above === '' ? this.#topNames : (new Map() as TakenNames)
    for await (const branch of branches) {
      signal.throwIfAborted()
      const name = archiveName(branch.name, names)
      const path = `${above}${name ?? JSON.stringify(branch.name.slice(0, 100))}`
      if (name === undefined || utf8(path).length > MAX_ARCHIVE_PATH_BYTES) this.#leaveOut(path, 'its name cannot stand in an archive')
      else if (branch.kind === 'other') this.#leaveOut(path, 'it is a socket, pipe or device')
      else if (++this.#entries > MAX_ARCHIVE_ENTRIES) {
        if (this.#entries === MAX_ARCHIVE_ENTRIES + 1)
          this.#leaveOut(path, `and all after it: there are more than ${MAX_ARCHIVE_ENTRIES} files and folders; take them in parts`)
        return
      } else if (branch.kind === 'folder') {
        await lead.put({ path: `${path}/`, branch })
        if (depth === MAX_DEPTH) this.#leaveOut(path, 'what is in it lies too deep')
        else
          await this.#find(branch.children({ signal }), `${path}/`, depth + 1, lead, signal).catch((error: unknown) => {
            signal.throwIfAborted()
            this.#leaveOut(`${path}/`, error)
          })
      } else {
        this.#set({ files: this.#state.files + 1, bytes: this.#state.bytes + (branch.kind === 'file' ? branch.bytes : 0) })
        await lead.put({ path, branch })
      }
    }
  }

  /** The first piece of a file; undefined: it cannot be read, and is left out. */
  async #open({ path, branch }: Found, signal: AbortSignal): Promise<ArchiveContent | undefined> {
    const ask = branch.openContent()
    const piece = (offset: number, length: number) => this.#again(() => ask(offset, length, { signal }), signal)
    const expected = branch.kind === 'file' ? branch.bytes : 0
    try {
      const { bytes: first, total } = await piece(0, PIECE_BYTES)
      if (first.length < Math.min(total, PIECE_BYTES)) throw new Error('it ended before its bytes were read')
      this.#set({ bytes: this.#state.bytes + total - expected })
      const rest = async function* (this: Archive): AsyncGenerator<Uint8Array, boolean> {
        let taken = first.length
        this.#took(taken)
        try {
          while (taken < total) {
            const { bytes } = await piece(taken, Math.min(PIECE_BYTES, total - taken))
            if (bytes.length === 0) throw new Error('it ended before its bytes were read')
            yield bytes
            taken += bytes.length
            this.#took(bytes.length)
          }
        } catch (error) {
          signal.throwIfAborted()
          this.#leaveOut(path, error, total - taken)
          return false
        }
        this.#set({ doneFiles: this.#state.doneFiles + 1 })
        return true
      }
      return { bytes: total, first, rest: rest.bind(this) }
    } catch (error) {
      if (!signal.aborted) this.#leaveOut(path, error, expected)
      return undefined
    }
  }

  #took(bytes: number): void {
    if (bytes > 0) this.#set({ doneBytes: this.#state.doneBytes + bytes })
  }

  async #again<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await work()
      } catch (error) {
        signal.throwIfAborted()
        if (!CUT_OFF.includes(errorCode(error)) || tries === RETRIES) throw error
        await sleep(this.#options.clock, RETRY_MS, signal)
      }
    }
  }

  /** @param bytes  that were counted and will not come */
  #leaveOut(path: string, why: unknown, bytes = 0): void {
    if (this.signal.aborted) return
    if (this.#leftOut.length < MAX_NAMED) this.#leftOut.push(`${path}: ${typeof why === 'string' ? why : errorMessage(why)}`)
    const firstLeftOut = this.#state.firstLeftOut ?? path.slice(0, 255)
    this.#set({ leftOut: this.#state.leftOut + 1, firstLeftOut, bytes: this.#state.bytes - bytes })
  }

  #report(): ArchivePart {
    const more = this.#state.leftOut - this.#leftOut.length
    const lines = ['These are not in this archive, because they could not be read:', '', ...this.#leftOut]
    if (more > 0) lines.push(`and ${more} more`)
    const first = utf8(`${lines.join('\n')}\n`)
    const path = archiveName('Not in this archive.txt', this.#topNames) as string
    return { path, modifiedMs: this.#options.clock.nowMs(), mode: undefined, content: { bytes: first.length, first } }
  }
}
