import { concatBytes } from '../../base/bytes.ts'

/** As gzip writes it. */
export const gzip = (bytes: Uint8Array): Promise<Uint8Array> => through(bytes, new CompressionStream('gzip'), Number.MAX_SAFE_INTEGER)

/** @throws TypeError  not gzip, or cut off; RangeError  it holds more than `maxBytes`: it is read no further */
export const gunzip = (bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> =>
  through(bytes, new DecompressionStream('gzip'), maxBytes)

async function through(bytes: Uint8Array, way: CompressionStream | DecompressionStream, maxBytes: number): Promise<Uint8Array> {
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(way).getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concatBytes(...parts)
    length += value.length
    if (length > maxBytes) {
      void reader.cancel().catch(() => undefined)
      throw new RangeError(`it holds more than ${maxBytes} bytes`)
    }
    parts.push(value)
  }
}
