import { beforeEach, describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../base/bytes.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import type { Logger } from '../base/logger.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { createPipes } from '../testkit/memory-pairing-pipe.ts'
import { createPairingDevice, type PairingDevice } from '../testkit/pairing-device.ts'
import { DECIDE_MS, FIND_MS, OFFER_MS, Pairing, PROVE_MS } from './pairing.ts'
import { createPairingCode, parsePairingCode } from './pairing-code.ts'
import { MAX_FAILED_TRIES, TRIES_WINDOW_MS } from './pairing-tries.ts'
import { safetyWords } from './safety-words.ts'
import { DeviceList } from './device-list.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { WORDS } from './words.ts'

const crypto = new SodiumCrypto()
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('Pairing', () => {
  let clock: ManualClock
  let a: PairingDevice
  let b: PairingDevice
  let offering: Pairing
  let joining: Pairing
  const logged: string[] = []
  const logger: Logger = {
    error: (...line) => void logged.push(JSON.stringify(line)),
    warn: (...line) => void logged.push(JSON.stringify(line)),
    info: (...line) => void logged.push(JSON.stringify(line)),
    debug: (...line) => void logged.push(JSON.stringify(line)),
    child: () => logger,
  }
  const pairingOf = ({ introduction, sign, admit, adopt }: PairingDevice) =>
    new Pairing({ crypto, clock, logger, self: () => introduction, sign, admit, adopt })

  beforeEach(async () => {
    logged.length = 0
    clock = new ManualClock()
    a = createPairingDevice(crypto, clock, 'laptop')
    b = createPairingDevice(crypto, clock, 'server')
    offering = pairingOf(a)
    joining = pairingOf(b)
    return () => {
      offering.dispose()
      joining.dispose()
    }
  })

  /** Shows a code on A, types `typed` (or that code) on B and connects them. */
  const meet = async (typed?: string, pipes = createPipes()) => {
    offering.offer()
    joining.join(typed ?? (offering.state.code as string))
    offering.attach(pipes.offer)
    joining.attach(pipes.join)
    await settle()
    return pipes
  }
  const wrongCode = () => {
    const { code } = offering.state
    for (;;) {
      const { secret } = createPairingCode(crypto)
      if (!code?.endsWith(secret)) return `${code?.slice(0, 4)}-${secret}`
    }
  }

  it('[ID161] pairs by the link that is offered beside the code; the new device is told whose it becomes, and the code is used up, too', async () => {
    const { numbers } = offering.offer()
    const { code, link } = offering.state as { code: string; link: string }
    const { number, places } = joining.join(link)
    expect([numbers.includes(number), places]).toEqual([true, []])
    expect(JSON.stringify(logged)).not.toContain(/s=([^&]+)/.exec(link)?.[1])
    const pipes = createPipes()
    offering.attach(pipes.offer, number)
    joining.attach(pipes.join, number)
    await settle()
    expect(offering.state).toMatchObject({ step: 'confirm', role: 'offer', peerName: 'server', personName: "laptop's person" })
    expect(joining.state).toMatchObject({ step: 'confirm', role: 'join', peerName: 'laptop', personName: "laptop's person" })
    expect(offering.state.safetyWords).toEqual(joining.state.safetyWords)
    joining.confirm(true)
    offering.confirm(true)
    await settle()
    await settle()
    expect([offering.state.step, joining.state.step]).toEqual(['done', 'done'])
    expect(offering.state.code ?? offering.state.link).toBeUndefined()
    expect(code).not.toContain(number)
  })

  it("[ID161] [ID34] who comes where the link leads with another secret learns nothing and burns the offer; the code's words do not open it", async () => {
    offering.offer()
    const { link, code } = offering.state as { code: string; link: string }
    const linkNumber = joining.join(link).number
    joining.join(`${code.slice(0, 4)}-${code.slice(5)}`)
    const pipes = createPipes()
    offering.attach(pipes.offer, linkNumber)
    joining.attach(pipes.join)
    await settle()
    expect([offering.state.step, joining.state.step]).toEqual(['failed', 'failed'])
    expect(offering.state.error?.code).toBe('pairing/wrong-code')
    expect(offering.state.peerName).toBeUndefined()
  })

  it('[ID30] pairs: both see names and the same words, both say yes, the new device adopts', async () => {
    await meet()
    expect(offering.state).toMatchObject({ step: 'confirm', peerName: 'server', ownName: 'laptop', personName: "laptop's person" })
    expect(joining.state).toMatchObject({ step: 'confirm', peerName: 'laptop', ownName: 'server', personName: "laptop's person" })
    expect(offering.state.safetyWords).toEqual(joining.state.safetyWords)
    expect(offering.state.safetyWords).toHaveLength(5)
    offering.confirm(true)
    await settle()
    expect([offering.state.answered, joining.state.answered, b.adopted.length]).toEqual([true, false, 0])
    joining.confirm(true)
    await settle()
    expect([offering.state.step, joining.state.step]).toEqual(['done', 'done'])
    expect(a.list.isMember(b.introduction.device)).toBe(true)
    const [grant] = b.adopted
    expect(grant?.person).toBe(a.keys.person)
    expect(toHex(grant?.datasetKeys as Uint8Array)).toBe(toHex(a.keys.datasetKeys.encode()))
    const taken = DeviceList.open({ crypto, clock, store: new MemoryKeyValueStore(), person: a.keys.person })
    taken.merge(grant?.deviceList as Uint8Array)
    expect(taken.members.map(({ name }) => name).sort()).toEqual(['laptop', 'server'])
  })

  it('[ID30] it does not matter who says yes first', async () => {
    await meet()
    joining.confirm(true)
    await settle()
    offering.confirm(true)
    await settle()
    expect([offering.state.step, joining.state.step]).toEqual(['done', 'done'])
  })

  it.each(['offer', 'join'] as const)('[ID30] a no on the %s side shares nothing', async (role) => {
    await meet()
    const [no, yes] = role === 'offer' ? [offering, joining] : [joining, offering]
    yes.confirm(true)
    no.confirm(false)
    await settle()
    for (const side of [no, yes]) expect(side.state).toMatchObject({ step: 'failed', error: { code: 'pairing/declined' } })
    expect(a.list.isMember(b.introduction.device)).toBe(false)
    expect(b.adopted).toHaveLength(0)
  })

  it('[ID34] a wrong code fails on both sides, shows no names and burns the secret', async () => {
    offering.offer()
    const { code } = offering.state
    const pipes = createPipes()
    joining.join(wrongCode())
    offering.attach(pipes.offer)
    joining.attach(pipes.join)
    await settle()
    for (const side of [offering, joining]) {
      expect(side.state).toMatchObject({ step: 'failed', error: { code: 'pairing/wrong-code' } })
      expect(side.state.peerName).toBeUndefined()
    }
    joining.join(code as string)
    const again = createPipes()
    offering.attach(again.offer)
    joining.attach(again.join)
    await settle()
    expect(again.offer.isClosed).toBe(true)
    expect(joining.state.step).toBe('failed')
  })

  it('[ID30] nothing but a hello passes before the code is proved, and no name or key in the clear ever', async () => {
    const { offer, join } = await meet()
    offering.confirm(true)
    joining.confirm(true)
    await settle()
    expect(joining.state.step).toBe('done')
    const wire = [...offer.sent, ...join.sent].map(toHex).join('/')
    const secrets = [a, b].flatMap(({ introduction, keys }) => [
      utf8(introduction.name),
      utf8(introduction.personName),
      introduction.boxKey,
      keys.datasetKeys.encode().subarray(1, 33),
      keys.datasetKeys.rendezvousSecret,
    ])
    for (const secret of secrets) expect(wire).not.toContain(toHex(secret))
    for (const { introduction } of [a, b]) expect(wire).not.toContain(introduction.device)
  })

  it('[ID30] the secret is in no message and no log line', async () => {
    offering.offer()
    const { code } = offering.state
    const [, ...secret] = (code as string).split('-')
    const pipes = createPipes()
    joining.join(code as string)
    offering.attach(pipes.offer)
    joining.attach(pipes.join)
    await settle()
    offering.confirm(true)
    joining.confirm(false)
    await settle()
    expect(logged.length).toBeGreaterThan(0)
    const wire = [...pipes.offer.sent, ...pipes.join.sent].map(toHex).join('/')
    for (const word of secret) {
      expect(logged.join()).not.toContain(word)
      expect(wire).not.toContain(toHex(utf8(word)))
    }
  })

  it('[ID32] two connections with somebody between them, who knows no code: neither side accepts', async () => {
    await meet(undefined, createPipes({ mitm: true }))
    for (const side of [offering, joining]) expect(side.state).toMatchObject({ step: 'failed', error: { code: 'pairing/wrong-code' } })
  })

  it('[ID34] five failures in ten minutes close pairing on that device, and time opens it again', async () => {
    for (let i = 0; i < MAX_FAILED_TRIES; i++) {
      const pipes = createPipes()
      offering.offer()
      joining.join(wrongCode())
      offering.attach(pipes.offer)
      joining.attach(pipes.join)
      await settle()
    }
    const closed = expect.objectContaining({ code: 'pairing/too-many-tries' })
    expect(() => offering.offer()).toThrow(closed)
    expect(() => joining.join('4217-000000')).toThrow(closed)
    clock.advance(TRIES_WINDOW_MS - 1)
    expect(() => offering.offer()).toThrow(closed)
    clock.advance(1)
    offering.offer()
    expect(offering.state.step).toBe('offering')
  })

  it('[ID34] a pipe that goes before its guess costs nothing; the next one pairs', async () => {
    offering.offer()
    for (let i = 0; i < 3 * MAX_FAILED_TRIES; i++) {
      const stray = createPipes()
      offering.attach(stray.offer)
      stray.offer.cut()
      expect(offering.state.step).toBe('offering')
    }
    const { offer, join } = createPipes()
    joining.join(offering.state.code as string)
    offering.attach(offer)
    joining.attach(join)
    await settle()
    expect(offering.state.step).toBe('confirm')
  })

  it('[ID34] a silent peer does not hold the offer: the step times out and the offer goes on', async () => {
    offering.offer()
    const silent = createPipes()
    offering.attach(silent.offer)
    const other = createPipes()
    offering.attach(other.offer)
    expect(other.offer.isClosed).toBe(true)
    clock.advance(PROVE_MS)
    expect(offering.state.step).toBe('offering')
    await meetAgain()
    expect(offering.state.step).toBe('confirm')
  })
  const meetAgain = async () => {
    const pipes = createPipes()
    joining.join(offering.state.code as string)
    offering.attach(pipes.offer)
    joining.attach(pipes.join)
    await settle()
  }

  it('[ID30] a code expires, a search ends, an undecided pairing times out', async () => {
    offering.offer()
    clock.advance(OFFER_MS)
    expect(offering.state).toMatchObject({ step: 'failed', error: { code: 'pairing/timeout' } })
    joining.join('4217-123456')
    clock.advance(FIND_MS)
    expect(joining.state).toMatchObject({ step: 'failed', error: { code: 'pairing/not-found' } })
    await meet()
    clock.advance(DECIDE_MS)
    await settle()
    for (const side of [offering, joining]) expect(side.state).toMatchObject({ step: 'failed', error: { code: 'pairing/timeout' } })
    clock.advance(5_000) // pipes stay a moment for the last message
    expect(clock.pendingTimers).toBe(0)
  })

  it('[ID30] cancel on one side tells the other and leaves this one idle', async () => {
    await meet()
    expect(offering.cancel()).toEqual({ step: 'idle' })
    await settle()
    expect(joining.state).toMatchObject({ step: 'failed', error: { code: 'pairing/cancelled' } })
  })

  it('[ID30] a device that cannot admit or adopt says so on both sides', async () => {
    offering.dispose()
    const admit = async () => {
      throw Object.assign(new Error('disk full'), { code: 'ENOSPC' })
    }
    offering = new Pairing({ crypto, clock, logger, self: () => a.introduction, sign: a.sign, admit, adopt: a.adopt })
    await meet()
    offering.confirm(true)
    joining.confirm(true)
    await settle()
    expect(offering.state).toMatchObject({ step: 'failed', error: { code: 'pairing/refused' } })
    expect(offering.state.error?.message).toMatch(/disk full/)
    expect(joining.state).toMatchObject({ step: 'failed', error: { code: 'pairing/refused' } })
    expect(b.adopted).toHaveLength(0)
  })

  it('[ID30] a list that does not name both devices as they are is not adopted', async () => {
    offering.dispose()
    const admit = async () => ({ ...(await a.admit({ ...b.introduction, boxKey: new Uint8Array(32).fill(9) })) })
    offering = new Pairing({ crypto, clock, logger, self: () => a.introduction, sign: a.sign, admit, adopt: a.adopt })
    await meet()
    offering.confirm(true)
    joining.confirm(true)
    await settle()
    expect(joining.state).toMatchObject({ step: 'failed', error: { code: 'pairing/refused' } })
    expect(b.adopted).toHaveLength(0)
  })

  it('[ID30] a connection lost after the other was added says what to do', async () => {
    const pipes = await meet(
      undefined,
      createPipes({ meddle: (message, from, index) => (from === 'offer' && index === 4 ? [] : [message]) }),
    )
    offering.confirm(true)
    joining.confirm(true)
    await settle()
    pipes.offer.cut()
    expect(offering.state).toMatchObject({ step: 'failed', error: { code: 'pairing/interrupted' } })
    expect(offering.state.error?.message).toMatch(/was added.*remove it and pair again/)
  })

  it('[ID30] leaves no timer and no open pipe behind', async () => {
    const { offer, join } = await meet()
    offering.confirm(true)
    joining.confirm(true)
    await settle()
    clock.advance(5_000)
    await settle()
    expect([offer.isClosed, join.isClosed, clock.pendingTimers]).toEqual([true, true, 0])
  })

  it('[ID30] refuses pipes nobody waits for', () => {
    const pipes = createPipes()
    offering.attach(pipes.offer)
    expect(pipes.offer.isClosed).toBe(true)
    offering.offer()
    offering.attach(pipes.join)
    expect(pipes.join.isClosed).toBe(true)
    expect(offering.confirm(true).step).toBe('offering')
  })
})

describe('pairing codes', () => {
  it('[ID30] are four digits and two words, all numbers and words in use', () => {
    const codes = Array.from({ length: 4000 }, () => createPairingCode(crypto))
    for (const { number, secret } of codes) {
      expect(number).toMatch(/^\d{4}$/)
      expect(secret).toMatch(/^[a-z]+-[a-z]+$/)
    }
    expect(new Set(codes.map(({ number }) => number[0])).size).toBe(10)
    expect(new Set(codes.flatMap(({ secret }) => secret.split('-'))).size).toBeGreaterThan(950)
  })

  it.each([
    ['4217-guitar-oasis', { number: '4217', secret: 'guitar-oasis' }],
    ['  4217 Guitar  OASIS ', { number: '4217', secret: 'guitar-oasis' }],
    ['4217.guitar_oasis', { number: '4217', secret: 'guitar-oasis' }],
    ['0042-123456', { number: '0042', secret: '123456' }],
    ['0042123456', { number: '0042', secret: '123456' }],
  ])('[ID30] reads %s', (typed, code) => {
    expect(parsePairingCode(typed)).toEqual(code)
  })

  it.each([
    '',
    '4217',
    'guitar-oasis',
    '421-guitar-oasis',
    '4217-guitar',
    '4217-guitar-oasis-oasis',
    '4217-guitar-qwxz',
    '4217-12345',
    '421712345',
  ])('[ID30] tells at once that "%s" is no code', (typed) => {
    expect(() => parsePairingCode(typed)).toThrow(expect.objectContaining({ code: 'pairing/bad-code' }))
  })
})

describe('words', () => {
  it('[ID30] are 1,024, short, and differ in their first four letters', () => {
    expect(WORDS).toHaveLength(1024)
    expect(new Set(WORDS.map((word) => word.slice(0, 4))).size).toBe(1024)
    for (const word of WORDS) expect(word).toMatch(/^[a-z]{3,8}$/)
  })

  it('[ID33] stand for keys in any order, and change with any key', () => {
    const [x, y, z] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array]
    expect(safetyWords(crypto, [x, y])).toEqual(safetyWords(crypto, [y, x]))
    expect(safetyWords(crypto, [x, y])).not.toEqual(safetyWords(crypto, [x, z]))
    expect(safetyWords(crypto, [x])).toEqual(['parade', 'seed', 'panel', 'herb', 'twelve'])
  })
})
