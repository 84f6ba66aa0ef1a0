import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, errorMessage } from '../base/errors.ts'
import { silentLogger } from '../base/logger.ts'
import { FuseMount } from '../platform/node/fuse/fuse-mount.ts'
import { OwnMounts } from '../platform/node/own-mounts.ts'
import { MemoryMountedTree } from './memory-mounted-tree.ts'

/**
 * A tree in memory, mounted by a process of its own: a test that looked into a mount of its own process would wait for itself.
 * Argument: folder. Prints one JSON line per event, takes one per command, ends on SIGTERM.
 */

export type MountProcessCommand =
  /** Another device wrote `name` in the root. */
  | { readonly t: 'replace'; readonly name: string; readonly text: string }
  /** Reads, closes and syncs of files whose name begins with `slow`, and looks into such folders, take this long; writes of `heavy` ones, too. */
  | { readonly t: 'slow'; readonly ms: number }
  | { readonly t: 'unmount'; readonly force: boolean }
  /** What the kernel asked since the mount began. */
  | { readonly t: 'counts' }
  /** The loop stands still for ever. */
  | { readonly t: 'hang' }

export type MountProcessEvent =
  | { readonly t: 'mounted' }
  | { readonly t: 'failed'; readonly code: string; readonly message: string }
  | { readonly t: 'done' }
  | { readonly t: 'counted'; readonly agreedFlags: number; readonly byOpcode: Readonly<Record<number, number>>; readonly waiting: number }
  | { readonly t: 'refused'; readonly code: string }

class SlowTree extends MemoryMountedTree {
  slowMs = 0
  readonly #slow = new Set<number>()
  readonly #heavy = new Set<number>()

  override create(parent: number, name: string, mode: number) {
    const attributes = super.create(parent, name, mode)
    if (name.startsWith('heavy')) this.#heavy.add(attributes.ino)
    if (name.startsWith('slow')) this.#slow.add(attributes.ino)
    return attributes
  }

  override mkdir(parent: number, name: string, mode: number) {
    const attributes = super.mkdir(parent, name, mode)
    if (name.startsWith('slow')) this.#slow.add(attributes.ino)
    return attributes
  }

  override lookup(parent: number, name: string): ReturnType<MemoryMountedTree['lookup']> {
    return this.#late(parent, () => super.lookup(parent, name))
  }

  override readdir(ino: number, after: number, limit: number): ReturnType<MemoryMountedTree['readdir']> {
    return this.#late(ino, () => super.readdir(ino, after, limit))
  }

  override write(ino: number, offset: number, bytes: Uint8Array): void {
    if (this.slowMs === 0 || !this.#heavy.has(ino)) return super.write(ino, offset, bytes)
    const kept = bytes.slice()
    return sleep(this.slowMs).then(() => super.write(ino, offset, kept)) as unknown as void
  }

  override flush(ino: number): void {
    return this.#late(ino, () => {})
  }

  override fsync(ino: number): void {
    return this.#late(ino, () => {})
  }

  /** What a MemoryMountedTree says at once. */
  #late<T>(ino: number, work: () => T): T {
    if (this.slowMs === 0 || !this.#slow.has(ino)) return work()
    return sleep(this.slowMs).then(work) as T
  }

  override read(ino: number, offset: number, length: number, signal?: AbortSignal): ReturnType<MemoryMountedTree['read']> {
    if (this.slowMs === 0 || !this.#slow.has(ino)) return super.read(ino, offset, length)
    const later = sleep(this.slowMs, undefined, signal ? { signal } : {}).then(() => super.read(ino, offset, length))
    return later as unknown as ReturnType<MemoryMountedTree['read']>
  }
}

const say = (event: MountProcessEvent) => process.stdout.write(`${JSON.stringify(event)}\n`)

async function main(at: string): Promise<void> {
  const tree = new SlowTree()
  const mount = await FuseMount.open({
    at,
    owner: 'test',
    tree,
    mounts: new OwnMounts(),
    log: silentLogger,
  }).catch((error: unknown) => {
    say({ t: 'failed', code: errorCode(error), message: errorMessage(error) })
    return undefined
  })
  if (!mount) return
  say({ t: 'mounted' })
  let asked: Promise<unknown> = Promise.resolve()
  createInterface({ input: process.stdin }).on('line', (line) => {
    const command = JSON.parse(line) as MountProcessCommand
    switch (command.t) {
      case 'replace':
        tree.replaceFromAfar(1, command.name, new TextEncoder().encode(command.text))
        return say({ t: 'done' })
      case 'slow':
        tree.slowMs = command.ms
        return say({ t: 'done' })
      case 'counts': {
        const { agreedFlags, byOpcode, waiting } = mount.status
        return say({ t: 'counted', agreedFlags, byOpcode, waiting })
      }
      case 'unmount':
        return void (asked = mount.unmount(command).then(
          () => say({ t: 'done' }),
          (error: unknown) => say({ t: 'refused', code: errorCode(error) }),
        ))
      case 'hang':
        say({ t: 'done' })
        for (;;);
    }
  })
  process.on('SIGTERM', () => void mount.unmount({ force: true }).finally(() => process.exit(0)))
  await mount.ended
  await asked
  process.exit(0)
}

if (process.argv[1] === import.meta.filename) await main(process.argv[2] ?? '')
