import * as z from 'zod'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { DeviceId } from '../base/ids.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import type { LinkStats } from '../sync/lane.ts'
import type { FilesClient, ProcessConnection } from './device-parts.ts'
import type { SettingsService } from './settings-service.ts'

export interface DirectFilesOptions {
  readonly local: ProcessConnection<FilesClient>
  readonly settings: SettingsService
  statsOf(device: DeviceId): LinkStats | undefined
}

/**
 * What the files process is told of a link, so that it can reach its like without it, and what it says came of that. Where a
 * device listens is where the link that has proved the other one runs already: no other address is ever told, or opened.
 */
export class DirectFiles implements Disposable {
  readonly #options: DirectFilesOptions
  readonly #owned = new DisposableStore()
  readonly #connections = new Map<string, number>()
  readonly #pipes = new Set<ByteChannel>()
  readonly #changed = this.#owned.add(new Emitter<void>())
  #isOn: boolean

  readonly onDidChange = this.#changed.event

  constructor(options: DirectFilesOptions) {
    this.#options = options
    const { local, settings } = options
    this.#isOn = settings.current.directFiles
    this.#owned.add(
      local.onDidConnect((client) => {
        this.#connections.clear()
        client.onDidChangeDirect(({ device, connections }) => {
          if (connections === 0) this.#connections.delete(device)
          else this.#connections.set(device, connections)
          this.#changed.fire()
        })
      }),
    )
    this.#owned.add(
      settings.onDidChange(({ directFiles }) => {
        if (directFiles === this.#isOn) return
        this.#isOn = directFiles
        for (const pipe of [...this.#pipes]) pipe.dispose() // they are laid anew, as is allowed now
      }),
    )
  }

  /** How many connections carry chunks to and from a device beside its link. */
  connectionsOf(device: string): number {
    return this.#connections.get(device) ?? 0
  }

  /** As `linkFiles` of the files process takes it. */
  wayOf(device: DeviceId): { direct?: { address?: string } } {
    if (!this.#isOn) return {}
    const stats = this.#options.statsOf(device)
    const address = stats && stats.path !== 'relay' && stats.path !== 'unknown' ? addressOf(stats.localAddress) : undefined
    return { direct: address === undefined ? {} : { address } }
  }

  /** A pipe between two files processes: it ends when the setting is changed. */
  watch(pipe: ByteChannel): void {
    this.#pipes.add(pipe)
    pipe.onDidClose(() => this.#pipes.delete(pipe))
  }

  dispose(): void {
    this.#owned.dispose()
  }
}

const ip = z.union([z.ipv4(), z.ipv6()])

/** Of `10.0.0.1:4000` or `fd00::1:4000`; an address of one interface only (fe80::) means nothing to another machine. */
function addressOf(local: string | undefined): string | undefined {
  const address = ip.safeParse(local?.slice(0, local.lastIndexOf(':')).replace(/^\[|\]$/g, ''))
  return address.success && !/^fe[89ab]/i.test(address.data) ? address.data : undefined
}
