import type { StoredBytes } from '../jobs/engines/engine.ts'
import type { TarEntry, TarItem } from '../jobs/engines/tar.ts'
import { concatBytes } from '../base/bytes.ts'

/** As they come from a disk or a link: in pieces. */
export async function* piecesOf(bytes: Uint8Array, length = 1_000): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** What was fetched, in memory. */
export const storedBytes = (bytes: Uint8Array): StoredBytes => ({ read: () => piecesOf(bytes), dispose: async () => undefined })

export async function wholeOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece.slice())
  return concatBytes(...parts)
}

/** With their contents. */
export async function entriesOf(items: AsyncIterable<TarItem>): Promise<TarEntry[]> {
  const entries: TarEntry[] = []
  for await (const item of items) {
    if (item.kind === 'folder') entries.push(item)
    else {
      const { kind, path, mode, modifiedMs, content } = item
      entries.push({ kind, path, mode, modifiedMs, bytes: await wholeOf(content) })
    }
  }
  return entries
}

export async function* itemsOf(entries: readonly TarEntry[]): AsyncGenerator<TarItem, void> {
  for (const entry of entries) {
    if (entry.kind === 'folder') yield entry
    else {
      const { bytes, ...rest } = entry
      yield { ...rest, length: bytes.length, content: piecesOf(bytes) }
    }
  }
}
