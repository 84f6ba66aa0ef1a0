import { expect, it } from 'vitest'
import type { DeviceId } from '../../base/ids.ts'
import { Emitter } from '../../base/emitter.ts'
import { silentLogger } from '../../base/logger.ts'
import type { LinkStats } from '../../sync/lane.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { wordsOfFilesWay } from '../../sync/links-contract.ts'
import { DirectFiles, type DirectFilesOptions } from './direct-files.ts'

function wayOf(stats: Partial<LinkStats> | undefined) {
  const options = {
    local: { onDidConnect: () => ({ dispose: () => {} }) },
    settings: { current: { directFiles: true }, onDidChange: () => ({ dispose: () => {} }) },
    statsOf: () => stats,
    rtcOptions: () => ({ iceServers: ['stun:x.test:1'] }),
    peers: { all: [] },
    clock: new ManualClock(),
    log: silentLogger,
  } as unknown as DirectFilesOptions
  const direct = new DirectFiles(options)
  const way = direct.wayOf('peer' as DeviceId).direct
  direct.dispose()
  return way
}
const rtc = (remote: string) => ({ rtc: { remote, iceServers: ['stun:x.test:1'] } })

it.each<[string, string, object]>([
  ['10.0.0.1:4000', '10.0.0.2:5000', { address: '10.0.0.1', remote: '10.0.0.2', ...rtc('10.0.0.2') }],
  ['::ffff:10.0.0.1:4000', '::FFFF:10.0.0.2:5000', { address: '10.0.0.1', remote: '10.0.0.2', ...rtc('10.0.0.2') }],
  ['FD00:0:0::1:4000', '[fd00:0::2]:5000', { address: 'fd00::1', remote: 'fd00::2', ...rtc('fd00::2') }],
  ['fe80::1:4000', 'fe80::2:5000', {}],
  ['10.0.0.1:4000', 'a-name.local:5000', { address: '10.0.0.1' }],
])('[TR9] a link from %s to %s says where each end may be reached, spelled one way', (localAddress, remoteAddress, way) => {
  expect(wayOf({ path: 'host', localAddress, remoteAddress } as unknown as LinkStats)).toEqual(way)
})

it('[TR9, TR12] over a relay no address for TCP is told, and WebRTC as the link', () => {
  const ends = { localAddress: '10.0.0.1:1', remoteAddress: '10.0.0.2:1' }
  expect(wayOf({ path: 'relay', ...ends })).toEqual(rtc('10.0.0.2'))
  expect(wayOf(undefined)).toEqual({})
})

it.each([
  [{}, undefined],
  [{ directFiles: 0 }, 'WebRTC, as everything else'],
  [{ directFiles: 8, directKind: 'tls' as const }, 'direct TLS, 8 connections'],
  [{ directFiles: 8, directKind: 'webrtc' as const }, 'WebRTC of their own, 8 connections'],
])('[TR7, TR12] by which way files come is said: %j', (row, words) => {
  expect(wordsOfFilesWay(row)).toBe(words)
})

it('[TR7] when the files process is started again its connections are gone, and that is told', () => {
  const clock = new ManualClock()
  const connected = new Emitter<unknown>()
  const told = new Emitter<{ device: string; connections: number }>()
  const direct = new DirectFiles({
    local: { onDidConnect: connected.event },
    settings: { current: { directFiles: true }, onDidChange: () => ({ dispose: () => {} }) },
    statsOf: () => undefined,
    peers: { all: [] },
    clock,
    log: silentLogger,
  } as unknown as DirectFilesOptions)
  const counts: number[] = []
  direct.onDidChange(() => counts.push(direct.wayNow('peer')?.connections ?? 0))
  connected.fire({ onDidChangeDirect: told.event })
  expect(clock.pendingTimers).toBe(0) // who has no such connections looks at nothing
  told.fire({ device: 'peer', connections: 4 })
  expect(clock.pendingTimers).toBe(1)
  connected.fire({ onDidChangeDirect: told.event })
  expect(counts).toEqual([4, 0])
  expect(clock.pendingTimers).toBe(0)
  direct.dispose()
})
