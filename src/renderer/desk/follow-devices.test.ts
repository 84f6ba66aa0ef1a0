import { beforeEach, expect, it } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { useDevices } from './devices-store.ts'
import { followDevices } from './follow-devices.ts'
import { useMessages } from './messages-store.ts'

const NOW = 1_800_000_000_000
const changed = new Emitter<TerminalInfo>()
const device = {
  onDidChangeContacts: new Emitter().event,
  onDidChangeDevices: new Emitter().event,
  onDidChangeTerminal: changed.event,
  listContacts: async () => ({ contacts: [{ person: 'bob', name: 'Bob', devices: [] }] }),
  listDevices: async () => [{ deviceId: 'laptop', name: 'laptop', state: 'self' }],
  listTerminals: async () => [],
} as unknown as DeviceClient
const shell = (terminalId: string, startedAtMs: number, more: Partial<TerminalInfo> = {}): TerminalInfo => ({
  ...{ terminalId, device: 'laptop', title: '', cwd: '/', pid: 1, foreground: 'sh', columns: 80, rows: 24, startedAtMs },
  guest: { person: 'bob', device: 'desktop' },
  ...more,
})

beforeEach(() => {
  useMessages.setState({ messages: [] })
  useDevices.setState({ rows: [], terminals: {}, unsaid: {}, contactDevices: {}, contactNames: {} })
})

it('[AP63] a contact who opens and ends shells over and over is one notice for each device, said once in a minute', async () => {
  const following = followDevices(device)
  await new Promise((resolve) => setImmediate(resolve))
  for (let at = 0; at < 30; at++) {
    const info = shell(`t${at}`, NOW + at * 1_000)
    changed.fire(info)
    changed.fire({ ...info, exit: { code: 0 } })
  }
  changed.fire(shell('other', NOW, { device: 'server' }))
  changed.fire(shell('old', NOW - 1))
  const told = () => useMessages.getState().messages.map(({ title, quiet, atMs }) => [title.slice(0, 21), quiet, atMs - NOW])
  expect(told()).toEqual([
    ['Bob opened a shell on', false, 0],
    ['Bob opened a shell on', true, 29_000],
  ])
  changed.fire(shell('later', NOW + 29_000 + 60_000))
  expect(told()[0]).toEqual(['Bob opened a shell on', false, 89_000])
  expect(told()).toHaveLength(2)
  following.dispose()
})

it('[AP63] a device that does not say what runs there is known as such until it does', async () => {
  let answer: () => Promise<TerminalInfo[]> = () => Promise.reject(Object.assign(new Error('no'), { code: 'grant/refused' }))
  const following = followDevices({ ...device, listTerminals: () => answer() } as never)
  await new Promise((resolve) => setImmediate(resolve))
  expect(useDevices.getState().unsaid).toEqual({ laptop: 'refused' })
  answer = async () => [shell('t1', NOW), shell('t2', NOW)]
  changed.fire(shell('t2', NOW)) // a grant came
  await new Promise((resolve) => setImmediate(resolve))
  expect(useDevices.getState().unsaid).toEqual({})
  expect(useDevices.getState().terminals.laptop?.map(({ terminalId }) => terminalId)).toEqual(['t1', 't2'])
  following.dispose()
})
