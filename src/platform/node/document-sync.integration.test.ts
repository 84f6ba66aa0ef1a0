import * as Y from 'yjs'
import { afterAll, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { Emitter } from '../../base/emitter.ts'
import { WORKSPACE_DOC, type DocId } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import type { Link } from '../../sync/lane.ts'
import { RtcLinkSet } from '../../sync/link-set.ts'
import { MemorySignaling } from '../../testkit/memory-signaling.ts'
import { SyncDevice } from '../../testkit/sync-device.ts'
import { createTestDevice, type TestDevice, TestMembers } from '../../testkit/test-devices.ts'
import { DatachannelRtc } from './datachannel-rtc.ts'

const A = createTestDevice(1)
const B = createTestDevice(2)
const rtc = new DatachannelRtc()
afterAll(() => rtc.release())

/** A device with real links over WebRTC, its documents attached to each. */
function boot(device: TestDevice, signaling: MemorySignaling) {
  const check = new TestMembers(A, B)
  const one = new SyncDevice('', { signer: device.signer, check })
  one.documents.open(WORKSPACE_DOC)
  const links: Link[] = []
  const set = new RtcLinkSet({
    signer: device.signer,
    check,
    rtc,
    rtcOptions: () => ({ iceServers: [], bindAddress: '127.0.0.1' }),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onDidChangeNetwork: new Emitter<void>().event,
    onDidChangeMembers: new Emitter<void>().event,
  })
  set.onDidLink((link) => {
    links.push(link)
    one.sync.attach(link)
  })
  set.addSignaling(signaling.join(device.device))
  onTestFinished(() => {
    set.dispose()
    one.dispose()
  })
  return { one, links }
}

/** Waits for a fact; the test's own time limit ends it when it never comes. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2))
}
const map = (one: SyncDevice) => one.documents.open(WORKSPACE_DOC).doc.getMap('m')
const set = (one: SyncDevice, key: string, value: unknown): void =>
  one.documents.open(WORKSPACE_DOC).edit((doc) => doc.getMap('m').set(key, value))

it('[SY1] over real links: a change by a display here reaches a display there, and large texts arrive whole', async () => {
  const signaling = new MemorySignaling()
  const [a, b] = [boot(A, signaling), boot(B, signaling)]
  await until(() => a.links.length > 0 && b.links.length > 0)
  const shown = b.one.documents.open(WORKSPACE_DOC).attachDisplay()
  const seen = new Y.Doc()
  Y.applyUpdate(seen, shown.state())
  shown.onDidUpdate((update) => Y.applyUpdate(seen, update))
  const tookMs: number[] = []
  for (let n = 0; n < 60; n++) {
    const fromMs = performance.now()
    set(a.one, 'n', n)
    await until(() => seen.getMap('m').get('n') === n)
    tookMs.push(performance.now() - fromMs)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  tookMs.sort((x, y) => x - y)
  console.info(`a change over a real link: median ${tookMs[30]?.toFixed(1)} ms, p95 ${tookMs[57]?.toFixed(1)} ms`)
  const text = 'text/large' as DocId
  a.one.documents.open(text).edit((doc) => doc.getText('text').insert(0, 'large '.repeat(800_000)))
  await until(() => (b.one.documents.get(text)?.doc.getText('text').length ?? 0) === 4_800_000)
  expect(a.links[0]?.stats().lanes.session.sentBytes).toBeGreaterThan(4_800_000)
  expect([a.one.sync.frameCounts.forbidden, b.one.sync.frameCounts.forbidden]).toEqual([0, 0])
})

it('[SY1] over real links that are cut again and again: both sides’ changes merge, none is lost', async () => {
  const signaling = new MemorySignaling()
  const [a, b] = [boot(A, signaling), boot(B, signaling)]
  await until(() => a.links.length > 0 && b.links.length > 0)
  for (let round = 0; round < 12; round++) {
    const links = a.links.length
    set(a.one, `a${round} before`, round)
    a.links.at(-1)?.dispose()
    set(a.one, `a${round} cut off`, round)
    set(b.one, `b${round} cut off`, round)
    await until(() => a.links.length > links)
    await until(() => map(b.one).has(`a${round} cut off`) && map(a.one).has(`b${round} cut off`))
  }
  expect(map(a.one).size).toBe(36)
  expect(map(b.one).toJSON()).toEqual(map(a.one).toJSON())
})
