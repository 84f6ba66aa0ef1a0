import { type BigIntStats, fstatSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

interface Kept {
  /** As the system had it at the last sync, whether that went well or not: what is so now is written no more. */
  seen: Buffer
  /** As it is after a power cut. */
  durable: Buffer
}

/**
 * What of the files of a folder lies on the disk itself, as Linux has it: a sync writes what changed since the last one, also since one that failed; what
 * that did not write is never written. Its names are those of the last sync of the folder. Hand it the syncs, then cut the power.
 */
export class LosingDisk {
  readonly #folder: string
  readonly #files = new Map<string, Kept>()
  #names = new Set<string>()
  /** Does this sync fail? */
  fails: () => boolean = () => false
  failed = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws Error: EIO */
  sync(descriptor: number): void {
    const stat = fstatSync(descriptor, { bigint: true })
    if (stat.isDirectory()) {
      if (nameOf(stat) === this.#nameOf('')) this.#names = new Set(readdirSync(this.#folder))
      return
    }
    const name = readdirSync(this.#folder).find((one) => this.#nameOf(one) === nameOf(stat))
    if (name === undefined) return // it was removed
    const now = readFileSync(path.join(this.#folder, name))
    const { seen, durable } = this.#files.get(nameOf(stat)) ?? { seen: Buffer.alloc(0), durable: Buffer.alloc(0) }
    const next = Buffer.alloc(now.length)
    durable.copy(next)
    for (let at = 0; at < now.length; at++) if (at >= seen.length || seen[at] !== now[at]) next[at] = now[at] as number
    const isFailing = this.fails()
    this.#files.set(nameOf(stat), { seen: now, durable: isFailing ? durable.subarray(0, now.length) : next })
    if (!isFailing) return
    this.failed++
    throw Object.assign(new Error('the disk failed'), { code: 'EIO' })
  }

  /** Nobody may have a file open. */
  cut(): void {
    for (const name of readdirSync(this.#folder)) {
      const file = path.join(this.#folder, name)
      const kept = this.#files.get(this.#nameOf(name))
      if (this.#names.has(name)) writeFileSync(file, kept?.durable ?? new Uint8Array(0))
      else rmSync(file)
    }
  }

  #nameOf(file: string): string {
    return nameOf(statSync(path.join(this.#folder, file), { bigint: true }))
  }
}

/** A number is used again when a file is gone. */
const nameOf = ({ ino, birthtimeNs }: BigIntStats): string => `${ino} ${birthtimeNs}`
