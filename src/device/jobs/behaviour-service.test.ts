import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { silentLogger } from '../../base/logger.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { BehaviourService, type Run } from './behaviour-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

const ID = `sha256:${'1'.repeat(64)}`
const RUN: Run = {
  seen: { ports: [], terminal: false, input: false, screen: false },
  tookMs: 1_000,
  ended: 'well',
  files: undefined,
  cpuMs: undefined,
}
const settle = async () => {
  for (let turns = 0; turns < 60; turns++) await Promise.resolve()
}

function create() {
  const clock = new ManualClock()
  let found: (is: { id: string }) => void = () => undefined
  const looking = new Promise<{ id: string }>((resolve) => {
    found = resolve
  })
  const doc = new Y.Doc()
  const desk = {
    values: { entries: () => [] },
    documents: { open: () => ({ doc, edit: (change: () => void) => doc.transact(change) }) },
    devices: { isMember: () => true, members: [], onDidChange: () => ({ dispose: () => undefined }) },
    context: { signer: { device: 'laptop' } },
  } as unknown as OpenDesk
  const host = { identifyProgram: () => looking }
  const service = new BehaviourService({ local: { client: async () => host } as never, clock, log: silentLogger })
  service.follow(desk)
  const rows = () => service.handlers().listBehaviours({}, {} as never)
  return { service, clock, found, rows }
}

it('[JB101] a run is of the bytes of its program, however long it takes to look at them', async () => {
  const { service, clock, found, rows } = create()
  const learned = service.learn('cc in.c', '/home/ada', ['cc'], RUN)
  await settle()
  clock.advance(10_000)
  await settle()
  expect(rows()).toEqual([])
  found({ id: ID })
  await learned
  expect(rows()).toMatchObject([{ name: 'cc', program: ID, times: 1 }])
  service.dispose()
})

it('[JB101] what another device ran is not taken for the program of that name here', async () => {
  const { service, found, rows } = create()
  found({ id: ID })
  await service.learn('cc in.c', '/home/ada', ['cc'], RUN, 'server')
  const [row] = await rows()
  expect(row?.program).toBeUndefined()
  const taken = { label: 'batch', effects: 'files-only', endpoints: [], confidence: 0.6, reason: '', programs: ['cc'] } as const
  const { learned } = await service.remember('cc in.c', '/home/ada', taken as never)
  expect(learned?.words).toContain('by its name, of whichever cc ran')
  service.dispose()
})

it('[JB109] what another device says it ran is of the bytes that it says, and counts apart: here it is never taken for them', async () => {
  const { service, found, rows } = create()
  found({ id: ID })
  const lie = { ...RUN, seen: { ...RUN.seen, ports: [80], terminal: true, input: false, screen: false }, program: ID }
  for (let n = 0; n < 5; n++) await service.learn('cc in.c', '/home/ada', ['cc'], lie as never, 'server')
  await service.learn('cc in.c', '/home/ada', ['cc'], { ...RUN, program: ID } as never, 'kitchen')
  const taken = { label: 'batch', effects: 'files-only', endpoints: [], confidence: 0.6, reason: '', programs: ['cc'] } as const
  expect((await service.remember('cc in.c', '/home/ada', taken as never)).learned?.words).toContain('as another device says it ran there')
  await service.learn('cc in.c', '/home/ada', ['cc'], RUN)
  expect((await rows()).map(({ program, times }) => ({ program, times })).sort((a, b) => a.times - b.times)).toEqual([
    { program: ID, times: 1 },
    { program: ID, times: 1 },
    { program: ID, times: 5 },
  ])
  const { learned, classification } = await service.remember('cc in.c', '/home/ada', taken as never)
  expect(learned?.words).toMatch(/^seen once on your devices(?!.*listened)/)
  expect(classification.label).toBe('batch')
  service.dispose()
})
