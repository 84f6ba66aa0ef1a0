import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { DoorState } from '../../../device/desk/desk-contract.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { useDoor } from '../../desk/door-store.ts'
import { showToast } from '../../ui/toast.tsx'
import { bringOut } from './bring-out.ts'
import { carryOut, readyToDragOut } from './drag-out.ts'
import type { PaneEntry } from './file-source.ts'

vi.mock('../../ui/toast.tsx', () => ({ showToast: vi.fn() }))

const door = (phase: DoorState['phase']) => ({ phase }) as DoorState

/** A device whose archives nobody reads; `alive`: those that are open. */
function deviceOf() {
  const alive = new Map<string, () => void>()
  let opened = 0
  const archiveState = ({ path, after }: { path: string; after: number }) => {
    if (!alive.has(path)) return Promise.reject(new Error('it is not open any more'))
    if (after !== 0) return Promise.resolve({ phase: 'waiting' })
    return new Promise((resolve) => alive.set(path, () => resolve({ phase: 'stopped' })))
  }
  const client = {
    openArchive: async ({ name }: { name: string }) => {
      const path = `/view/${++opened}`
      alive.set(path, () => {})
      return { path, name: `${name}.zip` }
    },
    closeFileView: async ({ path }: { path: string }) => {
      alive.get(path)?.()
      alive.delete(path)
      return {}
    },
    archiveState,
  } as unknown as DeviceClient
  return { client, alive }
}

const folderOf = (node: string) => {
  const entry = { name: 'Letters', kind: 'folder', bytes: 0, modifiedMs: 0, shared: { dataset: 'd', node, version: 'v' } } as PaneEntry
  return { device: 'elsewhere', folder: '/Home', entries: [entry] }
}
let source = new EventTarget()
/** The address that a drag has; undefined: none. */
function drag(out: ReturnType<typeof folderOf>): string | undefined {
  let carried: string | undefined
  const transfer = { setData: (_: string, value: string) => void (carried = value) } as unknown as DataTransfer
  carryOut(transfer, source, out)
  return carried?.split('desk')[1]
}

let device = deviceOf()
beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('location', { origin: 'https://desk' })
  device = deviceOf()
  useDoor.setState({ client: device.client, door: door('unlocked') })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('[AP161] what was dragged within the desk is asked for by nobody, and closed when the drag is over', async () => {
  for (let count = 0; count < 3; count++) {
    source = new EventTarget()
    await readyToDragOut(folderOf('n'))
    expect(drag(folderOf('n'))).toBe(`/view/${count + 1}`)
    if (count !== 1) source.dispatchEvent(new Event('dragend')) // of one nobody hears: its row went
  }
  expect(device.alive.size).toBe(3)
  await vi.runAllTimersAsync()
  expect(device.alive.size).toBe(0)
})

it('[AP161] nothing is dragged out by an address that is dead, or is that of another of the same name', async () => {
  await readyToDragOut(folderOf('n'))
  expect([drag(folderOf('another')), drag(folderOf('n'))]).toEqual([undefined, '/view/1'])

  await readyToDragOut(folderOf('n'))
  useDoor.setState({ door: door('display-locked') })
  useDoor.setState({ door: door('unlocked') })
  expect(drag(folderOf('n'))).toBeUndefined()

  await readyToDragOut(folderOf('n'))
  await readyToDragOut(folderOf('n')) // it is open already
  await device.client.closeFileView({ path: '/view/3' }) // for 256 others
  await readyToDragOut(folderOf('n'))
  expect(drag(folderOf('n'))).toBe('/view/4')
})

it('[AP161] a browser that does not ask for what it was told to download is not waited for without end, and that is said', async () => {
  vi.stubGlobal('document', { createElement: () => ({ click: () => {} }) })
  const brought = bringOut(folderOf('n'))
  await vi.waitFor(() => expect(device.alive.size).toBe(1))
  await vi.runAllTimersAsync()
  expect([await brought, device.alive.size]).toEqual([false, 0])
  expect(showToast).toHaveBeenCalledWith(expect.objectContaining({ body: expect.stringMatching(/browser did not ask/) }))
})
