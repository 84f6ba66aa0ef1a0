import { mkdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import type { BenchLab } from '../follow/bench-lab.ts'
import { SshPeer } from '../peers/sshd.ts'
import { SyncthingPair } from '../peers/syncthing.ts'
import { endProcess } from '../peers/xvfb.ts'
import { dropCaches, secondsOf } from './on-cable.ts'
import { LoopbackSshd } from './peer-mounts.ts'

export const PEER_NAMES = ['scp', 'sshfs', 'syncthing', 'rsync'] as const
type PeerName = (typeof PEER_NAMES)[number]
const PATIENCE_MS = 300_000

/** Seconds that `file` of A takes to be read on B. */
type Measure = (file: string) => Promise<number>

/** Reads a file from its beginning to its end, in the way of every mount that is measured. */
export const readWords = (file: string) => ['dd', `if=${file}`, 'of=/dev/null', 'bs=1M', 'status=none']

/** What people use today, set up between the same two machines; owns it. */
export class ColdPeers {
  readonly measures: readonly (readonly [PeerName, Measure])[]
  readonly commands: Readonly<Record<string, string>>
  readonly missing: readonly string[]
  /** Where A holds what B takes. */
  readonly held: string
  readonly #owned: (() => Promise<unknown>)[]

  private constructor(held: string, made: Pick<ColdPeers, 'measures' | 'commands' | 'missing'>, owned: (() => Promise<unknown>)[]) {
    this.held = held
    this.measures = made.measures
    this.commands = made.commands
    this.missing = made.missing
    this.#owned = owned
  }

  static async start(lab: BenchLab, folder: string): Promise<ColdPeers> {
    const owned: (() => Promise<unknown>)[] = []
    try {
      return await ColdPeers.#make(lab, folder, owned)
    } catch (error) {
      for (const release of owned.toReversed()) await release()
      throw error
    }
  }

  static async #make(lab: BenchLab, folder: string, owned: (() => Promise<unknown>)[]): Promise<ColdPeers> {
    const [held, taken] = [path.join(folder, 'a'), path.join(folder, 'b')]
    await mkdir(held)
    await mkdir(taken)
    const [a, b] = [lab.machine('a').machine, lab.machine('b').machine]
    const measures: [PeerName, Measure][] = []
    const commands: Record<string, string> = {}
    const missing: string[] = []
    const add = (name: PeerName, command: string, measure: Measure) => {
      commands[name] = command
      measures.push([name, measure])
    }
    const ssh = await SshPeer.start(b, a)
    if (ssh) owned.push(() => ssh.dispose())
    for (const name of ['scp', 'rsync', 'sshfs'] as const) {
      const why = LoopbackSshd.whyNot(name)
      if (why !== undefined || !ssh) missing.push(`${name}: ${why ?? 'no sshd'}`)
      else if (name === 'sshfs') {
        const mount = path.join(folder, 'sshfs')
        await mkdir(mount)
        const words = ['-F', ssh.config, `other:${held}`, mount, '-f']
        const child = b.spawn('sshfs', words, { stdio: 'ignore' })
        owned.push(() => endProcess(child))
        // A namespace has mounts of its own: they are seen through a process that is in it.
        const seen = path.join(`/proc/${child.pid}/root`, mount)
        await eventually('sshfs has mounted', async () => (await stat(seen)).dev !== (await stat(folder)).dev)
        add(name, `sshfs ${words.join(' ')}; dd bs=1M of=/dev/null in it`, (file) => secondsOf(b, readWords(path.join(seen, file))))
      } else {
        const words = name === 'scp' ? ['scp', '-q', '-F', ssh.config] : ['rsync', '-a', '-e', `ssh -F ${ssh.config}`]
        add(name, `${words.join(' ')} other:FILE FILE (login included)`, async (file) => {
          const to = path.join(taken, file)
          const seconds = await secondsOf(b, [...words, `other:${path.join(held, file)}`, to])
          await rm(to)
          return seconds
        })
      }
    }
    const why = SyncthingPair.whyNot()
    if (why !== undefined) missing.push(`syncthing: ${why}`)
    else {
      const pair = await SyncthingPair.start(a, b)
      owned.push(() => pair.dispose())
      const into = path.join(folder, 'st')
      await pair.share({ a: held, b: into }, { paused: ['b'] })
      add('syncthing', `${SyncthingPair.commandLine}; A has scanned it, B begins`, async (file) => {
        await pair.scan('a')
        dropCaches()
        const begunMs = performance.now()
        await pair.setPaused('b', false)
        while (!(await stat(path.join(into, file)).catch(() => undefined))) {
          if (performance.now() - begunMs > PATIENCE_MS) throw new Error('syncthing did not bring the file')
          await delay(5)
        }
        const seconds = (performance.now() - begunMs) / 1000
        await pair.setPaused('b', true)
        return seconds
      })
    }
    return new ColdPeers(held, { measures, commands, missing }, owned)
  }

  async dispose(): Promise<void> {
    for (const release of this.#owned.splice(0).toReversed())
      await release().catch((error: unknown) => console.error(`bench: cleaning up: ${String(error)}`))
  }
}
