import { expect, it } from 'vitest'
import { networkMeter } from './network-meter.ts'

it('[PF2] a network is metered when NetworkManager says or guesses so; asked at most twice a minute', async () => {
  const answers = ['u 1', 'u 3', 'u 4', 'u 0', '']
  let [asked, nowMs] = [0, 0]
  const isMetered = networkMeter(
    async () => answers[asked++] as string,
    () => nowMs,
  )
  const heard: boolean[] = []
  for (const _ of answers) {
    heard.push(await isMetered(), await isMetered())
    nowMs += 31_000
  }
  expect([heard.filter((_, n) => n % 2 === 0), heard.filter((_, n) => n % 2 === 1)]).toEqual(
    [0, 1].map(() => [true, true, false, false, false]),
  )
  expect(asked).toBe(5)
})
