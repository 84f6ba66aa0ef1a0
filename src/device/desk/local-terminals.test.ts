import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import { silentLogger } from '../../base/logger.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import { LocalTerminals } from './local-terminals.ts'

const SIZE = { columns: 80, rows: 24 }
const named = (terminalId: string, more: Partial<HostTerminal> = {}): HostTerminal => ({
  ...{ terminalId, title: '', cwd: '/home/ada', pid: 1, foreground: 'sh', startedAtMs: 1, ...SIZE },
  ...more,
})

/** One life of a host process. `hold` keeps its list back until it is called. */
function hostOf(...terminals: HostTerminal[]) {
  const changed = new Emitter<HostTerminal>()
  let release = () => {}
  let held: Promise<void> = Promise.resolve()
  return {
    changed,
    hold: () => {
      held = new Promise((resolve) => (release = resolve))
    },
    release: () => release(),
    list: async () => {
      await held
      return terminals
    },
    spawn: async () => {
      const terminal = named(`t${terminals.length}`)
      terminals.push(terminal)
      changed.fire(terminal)
      return terminal
    },
    onDidChangeTerminal: changed.event,
    onDidChangeScreen: new Emitter<{ terminalId: string }>().event,
  }
}

let connected: Emitter<ReturnType<typeof hostOf>>
let current: ReturnType<typeof hostOf>
let terminals: LocalTerminals
let told: string[]
const connect = (host: ReturnType<typeof hostOf>) => {
  current = host
  connected.fire(host)
}

beforeEach(() => {
  connected = new Emitter()
  told = []
  terminals = new LocalTerminals({ onDidConnect: connected.event, client: async () => current } as never, silentLogger)
  terminals.onDidChange(({ terminalId, exit }) => told.push(exit ? `${terminalId} ended by ${exit.signal}` : terminalId))
})
afterEach(() => terminals.dispose())

it('[JB2] what went with its host process is told as ended by the next connection, once; what stayed is not', async () => {
  connect(hostOf(named('before')))
  await terminals.open(SIZE)
  expect(told).toEqual(['t1'])
  connect(hostOf(named('before'))) // the socket broke; the second is gone
  await vi.waitFor(() => expect(told).toEqual(['t1', 't1 ended by 1']))
  connect(hostOf())
  await vi.waitFor(() => expect(told.slice(2)).toEqual(['before ended by 1']))
  connect(hostOf())
  await terminals.open(SIZE)
  expect(told.slice(3)).toEqual(['t0'])
})

it('[JB2] one that is opened, or ends, while the new host says what runs is taken as it was heard', async () => {
  connect(hostOf(named('a')))
  await terminals.list()
  const next = hostOf(named('a'))
  next.hold()
  connect(next)
  const opened = await terminals.open(SIZE)
  next.changed.fire(named('a', { exit: { code: 0, signal: 15 } }))
  next.release()
  await terminals.list()
  await new Promise((resolve) => setImmediate(resolve))
  expect(told).toEqual([opened.terminalId, 'a ended by 15'])
  connect(hostOf())
  await vi.waitFor(() => expect(told.slice(2)).toEqual([`${opened.terminalId} ended by 1`]))
})
