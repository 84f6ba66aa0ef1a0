import * as z from 'zod'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { Clock } from '../../base/clock.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorMessage } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { oneSpelling } from '../../files/direct-address.ts'
import type { DirectKind } from '../../files/direct-sockets.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { LinkStats } from '../../sync/lane.ts'
import type { RtcOptions } from '../../sync/rtc-stack.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'
import type { Peers } from '../links/peers.ts'
import type { SettingsService } from '../settings-service.ts'

export interface DirectFilesOptions {
  readonly local: ProcessConnection<FilesClient>
  readonly settings: SettingsService
  statsOf(device: DeviceId): LinkStats | undefined
  readonly peers: Peers
  /** As links use it. */
  rtcOptions(): RtcOptions
  readonly clock: Clock
  readonly log: Logger
}

export interface DirectWayNow {
  readonly connections: number
  readonly kind: DirectKind
}

interface DirectLink {
  address?: string
  remote?: string
  rtc?: { remote: string; iceServers: string[]; bindAddress?: string }
}

/** While there are direct connections, the link's live lanes are looked at this often. */
const LOOK_MS = 400

/**
 * What the files process is told of a link, so that it can reach its like without it, and what it says came of that. Where a
 * device listens is where the link that has proved the other one runs already: no other address is ever told, or opened.
 */
export class DirectFiles implements Disposable {
  readonly #options: DirectFilesOptions
  readonly #owned = new DisposableStore()
  readonly #ways = new Map<string, DirectWayNow>()
  readonly #pipes = new Set<ByteChannel>()
  readonly #changed = this.#owned.add(new Emitter<void>())
  #isOn: boolean
  #looking: Disposable | undefined
  #messages = 0

  readonly onDidChange = this.#changed.event

  constructor(options: DirectFilesOptions) {
    this.#options = options
    const { local, settings } = options
    this.#isOn = settings.current.directFiles
    this.#owned.add(
      local.onDidConnect((client) => {
        const hadSome = this.#ways.size > 0
        this.#ways.clear() // they ended with the process before
        if (hadSome) this.#didChange()
        client.onDidChangeDirect(({ device, connections, kind = 'tls' }) => {
          if (connections === 0) this.#ways.delete(device)
          else this.#ways.set(device, { connections, kind })
          this.#didChange()
        })
      }),
    )
    this.#owned.defer(() => this.#looking?.dispose())
    this.#owned.add(
      settings.onDidChange(({ directFiles }) => {
        if (directFiles === this.#isOn) return
        this.#isOn = directFiles
        for (const pipe of [...this.#pipes]) pipe.dispose() // they are laid anew, as is allowed now
      }),
    )
  }

  /** A device without such connections has no timer for them. */
  #didChange(): void {
    const isWanted = this.#ways.size > 0 && !this.#owned.isDisposed
    if (!isWanted) {
      this.#looking?.dispose()
      this.#looking = undefined
    }
    if (isWanted) {
      const { clock, log } = this.#options
      this.#looking ??= clock.every(LOOK_MS, () => {
        this.#look().catch((error: unknown) => {
          log.debug('the files process does not hear who is at work', { error: errorMessage(error) })
        })
      })
    }
    this.#changed.fire()
  }

  /** Keys, or a desk that changes, on any link: they are not to wait behind contents of files. */
  async #look(): Promise<void> {
    const { peers, statsOf, local } = this.#options
    let messages = 0
    for (const { device } of peers.all) {
      const lanes = statsOf(device)?.lanes
      if (lanes) for (const { sentMessages, receivedMessages } of [lanes.session, lanes.tty]) messages += sentMessages + receivedMessages
    }
    const isLive = messages !== this.#messages
    this.#messages = messages
    if (isLive) await (await local.client()).noteLive({})
  }

  /** How many connections carry chunks to and from a device beside its link, and of which kind. */
  wayNow(device: string): DirectWayNow | undefined {
    return this.#ways.get(device)
  }

  /** As `linkFiles` of the files process takes it. */
  wayOf(device: DeviceId): { direct?: DirectLink } {
    if (!this.#isOn) return {}
    const stats = this.#options.statsOf(device)
    if (!stats || stats.path === 'unknown') return { direct: {} }
    const [address, remote] = [stats.localAddress, stats.remoteAddress].map(addressOf)
    const { iceServers, bindAddress } = this.#options.rtcOptions()
    const rtc = remote !== undefined && { rtc: { remote, iceServers: [...iceServers], ...(bindAddress !== undefined && { bindAddress }) } }
    if (stats.path === 'relay') return { direct: { ...rtc } } // nobody is at the relay's address for TCP
    return { direct: { ...(address !== undefined && { address }), ...(remote !== undefined && { remote }), ...rtc } }
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
function addressOf(place: string | undefined): string | undefined {
  const address = ip.safeParse(place?.slice(0, place.lastIndexOf(':')).replace(/^\[|\]$/g, ''))
  return address.success && !/^fe[89ab]/i.test(address.data) ? oneSpelling(address.data) : undefined
}
