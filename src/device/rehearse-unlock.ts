import * as Y from 'yjs'
import { DisposableStore } from '../base/disposable.ts'
import { WORKSPACE_DOC } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { MemoryVaultStore } from '../identity/memory-vault-store.ts'
import { ARGON2_FLOOR } from '../identity/vault-format.ts'
import { createClient } from '../rpc/client.ts'
import { memoryTransportPair } from '../rpc/memory-transport.ts'
import { displayClassOf } from '../session/display-class.ts'
import type { SessionCommand } from '../session/session-command.ts'
import { WorkspaceDoc } from '../session/workspace-doc.ts'
import { createDevice } from './create-device.ts'
import { DeviceError } from './device-error.ts'
import type { DeviceParts, ProcessConnection } from './device-parts.ts'
import { displayContract } from './display-contract.ts'
import { DOCUMENT_FRAME } from './desk/document-channel.ts'

/** Windows of the made-up desk: enough that its records are read in loops, few enough that nobody waits for it. */
const WINDOWS = 12
const DESK = { width: 1300, height: 860 }
/** Each unlock finds the program quicker; the third gains next to nothing. */
const UNLOCKS = 2
const PASSPHRASE = 'a passphrase that opens nothing'

/** What the made-up device stands on: stores that go with it, and crypto of which a passphrase may cost next to nothing. */
export type RehearsalParts = Pick<
  DeviceParts,
  'clock' | 'random' | 'crypto' | 'openStore' | 'openLedger' | 'createLinkPlatform' | 'platform' | 'hostName' | 'version'
>

/**
 * Unlocks a made-up device, so that the program is warm when its person comes: a process that has just started needs twice
 * the time for its first desk. Nothing of it is this device's: keys, stores and desk are new, and it is linked with nobody.
 *
 * @param isWanted  asked between steps; false ends it at once: the real desk is being opened
 * @throws  whatever its parts throw; a rehearsal that fails changes nothing
 */
export async function rehearseUnlock(parts: RehearsalParts, isWanted: () => boolean): Promise<void> {
  const owned = new DisposableStore()
  /** Between two steps others have their turn. Is it still wanted after that? */
  const goesOn = async () => {
    await new Promise<void>((resolve) => owned.add(parts.clock.after(0, resolve)))
    return isWanted()
  }
  try {
    const device = owned.add(await createDevice(alone(parts)))
    if (!(await goesOn())) return
    const [near, far] = memoryTransportPair()
    device.acceptDisplay(far)
    const display = owned.add(createClient(displayContract, near))
    await display.hello({ displayName: 'rehearsal' })
    await display.createVault({ personName: 'Nobody', deviceName: 'rehearsal', passphrase: PASSPHRASE, unattended: false })
    for (let unlocks = 0; unlocks < UNLOCKS && (await goesOn()); unlocks++) {
      const { channel: id, clientId } = await display.attachDocument({ doc: WORKSPACE_DOC })
      const channel = display.channel(id)
      const doc = new Y.Doc()
      const workspace = new WorkspaceDoc(doc)
      const loaded = new Promise<void>((resolve, reject) => {
        channel.onDidClose(({ reason }) => reject(new Error(reason)))
        channel.onDidReceive((message) => {
          if (message[0] !== DOCUMENT_FRAME.state) return
          Y.applyUpdate(doc, message.subarray(1), 'device')
          resolve()
        })
      })
      await loaded
      doc.clientID = clientId
      doc.on('update', (update: Uint8Array, origin: unknown) => {
        if (origin !== 'device') channel.send(Uint8Array.of(DOCUMENT_FRAME.update, ...update))
      })
      for (let window = 0; window < WINDOWS && (await goesOn()); window++) {
        workspace.dispatch(openWindow, {
          newId: () => parts.random.bytes(8).join('-'),
          nowMs: parts.clock.nowMs(),
          displayClass: displayClassOf(DESK),
          desk: DESK,
        })
      }
      workspace.dispose()
      await display.lockDevice({})
      if (await goesOn()) await display.unlock({ passphrase: PASSPHRASE, how: 'move' })
    }
  } finally {
    owned.dispose()
  }
}

const openWindow: SessionCommand = { type: 'window/open', app: { kind: 'settings', page: 'general' } }

/** A device without host, files or network: what it would ask them is refused, as when they are just being started. */
function alone(parts: RehearsalParts): DeviceParts {
  const away: ProcessConnection<never> = {
    client: () => Promise.reject(new DeviceError('device/process-away', 'a rehearsal has no other process')),
    onDidConnect: () => ({ dispose() {} }),
    dispose() {},
  }
  let settings: unknown = { mdns: false, rendezvousPort: 0 }
  return {
    ...parts,
    onDidWake: () => ({ dispose() {} }),
    log: silentLogger,
    argon2: ARGON2_FLOOR,
    vaultStore: new MemoryVaultStore(),
    settingsStore: { read: () => settings, write: (changed) => (settings = changed) },
    fetch: () => Promise.reject(new TypeError('a rehearsal fetches nothing')),
    engineCall: () => Promise.reject(new TypeError('a rehearsal calls nobody')),
    engineStreams: {
      open: () => {
        throw new TypeError('a rehearsal calls nobody')
      },
      download: () => Promise.reject(new TypeError('a rehearsal calls nobody')),
    },
    host: away,
    files: away,
    portSockets: { listen: () => Promise.reject(new DeviceError('device/process-away', 'a rehearsal has no ports')) },
    shellDoor: { isWanted: false, open: () => ({ dispose() {} }) },
    bindAddress: () => undefined,
    startRendezvous: () => Promise.reject(new DeviceError('device/process-away', 'a rehearsal is met nowhere')),
    putStoreAside() {},
    openAnchorNetwork: () => Promise.reject(new DeviceError('device/process-away', 'a rehearsal anchors nothing')),
  }
}
