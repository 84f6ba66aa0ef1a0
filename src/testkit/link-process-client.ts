import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Disposable } from '../base/disposable.ts'
import type { LinkProcessCommand, LinkProcessEvent, LinkProcessSetup } from './link-process.ts'
import type { SignalNote } from '../sync/signal-note.ts'
import type { LabMachine } from './netlab.ts'
import type { UdpProxy } from './udp-proxy.ts'

const PROGRAM = fileURLToPath(new URL('./link-process.ts', import.meta.url))

/** A link-process seen from the test: its events, in order, kept from the start. */
export class LinkProcessClient implements Disposable {
  readonly child: ChildProcess
  readonly events: LinkProcessEvent[] = []
  readonly #waiting = new Set<() => void>()
  readonly #proxy: UdpProxy | undefined

  /**
   * @param machine  where it runs; on this machine itself if absent
   * @param proxy    what it is driven through, when its setup says so
   */
  constructor(setup: LinkProcessSetup, machine?: LabMachine, proxy?: UdpProxy, env?: NodeJS.ProcessEnv) {
    this.#proxy = proxy
    const args = [PROGRAM, JSON.stringify(setup)]
    const options = { ...(env === undefined ? {} : { env }), stdio: ['pipe', 'pipe', 'inherit'] as ['pipe', 'pipe', 'inherit'] }
    this.child = machine === undefined ? spawn(process.execPath, args, options) : machine.spawn(process.execPath, args, options)
    const { stdout } = this.child
    if (stdout === null) throw new Error('the process has no output')
    createInterface({ input: stdout }).on('line', (line) => {
      const event = JSON.parse(line) as LinkProcessEvent
      if (event.t === 'exchange') void this.#exchange(event.id, event.note)
      if (event.t === 'log') console.log(`[${setup.seed}] ${event.text}`)
      this.events.push(event)
      for (const check of [...this.#waiting]) check()
    })
  }

  /** The first event from number `from` on (of those that were and will be) that fits. The test's own time limit ends a vain wait. */
  next<T extends LinkProcessEvent['t']>(type: T, from = 0, fits: (event: Extract<LinkProcessEvent, { t: T }>) => boolean = () => true) {
    type Wanted = Extract<LinkProcessEvent, { t: T }>
    return new Promise<Wanted>((resolve) => {
      const check = () => {
        const found = this.events.slice(from).find((event): event is Wanted => event.t === type && fits(event as Wanted))
        if (found === undefined) return
        this.#waiting.delete(check)
        resolve(found)
      }
      this.#waiting.add(check)
      check()
    })
  }

  async #exchange(id: number, note: SignalNote): Promise<void> {
    this.say({ t: 'exchanged', id, note: (await this.#proxy?.exchangeCandidates(note)) ?? note })
  }

  say(command: LinkProcessCommand): void {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`)
  }

  /** Asks and waits for the answer that comes after. */
  async ask<T extends LinkProcessEvent['t']>(command: LinkProcessCommand, answer: T) {
    const from = this.events.length
    this.say(command)
    return this.next(answer, from)
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  dispose(): void {
    this.kill()
  }
}
