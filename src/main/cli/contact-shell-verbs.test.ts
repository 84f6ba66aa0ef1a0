import { afterEach, expect, it, vi } from 'vitest'
import { endGuestShell, listGuestShells } from './contact-shell-verbs.ts'

const contacts = { contacts: [{ person: 'bob', name: 'Bob' }], mayChange: true } as never
const shell = { terminalId: 'terminal-of-bob', device: 'laptop', foreground: 'vim', startedAtMs: 0, guest: { person: 'bob', device: 'd' } }
const refusal = (code: string, message: string) => Object.assign(new Error(message), { code })

/** Ada's laptop, which is asked; two that do not say, and one that is away. */
function deviceWith(shells: readonly object[]) {
  const rows = ['laptop', 'server', 'tv', 'nas'].map((name) => ({ deviceId: name, name, state: name === 'nas' ? 'away' : 'linked' }))
  const answers: Record<string, () => Promise<readonly object[]>> = {
    laptop: async () => shells,
    server: () => Promise.reject(refusal('grant/refused', 'no')),
    tv: () => Promise.reject(refusal('device/process-away', 'the host is being started')),
  }
  return { listDevices: async () => rows, listTerminals: ({ device }: { device: string }) => answers[device]?.() } as never
}

const said = () => {
  const out: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line) => void out.push(line))
  vi.spyOn(console, 'error').mockImplementation((line) => void out.push(`! ${line}`))
  return out
}
const UNSEEN = 'Not seen from here: nas (away), server (this device may use no shell there), tv (the host is being started)'

afterEach(() => void vi.restoreAllMocks())

it('[ID165] that nobody else is in a shell is said of the devices that were asked, and which were not', async () => {
  const out = said()
  await listGuestShells(deviceWith([]), contacts, false)
  expect(out).toEqual(['Nobody else is in a shell on laptop.', `! ${UNSEEN}`])
})

it('[ID165] who is in one is listed, for programs on standard output alone', async () => {
  const out = said()
  await listGuestShells(deviceWith([shell, { ...shell, exit: { code: 0 } }]), contacts, false)
  expect(out).toEqual(['terminal-o  Bob on laptop since 1970-01-01 00:00 UTC, runs vim', `! ${UNSEEN}`])
  out.length = 0
  await listGuestShells(deviceWith([shell]), contacts, true)
  expect(JSON.parse(out[0] as string)).toEqual([shell])
  expect(out.slice(1)).toEqual([`! ${UNSEEN}`])
})

it('[ID165] a shell that cannot be found to end it may be where nothing was seen', async () => {
  await expect(endGuestShell(deviceWith([]), 'terminal')).rejects.toThrow(UNSEEN)
})
