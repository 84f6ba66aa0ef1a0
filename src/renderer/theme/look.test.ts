import { expect, it } from 'vitest'
import { resolveLook } from './look.ts'

it.each([
  { motion: 'system', reducedMotion: false, shown: 'full' },
  { motion: 'system', reducedMotion: true, shown: 'reduced' },
  { motion: 'on', reducedMotion: false, shown: 'reduced' },
  { motion: 'on', reducedMotion: true, shown: 'reduced' },
  { motion: 'off', reducedMotion: false, shown: 'full' },
  { motion: 'off', reducedMotion: true, shown: 'full' },
] as const)('[AP76] motion $motion on a system that reduces it: $reducedMotion, is $shown', ({ motion, reducedMotion, shown }) => {
  expect(resolveLook({ theme: 'system', motion }, { dark: false, reducedMotion }).motion).toBe(shown)
})
