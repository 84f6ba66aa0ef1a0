import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Camera, cameraTrouble, type ScanState, scanCamera } from './scan-camera.ts'

const LINK = 'elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pending = () => new Promise<never>(() => {})

/** A camera that shows one thing after another, then nothing for ever. */
function setup(shows: readonly (readonly string[])[] = [], open?: Camera['open'], never?: 'play' | 'count' | 'look') {
  const track = { readyState: 'live', kind: 'video', stop: vi.fn(() => (track.readyState = 'ended')) }
  const stream = { getTracks: () => [track], getVideoTracks: () => [track] } as unknown as MediaStream
  const said: ScanState[] = []
  const stop = new AbortController()
  const video = { srcObject: null as MediaProvider | null, play: async () => (never === 'play' ? pending() : undefined) }
  let looked = 0
  const scan = scanCamera({
    camera: { open: open ?? (async () => stream), count: async () => (never === 'count' ? pending() : 2) },
    cameraId: undefined,
    video,
    look: async () => (never === 'look' ? pending() : (shows[looked++] ?? [])),
    wanted: 'join',
    say: (state) => said.push(state),
    signal: stop.signal,
  })
  return { scan, said, stop, track, video }
}

it('[AP62] looks until the link is in sight, says what else it saw, and is off then', async () => {
  const { scan, said, track, video } = setup([[], ['https://evil.example'], [LINK.replace('join', 'contact')], [LINK, 'WIFI:S:x;;']])
  await vi.advanceTimersByTimeAsync(2_000)
  expect(await scan).toBe(LINK)
  expect(said.map((state) => (state.step === 'looking' ? (state.seen ?? 'looking') : state.step))).toEqual([
    'asking',
    'looking',
    'looking',
    'other',
    'other-link',
  ])
  expect(track.stop).toHaveBeenCalledOnce()
  expect(video.srcObject).toBeNull()
})

it('[AP62] seeing nothing it says how to hold the code, and after two minutes it is off', async () => {
  const { scan, said, track } = setup()
  await vi.advanceTimersByTimeAsync(7_000)
  expect(said.at(-1)).toMatchObject({ step: 'looking', isLong: false, cameras: 2 })
  await vi.advanceTimersByTimeAsync(2_000)
  expect(said.at(-1)).toMatchObject({ step: 'looking', isLong: true })
  await vi.advanceTimersByTimeAsync(120_000)
  expect(await scan).toBeUndefined()
  expect(said.at(-1)).toEqual({ step: 'off', why: 'idle' })
  expect(track.stop).toHaveBeenCalledOnce()
})

it('[AP62] given up it is off at once, also when the camera comes only afterwards', async () => {
  const going = setup()
  await vi.advanceTimersByTimeAsync(500)
  going.stop.abort()
  expect(await going.scan).toBeUndefined()
  expect(going.track.stop).toHaveBeenCalledOnce()

  const late = { stop: vi.fn() }
  let give: (stream: MediaStream) => void = () => {}
  const waiting = setup([], () => new Promise((resolve) => (give = resolve)))
  waiting.stop.abort()
  give({ getTracks: () => [late] } as unknown as MediaStream)
  expect(await waiting.scan).toBeUndefined()
  expect(late.stop).toHaveBeenCalledOnce()
})

it.each(['play', 'count', 'look'] as const)('[AP62] it is off when it is given up, though the browser never answered %s', async (never) => {
  const { scan, stop, track, video } = setup([], undefined, never)
  await vi.advanceTimersByTimeAsync(500)
  expect(track.stop).not.toHaveBeenCalled()
  stop.abort()
  await vi.advanceTimersByTimeAsync(0)
  expect([track.stop.mock.calls.length, video.srcObject]).toEqual([1, null])
  expect(await scan).toBeUndefined()
})

it('[AP62] where the picture never begins to play it is off after two minutes, too', async () => {
  const { scan, said, track } = setup([], undefined, 'play')
  await vi.advanceTimersByTimeAsync(121_000)
  expect([track.stop.mock.calls.length, said.at(-1)]).toEqual([1, { step: 'off', why: 'idle' }])
  expect(await scan).toBeUndefined()
})

it('[AP62] a camera that is unplugged is gone', async () => {
  const { scan, said, track } = setup()
  await vi.advanceTimersByTimeAsync(500)
  track.readyState = 'ended'
  await vi.advanceTimersByTimeAsync(500)
  expect(await scan).toBeUndefined()
  expect(said.at(-1)).toEqual({ step: 'off', why: 'gone' })
})

it.each([
  ['NotAllowedError', 'refused'],
  ['NotFoundError', 'none'],
  ['NotReadableError', 'busy'],
  ['NotSupportedError', 'unsupported'],
  ['TypeError', 'failed'],
])('[AP62] %s of the browser is "%s"', async (name, why) => {
  const error = name === 'TypeError' ? new TypeError('x') : new DOMException('x', name)
  expect(cameraTrouble(error)).toBe(why)
  const { scan, said } = setup([], () => Promise.reject(error))
  expect(await scan).toBeUndefined()
  expect(said.at(-1)).toEqual({ step: 'off', why })
})
