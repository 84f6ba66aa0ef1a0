import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import type { TerminalSize } from '../../jobs/terminal-frames-contract.ts'
import { isEngine } from '../../jobs/engines/engines-contract.ts'
import { JobError } from '../../jobs/job-error.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { Client } from '../../rpc/client.ts'
import { pipeChannels } from '../../rpc/pipe-channels.ts'
import type { HostClient, ProcessConnection } from '../device-parts.ts'
import type { peerJobsContract } from '../links/peer-contract.ts'
import type { Peers } from '../links/peers.ts'

/** A device on which attempts can be made, seen from the one that asks. */
export interface JobPlace {
  /** Resolves with the attempt's channel. @throws what the host there or the grant check says */
  start(request: AttemptRequest): Promise<ByteChannel>
  /** @throws JobError `job/unknown`  it is not there any more */
  attach(request: Pick<AttemptRequest, 'attempt' | 'folder'>, from: number): Promise<ByteChannel>
  end(attempt: string): Promise<void>
  /** A shell where it runs. @throws JobError `job/not-running`, `job/no-shell`, IdentityError `grant/refused` */
  openShell(attempt: string, size: TerminalSize): Promise<HostTerminal>
}

export interface JobPlacesOptions {
  readonly local: ProcessConnection<HostClient>
  readonly peers: Peers
  /** @throws DeviceError `device/locked` */
  self(): string
  nameOf(device: string): string
  /** Where attempts on an engine are made. @throws EngineError `engine/unknown` */
  engineAt(device: string): JobPlace
  /** A linked device of a contact; undefined: it is none. */
  contactJobs(device: string): Client<typeof peerJobsContract> | undefined
}

/**
 * Where attempts are made: in this device's host, or in that of a linked one, whose folder channel is joined with the folder
 * here. The device processes only pass bytes on.
 */
export class JobPlaces {
  readonly #options: JobPlacesOptions

  constructor(options: JobPlacesOptions) {
    this.#options = options
  }

  /** @throws DeviceAwayError `job/device-away` */
  at(device: string): JobPlace {
    const { local, peers, self } = this.#options
    if (isEngine(device)) return this.#options.engineAt(device)
    if (device === self()) return new OwnPlace(local)
    const theirs = this.#options.contactJobs(device)
    const { jobs, control } = theirs ? { jobs: theirs, control: undefined } : peers.require(device, 'job/device-away')
    const offer = async ({ attempt, folder }: Pick<AttemptRequest, 'attempt' | 'folder'>): Promise<ByteChannel> => {
      const host = await local.client()
      const from = this.#options.nameOf(device).slice(0, 80)
      return host.channel((await host.offerTree({ attempt, folder, from })).channel)
    }
    const join = async (attempt: string, opened: { channel: number; tree: number }, offered: Promise<ByteChannel>) => {
      const channel = jobs.channel(opened.channel)
      const far = jobs.channel(opened.tree)
      try {
        pipeChannels(await offered, far)
        return channel
      } catch (error) {
        channel.dispose()
        far.dispose()
        void jobs.endPlaced({ attempt }).catch(() => undefined) // not linked any more: its lease ends it
        throw error
      }
    }
    return {
      // Both ends get ready at the same time.
      start: async (request) => {
        const offered = offer(request)
        offered.catch(() => undefined) // whoever joins has it
        try {
          return await join(request.attempt, await jobs.startPlaced(request), offered)
        } catch (error) {
          void offered.then((near) => near.dispose()).catch(() => undefined) // never was there
          throw error
        }
      },
      attach: async (request, from) => join(request.attempt, await jobs.attachPlaced({ attempt: request.attempt, from }), offer(request)),
      end: async (attempt) => void (await jobs.endPlaced({ attempt })),
      openShell: async (attempt, size) => {
        if (control) return control.openJobShell({ attempt, ...size })
        throw new JobError('job/no-shell', "a contact's device opens no shell in what it runs for others")
      },
    }
  }
}

class OwnPlace implements JobPlace {
  readonly #local: ProcessConnection<HostClient>

  constructor(local: ProcessConnection<HostClient>) {
    this.#local = local
  }

  async start(request: AttemptRequest): Promise<ByteChannel> {
    const host = await this.#local.client()
    return host.channel((await host.startHere(request)).channel)
  }

  async attach({ attempt }: Pick<AttemptRequest, 'attempt'>, from: number): Promise<ByteChannel> {
    const host = await this.#local.client()
    return host.channel((await host.attachHere({ attempt, from })).channel)
  }

  async openShell(attempt: string, size: TerminalSize): Promise<HostTerminal> {
    return (await this.#local.client()).openShell({ attempt, ...size })
  }

  async end(attempt: string): Promise<void> {
    await (await this.#local.client()).endAttempt({ attempt, reason: 'cancelled' })
  }
}
