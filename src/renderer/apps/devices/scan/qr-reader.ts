import type { Disposable } from '../../../../base/disposable.ts'
import { imageSize } from '../../files/image-size.ts'
import type { QrQuestion } from './qr-worker.ts'

/** The longer side of what is looked at: a code of the longest link then still has four pixels a module where it fills a third. */
const MAX_SIDE_PX = 1_280
/** One that takes this long was made to. */
const MAX_MS = 5_000
/** A photograph of a good camera. */
export const MAX_PICTURE_BYTES = 24 * 1024 * 1024
const MAX_PICTURE_PIXELS = 64_000_000

/** Why a picture was not looked at; undefined: it can be. */
export function pictureTrouble(bytes: Uint8Array): 'too-large' | 'no-picture' | undefined {
  if (bytes.length > MAX_PICTURE_BYTES) return 'too-large'
  const size = imageSize(bytes)
  if (!size || size.width < 1 || size.height < 1) return 'no-picture'
  return size.width * size.height > MAX_PICTURE_PIXELS ? 'too-large' : undefined
}

/** Reads QR codes in a worker, one picture at a time: ask when the last answer is there. Owns the worker: one that takes too long is ended, and another begun. */
export class QrReader implements Disposable {
  #worker: Worker | undefined
  #giveUp: (() => void) | undefined

  /** What the codes in a frame of the camera say; empty before it shows anything. */
  async readFrame(video: HTMLVideoElement): Promise<readonly string[]> {
    const { videoWidth, videoHeight } = video
    if (videoWidth === 0 || videoHeight === 0) return []
    return this.#ask('frame', await createImageBitmap(video, fitted(videoWidth, videoHeight)))
  }

  /** What the codes in a picture say. @throws RangeError `too-large`, `no-picture` */
  async readPicture(file: Blob): Promise<readonly string[]> {
    if (file.size > MAX_PICTURE_BYTES) throw new RangeError('too-large')
    const bytes = new Uint8Array(await file.arrayBuffer())
    const trouble = pictureTrouble(bytes)
    if (trouble) throw new RangeError(trouble)
    const { width, height } = imageSize(bytes) ?? { width: 1, height: 1 }
    const bitmap = await createImageBitmap(new Blob([bytes]), fitted(width, height)).catch(() => undefined)
    if (!bitmap) throw new RangeError('no-picture')
    return this.#ask('picture', bitmap)
  }

  dispose(): void {
    this.#giveUp?.()
    this.#worker?.terminate()
    this.#worker = undefined
  }

  #ask(kind: QrQuestion['kind'], bitmap: ImageBitmap): Promise<readonly string[]> {
    const worker = (this.#worker ??= new Worker(new URL('./qr-worker.ts', import.meta.url), { type: 'module' }))
    return new Promise((resolve) => {
      const listening = new AbortController()
      const { signal } = listening
      const end = (texts: readonly string[]) => {
        clearTimeout(timer)
        listening.abort()
        this.#giveUp = undefined
        resolve(texts)
      }
      const giveUp = () => {
        worker.terminate()
        if (this.#worker === worker) this.#worker = undefined
        end([])
      }
      const timer = setTimeout(giveUp, MAX_MS)
      this.#giveUp = giveUp
      worker.addEventListener('error', giveUp, { signal })
      worker.addEventListener('messageerror', giveUp, { signal })
      worker.addEventListener('message', ({ data }: MessageEvent<readonly string[]>) => end(data), { signal })
      worker.postMessage({ kind, bitmap } satisfies QrQuestion, [bitmap])
    })
  }
}

/** No larger than is looked at, in the same shape. */
function fitted(width: number, height: number): ImageBitmapOptions {
  if (Math.max(width, height) <= MAX_SIDE_PX) return {}
  return { ...(width >= height ? { resizeWidth: MAX_SIDE_PX } : { resizeHeight: MAX_SIDE_PX }), resizeQuality: 'medium' }
}
