import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createHash } from 'node:crypto'
import { fromBase58, MAX_BASE58_LENGTH, toBase58 } from './base58.ts'
import { concatBytes, equalBytes, fromBase64Url, fromHex, fromUtf8, toBase64Url, toHex, utf8 } from './bytes.ts'
import { sleep, systemClock } from './clock.ts'
import { DisposableStore, toDisposable } from './disposable.ts'
import { Emitter } from './emitter.ts'
import { CancelledError, errorCode, errorMessage } from './errors.ts'
import { deviceHostLabel, deviceIdOf, parseDeviceId, publicKeyOf } from './ids.ts'
import { offerSha256, sha256 } from './sha256.ts'

describe('[BA1] what is owned is released once, in reverse order, also when one throws', () => {
  it('releases in reverse order and rethrows the first error', () => {
    const store = new DisposableStore()
    const released: number[] = []
    store.defer(() => released.push(1))
    store.defer(() => {
      throw new Error('second')
    })
    store.defer(() => released.push(3))
    expect(() => store.dispose()).toThrow('second')
    expect(released).toEqual([3, 1])
    store.dispose()
    expect(released).toEqual([3, 1])
  })

  it('releases a latecomer at once, and one early when asked', () => {
    const store = new DisposableStore()
    const early = vi.fn()
    const owned = store.defer(early)
    store.release(owned)
    store.release(owned)
    expect(early).toHaveBeenCalledTimes(1)
    store.dispose()
    expect(store.isDisposed).toBe(true)
    expect(early).toHaveBeenCalledTimes(1)
    const late = vi.fn()
    store.add(toDisposable(late))
    expect(late).toHaveBeenCalledTimes(1)
  })
})

describe('[BA2] an event reaches every listener, whatever another one does', () => {
  it('goes on after a listener that throws, and after one that leaves while it is fired', () => {
    const errors: unknown[] = []
    const emitter = new Emitter<number>((error) => errors.push(error))
    const heard: string[] = []
    emitter.event(() => {
      throw new Error('mine')
    })
    const leaving = emitter.event((value) => {
      heard.push(`a${value}`)
      leaving.dispose()
    })
    emitter.event((value) => heard.push(`b${value}`))
    emitter.fire(1)
    emitter.fire(2)
    expect(heard).toEqual(['a1', 'b1', 'b2'])
    expect(errors.map(errorMessage)).toEqual(['mine', 'mine'])
    expect(emitter.hasListeners).toBe(true)
    emitter.dispose()
    expect(emitter.hasListeners).toBe(false)
  })
})

describe('[BA3] texts of bytes are read back exactly, and what is not one is refused', () => {
  it('hex, base58 and base64url', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes)
        expect(fromBase58(toBase58(bytes))).toEqual(bytes)
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes)
      }),
    )
  })

  it('base58 of any length, zeros and ones at its ends', () => {
    for (const length of [0, 1, 2, 3, 31, 32, 33, 64]) {
      for (const byte of [0, 1, 57, 58, 255]) {
        const bytes = new Uint8Array(length).fill(byte)
        expect(fromBase58(toBase58(bytes))).toEqual(bytes)
        if (length > 0) bytes[0] = 0
        expect(fromBase58(toBase58(bytes))).toEqual(bytes)
      }
    }
    expect(() => fromBase58('é')).toThrow(RangeError)
  })

  it('SHA-256 may be a host’s, if it is SHA-256', () => {
    const before = sha256(utf8('abc'))
    const asked: number[] = []
    expect(() => offerSha256((bytes) => bytes)).toThrow(RangeError)
    offerSha256((bytes) => {
      asked.push(bytes.length)
      return new Uint8Array(createHash('sha256').update(bytes).digest())
    })
    expect([sha256(utf8('abc')), asked]).toEqual([before, [3, 3]])
  })

  it('base58 is the one Solana uses', () => {
    expect(toBase58(new Uint8Array(32))).toBe('1'.repeat(32)) // the system program's address
    expect(toBase58(utf8('Hello World!'))).toBe('2NEpo7TZRRrLZSi2U') // draft-msporny-base58, test vector 1
    expect(toBase58(fromHex('0000287fb4cd'))).toBe('11233QC4') // and 3
  })

  it.each([
    ['0', fromBase58],
    ['l', fromBase58],
    ['1'.repeat(MAX_BASE58_LENGTH + 1), fromBase58],
    ['abc', fromHex],
    ['zz', fromHex],
    ['a+b/', fromBase64Url],
  ])('%s is refused', (text, read) => expect(() => read(text)).toThrow(RangeError))

  it('compares, joins and decodes', () => {
    expect(equalBytes(utf8('ab'), concatBytes(utf8('a'), utf8('b')))).toBe(true)
    expect(equalBytes(utf8('ab'), utf8('ac'))).toBe(false)
    expect(equalBytes(utf8('ab'), utf8('a'))).toBe(false)
    expect(() => fromUtf8(Uint8Array.of(0xff))).toThrow(TypeError)
  })
})

describe('[BA4] a device id is its key', () => {
  it('reads back, and refuses what is not 32 bytes', () => {
    const key = new Uint8Array(32).fill(7)
    expect(publicKeyOf(deviceIdOf(key))).toEqual(key)
    expect(parseDeviceId(deviceIdOf(key))).toBe(deviceIdOf(key))
    expect(() => parseDeviceId(toBase58(new Uint8Array(31)))).toThrow(RangeError)
    expect(deviceHostLabel(deviceIdOf(key))).toMatch(/^[a-z0-9]{12}$/)
  })
})

describe('[BA5] waiting can be given up, and errors have a code', () => {
  it('sleeps, or rejects with the reason of the abort', async () => {
    await sleep(systemClock, 1)
    const abort = new AbortController()
    const waiting = sleep(systemClock, 60_000, abort.signal)
    abort.abort(new CancelledError())
    await expect(waiting).rejects.toBeInstanceOf(CancelledError)
    await expect(sleep(systemClock, 1, abort.signal)).rejects.toBeInstanceOf(CancelledError)
  })

  it('a timer can be stopped', () => {
    vi.useFakeTimers()
    const tick = vi.fn()
    const timer = systemClock.every(10, tick)
    vi.advanceTimersByTime(25)
    timer.dispose()
    vi.advanceTimersByTime(100)
    expect(tick).toHaveBeenCalledTimes(2)
    vi.useRealTimers()
  })

  it('what we did not foresee is a bug', () => {
    expect(errorCode(new CancelledError())).toBe('base/cancelled')
    expect(errorCode(new Error('x'))).toBe('base/bug')
    expect(errorCode(null)).toBe('base/bug')
    expect(errorMessage('text')).toBe('text')
  })
})
