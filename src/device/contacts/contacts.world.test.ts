import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DATASET_ROOT } from '../../files/dataset-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { memoryPortSockets } from '../../testkit/memory-port-socket.ts'
import { acquaint, PATIENT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let ada: WorldDevice
let phone: WorldDevice
let bob: WorldDevice

/** Ada has a laptop and a phone; Bob has a desktop. */
beforeEach(async () => {
  world = new DeviceWorld()
  ada = await world.install('laptop')
  phone = await world.install('phone')
  bob = await world.install('desktop')
  await ada.setUp()
  await phone.setUp()
  await bob.setUp('display of desktop', 'Bob')
})
afterEach(() => {
  expect([...ada.errors, ...phone.errors, ...bob.errors]).toEqual([])
  world.dispose()
})

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )
const contactsOf = async (device: WorldDevice) => (await device.control().listContacts({})).contacts

describe('contacts', () => {
  it('[ID152] two persons have each other, by name and the same words, with their devices; nobody’s devices become the other’s', async () => {
    await acquaint(ada, bob)
    const [[his], [hers]] = [await contactsOf(ada), await contactsOf(bob)]
    expect(his).toMatchObject({ name: 'Bob', checkedBy: 'qr', devices: [{ name: 'desktop' }] })
    expect(hers).toMatchObject({ name: 'Ada', checkedBy: 'qr', devices: [{ name: 'laptop' }] })
    expect(his?.safetyWords).toEqual(hers?.safetyWords)
    expect((await ada.control().listDevices({})).map(({ name }) => name)).toEqual(['laptop'])
    expect((await bob.control().listDevices({})).map(({ name }) => name)).toEqual(['desktop'])
    const { rows } = await ada.control().listLedger({ limit: 50 })
    expect(rows.map(({ kind }) => kind)).toContain('contact-added')
  })

  it('[ID151] a contact is called what each person likes, is there on own devices, and is parted with', async () => {
    await acquaint(ada, bob)
    const person = (await contactsOf(ada))[0]?.person as string
    await ada.control().renameContact({ person, name: 'Bob from work' })
    await pair(ada, phone)
    await vi.waitFor(async () => expect((await contactsOf(phone)).map(({ name }) => name)).toEqual(['Bob from work']), PATIENT)
    expect((await contactsOf(bob)).map(({ name }) => name)).toEqual(['Ada'])
    await ada.control().removeContact({ person })
    await vi.waitFor(async () => expect(await contactsOf(phone)).toEqual([]), PATIENT)
    expect(await codeOf(ada.control().renameContact({ person, name: 'x' }))).toBe('contact/unknown')
    expect((await contactsOf(bob)).map(({ name }) => name)).toEqual(['Ada'])
  })

  it('[ID151] a member shows no code and takes none', async () => {
    await pair(ada, phone)
    const tablet = await world.install('tablet')
    await tablet.setUp()
    await pair(phone, tablet) // the phone holds no root key: what it adds is a member
    expect(await codeOf(tablet.control().offerContact({}))).toBe('contact/refused')
    expect(await codeOf(tablet.control().joinContact({ code: '1234-123456' }))).toBe('contact/refused')
  })
})

/** What a device of each shows of the other's. */
async function statesOf(device: WorldDevice) {
  const devices = (await contactsOf(device)).flatMap((row) => row.devices)
  return Object.fromEntries(devices.map(({ name, state }) => [name, state]))
}
const isLinked = (device: WorldDevice, name: string) =>
  vi.waitFor(async () => expect((await statesOf(device))[name]).toBe('linked'), PATIENT)

describe('links between contacts', () => {
  it('[ID153] come up, both ways, apart from own ones; a removed contact is cut off at once', async () => {
    await acquaint(ada, bob)
    await isLinked(ada, 'desktop')
    await isLinked(bob, 'laptop')
    expect([(await ada.control().status({})).links, (await bob.control().status({})).links]).toEqual([0, 0])
    const person = (await contactsOf(ada))[0]?.person as string
    await ada.control().removeContact({ person })
    expect(await contactsOf(ada)).toEqual([])
    await vi.waitFor(async () => expect((await statesOf(bob)).laptop).not.toBe('linked'), PATIENT)
  })

  it('[ID153] their other devices are known by their own log, also to a device of mine that never met them', async () => {
    await pair(ada, phone)
    await acquaint(ada, bob)
    await isLinked(phone, 'desktop')
    const tablet = await world.install('tablet')
    await tablet.setUp('display of tablet', 'Bob')
    await pair(bob, tablet)
    for (const mine of [ada, phone]) await isLinked(mine, 'tablet')
    await isLinked(tablet, 'laptop')
    await isLinked(tablet, 'phone')
    const deviceId = (await bob.control().listDevices({})).find(({ name }) => name === 'tablet')?.deviceId as string
    await bob.control().removeDevice({ deviceId })
    for (const mine of [ada, phone]) {
      await vi.waitFor(async () => expect(await statesOf(mine)).toEqual({ desktop: 'linked' }), PATIENT)
    }
    expect([...tablet.errors]).toEqual([])
  })
})

describe('a port of a job', () => {
  const FOLDER = '/home/test/project'
  const untilMs = () => world.clock.nowMs() + 3_600_000

  /** Ada's laptop runs a web server that answers what it is asked, on port 8080. */
  async function serveOn(device: WorldDevice) {
    device.services.set(8080, (socket) =>
      socket.onDidReceive((bytes) => socket.write(new TextEncoder().encode(`you said ${new TextDecoder().decode(bytes)}`))),
    )
    await device.control().startJob({ commandLine: 'npx serve', folder: FOLDER, input: false, policy: { where: 'here' } })
    const process = await vi.waitFor(() => {
      const found = device.jobSpawner.processes.at(-1)
      if (!found) throw new Error('nothing runs yet')
      return found
    }, PATIENT)
    process.observed = { cpuMs: 0, memoryBytes: 0, ports: [8080] }
    await vi.waitFor(async () => expect((await device.control().listJobs({}))[0]?.ports).toEqual([8080]), PATIENT)
  }
  const grantPort = async (more: object = {}) => {
    const contact = (await contactsOf(ada))[0]?.person as string
    await ada.control().addGrant({
      grant: { contact, target: { kind: 'port', port: 8080 }, abilities: ['ports:share'], mayDelegate: false, untilMs: untilMs(), ...more },
    })
  }
  const offered = () =>
    vi.waitFor(async () => {
      const [row] = await contactsOf(bob)
      const device = row?.devices.find(({ offers }) => offers.length > 0)
      if (!row || !device) throw new Error('nothing is offered')
      return { person: row.person, deviceId: device.deviceId, port: device.offers.find((offer) => offer.kind === 'port')?.port as number }
    }, PATIENT)

  it('[ID154] is reached by a contact who was granted it until a date, on their own machine; not before, and not after', async () => {
    await acquaint(ada, bob)
    await isLinked(bob, 'laptop')
    await serveOn(ada)
    const [row] = await contactsOf(bob)
    const at = { person: row?.person as string, deviceId: row?.devices[0]?.deviceId as string, port: 8080 }
    expect(await codeOf(bob.control().openContactPort(at))).toBe('contact/not-offered')
    await grantPort()
    expect(await offered()).toEqual(at)
    expect(await bob.control().openContactPort(at)).toEqual({ here: 8080 })
    const [mine, far] = memoryPortSockets()
    bob.listeners.get(8080)?.(far)
    mine.write(new TextEncoder().encode('hello'))
    await vi.waitFor(() => expect(mine.text).toBe('you said hello'), PATIENT)
    const { grants } = await ada.control().listGrants({})
    expect(grants[0]?.sentence).toBe('Bob may reach shared ports (port 8080) on each of your devices')
    await ada.control().revokeGrant({ id: grants[0]?.id as string })
    await vi.waitFor(() => expect(mine.isClosed).toBe(true), PATIENT)
    await vi.waitFor(() => expect(bob.listeners.has(8080)).toBe(false), PATIENT)
    expect((await statesOf(bob)).laptop).toBe('linked')
    const kinds = async (device: WorldDevice) => (await device.control().listLedger({ limit: 50 })).rows.map(({ sentence }) => sentence)
    await vi.waitFor(async () => {
      expect((await kinds(ada)).join()).toContain('Port 8080 was opened to desktop of Bob')
      expect((await kinds(bob)).join()).toContain('Port 8080 of laptop of Ada was closed on this device')
    }, PATIENT)
  })

  it('[DV42] a grant to a contact that could never count is not written', async () => {
    await acquaint(ada, bob)
    const port = { target: { kind: 'port' as const, port: 8080 }, abilities: ['ports:share'] }
    const ownPhone = (await ada.control().listDevices({}))[0]?.deviceId as string
    const codes = await Promise.all([
      codeOf(grantPort({ mayDelegate: true })),
      codeOf(grantPort({ target: { kind: 'shell' }, abilities: ['shell'] })),
      codeOf(grantPort({ target: { kind: 'shell' }, abilities: ['shell'], on: ownPhone, untilMs: undefined })),
      codeOf(grantPort({ target: { kind: 'shell' }, abilities: ['files:read'], on: ownPhone })),
      codeOf(grantPort({ ...port, device: ownPhone })),
      codeOf(grantPort({ ...port, program: `sha256:${'ab'.repeat(32)}` })),
      codeOf(grantPort({ contact: 'F'.repeat(44) })),
    ])
    expect(codes).toEqual([
      ...Array.from({ length: 4 }, () => 'authority/malformed'),
      ...['devices/unknown', 'authority/malformed', 'contact/unknown'],
    ])
    expect((await ada.control().listGrants({})).grants).toEqual([])
  })
})

describe('a job', () => {
  it('[ID164] [ID168] [JB111] runs on a device of a contact who granted that, in its sandbox, in a copy of the folder; is seen and stopped there; not before, and not after', async () => {
    await acquaint(ada, bob)
    await isLinked(bob, 'laptop')
    const [row] = await contactsOf(bob)
    const device = row?.devices[0]?.deviceId as string
    const start = () =>
      bob.control().startJob({ commandLine: 'gzip big.tar', folder: '/home/test/project', input: false, policy: { where: { device } } })
    const grant = async () => {
      const contact = (await contactsOf(ada))[0]?.person as string
      const target = { kind: 'jobs' as const, jobClass: 'any' }
      await ada.control().addGrant({ grant: { contact, target, abilities: ['jobs:run'], mayDelegate: false } })
      await vi.waitFor(
        async () => expect((await contactsOf(bob))[0]?.devices[0]?.offers).toMatchObject([{ kind: 'jobs', jobClass: 'any' }]),
        PATIENT,
      )
    }
    await grant()
    const { job, why } = await start()
    expect(why).toBe('you chose laptop of Ada')
    const process = await vi.waitFor(() => {
      const found = ada.jobSpawner.processes.at(-1)
      if (!found) throw new Error('nothing runs yet')
      return found
    }, PATIENT)
    expect(process.request).toMatchObject({ arguments: ['-c', 'gzip big.tar'], sandbox: { network: false } })
    const stateOf = async (id: string) => (await bob.control().listJobs({})).find((one) => one.job === id)
    process.exit(0)
    await vi.waitFor(async () => expect(await stateOf(job)).toMatchObject({ state: 'done', exit: { code: 0 } }), PATIENT)
    const desktop = (await contactsOf(ada))[0]?.devices[0]?.deviceId as string
    const stopped = await start()
    await vi.waitFor(() => expect(ada.jobSpawner.processes).toHaveLength(2), PATIENT)
    const guests = () => ada.control().listGuestJobs({})
    expect(await guests()).toEqual([
      { attempt: expect.any(String), asker: desktop, line: 'gzip big.tar', startedAtMs: expect.any(Number), isHeld: false },
    ])
    expect(await bob.control().listGuestJobs({})).toEqual([])
    const { rows } = await ada.control().listLedger({ limit: 50 })
    expect(rows.filter(({ kind }) => kind.startsWith('jobs-')).map(({ kind, sentence }) => [kind, sentence])).toEqual([
      ['jobs-begun', expect.stringMatching(/ began to run jobs on this device$/)],
    ])
    const told: number[] = []
    ada.control().onDidChangeGuestJobs((jobs) => told.push(jobs.length))
    await ada.control().endGuestJob({ attempt: (await guests())[0]?.attempt as string })
    await vi.waitFor(() => expect(ada.jobSpawner.processes[1]?.isEnding).toBe(true), PATIENT)
    ada.jobSpawner.processes[1]?.exit(-1, 'SIGTERM')
    await vi.waitFor(async () => expect(await stateOf(stopped.job)).toMatchObject({ state: 'failed' }), PATIENT)
    expect(await stateOf(stopped.job)).toMatchObject({
      error: { code: 'job/ended-stopped', message: 'laptop of Ada ended it: its owner stopped it there' },
    })
    await vi.waitFor(() => expect(told.at(-1)).toBe(0), PATIENT)
    const second = await start()
    await vi.waitFor(() => expect(ada.jobSpawner.processes).toHaveLength(3), PATIENT)
    for (const { id } of (await ada.control().listGrants({})).grants) await ada.control().revokeGrant({ id })
    await vi.waitFor(() => expect(ada.jobSpawner.processes[2]?.isEnding).toBe(true), PATIENT)
    ada.jobSpawner.processes[2]?.exit(-1, 'SIGTERM')
    await vi.waitFor(async () => expect((await stateOf(second.job))?.endedAtMs).toBeDefined(), PATIENT)
    expect(bob.jobSpawner.processes).toEqual([])
  })
})

describe('a shell', () => {
  it('[ID165] [ID167] is opened by a contact on the device they were let into, is seen and ended by its owner, and is in both ledgers', async () => {
    await acquaint(ada, bob)
    await isLinked(bob, 'laptop')
    const laptop = (await contactsOf(bob))[0]?.devices[0]?.deviceId as string
    const desktop = (await contactsOf(ada))[0]?.devices[0]?.deviceId as string
    const open = () => bob.control().openTerminal({ device: laptop, tab: 'a-tab', columns: 80, rows: 24 })
    const contact = (await contactsOf(ada))[0]?.person as string
    const grant = (more: object = {}) =>
      ada.control().addGrant({
        grant: {
          ...{ contact, on: laptop, target: { kind: 'shell' }, abilities: ['shell'], mayDelegate: false },
          untilMs: world.clock.nowMs() + 3_600_000,
          ...more,
        },
      })
    await grant()
    await vi.waitFor(async () => expect((await contactsOf(bob))[0]?.devices[0]?.offers).toMatchObject([{ kind: 'shell' }]), PATIENT)
    const { terminalId } = await open()
    expect((await open()).terminalId).toBe(terminalId)
    expect(ada.spawner.ptys).toHaveLength(1)
    expect(bob.spawner.ptys).toHaveLength(0)
    const seen = async () => (await ada.control().listTerminals({ device: laptop })).filter(({ guest }) => guest)
    expect(await seen()).toMatchObject([{ terminalId, guest: { person: contact, device: desktop } }])
    expect((await bob.control().listTerminals({ device: laptop })).map((one) => [one.terminalId, one.guest])).toEqual([
      [terminalId, undefined],
    ])
    await ada.control().endTerminal({ device: laptop, terminalId })
    await vi.waitFor(async () => expect(await bob.control().listTerminals({ device: laptop })).toEqual([]), PATIENT)
    const second = await open()
    expect(second.terminalId).not.toBe(terminalId)
    for (const { id } of (await ada.control().listGrants({})).grants) await ada.control().revokeGrant({ id })
    await vi.waitFor(async () => expect(await seen()).toEqual([]), PATIENT)
    expect(await codeOf(open())).toBe('grant/refused')
    const told = (await ada.control().listLedger({ limit: 50 })).rows.map(({ sentence }) => sentence).join()
    expect(told).toContain('desktop of Bob opened a shell on this device')
    expect(told).toContain('The shell of desktop of Bob on this device ended after')
    const own = async () =>
      (await bob.control().listLedger({ limit: 50 })).rows.filter(({ kind }) => kind.startsWith('shell-')).toReversed()
    await vi.waitFor(
      async () => expect((await own()).map(({ kind }) => kind)).toEqual(['shell-entered', 'shell-left', 'shell-entered', 'shell-left']),
      PATIENT,
    )
    expect((await own())[0]?.sentence).toBe('This device opened a shell on laptop of Ada')
  })
})

describe('a dataset', () => {
  it('[ID155] [ID163] is read, or changed, by a contact who was granted that, through the device that has it; not before, and not after', async () => {
    await acquaint(ada, bob)
    await isLinked(bob, 'laptop')
    const display = ada.connect('another display')
    await display.hello({ displayName: 'another display' })
    await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
    const home = await vi.waitFor(async () => {
      const [first] = await display.listDatasets({})
      if (!first) throw new Error('Home is not open yet')
      return first.dataset
    }, PATIENT)
    const { write } = await display.beginDatasetWrite({ dataset: home, to: { parent: DATASET_ROOT, name: 'plan.txt' } })
    await display.appendDatasetWrite({ write, base64: btoa('for Bob') })
    const { node } = await display.commitDatasetWrite({ write })
    const [row] = await contactsOf(bob)
    const at = { person: row?.person as string, deviceId: row?.devices[0]?.deviceId as string, dataset: home, path: '/plan.txt' }
    const read = () => bob.control().readContactFile({ ...at, offset: 0, length: 1000 })
    // Asked without a grant the other device ends the link: it comes back, and nothing was told.
    expect(await codeOf(read())).not.toBe('no error')
    const contact = (await contactsOf(ada))[0]?.person as string
    const target = { kind: 'dataset' as const, dataset: home }
    const grant = (abilities: string[]) => ada.control().addGrant({ grant: { contact, target, abilities, mayDelegate: false } })
    await grant(['files:read'])
    await vi.waitFor(async () => expect(atob((await read()).base64)).toBe('for Bob'), PATIENT)
    expect((await bob.control().listContactFolder({ ...at, path: '/', from: 0 })).entries.map(({ name }) => name)).toEqual(['plan.txt'])
    expect((await contactsOf(bob))[0]?.devices[0]?.offers).toEqual([{ kind: 'dataset', dataset: home, mayRead: true, mayWrite: false }])
    const { person, deviceId } = at
    const put = async (path: string, text: string) => {
      const { write } = await bob.control().beginContactWrite({ ...at, path })
      await bob.control().appendContactWrite({ person, deviceId, write, base64: btoa(text) })
      await bob.control().commitContactWrite({ person, deviceId, write })
    }
    expect(await codeOf(put('/from-bob.txt', 'by Bob'))).toBe('grant/refused')
    await grant(['files:write'])
    await vi.waitFor(() => put('/from-bob.txt', 'by Bob'), PATIENT)
    await bob.control().makeContactFolder({ ...at, path: '/of Bob' })
    const names = async () =>
      (await display.listDatasetFolder({ dataset: home, node: DATASET_ROOT, from: 0, limit: 10 })).entries.map(({ name }) => name)
    expect(await names()).toEqual(['from-bob.txt', 'of Bob', 'plan.txt'])
    await bob.control().removeContactEntry({ ...at, path: '/from-bob.txt' })
    expect(await names()).toEqual(['of Bob', 'plan.txt'])
    await display.removeDatasetNode({ dataset: home, node })
    expect(await codeOf(read())).toBe('file/not-found')
    const { grants } = await ada.control().listGrants({})
    expect(grants.map(({ sentence }) => sentence).join()).toContain('Bob may read files of the dataset')
    for (const { id } of grants) await ada.control().revokeGrant({ id })
    expect(await codeOf(read())).toBe('grant/refused')
  })
})
