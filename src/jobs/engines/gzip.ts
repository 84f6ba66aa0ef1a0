import { concatBytes } from '../../base/bytes.ts'

/** As gzip writes it. */
export async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream('gzip')).getReader()
  const parts: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concatBytes(...parts)
    parts.push(value)
  }
}

/**
 * What gzip has packed, as it comes: of either no more is in memory than a few pieces.
 *
 * @throws TypeError  not gzip, or cut off; RangeError  it holds more than `maxBytes`: it is read no further; what `packed` throws
 */
export async function* gunzip(packed: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  const way = new DecompressionStream('gzip')
  const writer = way.writable.getWriter()
  const reader = way.readable.getReader()
  let fault: { readonly error: unknown } | undefined
  writer.closed.catch(() => undefined) // its reader has that
  reader.closed.catch(() => undefined)
  const feed = async () => {
    try {
      for await (const piece of packed) await writer.write(new Uint8Array(piece))
      await writer.close()
    } catch (error) {
      fault ??= { error }
      await writer.abort(error).catch(() => undefined)
    }
  }
  const feeding = feed()
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > maxBytes) throw new RangeError(`it holds more than ${maxBytes} bytes`)
      yield value
    }
    await feeding
    if (fault) throw fault.error
  } finally {
    await reader.cancel().catch(() => undefined)
    await writer.abort().catch(() => undefined)
    await feeding
  }
}
