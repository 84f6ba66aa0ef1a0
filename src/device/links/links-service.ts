import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { type DeviceId, type DocId, publicKeyOf, WORKSPACE_DOC } from '../../base/ids.ts'
import type { LastCounted } from '../../identity/authority/operation.ts'
import { lastCountedOf } from '../../identity/counted-envelopes.ts'
import type { Crypto, SigningKey } from '../../identity/crypto.ts'
import type { DeviceRecord } from '../../identity/device-list.ts'
import { safetyWords } from '../../identity/safety-words.ts'
import type { Handlers } from '../../rpc/contract.ts'
import type { Documents } from '../../sync/documents.ts'
import type { EnvelopeLog } from '../../sync/envelope-log.ts'
import type { LinkStats } from '../../sync/lane.ts'
import type { DeviceRow, linksContract } from '../../sync/links-contract.ts'
import type { DirectWayNow } from '../files/direct-files.ts'
import { DeviceError } from '../device-error.ts'
import type { OpenDesk } from '../desk/open-desk.ts'
import type { PairingService } from '../trust/pairing-service.ts'

export interface LinksServiceOptions {
  readonly crypto: Crypto
  readonly pairing: PairingService
  /** @throws DeviceError `device/locked` */
  desk(): OpenDesk
  /** The root key, while it is open here. */
  personKey(): SigningKey | undefined
  renameSelf(name: string): Promise<void>
  /** Connections that carry contents of files beside the link of a device. */
  directFilesOf(device: DeviceId): DirectWayNow | undefined
}

/** The last envelope of each document and start of `device` that is here. */
export function heldOf(documents: Documents, device: DeviceId): LastCounted[] {
  return documents
    .all()
    .flatMap(({ docId, frontier }) =>
      [...frontier.refs()].filter((ref) => ref.device === device).map(({ start, seq }) => ({ doc: docId, start, seq })),
    )
}

/** For each document and start of `device`: its last envelope here, and the last one heard of before `sinceMs`. */
function keptBefore(documents: Documents, log: Pick<EnvelopeLog, 'firstSince'>, device: DeviceId, sinceMs: number) {
  return heldOf(documents, device).map((held) => {
    const first = log.firstSince(held.doc as DocId, device, sinceMs).find(({ start }) => start === held.start)
    return { ...held, kept: first ? Math.min(held.seq, first.seq - 1) : held.seq }
  })
}

/** How links stand, as whoever makes them says. */
export interface LinkBoard {
  stateOf(device: DeviceId): 'linked' | 'connecting' | 'away'
  statsOf(device: DeviceId): LinkStats | undefined
  lastSeenMs(device: DeviceId): number | undefined
}

/** Devices and their links as displays see them. */
export class LinksService implements Disposable {
  readonly #options: LinksServiceOptions
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<DeviceRow[]>())
  #board: LinkBoard | undefined

  constructor(options: LinksServiceOptions) {
    this.#options = options
  }

  /** How a device is linked now. */
  statsOf(device: DeviceId): LinkStats | undefined {
    return this.#board?.statsOf(device)
  }

  /** The desk is open and these are its links. */
  use(board: LinkBoard): Disposable {
    this.#board = board
    return { dispose: () => (this.#board = undefined) }
  }

  /** Call when the list, a link or its path changed. Says nothing while the desk is closed. */
  tell(): void {
    if (this.#board && this.#changed.hasListeners) this.#changed.fire(this.rows())
  }

  /** @param only  of these devices; absent: of all. What a link is like takes a while to find out, where there are many */
  rows(only?: readonly string[]): DeviceRow[] {
    const { devices, context } = this.#options.desk()
    const wanted = only ? devices.members.filter(({ device }) => only.includes(device)) : devices.members
    return wanted.map((record) => this.#row(record, context.signer.device))
  }

  handlers(): Handlers<typeof linksContract> {
    const { pairing } = this.#options
    return {
      listDevices: () => this.rows(),
      onDidChangeDevices: this.#changed.event,
      renameDevice: async ({ deviceId, name }) => {
        const { devices, context } = this.#options.desk()
        if (deviceId === context.signer.device) await this.#options.renameSelf(name)
        else devices.rename(deviceId as DeviceId, name, context.signer, this.#options.personKey())
        return {}
      },
      removeDevice: async ({ deviceId }) => {
        const { devices, context, keyring, documents } = this.#options.desk()
        if (deviceId === context.signer.device) {
          throw new DeviceError('device/unknown', 'a device cannot remove itself; remove it on another of your devices')
        }
        const rotations = keyring.rotationsWithout(deviceId as DeviceId)
        const lastCounted = lastCountedOf(heldOf(documents, deviceId as DeviceId), WORKSPACE_DOC)
        devices.remove(deviceId as DeviceId, context.signer, this.#options.personKey(), { rotations, lastCounted })
        return {}
      },
      undoDeviceSince: async ({ deviceId, sinceMs, dryRun }) => {
        const { devices, context, keyring, documents } = this.#options.desk()
        const device = deviceId as DeviceId
        if (device === context.signer.device) throw new DeviceError('device/unknown', 'a device cannot undo itself; do it on another one')
        for (const replica of documents.all()) replica.flush()
        const since = keptBefore(documents, context.log, device, sinceMs)
        if (!dryRun) {
          const lastCounted = lastCountedOf(
            since.map(({ doc, start, kept }) => ({ doc, start, seq: kept })),
            WORKSPACE_DOC,
          )
          const personKey = this.#options.personKey()
          if (!devices.isMember(device)) devices.narrow(device, lastCounted, context.signer, personKey)
          else devices.remove(device, context.signer, personKey, { rotations: keyring.rotationsWithout(device), lastCounted })
        }
        const documentsOf = [...new Set(since.map(({ doc }) => doc))].map((doc) => {
          const of = since.filter((entry) => entry.doc === doc)
          const kept = of.reduce((sum, entry) => sum + entry.kept, 0)
          return { doc, kept, changes: of.reduce((sum, entry) => sum + entry.seq, 0) - kept }
        })
        return { documents: documentsOf }
      },
      changeDeviceRole: async ({ deviceId, role }) => {
        const { devices, context } = this.#options.desk()
        devices.changeRole(deviceId as DeviceId, role, context.signer, this.#options.personKey())
        return {}
      },
      offerPairing: () => pairing.offer(),
      joinPairing: ({ code, rendezvousUrl }) => pairing.join(code, rendezvousUrl),
      confirmPairing: ({ accept }) => pairing.confirm(accept),
      cancelPairing: () => pairing.cancel(),
      onDidChangePairing: pairing.onDidChange,
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #removal(device: DeviceId, self: DeviceId): DeviceRow['removal'] {
    const { devices } = this.#options.desk()
    const nameOf = (id: DeviceId) => devices.devices.get(id)?.name ?? id.slice(0, 12)
    const { alone, together } = devices.waysToRemove(device)
    const names = { alone: alone.filter((id) => id !== device).map(nameOf) }
    const both = together && { asked: together.asked.map(nameOf), open: together.open.map(nameOf), missing: together.missing }
    const byRoot = this.#options.personKey() !== undefined
    return { outcome: devices.outcomeOfRemoval(device, self), byRoot, ...names, ...(both ? { together: both } : {}) }
  }

  #row(record: DeviceRecord, self: DeviceId): DeviceRow {
    const { device, name, platform, role = 'member' } = record
    const words = safetyWords(this.#options.crypto, [publicKeyOf(self), publicKeyOf(device)])
    const base = { deviceId: device, name, platform, role, removal: this.#removal(device, self), safetyWords: words }
    if (device === self) return { ...base, self: true, state: 'self' }
    const board = this.#board
    const stats = board?.statsOf(device)
    const lastSeenMs = board?.lastSeenMs(device)
    return {
      ...base,
      self: false,
      state: board?.stateOf(device) ?? 'away',
      ...(lastSeenMs === undefined ? {} : { lastSeenMs }),
      ...(stats && {
        path: stats.path,
        ...(stats.localAddress === undefined ? {} : { localAddress: stats.localAddress }),
        ...(stats.remoteAddress === undefined ? {} : { remoteAddress: stats.remoteAddress }),
        ...(stats.roundTripMs === undefined ? {} : { roundTripMs: stats.roundTripMs }),
        lanes: stats.lanes,
        ...filesWay(this.#options.directFilesOf(device)),
      }),
    }
  }
}

const filesWay = (way: DirectWayNow | undefined): Pick<DeviceRow, 'directFiles' | 'directKind'> =>
  way ? { directFiles: way.connections, directKind: way.kind } : { directFiles: 0 }
