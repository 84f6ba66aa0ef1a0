import { afterEach, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type Clock, systemClock } from '../../base/clock.ts'
import { Emitter } from '../../base/emitter.ts'
import { systemRandom } from '../../base/random.ts'
import { appState } from '../../session/app-state.ts'
import { displayClassOf } from '../../session/display-class.ts'
import { firstContent } from '../../session/first-content.ts'
import { WorkspaceDoc } from '../../session/workspace-doc.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { DeskSession } from './desk-session.ts'
import { useDesk } from './desk-store.ts'
import type { DeviceClient } from './device-connection.ts'
import { useDoor } from './door-store.ts'

const DESK = { width: 1280, height: 800 }
const door = { phase: 'unlocked', deviceId: 'D', deviceName: 'laptop' } as never
const coded = (code: string) => Object.assign(new Error('said by the device'), { code })

function newWorkspace(): Y.Doc {
  const workspace = new Y.Doc()
  Y.applyUpdate(workspace, firstContent())
  return workspace
}

/** One connection to a device that holds the workspace and every text but those that were dropped. */
function connection(dropped: ReadonlySet<string>, workspace = newWorkspace(), refusesWith?: string) {
  const attached: string[] = []
  const channels = new Map<number, { received: Emitter<Uint8Array>; closed: Emitter<{ reason: string }> }>()
  let lastId = 0
  const client = {
    onDidNotify: new Emitter().event,
    onDidChangeSeat: new Emitter().event,
    onDidAskSeatQuestion: new Emitter().event,
    onDidChangeDevices: new Emitter().event,
    onDidChangeContacts: new Emitter().event,
    listContacts: async () => ({ contacts: [], mayChange: false }),
    onDidChangeTerminal: new Emitter().event,
    onDidChangeJob: new Emitter().event,
    onDidForgetJob: new Emitter().event,
    onDidChangeGuestJobs: new Emitter().event,
    listGuestJobs: async () => [],
    onDidChangeWorkflow: new Emitter().event,
    onDidForgetWorkflow: new Emitter().event,
    listDevices: async () => [],
    listJobs: async () => [],
    attachDocument: async ({ doc }: { doc: string }) => {
      attached.push(doc)
      if (dropped.has(doc)) throw coded('sync/dropped')
      const id = ++lastId
      const received = new Emitter<Uint8Array>()
      channels.set(id, { received, closed: new Emitter() })
      const state = doc === 'workspace' ? Y.encodeStateAsUpdate(workspace) : Uint8Array.of(0, 0)
      setTimeout(() => received.fire(Uint8Array.of(0, ...state)))
      return { channel: id, clientId: 7_000 + id }
    },
    channel: (id: number) => ({
      onDidReceive: channels.get(id)?.received.event,
      onDidClose: channels.get(id)?.closed.event,
      send: ([kind]: Uint8Array) => {
        if (kind === 1 && refusesWith) setTimeout(() => channels.get(id)?.closed.fire({ reason: refusesWith }))
      },
      dispose: () => {},
    }),
  }
  return { client: client as unknown as DeviceClient, attached }
}

let desk: DeskSession | undefined
afterEach(() => {
  desk?.dispose()
  useDoor.setState({ client: undefined, door: undefined })
  useDesk.setState({ session: undefined })
})

async function openDesk(dropped: Set<string>, first = connection(dropped), clock: Clock = systemClock) {
  useDoor.setState({ link: 'open', client: first.client, door })
  desk = new DeskSession(clock, systemRandom)
  desk.start()
  await expect.poll(() => useDesk.getState().session).toBeDefined()
  return desk
}

it('a text that was saved elsewhere while the device was away does not keep the desk from coming back', async () => {
  const dropped = new Set<string>()
  const open = await openDesk(dropped)
  await (await open.openText('text/a')).whenLoaded
  useDoor.setState({ link: 'away', client: undefined })
  dropped.add('text/a')
  const again = connection(dropped)
  useDoor.setState({ link: 'open', client: again.client, door })
  await new Promise((resolve) => setTimeout(resolve, 20))
  useDoor.setState({ door: { ...(door as object) } as never }) // what would have made a desk that let go try again
  expect([...again.attached].sort()).toEqual(['text/a', 'workspace'])
})

it('a text that could not be opened is not opened again with the next connection', async () => {
  const dropped = new Set(['text/b'])
  const open = await openDesk(dropped)
  await expect(open.openText('text/b')).rejects.toThrow('said by the device')
  useDoor.setState({ link: 'away', client: undefined })
  const again = connection(dropped)
  useDoor.setState({ link: 'open', client: again.client, door })
  await expect.poll(() => again.attached).toEqual(['workspace'])
})

it('the text of the window that will have the keys is asked for with the desk, and once', async () => {
  const workspace = newWorkspace()
  const app = appState.parse({ kind: 'editor', device: 'D', path: null, textDoc: 'text/aaaaaaaaaaaaaaaaaaaaaa', version: null })
  const context = { newId: () => 'one', nowMs: 0, displayClass: displayClassOf(DESK), desk: DESK }
  new WorkspaceDoc(workspace).dispatch({ type: 'window/open', app }, context)
  const first = connection(new Set(), workspace)
  const open = await openDesk(new Set(), first)
  expect(first.attached).toEqual(['workspace', 'text/aaaaaaaaaaaaaaaaaaaaaa'])
  await (await open.openText('text/aaaaaaaaaaaaaaaaaaaaaa')).whenLoaded
  expect(first.attached).toHaveLength(2)
  await open.openText('text/aaaaaaaaaaaaaaaaaaaaaa')
  expect(first.attached).toHaveLength(3)
})

it('a device that refuses a change, and refuses it again with all that it lacks, is asked anew after a while and not at once', async () => {
  const clock = new ManualClock()
  const first = connection(new Set(), newWorkspace(), 'sync/too-large')
  await openDesk(new Set(), first, clock)
  useDesk.getState().dispatch({ type: 'preferences/set', values: { theme: 'dark' } })
  await expect.poll(() => first.attached).toHaveLength(2)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(first.attached).toHaveLength(2)
  clock.advance(10_000)
  await expect.poll(() => first.attached).toHaveLength(3)
})
