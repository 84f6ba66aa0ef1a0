import type { Session } from 'electron'

/** Kinds of pictures that cannot run anything. */
const KINDS = /^image\/(png|gif|jpeg|webp|x-icon|vnd\.microsoft\.icon)$/
const MAX_BYTES = 48 * 1024

/** A page's small picture as a data: URL, because the desk loads nothing from elsewhere; undefined when it has none that will do. */
export async function readPageIcon(session: Pick<Session, 'fetch'>, url: string): Promise<string | undefined> {
  const response = await session.fetch(url, { credentials: 'omit', redirect: 'error' }).catch(() => undefined)
  const kind = response?.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  const length = Number(response?.headers.get('content-length') ?? 0)
  if (!response?.ok || !KINDS.test(kind) || length > MAX_BYTES) {
    await response?.body?.cancel()
    return undefined
  }
  const bytes = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer(0)))
  return bytes.length > 0 && bytes.length <= MAX_BYTES ? `data:${kind};base64,${bytes.toString('base64')}` : undefined
}
