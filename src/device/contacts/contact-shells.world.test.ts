import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DisposableStore } from '../../base/disposable.ts'
import { CancelledError } from '../../base/errors.ts'
import { Emitter } from '../../base/emitter.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import { AuthorityGrants } from '../../identity/authority/authority-grants.ts'
import { MemoryAuthorityStore } from '../../identity/authority/authority-store.ts'
import type { Grant } from '../../identity/authority/operation.ts'
import { AuthorityContacts } from '../../identity/contacts/authority-contacts.ts'
import { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import type { LedgerEvent } from '../../identity/ledger/ledger-event.ts'
import { LogGrantCheck } from '../../identity/log-grant-check.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { type Client, createClient } from '../../rpc/client.ts'
import { LaneTransport } from '../../rpc/lane-transport.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import { fuzzContract } from '../../testkit/contract-fuzz.ts'
import { createFakeLinkPair, type FakeLinkPair } from '../../testkit/fake-link.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { Somebody } from '../../testkit/somebody.ts'
import { contactShellContract } from './contact-contract.ts'
import { ContactSession } from './contact-session.ts'
import { ContactShells, type ContactShellsOptions, endLeftShells, MAX_CONTACT_SHELLS, MAX_OPENINGS_A_MINUTE } from './contact-shells.ts'
import { LocalTerminals } from '../desk/local-terminals.ts'

const crypto = new SodiumCrypto()
const NOW = 1_800_000_000_000
const SIZE = { columns: 80, rows: 24 }
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Terminals of Ada's laptop: one of her own, for her tab, and whatever is opened. */
class FakeTerminals {
  readonly changed = new Emitter<HostTerminal>()
  readonly onDidChange = this.changed.event
  readonly all = new Map<string, HostTerminal>()
  readonly asked: object[] = []
  readonly ended: string[] = []
  readonly viewers: { readonly terminalId: string; readonly far: ByteChannel }[] = []
  isPlanted = false
  /** The host's answer about a shell waits for it. */
  answer: Promise<void> = Promise.resolve()

  readonly open = async (
    request: {
      columns: number
      rows: number
      tab?: string
      guest?: HostTerminal['guest']
    },
    signal?: AbortSignal,
  ): Promise<HostTerminal> => {
    this.asked.push(request)
    if (this.isPlanted && request.columns === 7) throw new TypeError('planted')
    if (request.tab === 'tab-of-ada') return this.add({ terminalId: 'ada' })
    const terminal = this.add({ terminalId: `t${this.asked.length}`, ...(request.guest && { guest: request.guest }) })
    const cancelled = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(new CancelledError())))
    await Promise.race([this.answer, cancelled]) // as rpc/client: who cancels is not told what has begun
    return terminal
  }
  readonly attach = async ({ terminalId }: { terminalId: string }, context: { openChannel(): ByteChannel }) => {
    const channel = context.openChannel()
    const [near, far] = memoryChannelPair()
    pipeChannels(near, channel)
    this.viewers.push({ terminalId, far })
    return { channel, terminal: this.all.get(terminalId) as HostTerminal }
  }
  readonly end = async (terminalId: string): Promise<void> => {
    this.ended.push(terminalId)
    const terminal = this.all.get(terminalId)
    if (this.all.delete(terminalId) && terminal) this.changed.fire({ ...terminal, exit: { code: 0, signal: 15 } })
  }

  add(more: Partial<HostTerminal> & { readonly terminalId: string }): HostTerminal {
    const terminal = { title: '', cwd: '/home/ada', pid: 1, foreground: 'sh', startedAtMs: NOW, ...SIZE, ...more }
    this.all.set(terminal.terminalId, terminal)
    return terminal
  }
}

let clock: ManualClock
let owned: DisposableStore
let ada: Somebody
let bob: Somebody
let logs: ContactLogs
let terminals: FakeTerminals
let shells: ContactShells
let recorded: LedgerEvent[]
let bugs: unknown[]

const contacts = () => new AuthorityContacts(ada.log, ada.laptop.datasetKeys)
const grants = () => new AuthorityGrants(ada.log)
const grantShell = (more: Partial<Grant> = {}) =>
  grants().add(
    {
      person: bob.person,
      on: ada.laptop.device,
      target: { kind: 'shell' },
      abilities: ['shell'],
      mayDelegate: false,
      untilMs: NOW + 60_000,
      ...more,
    },
    ada.signers,
  )
const revokeAll = () => {
  for (const { id } of grants().all) grants().revoke(id, ada.signers)
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

/** Links a device of Bob's with Ada's laptop; `client` is whatever that device does on the tty lane. */
function link(device = bob.laptop.device): { pair: FakeLinkPair; client: Client<typeof contactShellContract> } {
  const pair = createFakeLinkPair(ada.laptop.device, device)
  const check = owned.add(new LogGrantCheck({ devices: ada.list, self: ada.laptop.device, clock, contact: { person: bob.person, logs } }))
  owned.add(
    new ContactSession(pair.a, {
      person: bob.person,
      guestJobs: { begin: () => {} },
      devices: ada.list,
      logs,
      values: new MemoryKeyValueStore(),
      ledger: { record: () => {} },
      grants: check,
      shells,
      ports: { listensOn: () => false, connectPort: () => Promise.reject(new Error('none')) },
      files: undefined as never,
      host: undefined as never,
      clock,
      log: { ...silentLogger, error: (message, details) => void bugs.push([message, details]) },
      onDidChangeOffers: () => {},
      onDidChangeShell: () => {},
    }),
  )
  return { pair, client: owned.add(createClient(contactShellContract, new LaneTransport(pair.b.lane('tty'), () => {}))) }
}

const newShells = (from: ContactShellsOptions['terminals']) =>
  new ContactShells({
    terminals: from,
    devices: ada.list,
    self: ada.laptop.device,
    logs,
    ledger: { record: (event) => void recorded.push(event) },
    clock,
    log: silentLogger,
  })

beforeEach(() => {
  clock = new ManualClock(NOW)
  owned = new DisposableStore()
  ada = new Somebody(crypto, clock)
  bob = new Somebody(crypto, clock)
  recorded = []
  bugs = []
  logs = owned.add(new ContactLogs({ crypto, clock, devices: ada.list, openStore: () => new MemoryAuthorityStore() }))
  logs.begin(bob.person, bob.list.encode())
  contacts().acquaint(bob.person, { name: 'Bob', meeting: new Uint8Array(32), places: [] }, 'words', ada.signers)
  terminals = new FakeTerminals()
  terminals.add({ terminalId: 'ada' })
  shells = owned.add(newShells(terminals as never))
})
afterEach(() => {
  owned.dispose()
  expect(bugs).toEqual([])
})

describe('[ID165] a shell for a contact', () => {
  it('without a grant a byte on its lane ends the link', async () => {
    const { pair } = link()
    pair.b.lane('tty').send(Uint8Array.of(1))
    await settle()
    expect(pair.a.fault?.code).toBe('contact/lane-refused')
    expect(terminals.asked).toEqual([])
  })

  it('is opened by the grant, in no folder or tab of theirs, and is theirs: no terminal of mine by its id or tab', async () => {
    grantShell()
    const { client, pair } = link()
    const { terminalId } = await client.openShell({ ...SIZE, tab: 'tab-of-ada' })
    const guest = { person: bob.person, device: bob.laptop.device }
    expect(terminals.asked).toEqual([{ ...SIZE, guest }])
    expect((await client.openShell({ ...SIZE, tab: 'tab-of-ada' })).terminalId).toBe(terminalId)
    expect((await client.listShells({})).map((one) => one.terminalId)).toEqual([terminalId])
    expect(await codeOf(client.attachShell({ ...SIZE, terminalId: 'ada' }))).toBe('terminal/unknown')
    expect(await codeOf(client.endShell({ terminalId: 'ada' }))).toBe('terminal/unknown')
    expect(terminals.ended).toEqual([])
    const { channel } = await client.attachShell({ ...SIZE, terminalId })
    client.channel(channel).send(Uint8Array.of(1, 108, 115))
    const typed: number[] = []
    terminals.viewers[0]?.far.onDidReceive((bytes) => typed.push(...bytes))
    await vi.waitFor(() => expect(typed).toEqual([1, 108, 115]))
    expect(recorded).toMatchObject([{ kind: 'shell-opened', peer: bob.laptop.device, person: bob.person, shell: terminalId }])
    expect(pair.a.isClosed).toBe(false)
  })

  it.each([
    ['on another device of mine', () => ({ on: ada.phone.device })],
    ['on no device by name', () => ({ on: undefined })],
    ['without an end', () => ({ untilMs: undefined })],
    ['whose time is over', () => ({ untilMs: NOW - 1 })],
    ['to another device of theirs', () => ({ device: bob.phone.device })],
    ['of files only', () => ({ abilities: ['files:read', 'files:write', 'tasks:end'] })],
    ['to one program', () => ({ program: `sha256:${'ab'.repeat(32)}` as never })],
  ])('a grant %s opens none', async (_, more) => {
    const { on, untilMs, ...rest } = { on: ada.laptop.device, untilMs: NOW + 60_000, ...more() } as Partial<Grant>
    const grant = { person: bob.person, target: { kind: 'shell' as const }, abilities: ['shell'], mayDelegate: false, ...rest }
    grants().add({ ...grant, ...(on && { on }), ...(untilMs !== undefined && { untilMs }) }, ada.signers)
    const { pair, client } = link()
    void client.openShell(SIZE).catch(() => undefined)
    await settle()
    expect(pair.a.fault?.code).toBe('contact/lane-refused')
    expect(terminals.asked).toEqual([])
    expect(await codeOf(shells.open({ person: bob.person, device: bob.laptop.device }, SIZE))).toBe('grant/refused')
  })

  it.each([
    ['its time is over', () => clock.advance(60_001)],
    ['its time is over though the clock was set back', () => (clock.sleepThrough(-50_000), clock.advance(60_001))],
    ['the machine slept through its end, half a minute later', () => (clock.sleepThrough(60_000), clock.advance(30_000))],
    ['it is revoked', revokeAll],
    ['they are no contact any more', () => contacts().part(bob.person, ada.signers)],
    [
      'they removed that device',
      () => {
        bob.list.remove(bob.laptop.device, bob.phone.signer, bob.root)
        logs.take(
          bob.person,
          bob.log.all().map(({ bytes }) => bytes),
        )
      },
    ],
    ['the desk closes', () => shells.dispose()],
  ])('ends in the middle when %s, and is told', async (_, over) => {
    grantShell()
    const { client } = link()
    const { terminalId } = await client.openShell(SIZE)
    const closed = vi.fn()
    client.channel((await client.attachShell({ ...SIZE, terminalId })).channel).onDidClose(closed)
    clock.advance(5_000)
    over()
    await vi.waitFor(() => expect(terminals.ended).toEqual([terminalId]))
    // By the host alone, which closes what looks at a terminal with it.
    if (!/desk closes|set back/.test(_)) await vi.waitFor(() => expect(closed).toHaveBeenCalled())
    expect(recorded.map(({ kind }) => kind)).toEqual(['shell-opened', 'shell-ended'])
    expect(terminals.all.has('ada')).toBe(true)
  })

  it('ends with the grant also while nobody is linked; a link that breaks leaves it, for their other device too', async () => {
    grantShell()
    const first = link()
    const { terminalId } = await first.client.openShell(SIZE)
    first.pair.cut()
    const second = link(bob.phone.device)
    expect((await second.client.listShells({})).map((one) => one.terminalId)).toEqual([terminalId])
    second.pair.cut()
    expect(terminals.ended).toEqual([])
    revokeAll()
    expect(terminals.ended).toEqual([terminalId])
  })

  it('goes on where the grant is renewed, until the end of that one', async () => {
    grantShell()
    const { terminalId } = await shells.open({ person: bob.person, device: bob.laptop.device }, SIZE)
    grantShell({ untilMs: NOW + 120_000 })
    clock.advance(119_000)
    expect(terminals.ended).toEqual([])
    clock.advance(1_000)
    expect(terminals.ended).toEqual([terminalId])
    expect(clock.pendingTimers).toBe(0)
  })

  it('an owner ends it, and it is forgotten; who opened it hears of that', async () => {
    grantShell()
    const { client } = link()
    const heard: unknown[] = []
    client.onDidChangeShell(({ exit }) => heard.push(exit))
    const { terminalId } = await client.openShell(SIZE)
    await terminals.end(terminalId)
    await vi.waitFor(() => expect(heard).toEqual([{ code: 0, signal: 15 }]))
    expect(await codeOf(client.attachShell({ ...SIZE, terminalId }))).toBe('terminal/unknown')
    expect(recorded.map(({ kind }) => kind)).toEqual(['shell-opened', 'shell-ended'])
  })

  it('is ended where it was cancelled before it was open, and told; not where another display waits for it as well', async () => {
    grantShell()
    const guest = { person: bob.person, device: bob.laptop.device }
    let answer = () => {}
    terminals.answer = new Promise((resolve) => (answer = resolve))
    const [gone, stays] = [new AbortController(), new AbortController()]
    const codes = [
      codeOf(shells.open(guest, { ...SIZE, tab: 'a' }, gone.signal)),
      codeOf(shells.open(guest, { ...SIZE, tab: 'b' }, gone.signal)),
      codeOf(shells.open(guest, { ...SIZE, tab: 'b' }, stays.signal)),
    ]
    gone.abort()
    await settle()
    answer()
    expect(await Promise.all(codes)).toEqual([new CancelledError().code, 'no error', 'no error'])
    expect(terminals.ended).toEqual(['t1'])
    expect(recorded.map((event) => [event.kind, 'shell' in event && event.shell])).toEqual([
      ['shell-opened', 't1'],
      ['shell-ended', 't1'],
      ['shell-opened', 't2'],
    ])
    revokeAll()
    expect(terminals.ended).toEqual(['t1', 't2'])
  })

  it('so many at once, however they are asked for', async () => {
    grantShell()
    const { client } = link()
    const codes = await Promise.all(Array.from({ length: MAX_CONTACT_SHELLS + 4 }, () => codeOf(client.openShell(SIZE))))
    expect(codes.filter((code) => code === 'no error')).toHaveLength(MAX_CONTACT_SHELLS)
    expect(codes.filter((code) => code === 'contact/too-many-shells')).toHaveLength(4)
  })

  it('opened and ended over and over, so many within a minute and then after the time that is said, whatever becomes of them', async () => {
    grantShell({ untilMs: NOW + 3_600_000 })
    const { client } = link()
    const openAndEnd = async () => {
      const { terminalId } = await client.openShell(SIZE)
      await client.endShell({ terminalId })
    }
    for (let count = 0; count < MAX_OPENINGS_A_MINUTE; count++) {
      await openAndEnd()
      clock.advance(1_000)
    }
    await expect(client.openShell(SIZE)).rejects.toThrow('try again in 40 s')
    expect(await codeOf(shells.open({ person: bob.person, device: bob.phone.device }, SIZE))).toBe('contact/shells-too-fast')
    expect(terminals.asked).toHaveLength(MAX_OPENINGS_A_MINUTE)
    clock.advance(39_999)
    expect(await codeOf(openAndEnd())).toBe('contact/shells-too-fast')
    clock.advance(1)
    await openAndEnd()
    expect(await codeOf(openAndEnd())).toBe('contact/shells-too-fast')
  })

  it('is ended by the next device process where one left it, and by nothing else', async () => {
    const left = { ...terminals.add({ terminalId: 'left', guest: { person: bob.person, device: bob.laptop.device } }) }
    terminals.add({ terminalId: 'known', guest: { person: bob.person, device: bob.laptop.device } })
    const client = {
      list: async () => [...terminals.all.values()],
      end: ({ terminalId }: { terminalId: string }) => terminals.end(terminalId),
    }
    const onDidConnect = (listener: (connected: typeof client) => void) => {
      listener(client)
      return { dispose: () => {} }
    }
    endLeftShells({ onDidConnect } as never, (id) => id === 'known', silentLogger)
    await vi.waitFor(() => expect(terminals.ended).toEqual([left.terminalId]))
  })

  it('has ended where its host process is gone: it is in no list, takes no place of the eight, and is told', async () => {
    grantShell()
    const guest = { person: bob.person, device: bob.laptop.device }
    const hosts = new Emitter<object>()
    const hostOf = () => {
      const all: HostTerminal[] = []
      const changed = new Emitter<HostTerminal>()
      const spawn = async () => {
        const terminal = { ...terminals.add({ terminalId: `h${all.length}` }), guest }
        all.push(terminal)
        changed.fire(terminal) // as terminal-host: before the answer
        return terminal
      }
      const onDidChangeScreen = new Emitter<{ terminalId: string }>().event
      return { list: async () => all, spawn, onDidChangeTerminal: changed.event, onDidChangeScreen }
    }
    let current = hostOf()
    const local = owned.add(new LocalTerminals({ client: async () => current, onDidConnect: hosts.event } as never, silentLogger))
    const ofHost = owned.add(newShells(local))
    hosts.fire(current)
    for (let count = 0; count < MAX_CONTACT_SHELLS; count++) await ofHost.open(guest, { ...SIZE, tab: `tab ${count}` })
    clock.advance(2_000)
    hosts.fire((current = hostOf()))
    await vi.waitFor(() => expect(ofHost.list(guest)).toEqual([]))
    expect(recorded.slice(MAX_CONTACT_SHELLS)).toMatchObject(
      Array.from({ length: MAX_CONTACT_SHELLS }, (_, at) => ({ kind: 'shell-ended', shell: `h${at}`, forMs: 2_000 })),
    )
    expect((await ofHost.open(guest, { ...SIZE, tab: 'tab 0' })).terminalId).toBe('h0')
  })

  describe('whatever is asked on its lane', () => {
    const fuzz = async () => {
      grantShell({ untilMs: NOW + 20 * 24 * 3_600_000 })
      const { pair } = link()
      const seed = seedOfRun()
      const relay = (transport: Parameters<Parameters<typeof fuzzContract>[1]>[0]) => {
        const peer = new LaneTransport(pair.b.lane('tty'), () => {})
        transport.onDidReceive((message) => peer.send(message))
        peer.onDidReceive((message) => transport.send(message))
      }
      const plausible = (_: string, random: SeededRandom) => {
        clock.advance(3_001) // else most are refused for being asked too fast
        return plausibleInput(random)
      }
      const plausibleInput = (random: SeededRandom) => ({
        terminalId: random.pick(['ada', 't1', 't2', '', 'x'.repeat(65)]),
        columns: random.pick([80, 2, 1, 7, 1000, 1001, 1e9]),
        rows: random.pick([24, 1, 0, 1000, 1001]),
        ...(random.chance(0.3) && { tab: random.pick(['a', 'tab-of-ada', 'x'.repeat(64)]) }),
      })
      const { problems } = await fuzzContract(contactShellContract, relay, new SeededRandom(seed), roundsOfRun(300, 10_000), plausible)
      console.info(`shell lane fuzz: seed ${seed}`)
      return { seed, problems, fault: pair.a.fault }
    }

    it('it is answered with a stable code, sizes are bounded, and my terminal is not touched', async () => {
      expect(await fuzz()).toMatchObject({ problems: [], fault: undefined })
      expect(terminals.ended).not.toContain('ada')
      expect(terminals.viewers.map(({ terminalId }) => terminalId)).not.toContain('ada')
    })

    it('the fuzz finds a call that breaks on a rare size (planted)', async () => {
      terminals.isPlanted = true
      expect((await fuzz()).problems.join()).toContain('base/bug')
      bugs = []
    })
  })
})
