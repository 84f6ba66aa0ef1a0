import encodeQR from 'qr'
import { describe, expect, it } from 'vitest'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../../../testkit/seeded-random.ts'
import { MAX_LINK_LETTERS } from '../pairing-code.ts'
import { pictureTrouble } from './qr-reader.ts'
import { type Pixels, readQr } from './read-qr.ts'
import { whatIsSeen } from './scanned.ts'

const LINK = 'elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA&at=ws%3A%2F%2F10.0.0.1%3A8917%2F&at=wss%3A%2F%2Fmeet.example.org%2Fa'
const CONTACT = LINK.replace('join', 'contact')

interface Placed {
  readonly text: string
  readonly x?: number
  readonly y?: number
  readonly scale?: number
  readonly turn?: number
}

/** Codes on a grey wall, as a camera sees them: turned by so many radians, with noise. */
function wall(codes: readonly Placed[], { width = 640, height = 480, noise = 0, random = new SeededRandom(1) } = {}): Pixels {
  const data = new Uint8ClampedArray(width * height * 4).fill(150)
  for (const { text, x = width / 2, y = height / 2, scale = 4, turn = 0 } of codes) {
    const rows = encodeQR(text, 'raw', { ecc: 'medium', border: 4 })
    const [cos, sin, half] = [Math.cos(turn), Math.sin(turn), rows.length / 2]
    for (let py = 0; py < height; py++) {
      for (let px = 0; px < width; px++) {
        const column = Math.floor(((px - x) * cos + (py - y) * sin) / scale + half)
        const row = Math.floor(((py - y) * cos - (px - x) * sin) / scale + half)
        const dark = rows[row]?.[column]
        if (dark !== undefined) data.fill(dark ? 30 : 225, (py * width + px) * 4, (py * width + px) * 4 + 3)
      }
    }
  }
  if (noise > 0) for (let at = 0; at < data.length; at++) data[at] = (data[at] ?? 0) + (random.next() - 0.5) * noise
  return { width, height, data }
}

describe('[AP62] what the camera sees', () => {
  it.each([
    ['straight', { text: LINK }, 0],
    ['turned', { text: LINK, turn: 0.4, scale: 5 }, 0],
    ['upside down, with noise', { text: LINK, turn: Math.PI, scale: 5 }, 60],
  ] as const)('a link %s is read', async (_, code, noise) => {
    const seen = whatIsSeen(await readQr(wall([code], { noise }), 'frame'), 'join')
    expect(seen).toEqual({ kind: 'link', link: LINK })
  })

  it('a code that is none of ours beside it does not stand in its way; two of ours do', async () => {
    const beside = (text: string) =>
      readQr(
        wall(
          [
            { text: LINK, x: 240, y: 240 },
            { text, x: 740, y: 240 },
          ],
          { width: 1_000 },
        ),
        'picture',
      )
    expect(whatIsSeen(await beside('https://evil.example/'), 'join')).toEqual({ kind: 'link', link: LINK })
    expect(whatIsSeen(await beside(CONTACT), 'contact')).toEqual({ kind: 'link', link: CONTACT })
    expect(whatIsSeen(await beside(LINK.replace('AAAA', 'BBBB')), 'join')).toEqual({ kind: 'several' })
  })

  it.each([
    ['nothing', [], 'nothing'],
    ['a web address', ['https://example.org/'], 'other'],
    ['a link of ours inside of something else', [`https://evil.example/#${LINK}`], 'other'],
    ['a script', ['javascript:alert(1)'], 'other'],
    ['a link for the other thing', [CONTACT], 'other-link'],
    ['one that is too long', [`elsewhere://join/1?s=${'A'.repeat(MAX_LINK_LETTERS)}`], 'other'],
  ] as const)('%s is "%s"', (_, texts, kind) => expect(whatIsSeen(texts, 'join')).toEqual({ kind }))

  it('a text as long as a code can hold is cut before anybody looks at it', async () => {
    const [text = ''] = await readQr(wall([{ text: 'elsewhere:'.padEnd(900, 'x'), scale: 6 }], { width: 1_000, height: 1_000 }), 'picture')
    expect(text.length).toBe(MAX_LINK_LETTERS + 1)
  })
})

describe('[AP62] whatever a picture holds', () => {
  /** Real codes, damaged, and pictures that are none: what is taken for a link must be one, whole. */
  async function fuzz(see: typeof whatIsSeen, rounds: number, seed: number): Promise<string[]> {
    const random = new SeededRandom(seed)
    const problems: string[] = []
    for (let round = 0; round < rounds; round++) {
      const text = random.pick([
        LINK,
        CONTACT,
        `${LINK}#`,
        ` ${LINK}\n`,
        `x${LINK}`,
        LINK.slice(0, random.below(LINK.length)),
        '0'.repeat(20),
      ])
      const pixels = wall([{ text, scale: 2 }], { width: 200, height: 200 })
      const damage = random.pick([0, 0, 40, 4_000])
      for (let i = 0; i < damage; i++) pixels.data[random.below(pixels.data.length)] = random.below(256)
      const shape = random.pick([
        pixels,
        pixels,
        pixels,
        { ...pixels, width: random.below(400) },
        { ...pixels, height: -1 },
        { ...pixels, width: Number.NaN },
      ])
      const read = await readQr(shape, random.pick(['frame', 'picture'])).catch((error: unknown) => [`threw ${error}`])
      if (read.some((one) => one.startsWith('threw') || one.length > MAX_LINK_LETTERS + 1)) problems.push(`round ${round}: ${read}`)
      const seen = see(read, 'join')
      if (seen.kind === 'link' && !/^elsewhere:\/\/join\/\S+$/.test(seen.link)) problems.push(`round ${round}: took ${seen.link}`)
    }
    return problems
  }

  it('it ends with a list of texts, and only a whole link is taken', async () => {
    const seed = seedOfRun()
    const problems = await fuzz(whatIsSeen, roundsOfRun(60, 2_000), seed)
    console.info(`QR fuzz: seed ${seed}`)
    expect({ seed, problems }).toEqual({ seed, problems: [] })
  })

  it('the fuzz finds one that takes what only holds a link (planted)', async () => {
    const planted: typeof whatIsSeen = (texts) => {
      const link = texts.find((text) => text.includes('elsewhere://join/'))
      return link === undefined ? { kind: 'nothing' } : { kind: 'link', link }
    }
    expect((await fuzz(planted, 60, seedOfRun())).join()).toContain('took x')
  })
})

describe('[AP62] a picture is looked at only when it is one, and not too large', () => {
  const png = (width: number, height: number) => {
    const bytes = new Uint8Array(64)
    bytes.set([0x89, ...new TextEncoder().encode('PNG\r\n')])
    new DataView(bytes.buffer).setUint32(16, width)
    new DataView(bytes.buffer).setUint32(20, height)
    return bytes
  }
  it.each([
    ['a picture', png(400, 400), undefined],
    ['one that a few bytes make huge', png(100_000, 100_000), 'too-large'],
    ['one without a size', png(0, 0), 'no-picture'],
    ['a text', new TextEncoder().encode('elsewhere://join/1'), 'no-picture'],
    ['25 MB', new Uint8Array(25 * 1024 * 1024), 'too-large'],
  ] as const)('%s', (_, bytes, trouble) => expect(pictureTrouble(bytes)).toBe(trouble))
})
