import type { Token } from 'marked'

/** A text of the largest size takes a tenth of a second on a slow machine; one that takes this long was made to. */
const MAX_MS = 5_000

/** The parts of a Markdown text; undefined: it cannot be taken apart, and is shown as it is written. */
export function parseMarkdown(text: string, signal: AbortSignal): Promise<readonly Token[] | undefined> {
  const worker = new Worker(new URL('./markdown-worker.ts', import.meta.url), { type: 'module' })
  return new Promise<readonly Token[] | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), MAX_MS)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
    worker.addEventListener('error', () => resolve(undefined), { once: true })
    worker.addEventListener('messageerror', () => resolve(undefined), { once: true })
    worker.addEventListener(
      'message',
      ({ data }: MessageEvent<readonly Token[]>) => {
        clearTimeout(timer)
        resolve(data)
      },
      { once: true },
    )
    worker.postMessage(text)
  }).finally(() => worker.terminate())
}
