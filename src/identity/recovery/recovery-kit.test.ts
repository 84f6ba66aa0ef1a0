import { Decrypter, Encrypter } from 'age-encryption'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { QuickCrypto } from '../../testkit/quick-crypto.ts'
import { WORDS } from '../words.ts'
import { MAX_KIT_BYTES, openRecoveryKit, type RecoveryKit, sealRecoveryKit } from './recovery-kit.ts'
import { createRecoveryWords, readRecoveryWords, RECOVERY_WORD_COUNT } from './recovery-words.ts'

const crypto = new QuickCrypto()
const code = (expected: string) => expect.objectContaining({ code: expected })

const kit = (): RecoveryKit => ({
  personSeed: crypto.bytes(32),
  personName: 'Ada',
  madeAtMs: 1_700_000_000_000,
  datasetKeys: crypto.bytes(69),
  deviceList: crypto.bytes(900),
  places: ['ws://192.168.1.5:8917/', 'wss://meet.example.org/'],
  buckets: ['{"bucket":"one"}'],
  datasets: '[{"dataset":"x"}]',
})
const newWords = () => readRecoveryWords(crypto, createRecoveryWords(crypto).join(' '))

describe('recovery words', () => {
  it('[ID157] are read in any case, with numbers, commas and lines between them, and by their first four letters', () => {
    const words = createRecoveryWords(crypto)
    expect(words.length).toBe(RECOVERY_WORD_COUNT)
    const plain = readRecoveryWords(crypto, words.join(' '))
    expect(plain).toBe(words.join('-'))
    expect(readRecoveryWords(crypto, words.map((word, i) => `${i + 1}. ${word.toUpperCase()}`).join(',\n'))).toBe(plain)
    expect(readRecoveryWords(crypto, words.map((word) => word.slice(0, 4)).join(' '))).toBe(plain)
  })

  it('[ID157] a slip is told at once: a word that is none, one too few, two that changed places', () => {
    const words = createRecoveryWords(crypto)
    const read = (typed: readonly string[]) => () => readRecoveryWords(crypto, typed.join(' '))
    expect(read(words.with(2, 'xyzzy'))).toThrow(code('recovery/bad-words'))
    expect(read(words.with(2, 'xyzzy'))).toThrow(/word 3, "xyzzy"/)
    expect(read(words.slice(1))).toThrow(code('recovery/bad-words'))
    const other = words.findIndex((word) => word !== words[0])
    expect(read(words.with(0, words[other] as string).with(other, words[0] as string))).toThrow(/changed places/)
    expect(read([])).toThrow(code('recovery/bad-words'))
  })

  it('[ID157] of a thousand wrong last words no more than chance passes the check', () => {
    const words = createRecoveryWords(crypto)
    const passed = WORDS.filter((word) => {
      try {
        return readRecoveryWords(crypto, words.with(RECOVERY_WORD_COUNT - 1, word).join(' ')) !== ''
      } catch {
        return false
      }
    })
    expect(passed).toEqual([words.at(-1)])
  })
})

describe('recovery kit', () => {
  it('[ID158] opens with its words, armoured or not, to what was put in', async () => {
    const [given, words] = [kit(), newWords()]
    const file = await sealRecoveryKit(given, words)
    expect(file).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    expect(await openRecoveryKit(utf8(file), words)).toEqual(given)
    expect(file).not.toContain('Ada')
  })

  it('[ID158] is an age file that any age program opens with the words as its passphrase', async () => {
    const [given, words] = [kit(), newWords()]
    const { armor } = await import('age-encryption')
    const decrypter = new Decrypter()
    decrypter.addPassphrase(words)
    const plain = await decrypter.decrypt(armor.decode(await sealRecoveryKit(given, words)))
    expect(Buffer.from(plain).includes(Buffer.from(given.personSeed))).toBe(true)
  })

  it("[ID158] another kit's words open nothing", async () => {
    const file = utf8(await sealRecoveryKit(kit(), newWords()))
    await expect(openRecoveryKit(file, newWords())).rejects.toThrow(code('recovery/wrong-words'))
  })

  it('[ID158] any byte changed and any cut is refused by name', async () => {
    const { armor } = await import('age-encryption')
    const words = newWords()
    const sealed = armor.decode(await sealRecoveryKit(kit(), words))
    const positions = [0, 20, 30, 60, 90, 120, 140, 200, 210, 230, sealed.length - 1]
    for (const at of positions) {
      const bent = sealed.slice()
      bent[at] = (bent[at] as number) ^ 1
      await expect(openRecoveryKit(bent, words), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^recovery\/(damaged|wrong-words)$/),
      })
      await expect(openRecoveryKit(sealed.subarray(0, at), words)).rejects.toMatchObject({ code: 'recovery/damaged' })
    }
  })

  it('[ID158] hostile files are refused before any work: too large, too many rounds, no scrypt, no kit inside', async () => {
    const words = newWords()
    const refused = (file: Uint8Array) => expect(openRecoveryKit(file, words)).rejects.toThrow(code('recovery/damaged'))
    await refused(new Uint8Array(MAX_KIT_BYTES + 1))
    await refused(utf8(`-----BEGIN AGE ENCRYPTED FILE-----\n${'A'.repeat(100_000)}`))
    await refused(utf8('age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 20\nAAAA\n--- AAAA\n'))
    await refused(utf8('age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- AAAA\n'))
    const encrypter = new Encrypter()
    encrypter.setScryptWorkFactor(10)
    encrypter.setPassphrase(words)
    await refused(await encrypter.encrypt(new Uint8Array(0)))
    await refused(await encrypter.encrypt(Uint8Array.from([1, ...new Uint8Array(40), 255, 255, 255, 255, 15])))
    await expect(openRecoveryKit(await encrypter.encrypt(Uint8Array.of(4)), words)).rejects.toThrow(code('recovery/newer'))
  })
})
