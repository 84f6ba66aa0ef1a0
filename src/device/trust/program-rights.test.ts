import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { DisposableStore } from '../../base/disposable.ts'
import type { DatasetId, PersonId } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { AuthorityGrants } from '../../identity/authority/authority-grants.ts'
import type { AuthorityLog } from '../../identity/authority/authority-log.ts'
import { MemoryAuthorityStore } from '../../identity/authority/authority-store.ts'
import type { Grant } from '../../identity/authority/operation.ts'
import type { ProgramId } from '../../identity/authority/program-id.ts'
import { DeviceKeys } from '../../identity/device-keys.ts'
import { DeviceList } from '../../identity/device-list.ts'
import { LogGrantCheck } from '../../identity/log-grant-check.ts'
import { signProgramRelease } from '../../identity/programs/program-release.ts'
import { ProgramReleases } from '../../identity/programs/program-releases.ts'
import type { ProgramRights } from '../../jobs/program-rights-contract.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { createClient } from '../../rpc/client.ts'
import { LaneTransport } from '../../rpc/lane-transport.ts'
import { serve } from '../../rpc/serve.ts'
import { createFakeLinkPair } from '../../testkit/fake-link.ts'
import { fakeProgramId } from '../../testkit/fake-placed-programs.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { PATIENT } from '../../testkit/paired-devices.ts'
import { peerJobsContract } from '../links/peer-contract.ts'
import { peerJobsHandlers } from '../jobs/peer-jobs.ts'

const crypto = new SodiumCrypto()
const NOW = 1_800_000_000_000
const ATTEMPT = '2'.repeat(16)
const photos = toBase58(new Uint8Array(16).fill(1)) as DatasetId
const make = fakeProgramId('make') as ProgramId

let owned: DisposableStore
let clock: ManualClock
let laptop: DeviceKeys
let phone: DeviceKeys
let list: DeviceList
/** What the host of the laptop was asked. */
let started: { asker: string; rights?: ProgramRights }[]
let ended: { grant?: string | undefined; reason: string }[]
let kept: ProgramRights | undefined
let isMounted: boolean
let releases: ProgramReleases

const grants = () => new AuthorityGrants(list.authority as AuthorityLog)
const signers = () => ({ device: laptop.signer, personKey: undefined })
const grant = (more: Partial<Grant> = {}): Grant => ({
  person: list.person,
  program: make,
  target: { kind: 'dataset', dataset: photos },
  abilities: ['files:read'],
  mayDelegate: false,
  ...more,
})
const add = (more?: Partial<Grant>) => grants().add(grant(more), signers())
const request = { attempt: ATTEMPT, program: 'make', arguments: [], environment: {}, folder: '/home/ada/p', home: '/home/ada' }
const plain = { ...request, network: false, service: false, withoutSandbox: false, containers: false }
const folder = { hostPath: '/mnt/e/Photos', path: '/home/ada/Elsewhere/Photos', mayWrite: false }

/** The phone, a member, asks the laptop on the jobs lane. */
function lane() {
  const pair = createFakeLinkPair(laptop.device, phone.device)
  const check = owned.add(new LogGrantCheck({ devices: list, self: laptop.device, clock }))
  const host = {
    startFor: async (input: (typeof started)[0]) => (started.push(input), (kept = input.rights), { channel: 1, tree: 2 }),
    attachFor: async () => ({ channel: 1, tree: 2, asShell: false, ...(kept && { rights: kept }) }),
    endAttempt: async (input: (typeof ended)[0]) => (ended.push(input), {}),
    channel: () => memoryChannelPair()[0],
  }
  const mountStatus = async () =>
    isMounted ? { state: 'mounted', at: '/mnt/e', folders: [{ dataset: photos, name: 'Photos' }] } : { state: 'off', at: '/mnt/e' }
  const handlers = peerJobsHandlers({
    device: phone.device,
    clock,
    grants: check,
    idsOf: (program) => releases.idsOf(program),
    host: { client: async () => host } as never,
    files: { client: async () => ({ mountStatus }) } as never,
  })
  owned.add(serve(peerJobsContract, handlers, new LaneTransport(pair.a.lane('jobs'), () => {}), { allow: () => true }))
  return owned.add(createClient(peerJobsContract, new LaneTransport(pair.b.lane('jobs'), () => {})))
}

beforeEach(() => {
  owned = new DisposableStore()
  clock = new ManualClock(NOW)
  releases = new ProgramReleases(new MemoryKeyValueStore())
  ;[started, ended, kept, isMounted] = [[], [], undefined, true]
  const root = crypto.signingKey(crypto.bytes(32))
  const person = toBase58(root.publicKey) as PersonId
  ;[laptop, phone] = [DeviceKeys.create(crypto, person), DeviceKeys.create(crypto, person)]
  list = DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() })
  const introduce = (keys: DeviceKeys, name: string) => ({ device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' })
  list.found(introduce(laptop, 'laptop'), root)
  list.add(introduce(phone, 'phone'), laptop.signer)
})
afterEach(() => {
  owned.dispose()
  list.dispose()
})

describe('a grant to a program', () => {
  it('[JB92] goes to the host with the job, by its bytes and the folder that it names; what the asker says of it does not', async () => {
    add()
    add({ abilities: ['files:write'], program: fakeProgramId('cc') as ProgramId })
    const mine = { needed: false, rights: [{ grant: 'x', runs: true, folder }] }
    await lane().startPlaced({ ...plain, ...({ rights: mine } as object) })
    const rights = grants().all.map(({ id, grant: { program, abilities } }) => {
      const mayWrite = abilities.includes('files:write')
      return { grant: id as string, ids: [program as string], runs: false, folder: { ...folder, mayWrite } }
    })
    const byGrant = (all: readonly { grant: string }[] = []) => all.toSorted((x, y) => (x.grant < y.grant ? -1 : 1))
    expect(started).toHaveLength(1)
    expect(byGrant(started[0]?.rights?.rights)).toEqual(byGrant(rights))
    expect([started[0]?.asker, started[0]?.rights?.needed, 'rights' in (started[0] as { request?: object }).request!]).toEqual([
      phone.device,
      false,
      false,
    ])
  })

  it.each([
    ['to another device', () => grant({ device: laptop.device })],
    ['that holds on another device', () => grant({ on: phone.device })],
    ['that is over', () => grant({ untilMs: NOW - 1 })],
    ['without a program', () => ({ ...grant(), program: undefined }) as unknown as Grant],
  ])('[JB92] one %s gives nothing to its jobs', async (_, made) => {
    const { program, ...rest } = made()
    grants().add(program === undefined ? rest : { ...rest, program }, signers())
    await lane().startPlaced(plain)
    expect(started.map(({ rights }) => rights)).toEqual([undefined])
  })

  it('[JB92] where nothing is mounted there is nothing to see', async () => {
    isMounted = false
    add()
    await lane().startPlaced(plain)
    expect(started[0]?.rights?.rights).toEqual([])
  })

  it('[ID162] to a publisher is one to what that publisher released, as this device was told, and to nothing of another', async () => {
    const [mine, other] = [crypto.signingKey(crypto.bytes(32)), crypto.signingKey(crypto.bytes(32))]
    const release = (key: typeof mine, name: string, ids: string[]) =>
      releases.add(signProgramRelease({ publisher: toBase58(key.publicKey), name, release: '1', ids }, (message) => key.sign(message)))
    release(mine, 'make', [make, fakeProgramId('gmake')])
    release(other, 'make', [fakeProgramId('evil')])
    add({ program: `pub:${toBase58(mine.publicKey)}` as ProgramId })
    await lane().startPlaced(plain)
    expect(started[0]?.rights?.rights[0]?.ids?.toSorted()).toEqual([make, fakeProgramId('gmake')].sort())
    releases.forget({ publisher: toBase58(mine.publicKey), name: 'make', release: '1' })
    await lane().startPlaced(plain)
    expect(started[1]?.rights?.rights[0]?.ids).toEqual([])
  })

  it('[JB93] that is revoked, or whose time is over, is told to the host while the job runs, by name', async () => {
    add({ untilMs: NOW + 60_000 })
    const [first] = grants().all
    add({ program: fakeProgramId('cc') as ProgramId })
    await lane().startPlaced(plain)
    const second = grants().all.find(({ id }) => id !== first?.id)
    grants().revoke(second?.id as never, signers())
    await vi.waitFor(() => expect(ended.map(({ grant }) => grant)).toEqual([second?.id]), PATIENT)
    clock.advance(60_001)
    await vi.waitFor(() => expect(ended.map(({ grant }) => grant)).toEqual([second?.id, first?.id]), PATIENT)
    expect(ended.every(({ reason }) => reason === 'grant')).toBe(true)
  })

  it('[JB93] that is revoked when its asker has let go of the job, or as it is let in, is told, too', async () => {
    add()
    const id = grants().all[0]?.id as string
    const client = lane()
    const { channel } = await client.startPlaced(plain)
    client.channel(channel).dispose()
    clock.advance(1_000) // it has closed over there, too
    await new Promise((resolve) => setTimeout(resolve, 0))
    grants().revoke(id as never, signers())
    await vi.waitFor(() => expect(ended.map(({ grant }) => grant)).toEqual([id]), PATIENT)
  })

  it('[JB93] that was revoked while this device was away is told when the job is taken up again', async () => {
    add()
    const id = grants().all[0]?.id as string
    kept = { needed: false, rights: [{ grant: id, ids: [make], runs: false, folder }] }
    grants().revoke(id as never, signers())
    await lane().attachPlaced({ attempt: ATTEMPT, from: 0 })
    expect(ended.map(({ grant }) => grant)).toEqual([id])
  })

  it('[ID79] one for the network, or for no sandbox, is none: that takes a shell, which no program is granted', async () => {
    add({ target: { kind: 'shell' }, abilities: ['shell'] })
    const client = lane()
    for (const more of [{ network: true }, { withoutSandbox: true }]) {
      await expect(client.startPlaced({ ...plain, ...more })).rejects.toMatchObject({ code: 'grant/refused' })
    }
    expect(started).toEqual([])
  })
})
