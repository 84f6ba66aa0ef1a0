import type { Disposable } from '../../base/disposable.ts'
import { decodeJobDown, encodeJobUp, type JobDownFrame, MAX_PIECE_BYTES } from '../../jobs/job-frames-contract.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { DeviceClient } from './local-client.ts'

/** A second Ctrl-C within this time ends the job for good. */
const TWICE_MS = 2_000
/** Standard output is waited for above this, so that a slow reader holds the job. */
const OUTPUT_HIGH_BYTES = 1024 * 1024

export type Exit = Extract<JobDownFrame, { kind: 'exit' }>

/** Exit code of what Ctrl-C ended. */
export const INTERRUPTED = 130

/** Ctrl-C before there is a job that takes it: noted, so that then there shall be none. Pressed again it ends the command at once. */
export class EarlyInterrupt implements Disposable {
  #isPressed = false
  readonly #note = () => {
    if (this.#isPressed) process.exit(INTERRUPTED)
    this.#isPressed = true
  }

  constructor() {
    process.on('SIGINT', this.#note)
  }

  get isPressed(): boolean {
    return this.#isPressed
  }

  dispose(): void {
    process.off('SIGINT', this.#note)
  }
}

export interface FollowOptions {
  /** Output is shown from that byte on. */
  readonly from?: number
  /** Passes standard input on. */
  readonly input?: boolean
  /** Ctrl-C reaches it; as `input` if absent. */
  readonly signals?: boolean
  /** Has watched for Ctrl-C since before there was this job; disposed of here. Absent: watched from now on. */
  readonly early?: EarlyInterrupt
  /** For programs: a line of JSON for each piece of output, and one for the end. */
  readonly json?: boolean
}

/**
 * Shows a job's output as it comes, each stream on its own; with `input`, passes standard input and Ctrl-C on.
 *
 * @returns its exit code, as a shell would tell it; 255 when it could not be run or was lost
 */
export async function followJob(device: DeviceClient, job: string, options: FollowOptions = {}): Promise<number> {
  const exit = await followToExit(device, job, options)
  if (options.json) console.log(JSON.stringify({ exit: { ...exit, kind: undefined } }))
  return exitCode(exit)
}

/** The same; resolves with how it ended. */
export async function followToExit(
  device: DeviceClient,
  job: string,
  { from = 0, input = false, signals = input, json = false, early = signals ? new EarlyInterrupt() : undefined }: FollowOptions,
): Promise<Exit> {
  const opened = await device.openJobOutput({ job, from }).catch((error: unknown) => {
    early?.dispose()
    throw error
  })
  const channel = device.channel(opened.channel)
  const releases = [input ? passInput(channel) : undefined, signals ? passSignals(device, job, channel) : undefined]
  early?.dispose() // Ctrl-C is passed on from here
  try {
    if (early?.isPressed) {
      await device.cancelJob({ job })
      return { kind: 'exit', code: INTERRUPTED, cpuMs: 0 }
    }
    return await readAll(channel, json ? jsonShower() : showOutput)
  } finally {
    for (const release of releases) release?.()
    channel.dispose()
  }
}

type Output = Extract<JobDownFrame, { kind: 'output' }>
/** Shows it; @returns the stream it went to */
type Show = (frame: Output) => NodeJS.WriteStream

const showOutput: Show = ({ stream, bytes }) => {
  const out = stream === 'err' ? process.stderr : process.stdout
  out.write(bytes.slice())
  return out
}

/** A character cut in two comes with its second half. */
function jsonShower(): Show {
  const decoders = { out: new TextDecoder(), err: new TextDecoder() }
  return ({ stream, offset, bytes }) => {
    process.stdout.write(`${JSON.stringify({ stream, offset, text: decoders[stream].decode(bytes, { stream: true }) })}\n`)
    return process.stdout
  }
}

function readAll(channel: ByteChannel, show: Show): Promise<Exit> {
  return new Promise((resolve, reject) => {
    channel.onDidReceive((message) => {
      const frame = decodeJobDown(message)
      if (!frame) return reject(new Error('the device sent something that is no job output; update Elsewhere'))
      if (frame.kind === 'exit') return resolve(frame)
      if (frame.kind !== 'output') return
      const stream = show(frame)
      if (stream.writableLength < OUTPUT_HIGH_BYTES) return
      channel.setPaused(true)
      stream.once('drain', () => channel.setPaused(false))
    })
    channel.onDidClose(({ reason }) => reject(new Error(`the device let go of it (${reason}); it goes on: "elsewhere jobs"`)))
  })
}

function passSignals(device: DeviceClient, job: string, channel: ByteChannel): () => void {
  let lastMs = Number.NEGATIVE_INFINITY
  const interrupt = () => {
    const isTwice = performance.now() - lastMs < TWICE_MS
    lastMs = performance.now()
    if (isTwice)
      void device.cancelJob({ job }).catch(() => undefined) // it has ended meanwhile
    else channel.send(encodeJobUp({ kind: 'signal', signal: 'SIGINT' }))
  }
  process.on('SIGINT', interrupt)
  return () => void process.off('SIGINT', interrupt)
}

function passInput(channel: ByteChannel): () => void {
  const { stdin } = process
  const give = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) {
      channel.send(encodeJobUp({ kind: 'input', bytes: bytes.subarray(at, at + MAX_PIECE_BYTES) }))
    }
    if (channel.unackedBytes <= MAX_PIECE_BYTES * 4) return
    stdin.pause()
    const drained = channel.onDidDrain(() => {
      drained.dispose()
      stdin.resume()
    })
  }
  const end = () => channel.send(encodeJobUp({ kind: 'input-end' }))
  stdin.on('data', give)
  stdin.on('end', end)
  stdin.resume()
  return () => {
    stdin.off('data', give)
    stdin.off('end', end)
    stdin.pause()
    stdin.unref?.()
  }
}

/** As a shell would tell it; 255 when it could not be run or was lost, with why on standard error. */
export function exitCode(exit: Exit): number {
  if (exit.error) {
    console.error(`elsewhere: ${exit.error.message} [${exit.error.code}]`)
    return 255
  }
  if (exit.ended !== undefined) {
    console.error(`elsewhere: it was ended (${exit.ended})`)
    return 255
  }
  const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 }
  return exit.signal === undefined ? exit.code : 128 + (SIGNALS[exit.signal] ?? 0)
}
