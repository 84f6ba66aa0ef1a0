import { type Seen, whatIsSeen } from './scanned.ts'

/** Why there is no camera to look through. */
export type CameraTrouble = 'refused' | 'none' | 'busy' | 'unsupported' | 'gone' | 'failed'

/** What a scan shows while it goes on. */
export type ScanState =
  | { readonly step: 'asking' }
  /** `seen`: the last code that is not the wanted one; `isLong`: nothing of use for a while. */
  | {
      readonly step: 'looking'
      readonly seen?: Exclude<Seen['kind'], 'link' | 'nothing'>
      readonly isLong: boolean
      readonly cameras: number
    }
  /** `idle`: it found nothing for so long that the camera was turned off. */
  | { readonly step: 'off'; readonly why: CameraTrouble | 'idle' }

/** Between two looks: a hand that holds a device still for a moment is seen, and half of a slow machine stays free. */
const LOOK_EVERY_MS = 150
/** Then it is said how to hold the code. */
const LONG_MS = 8_000
/** A camera that nobody holds anything in front of is turned off. */
const IDLE_MS = 120_000

/** The part of the browser that a scan needs. */
export interface Camera {
  /** @throws DOMException by the name that `cameraTrouble` reads */
  open(camera: string | undefined): Promise<MediaStream>
  /** How many there are: known once one has been opened. */
  count(): Promise<number>
}

export interface Scan {
  readonly camera: Camera
  /** Which one, when there are several. */
  readonly cameraId: string | undefined
  readonly video: Pick<HTMLVideoElement, 'play' | 'srcObject'>
  /** What the codes in the picture of now say. */
  look(): Promise<readonly string[]>
  readonly wanted: 'join' | 'contact'
  say(state: ScanState): void
  readonly signal: AbortSignal
}

/**
 * Looks through the camera until a link of the wanted kind is in sight (rule AP62). The camera is off when this ends, however it ends.
 *
 * @returns the link; undefined: it was given up, and why was said
 */
export async function scanCamera({ camera, cameraId, video, look, wanted, say, signal }: Scan): Promise<string | undefined> {
  say({ step: 'asking' })
  let stream: MediaStream
  try {
    stream = await camera.open(cameraId)
  } catch (error) {
    if (!signal.aborted) say({ step: 'off', why: cameraTrouble(error) })
    return undefined
  }
  try {
    if (signal.aborted) return undefined
    return await lookThrough(stream, { camera, video, look, wanted, say, signal })
  } finally {
    for (const track of stream.getTracks()) track.stop()
    if (video.srcObject === stream) video.srcObject = null // else the next scan has begun
  }
}

async function lookThrough(stream: MediaStream, { camera, video, look, wanted, say, signal }: Omit<Scan, 'cameraId'>) {
  video.srcObject = stream
  video.play().catch(() => undefined) // may never come of it, where the page is hidden or was left: nothing is seen then, and it ends below
  const cameras = (await orGivenUp(camera.count(), signal).catch(() => undefined)) ?? 1
  const beganMs = performance.now()
  let seen: Exclude<Seen['kind'], 'link' | 'nothing'> | undefined
  while (!signal.aborted) {
    if (stream.getVideoTracks().every(({ readyState }) => readyState === 'ended')) return void say({ step: 'off', why: 'gone' })
    const forMs = performance.now() - beganMs
    if (forMs > IDLE_MS) return void say({ step: 'off', why: 'idle' })
    say({ step: 'looking', cameras, isLong: forMs > LONG_MS, ...(seen && { seen }) })
    const now = whatIsSeen((await orGivenUp(look(), signal)) ?? [], wanted)
    if (signal.aborted) break
    if (now.kind === 'link') return now.link
    if (now.kind !== 'nothing') seen = now.kind
    await pause(LOOK_EVERY_MS, signal)
  }
  return undefined
}

/** What comes of it; undefined: given up before. */
function orGivenUp<T>(coming: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const handleAbort = () => resolve(undefined)
    if (signal.aborted) handleAbort()
    signal.addEventListener('abort', handleAbort, { once: true })
    coming.then(resolve, reject).finally(() => signal.removeEventListener('abort', handleAbort))
  })
}

/** What a refusal of the browser means. */
export function cameraTrouble(error: unknown): CameraTrouble {
  const name = error instanceof Error ? error.name : ''
  const reasons: Readonly<Record<string, CameraTrouble>> = {
    NotAllowedError: 'refused',
    SecurityError: 'refused',
    NotFoundError: 'none',
    OverconstrainedError: 'none',
    NotReadableError: 'busy',
    AbortError: 'busy',
    NotSupportedError: 'unsupported',
  }
  return reasons[name] ?? 'failed'
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
