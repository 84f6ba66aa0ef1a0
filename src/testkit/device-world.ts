import type { PersonId } from '../base/ids.ts'
import { MemoryAuthorityStore } from '../identity/authority/authority-store.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { StoreError } from '../base/store-error.ts'
import { controlContract } from '../device/control-contract.ts'
import { createDevice, type Device } from '../device/create-device.ts'
import { createHost } from '../device/create-host.ts'
import type { DeviceSettings } from '../device/desk/desk-contract.ts'
import type { DeviceParts, ProcessConnection } from '../device/device-parts.ts'
import { displayContract } from '../device/display-contract.ts'
import { filesProcessContract } from '../device/files/files-process-contract.ts'
import { createFiles } from '../device/create-files.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { MemoryDatasetStore } from '../files/memory-dataset-store.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { MemoryLedgerStore } from '../identity/ledger/ledger-store.ts'
import { ARGON2_FLOOR } from '../identity/vault-format.ts'
import { attemptsContract } from '../jobs/attempt-contract.ts'
import { factsContract } from '../jobs/device-facts-contract.ts'
import { hostContract } from '../jobs/host-contract.ts'
import type { EngineCall, EngineStreams } from '../jobs/engines/engine.ts'
import type { MachineCondition } from '../jobs/machine-facts.ts'
import type { PortSocket } from '../jobs/port-socket.ts'
import type { LoadSample } from '../jobs/process-table.ts'
import { tasksContract } from '../jobs/terminal-contract.ts'
import { createSolanaAnchorNetwork } from '../platform/node/solana-anchor-network.ts'
import { createClient } from '../rpc/client.ts'
import { MemoryEnvelopeLog } from '../sync/memory-envelope-log.ts'
import { RendezvousHub } from '../sync/rendezvous-hub.ts'
import { FakeJobSpawner } from './fake-job-process.ts'
import { FakePlacedPrograms } from './fake-placed-programs.ts'
import { FakeProgramFiles } from './fake-program-files.ts'
import { FakePtySpawner } from './fake-pty.ts'
import { fixedCondition } from './fixed-condition.ts'
import { FakeRtcNetwork } from './fake-rtc.ts'
import { createFakeWebSocketPair } from './fake-web-socket.ts'
import { MemoryHomeDisk } from './memory-home-disk.ts'
import { MemoryBucket } from './memory-object-store.ts'
import { type MemoryPortSocket, memoryPortSockets } from './memory-port-socket.ts'
import { MemoryShellDoor } from './memory-shell-door.ts'
import { MemoryTreePlaces, memoryWorkFolders } from './memory-tree.ts'
import { memoryTransportPair } from '../rpc/memory-transport.ts'
import { MemoryVaultStore } from '../identity/memory-vault-store.ts'
import { QuickCrypto } from './quick-crypto.ts'

export const PASSPHRASE = 'correct horse battery'

/**
 * Whole devices in one process, as createDevice joins them, with the platform's parts in memory: stores, ptys, a network of
 * RTC connections that can be cut, and one rendezvous. Crypto is the real one, but a passphrase costs next to nothing.
 */
export class DeviceWorld {
  readonly network = new FakeRtcNetwork()
  readonly crypto = new QuickCrypto()
  readonly owned = new DisposableStore()
  /** What every bucket is here, wherever it is said to be. */
  readonly bucket = new MemoryBucket()
  readonly clock: Clock
  readonly #hub: RendezvousHub
  #isRendezvousUp = true

  constructor(clock: Clock = systemClock) {
    this.clock = clock
    this.#hub = this.owned.add(new RendezvousHub({ clock, random: systemRandom, logger: silentLogger }))
  }

  /** A device that has just been installed; its parts outlive a restart. */
  async install(name: string, logger: Logger = silentLogger): Promise<WorldDevice> {
    const device = new WorldDevice(this, name, logger)
    await device.start()
    this.owned.defer(() => device.stop())
    return device
  }

  async openSocket(): Promise<ReturnType<typeof createFakeWebSocketPair>['client']> {
    if (!this.#isRendezvousUp) throw new Error('the rendezvous is away')
    const { client, server } = createFakeWebSocketPair()
    this.#hub.accept(server, 'test')
    return client
  }

  dispose(): void {
    this.owned.dispose()
  }
}

export class WorldDevice {
  readonly name: string
  readonly spawner = new FakePtySpawner()
  readonly jobSpawner = new FakeJobSpawner()
  readonly trees = new MemoryTreePlaces()
  readonly programs = new FakePlacedPrograms()
  readonly programFiles = new FakeProgramFiles()
  /** What listens on this machine's loopback: given each connection. */
  readonly services = new Map<number, (socket: MemoryPortSocket) => void>()
  /** Ports that the device itself listens on. */
  readonly listeners = new Map<number, (socket: PortSocket) => void>()
  readonly disk = new MemoryHomeDisk()
  /** What answers for engines. */
  engineCall: EngineCall = () => Promise.reject(new Error('there are no engines here'))
  engineStreams: EngineStreams = {
    open: () => {
      throw new Error('there are no engines here')
    },
    download: () => Promise.reject(new Error('there are no engines here')),
  }
  readonly shells = new MemoryShellDoor()
  readonly #woke = new Emitter<void>()
  /** How this machine is, for placement; read whenever it is asked. */
  condition: Partial<MachineCondition> = {}
  cores = 1
  /** Of contents of a dataset it keeps, at most; read when one is opened. */
  cacheBytes = 1e9
  /** Of the disk they are on: then its setting says how much. Read when a dataset is opened. */
  diskBytes: number | undefined
  #sampledAtMs = 0
  readonly vaultStore = new MemoryVaultStore()
  readonly #world: DeviceWorld
  readonly #logger: Logger
  readonly #settings: { current: unknown }
  #log = new MemoryEnvelopeLog()
  #values = new MemoryKeyValueStore()
  #outputs = new MemoryKeyValueStore()
  readonly ledger = new MemoryLedgerStore()
  readonly ledgerValues = new MemoryKeyValueStore()
  readonly #authority = new Map<PersonId, MemoryAuthorityStore>()
  readonly #datasets = new Map<string, { store: MemoryDatasetStore; chunks: MemoryChunkStore }>()
  #device: Device | undefined
  #owned = new DisposableStore()
  /** Bugs the device reported; a test that ends with one has found something. */
  readonly errors: string[] = []
  storesPutAside = 0
  /** Names of what its store keeps in a space. */
  keptIn(space: string): string[] {
    return this.#values.entries(space).map(([name]) => name)
  }
  /** Datasets whose stores cannot be opened. */
  readonly shutDatasets = new Set<string>()
  /** Makes the next opening of the store fail, as a crash in between would. */
  failToOpenStore = false
  /** Documents of which nothing more can be kept, as on a full disk. */
  readonly cannotKeep = new Set<string>()
  /** How far this device's clock is wrong. */
  clockOffsetMs = 0

  constructor(world: DeviceWorld, name: string, logger: Logger) {
    this.#world = world
    this.name = name
    this.#logger = logger
    this.#settings = { current: { rendezvousPort: 0, mdns: false, rendezvousUrls: ['ws://rendezvous.test:1/'] } }
  }

  #wrongClock(right: Clock): Clock {
    return {
      nowMs: () => right.nowMs() + this.clockOffsetMs,
      monotonicMs: () => right.monotonicMs(),
      after: (delayMs, callback) => right.after(delayMs, callback),
      every: (periodMs, callback) => right.every(periodMs, callback),
    }
  }

  get device(): Device {
    if (!this.#device) throw new Error(`${this.name} does not run`)
    return this.#device
  }

  async start(): Promise<void> {
    this.#owned = new DisposableStore()
    this.#device = await createDevice(this.#parts())
  }

  /** The machine slept and is awake again. */
  wake(): void {
    this.#woke.fire()
  }

  stop(): void {
    this.#device?.dispose()
    this.#device = undefined
    this.#owned.dispose()
  }

  /** A display that has opened its connection; `entrance` stands for its cookie, `host` for where its page was served. */
  connect(entrance = 'cookie', host?: string) {
    const [near, far] = memoryTransportPair()
    this.device.acceptDisplay(far, entrance, host)
    return createClient(displayContract, near)
  }

  /** The command line's connection. */
  control() {
    const [near, far] = memoryTransportPair()
    const door = { pid: 1, origin: () => 'http://test.localhost:1', oneTimeUrl: () => 'http://test.localhost:1/enter?t=x' }
    this.device.acceptControl(far, door)
    return createClient({ ...displayContract, ...controlContract }, near)
  }

  /** Sets the device up and returns its first display, unlocked. */
  async setUp(displayName = `display of ${this.name}`, personName = 'Ada') {
    const display = this.connect()
    await display.hello({ displayName })
    await display.createVault({ personName, deviceName: this.name, passphrase: PASSPHRASE, unattended: false })
    return display
  }

  /** Outlive a restart of the device, as files on a disk do. */
  #datasetStores(dataset: string) {
    let kept = this.#datasets.get(dataset)
    if (!kept) this.#datasets.set(dataset, (kept = { store: new MemoryDatasetStore(), chunks: new MemoryChunkStore() }))
    const { chunks } = kept
    const bytes = this.diskBytes
    if (bytes === undefined) return { ...kept, limitBytes: this.cacheBytes, dispose: () => {} }
    return { ...kept, disk: () => ({ bytes, freeBytes: bytes - chunks.stats.bytes }), dispose: () => {} }
  }

  #authorityOf(person: PersonId): MemoryAuthorityStore {
    let store = this.#authority.get(person)
    if (!store) this.#authority.set(person, (store = new MemoryAuthorityStore()))
    return store
  }

  #load(): LoadSample {
    return {
      atMs: (this.#sampledAtMs += 600),
      cores: this.cores,
      busyMs: 0,
      totalMs: 1,
      memoryBytes: 1,
      memoryTotalBytes: 2,
      lastMinute: 0,
    }
  }

  #parts(): DeviceParts {
    const world = this.#world
    const host = createHost({
      spawner: this.spawner,
      isFolder: () => true,
      readProject: async () => ({}),
      identifier: this.programFiles,
      commandLine: (words) => ['elsewhere', ...words],
      jobSpawner: this.jobSpawner,
      treePlaces: this.trees,
      programs: this.programs,
      portSockets: {
        connect: async (port) => {
          const [near, far] = memoryPortSockets()
          const serve = this.services.get(port)
          if (!serve) throw new Error('no ports here')
          serve(far)
          return near
        },
      },
      endStrays: async () => [],
      processes: { sample: () => ({ ...this.#load(), processes: [] }), load: () => this.#load() },
      condition: {
        ...fixedCondition(),
        missing: (tools) => this.condition.missing?.(tools) ?? [],
        noSandbox: () => this.condition.noSandbox?.(),
      },
      signal: () => true,
      supervisorPid: undefined,
      log: silentLogger,
      environment: {},
      home: '/home/test',
      shell: '/bin/sh',
      shellFolder: '/tmp',
    })
    this.#owned.add(host)
    const files = this.#owned.add(
      createFiles({
        disk: this.disk,
        mounter: {
          setting: { isOn: false, at: '/home/test/Elsewhere' },
          keep: () => {},
          mount: () => Promise.reject(new Error('there are no mounts here')),
          space: () => ({ totalBytes: 1, freeBytes: 1 }),
        },
        workFolders: memoryWorkFolders(this.trees),
        crypto: new NodeFilesCrypto(),
        clock: this.#wrongClock(world.clock),
        logger: silentLogger,
        openStores: (dataset, _, part) => {
          if (this.shutDatasets.has(dataset)) throw StoreError.failed('a dataset', new Error('a planted failure'))
          return this.#datasetStores(`${dataset} ${part}`)
        },
        openBucket: () => world.bucket.open(),
      }),
    )
    const error = (message: string, details?: Readonly<Record<string, unknown>>) =>
      void this.errors.push(`${message} ${String(details?.error instanceof Error ? details.error.stack : JSON.stringify(details ?? {}))}`)
    const log: Logger = { ...this.#logger, error, child: () => log }
    return {
      clock: this.#wrongClock(world.clock),
      onDidWake: this.#woke.event,
      random: systemRandom,
      log,
      crypto: world.crypto,
      argon2: ARGON2_FLOOR,
      vaultStore: this.vaultStore,
      settingsStore: {
        read: () => this.#settings.current,
        write: (settings: DeviceSettings) => void (this.#settings.current = settings),
      },
      shellDoor: this.shells,
      fetch: () => Promise.reject(new Error('there is no web here')),
      engineCall: (request, signal) => this.engineCall(request, signal),
      engineStreams: {
        open: (request, signal) => this.engineStreams.open(request, signal),
        download: (url, maxBytes, signal, moved) => this.engineStreams.download(url, maxBytes, signal, moved),
      },
      host: connection(
        { ...hostContract, ...tasksContract, ...factsContract, ...attemptsContract },
        (transport) => void host.serve(transport),
      ),
      portSockets: {
        listen: async (port, take) => {
          this.listeners.set(port, take)
          return { port, dispose: () => void (this.listeners.get(port) === take && this.listeners.delete(port)) }
        },
      },
      files: connection(filesProcessContract, (transport) => void files.serve(transport)),
      openStore: () => {
        if (this.failToOpenStore) throw StoreError.failed('the store', 'a planted failure')
        const log = this.#log
        const append = log.append.bind(log)
        log.append = (doc, ...rest) => {
          if (this.cannotKeep.has(doc)) throw StoreError.diskFull('the store')
          return append(doc, ...rest)
        }
        return {
          log,
          values: this.#values,
          outputs: this.#outputs,
          authority: (person) => this.#authorityOf(person),
          setAside: undefined,
          onDidSetAside: new Emitter<string>().event,
          dispose: () => {},
        }
      },
      openLedger: () => ({ store: this.ledger, values: this.ledgerValues, dispose: () => undefined }),
      openAnchorNetwork: async (url) => createSolanaAnchorNetwork(url, (address, init) => fetch(address, init)),
      putStoreAside: () => {
        this.storesPutAside++
        this.#log = new MemoryEnvelopeLog()
        this.#values = new MemoryKeyValueStore()
        this.#outputs = new MemoryKeyValueStore()
        this.#authority.clear()
      },
      createLinkPlatform: () => ({
        rtc: world.network,
        openSocket: () => world.openSocket(),
        onDidChangeNetwork: new Emitter<void>().event,
        dispose: () => {},
      }),
      bindAddress: () => undefined,
      startRendezvous: () => Promise.reject(new Error('no ports here')),
      platform: 'linux',
      hostName: this.name,
      version: '0.0.0-test',
    }
  }
}

/** Another process of the device, served in this one. */
function connection<C extends Parameters<typeof createClient>[0]>(
  contract: C,
  serveOver: (transport: ReturnType<typeof memoryTransportPair>[1]) => void,
): ProcessConnection<ReturnType<typeof createClient<C>>> {
  const [near, far] = memoryTransportPair()
  serveOver(far)
  const client = createClient(contract, near)
  return {
    client: async () => client,
    onDidConnect(listener) {
      listener(client)
      return { dispose: () => {} }
    },
    dispose: () => client.dispose(),
  }
}
