import { armor, Decrypter, Encrypter } from 'age-encryption'
import { expect, it } from 'vitest'
import { toHex, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import { silentLogger } from '../base/logger.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { hasControlCharacter, MAX_NAME_LENGTH } from './device-statement.ts'
import { IdentityError } from './identity-error.ts'
import { codeOfLink, createJoinSecret, formatJoinLink, parseJoinLink } from './join-link.ts'
import { type KitRule, MAX_PLACE_LETTERS, MAX_PLACES, openRecoveryKit, sealRecoveryKit } from './recovery/recovery-kit.ts'
import { createRecoveryWords, readRecoveryWords } from './recovery/recovery-words.ts'
import { VaultPasskey } from './vault-passkey.ts'

/* Seeded fuzz of what lets somebody in. Each hunt finds a bug that is planted for it, and names seed and round. */

const crypto = new QuickCrypto()

/** Flips, cuts, doubles, inserts or overwrites some bytes. */
function bend(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  let bent = bytes.slice()
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(bent.length || 1)
    const act = random.below(5)
    if (act === 0 && bent.length > 0) bent[at] = (bent[at] as number) ^ (1 << random.below(8))
    else if (act === 1) bent = bent.slice(0, at)
    else if (act === 2) bent = Uint8Array.of(...bent, ...bent.subarray(at, at + 8))
    else if (act === 3) bent = Uint8Array.of(...bent.subarray(0, at), ...random.bytes(1 + random.below(6)), ...bent.subarray(at))
    else if (bent.length > 0) bent[at] = random.pick([0, 1, 10, 127, 128, 255])
  }
  return bent
}

const failed = (seed: number, round: number, what: string) => new Error(`seed ${seed}, round ${round}: ${what}`)

it('[ID158] fuzz: what a recovery kit holds is a kit within its bounds or refused by name, and a bent file never opens to another', async () => {
  const seed = seedOfRun()
  const words = readRecoveryWords(crypto, createRecoveryWords(crypto).join(' '))
  const kit = {
    personSeed: crypto.bytes(32),
    personName: 'Ada',
    madeAtMs: 1_700_000_000_000,
    datasetKeys: crypto.bytes(69),
    deviceList: crypto.bytes(90),
    places: ['ws://192.168.1.5:8917/'],
    buckets: [],
    datasets: '',
  }
  const file = armor.decode(await sealRecoveryKit(kit, words))
  const decrypter = new Decrypter()
  decrypter.addPassphrase(words)
  const plain = await decrypter.decrypt(file)
  const sealed = (content: Uint8Array) => {
    const encrypter = new Encrypter()
    encrypter.setScryptWorkFactor(2)
    encrypter.setPassphrase(words)
    return encrypter.encrypt(content)
  }
  const open = async (bytes: Uint8Array, without?: KitRule) => {
    try {
      return await openRecoveryKit(bytes, words, without)
    } catch (error) {
      if (error instanceof IdentityError && error.code.startsWith('recovery/')) return undefined
      throw error
    }
  }
  const hunt = async (rounds: number, without?: KitRule) => {
    const random = new SeededRandom(seed)
    for (let round = 0; round < rounds; round++) {
      const whole = await open(bend(file, random))
      if (whole && toHex(whole.personSeed) !== toHex(kit.personSeed)) throw failed(seed, round, 'a bent file opened to another person')
      // by somebody who has the words: well sealed, and whatever inside
      const content = bend(plain, random)
      if (random.chance(0.5)) content[33 + random.below(4)] = random.below(40) // the name and its length
      const inside = await open(await sealed(content), without)
      if (!inside) continue
      const { personName: name, places } = inside
      if (name.length < 1 || name.length > MAX_NAME_LENGTH || hasControlCharacter(name))
        throw failed(seed, round, 'a name that cannot be shown')
      if (places.length > MAX_PLACES || places.some((place) => place.length > MAX_PLACE_LETTERS))
        throw failed(seed, round, 'too many places')
    }
  }
  await hunt(roundsOfRun(120, 2_000))
  await expect(hunt(400, 'name'), 'planted: the name is not looked at').rejects.toThrow(/seed \d+, round \d+: a name/)
}, 120_000)

it('[ID29] fuzz: a bent passkey slot opens nothing that it did not, or is as none; the answer to another question opens nothing', async () => {
  const seed = seedOfRun()
  const device = 'D'.repeat(43) as DeviceId
  const hunt = async (using: QuickCrypto, rounds: number) => {
    const random = new SeededRandom(seed)
    const answer = using.secret(random.bytes(32))
    const locks = { device: using.secret(random.bytes(32)), person: using.secret(random.bytes(32)) }
    const store = new MemoryVaultStore()
    const passkey = await VaultPasskey.load(using, store, silentLogger)
    const question = { credentialId: random.bytes(40), salt: random.bytes(32) }
    await passkey.set(device, question, answer, locks)
    const file = store.files.get('passkey') as Uint8Array
    const slot = JSON.parse(new TextDecoder().decode(file)) as Record<string, unknown>
    const letters = (text: unknown) =>
      random.pick(
        [...String(text)].map((_, at) => `${String(text).slice(0, at)}${random.pick(['A', 'b', '_'])}${String(text).slice(at + 1)}`),
      )
    for (let round = 0; round < rounds; round++) {
      let bent: Uint8Array
      if (random.chance(0.4)) bent = bend(file, random)
      else {
        const key = random.pick(['credentialId', 'salt', 'device', 'person'])
        const other = random.pick(['credentialId', 'salt', 'device', 'person'])
        const value = random.pick<unknown>([slot[other], letters(slot[key]), null, '', 7, 'A'.repeat(3_000)])
        bent = utf8(JSON.stringify({ ...slot, [key]: value }))
      }
      const bad = new MemoryVaultStore()
      bad.files.set('passkey', bent)
      const loaded = await VaultPasskey.load(using, bad, silentLogger)
      const opened = loaded.open(device, answer)
      if (!opened) continue
      const { question: asked } = loaded
      const isSame =
        toHex(asked?.salt ?? new Uint8Array()) === toHex(question.salt) &&
        toHex(asked?.credentialId ?? new Uint8Array()) === toHex(question.credentialId)
      if (!isSame) throw failed(seed, round, 'a slot with another question opened')
      if (toHex(opened.device.bytes) !== toHex(locks.device.bytes)) throw failed(seed, round, 'another lock came out')
      if (opened.person && toHex(opened.person.bytes) !== toHex(locks.person.bytes)) throw failed(seed, round, 'another lock came out')
    }
  }
  await hunt(crypto, roundsOfRun(300, 20_000))
  /** Seals without what is bound in. */
  class Unbound extends QuickCrypto {
    override encrypt(key: Uint8Array, plain: Uint8Array): Uint8Array {
      return super.encrypt(key, plain, new Uint8Array())
    }
    override decrypt(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
      return super.decrypt(key, sealed, new Uint8Array())
    }
  }
  await expect(hunt(new Unbound(), 1_000), 'planted: the question is not bound into the slot').rejects.toThrow(/seed \d+, round \d+: /)
}, 120_000)

it('[ID161] fuzz: a bent link is refused by name or is another whole link; no two links lead to one meeting', () => {
  const seed = seedOfRun()
  type Parse = typeof parseJoinLink
  const hunt = (parse: Parse, rounds: number) => {
    const random = new SeededRandom(seed)
    for (let round = 0; round < rounds; round++) {
      const link = {
        secret: createJoinSecret(random),
        places: ['ws://192.168.1.5:8917/', 'wss://meet.example.org/a?b=c&d'].slice(random.below(3)),
      }
      const text = formatJoinLink(link)
      const at = text.indexOf('s=') + 2 + random.below(22)
      const bent = random.chance(0.5)
        ? new TextDecoder().decode(bend(utf8(text), random))
        : `${text.slice(0, at)}${random.pick([...'ABCDwxyz0129-_'])}${text.slice(at + 1)}`
      let read: ReturnType<Parse>
      try {
        read = parse(bent)
      } catch (error) {
        if (error instanceof IdentityError && error.code.startsWith('pairing/')) continue
        throw error
      }
      if (JSON.stringify(parseJoinLink(formatJoinLink(read))) !== JSON.stringify(read)) throw failed(seed, round, `not read back: ${bent}`)
      const isSameMeeting = codeOfLink(crypto, read).number === codeOfLink(crypto, link).number
      const letters = /[?&]s=([A-Za-z0-9_-]*)/.exec(bent)?.[1]
      if (isSameMeeting && letters !== undefined && letters !== link.secret && !bent.includes('%'))
        throw failed(seed, round, `two links, one meeting: ${bent}`)
      if (read.places.some((place) => !/^wss?:/.test(place))) throw failed(seed, round, `a place that is none: ${bent}`)
    }
  }
  hunt(parseJoinLink, roundsOfRun(2_000, 100_000))
  /** Takes the last letter's spare bits as they come. */
  const lenient: Parse = (text) =>
    parseJoinLink(text.replace(/([?&]s=[A-Za-z0-9_-]{21})([A-Za-z0-9_-])/, (_, head: string, last: string) => head + canonical(last)))
  expect(() => hunt(lenient, 20_000), 'planted: letters that stand for the same bits').toThrow(/seed \d+, round \d+: two links/)
})

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
/** 22 letters hold 132 bits, of which the last four mean nothing. */
const canonical = (letter: string): string => ALPHABET[ALPHABET.indexOf(letter) & 0b11_0000] as string
