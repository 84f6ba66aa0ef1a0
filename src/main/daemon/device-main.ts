import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { createDevice } from '../../device/create-device.ts'
import { attemptsContract } from '../../jobs/attempt-contract.ts'
import { factsContract } from '../../jobs/device-facts-contract.ts'
import { filesProcessContract } from '../../device/files/files-process-contract.ts'
import { hostContract } from '../../jobs/host-contract.ts'
import { tasksContract } from '../../jobs/terminal-contract.ts'
import { FifoShellDoor } from '../../platform/node/fifo-shell-door.ts'
import { FileVaultStore } from '../../platform/node/file-vault-store.ts'
import { listenUnixSocket } from '../../platform/node/listen-unix-socket.ts'
import { NetworkWatch } from '../../platform/node/network-watch.ts'
import { createNodeLinkPlatform } from '../../platform/node/node-link-platform.ts'
import { runRendezvous } from '../../platform/node/rendezvous-server.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { openDeviceStore, openLedgerStore, putStoreAside } from './open-device-store.ts'
import { Assets } from './assets.ts'
import { callEngine } from '../../platform/node/call-engine.ts'
import { engineStreams } from '../../platform/node/engine-streams.ts'
import { NodePortSockets } from '../../platform/node/node-port-sockets.ts'
import { type DeskServer, startDeskServer } from './desk-server.ts'
import { Entrances } from './entrances.ts'
import { FileSettingsStore } from './file-settings-store.ts'
import { SocketConnection } from './process-connection.ts'
import { type ProcessContext, runProcess, type StartedProcess } from './process-life.ts'
import { projectRoot } from './project-root.ts'
import { rehearse } from './rehearsal.ts'
import { StartError } from './start-error.ts'

/** The device process: links, replicas, vault and the desk's door. Never blocks and never spawns. */
async function startDevice({ data, log, owned, args }: ProcessContext): Promise<StartedProcess> {
  process.umask(0o077) // what it writes is for this account alone
  const settingsFile = new FileSettingsStore(data.settings)
  const assets = new Assets(args.renderer ?? path.join(projectRoot(), 'dist', 'renderer'))
  const host = owned.add(
    new SocketConnection(
      'host',
      data.hostSocket,
      { ...hostContract, ...tasksContract, ...factsContract, ...attemptsContract },
      systemClock,
    ),
  )
  const files = owned.add(new SocketConnection('files', data.filesSocket, filesProcessContract, systemClock))
  const watch = owned.add(new NetworkWatch())
  const device = owned.add(
    await createDevice({
      clock: systemClock,
      onDidWake: watch.onDidWake,
      random: systemRandom,
      log,
      crypto: new SodiumCrypto(),
      vaultStore: new FileVaultStore(data.path),
      settingsStore: settingsFile,
      fetch: (url, options) => fetch(url, options),
      engineCall: callEngine,
      engineStreams: engineStreams(data.work),
      host,
      portSockets: new NodePortSockets(),
      shellDoor: new FifoShellDoor({ folder: data.shells, clock: systemClock, log: log.child('jobs') }),
      files,
      openStore: (sealer) => openDeviceStore(data.store, sealer, log.child('store')),
      openLedger: (sealer) => openLedgerStore(data.ledger, sealer),
      // Only who turned anchoring on pays for loading it.
      openAnchorNetwork: async (url) => {
        const { createSolanaAnchorNetwork } = await import('../../platform/node/solana-anchor-network.ts')
        return createSolanaAnchorNetwork(url, (address, init) => fetch(address, init))
      },
      putStoreAside: () => putStoreAside(data.store),
      createLinkPlatform: ({ lan }) => createNodeLinkPlatform({ logger: log.child('links'), lan, watch }),
      startRendezvous: (port) => runRendezvous({ port, logger: log.child('links') }),
      bindAddress: () => (hasNetwork() ? undefined : '127.0.0.1'),
      platform: process.platform,
      hostName: os.hostname() || 'this machine',
      version: readVersion(),
    }),
  )
  const provisional = provisionalLabel(settingsFile)
  const server = await startServer(args.port, settingsFile, (port) =>
    startDeskServer(port, {
      assets,
      entrances: new Entrances(data.entrances, systemClock),
      labels: () => (device.label === undefined ? [provisional] : [device.label, provisional]),
      log: log.child('door'),
      acceptDisplay: (transport, entrance, host) => device.acceptDisplay(transport, entrance, host),
      findView: (path, entrance) => device.findView(path, entrance),
    }),
  )
  owned.add(server)
  const door = { pid: process.pid, origin: () => server.origin(), oneTimeUrl: () => server.oneTimeUrl() }
  owned.add(await listenUnixSocket(data.deviceSocket, (transport) => device.acceptControl(transport, door)))
  if (device.isSealed) void rehearse(data.rehearsal, () => device.isSealed, log)
  return { ready: { origin: server.origin() } }
}

/**
 * The port of last time, so that bookmarks and cookies stay good; another when it is taken. A port that was asked for is
 * that or none; 0 asks for any, which must still be the same one after a crash: open desks come back to it. @throws StartError `start/port-busy`
 */
async function startServer(
  asked: string | undefined,
  settings: FileSettingsStore,
  start: (port: number) => Promise<DeskServer>,
): Promise<DeskServer> {
  if (asked !== undefined && Number(asked) !== 0) return start(Number(asked))
  const last = settings.read().port
  const server = await start(typeof last === 'number' && Number.isInteger(last) && last > 1023 && last < 65536 ? last : 0).catch(
    (error) => {
      if (error instanceof StartError && error.code === 'start/port-busy') return start(0)
      throw error
    },
  )
  if (server.port !== last) settings.put({ port: server.port })
  return server
}

/** The host label until there is a device id: random, so that nobody else's page has used it. */
function provisionalLabel(settings: FileSettingsStore): string {
  const { label } = settings.read()
  if (typeof label === 'string' && /^new-[0-9a-f]{8}$/.test(label)) return label
  const fresh = `new-${randomBytes(4).toString('hex')}`
  settings.put({ label: fresh })
  return fresh
}

/** Is there anything but loopback? */
const hasNetwork = () =>
  Object.values(os.networkInterfaces())
    .flat()
    .some((address) => address && !address.internal)

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(projectRoot(), 'package.json'), 'utf8')) as { version: string }
  return version
}

await runProcess('device', startDevice)
