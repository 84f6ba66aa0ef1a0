import { toBase64Url } from '../base/bytes.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { errorMessage } from '../base/errors.ts'
import type { DeviceId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES } from '../rpc/channel.ts'
import { channelTransport } from '../rpc/channel-transport.ts'
import { createClient } from '../rpc/client.ts'
import type { Handlers } from '../rpc/contract.ts'
import { serve } from '../rpc/serve.ts'
import { Wire } from '../rpc/wire.ts'
import { DIRECT_CONNECTIONS } from './direct-contract.ts'
import { DirectMeeting, type DirectMeetingOptions, type DirectRtc } from './direct-meeting.ts'
import { DirectPath, type DirectPathOptions } from './direct-path.ts'
import { encodeChunkFrame } from './chunk-frame.ts'
import type { ChunkId } from './chunk-id.ts'
import { ContentError } from './content-error.ts'
import type { OpenDataset } from './open-dataset.ts'
import type { FilePeerClient } from './file-exchange.ts'
import { filePeerContract } from './file-peer-contract.ts'

export interface FilePeerOptions {
  readonly device: DeviceId
  readonly channel: ByteChannel
  /** @throws ContentError `dataset/locked` */
  readonly require: (dataset: string) => OpenDataset
  readonly logger: Logger
  /** How this process reaches the other one without the link; absent: it does not. */
  readonly direct?: DirectWay | undefined
}

export interface DirectWay extends Pick<DirectMeetingOptions<DirectPath>, 'sockets' | 'address' | 'remote' | 'clock' | 'randomBytes'> {
  /** WebRTC connections, where no TCP connection comes about; undefined: none. */
  readonly rtc?: Omit<DirectRtc, 'client'> | undefined
}

/** Another device's files process, reached through both device processes. Owns the channel; ends with it. */
export class FilePeer implements Disposable {
  readonly device: DeviceId
  readonly client: FilePeerClient
  /** Connections beside the link, for chunks. */
  readonly direct: DirectMeeting<DirectPath> | undefined
  readonly #options: FilePeerOptions
  readonly #owned = new DisposableStore()
  readonly #added = this.#owned.add(new Emitter<{ dataset: string }>())
  readonly #signed = this.#owned.add(new Emitter<{ dataset: string; receipts: string[] }>())
  readonly #closed = new Emitter<void>()
  readonly #attached = new WeakSet<OpenDataset>()

  readonly onDidClose = this.#closed.event

  constructor(options: FilePeerOptions) {
    this.#options = options
    this.device = options.device
    const wire = this.#owned.add(new Wire(channelTransport(options.channel)))
    this.client = createClient(filePeerContract, wire)
    const { direct } = options
    this.direct = direct && this.#owned.add(this.#meeting(direct))
    const onBug = (error: unknown, name: string) =>
      options.logger.error('a call of a peer about files failed', { name, error: errorMessage(error) })
    this.#owned.add(serve(filePeerContract, this.#handlers(), wire, { allow: () => true, onBug }))
    this.#owned.add(options.channel)
    wire.onDidClose(() => this.dispose())
  }

  /** Lets a dataset be exchanged with this device, once it is a member of it; until disposed. */
  attach(open: OpenDataset): void {
    if (this.#attached.has(open) || !open.isMember(this.device) || this.#owned.isDisposed) return
    this.#attached.add(open)
    const owned = new DisposableStore()
    let isTold = false
    owned.add(
      open.exchange.onDidAdd(() => {
        if (isTold) return // many segments of one turn are one piece of news
        isTold = true
        queueMicrotask(() => {
          isTold = false
          this.#added.fire({ dataset: open.id })
        })
      }),
    )
    owned.add(open.exchange.onDidSign((receipts) => this.#signed.fire({ dataset: open.id, receipts: receipts.map(toBase64Url) })))
    owned.add(open.exchange.attach(this.device, this.client, this.direct))
    this.#added.fire({ dataset: open.id }) // it may have been linked before this dataset was open
    this.#owned.add(owned)
  }

  dispose(): void {
    this.#owned.dispose()
    this.#closed.fire()
    this.#closed.dispose()
  }

  #meeting(direct: DirectWay): DirectMeeting<DirectPath> {
    const { logger } = this.#options
    const path: DirectPathOptions = {
      clock: direct.clock,
      logger,
      probe: () => this.client.ping({}),
      answer: async (dataset, ids, stretch) => {
        const { chunks, dataset: of } = this.#require(dataset)
        const more = stretch ? await of.reader.chunksWithin(ids, stretch).catch(() => []) : []
        const frame = async (id: ChunkId) => {
          this.#require(dataset) // it may have been removed since it asked
          return encodeChunkFrame(id, await chunks.get(id))
        }
        return { more, frame }
      },
    }
    const rtc = direct.rtc && { ...direct.rtc, client: this.client }
    return new DirectMeeting({ ...direct, rtc, logger, client: this.client, count: DIRECT_CONNECTIONS, open: () => new DirectPath(path) })
  }

  /** What this device may have. @throws ContentError `dataset/locked`, `dataset/no-member` (rule TR13) */
  #require(dataset: string): OpenDataset {
    const open = this.#options.require(dataset)
    if (open.isMember(this.device)) return open
    throw new ContentError('dataset/no-member', 'only devices of the person whose files these are get anything of them')
  }

  #handlers(): Handlers<typeof filePeerContract> {
    const require = (dataset: string) => this.#require(dataset)
    return {
      pullSegments: ({ dataset, frontier }) => require(dataset).exchange.answerSegments(frontier),
      pullCheckpoint: async ({ dataset }) => {
        const checkpoint = await require(dataset).maker.give()
        return checkpoint ? { checkpoint: toBase64Url(checkpoint) } : {}
      },
      pullSegmentsBehind: ({ dataset, tips }) => require(dataset).exchange.answerBehind(tips),
      onDidAddSegments: this.#added.event,
      fetchChunks: async ({ dataset, ids, stretch }, context) => {
        const open = require(dataset)
        const lists = ids as ChunkId[]
        const more = stretch ? await open.dataset.reader.chunksWithin(lists, stretch).catch(() => []) : [] // no lists: so they are only sent
        const channel = context.openChannel()
        const read = async (id: ChunkId) => encodeChunkFrame(id, await require(dataset).chunks.get(id))
        void sendChunks(channel, [...lists, ...more], read, context.signal).catch((error) => {
          this.#options.logger.warn('chunks could not be sent', { error: errorMessage(error) })
          channel.close('chunk/unavailable')
        })
        return { channel: channel.id, ...(more.length > 0 && { more }) }
      },
      pullReceipts: async ({ dataset, segments }) => {
        const { book, store } = require(dataset)
        const receipts = book.receiptsOf(segments).slice(0, 1000).map(toBase64Url)
        await store.sync() // own ones among them are promises: they are given when they are on the disk itself
        return { receipts }
      },
      onDidSignReceipts: this.#signed.event,
      offerDirect: async () => (await this.direct?.answerOffer()) ?? {},
      connectDirect: async ({ offer }) => (await this.direct?.answerConnect(offer)) ?? { isConnected: false },
      dialDirect: async ({ dial, offers }) => (await this.direct?.answerDial(dial, offers)) ?? {},
      tellCandidates: ({ dial, list }) => {
        this.direct?.takeCandidates(dial, list)
        return {}
      },
      ping: () => ({}),
    }
  }
}

/** Sends as fast as the other end takes it; it closes the channel when it has all, or wants no more. */
async function sendChunks(
  channel: ByteChannel,
  ids: readonly ChunkId[],
  read: (id: ChunkId) => Promise<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  let isClosed = false
  channel.onDidClose(() => (isClosed = true))
  for (const id of ids) {
    if (isClosed || signal.aborted) return
    channel.send(await read(id))
    if (channel.unackedBytes < CHANNEL_HIGH_BYTES) continue
    await new Promise<void>((resolve) => {
      const wait = new DisposableStore()
      const go = () => {
        wait.dispose()
        resolve()
      }
      wait.add(channel.onDidDrain(go))
      wait.add(channel.onDidClose(go))
    })
  }
}
