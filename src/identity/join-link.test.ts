import { describe, expect, it } from 'vitest'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { codeOfLink, createJoinSecret, formatJoinLink, isJoinLink, MAX_LINK_LETTERS, parseJoinLink } from './join-link.ts'

const crypto = new SodiumCrypto()

describe('a link to join by', () => {
  it('[ID161] says the secret and where to meet, and is read back whole', () => {
    const link = { secret: createJoinSecret(crypto), places: ['ws://192.168.1.5:8917/', 'wss://meet.example.org/a?b=c&d'] }
    const text = formatJoinLink(link)
    expect(parseJoinLink(` ${text}\n`)).toEqual(link)
    expect(isJoinLink(text)).toBe(true)
    expect(isJoinLink('4217-guitar-ozone')).toBe(false)
  })

  it('[ID161] names no more than four places and stays short enough for a camera', () => {
    const places = Array.from({ length: 12 }, (_, n) => `ws://10.0.0.${n}:8917/`)
    const text = formatJoinLink({ secret: createJoinSecret(crypto), places: [`ws://${'x'.repeat(200)}/`, ...places] })
    expect(parseJoinLink(text).places).toEqual(places.slice(0, 4))
    expect(text.length).toBeLessThan(MAX_LINK_LETTERS)
  })

  it('[ID161] where to meet is derived: neither topic nor tag tells the secret, and it is 128 bits', () => {
    const secrets = Array.from({ length: 200 }, () => createJoinSecret(crypto))
    expect(new Set(secrets).size).toBe(200)
    for (const secret of secrets.slice(0, 20)) {
      const { number, secret: proved } = codeOfLink(crypto, { secret })
      expect([proved, number]).toEqual([secret, expect.stringMatching(/^link-[A-Za-z0-9_-]{22}$/)])
      expect(number).not.toContain(secret)
    }
  })

  it.each([
    ['elsewhere://join/2?s=AAAAAAAAAAAAAAAAAAAAAA', 'pairing/version'],
    ['elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAA', 'pairing/bad-code'],
    ['elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAB', 'pairing/bad-code'],
    ['elsewhere://join/1?at=ws://x/', 'pairing/bad-code'],
    ['elsewhere://leave/1?s=AAAAAAAAAAAAAAAAAAAAAA', 'pairing/bad-code'],
    ['elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA&at=http://x/', 'pairing/bad-code'],
    [`elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA${'&at=ws://x/'.repeat(5)}`, 'pairing/bad-code'],
    [`elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA&at=ws://${'x'.repeat(700)}`, 'pairing/bad-code'],
  ])('[ID161] %s is refused by name', (text, code) => {
    expect(() => parseJoinLink(text)).toThrow(expect.objectContaining({ code }))
  })
})
