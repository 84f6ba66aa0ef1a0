import { describe, expect, it } from 'vitest'
import { answerInit } from './answer-init.ts'
import { IN_HEADER_BYTES, InitFlag, Opcode, OUT_HEADER_BYTES } from './fuse-protocol.ts'
import { RequestReader } from './request-reader.ts'

/** struct fuse_init_in, as Linux 6.18 wrote it to a mount: 7.45, reads 128 KiB ahead, offers nearly all flags. */
const OFFERED_MINOR = 45
const OFFERED_FLAGS = 0x73ff_fffb

function initRequest({ major = 7, minor = OFFERED_MINOR, flags = OFFERED_FLAGS } = {}): RequestReader {
  const bytes = Buffer.alloc(IN_HEADER_BYTES + 64)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeUInt32LE(Opcode.init, 4)
  bytes.writeBigUInt64LE(2n, 8)
  for (const [at, word] of [major, minor, 131_072, flags].entries()) bytes.writeUInt32LE(word >>> 0, IN_HEADER_BYTES + 4 * at)
  const reader = new RequestReader(bytes)
  reader.header()
  return reader
}

const bodyOf = (reply: Buffer) => reply.subarray(OUT_HEADER_BYTES).toString('hex')

describe('the first answer', () => {
  it('[FM18] is this, to the byte, for a kernel of today', () => {
    const { reply, agreed } = answerInit(initRequest())
    // Version 7.38; 1 MiB read ahead; flags; 64 in the background, slow from 48; 1 MiB a write; times to 1 ns; 256 pages.
    expect(bodyOf(reply)).toBe(
      `${'07000000'}${'26000000'}${'00001000'}${'21e0c731'}${'40003000'}${'00001000'}${'01000000'}${'00010000'}${'00'.repeat(32)}`,
    )
    expect(agreed).toEqual({ minor: 38, flags: 0x31c7_e021 })
  })

  it('[FM18] asks for nothing that was not offered, and speaks the older of two versions', () => {
    const { reply, agreed } = answerInit(initRequest({ minor: 31, flags: InitFlag.bigWrites | InitFlag.noOpen }))
    expect(agreed).toEqual({ minor: 31, flags: InitFlag.bigWrites | InitFlag.noOpen })
    expect(bodyOf(reply).slice(0, 16)).toBe('070000001f000000')
  })

  it.each([
    ['a newer protocol, which then asks again', { major: 8 }],
    ['a kernel before Linux 5.4', { minor: 30 }],
  ])('[FM18] agrees on nothing with %s', (_, asked) => {
    const { reply, agreed } = answerInit(initRequest(asked))
    expect(agreed).toBeUndefined()
    expect(bodyOf(reply)).toBe(`${'07000000'}${'26000000'}${'00'.repeat(56)}`)
  })
})
