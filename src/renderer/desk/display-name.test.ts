import { expect, it } from 'vitest'
import { displayName } from './display-name.ts'

it.each([
  ['Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36', 'kitchen', 'Chrome on kitchen'],
  ['Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0', undefined, 'Edge'],
  ['Mozilla/5.0 Chrome/150 Electron/45.4.1 Safari/537.36', 'desk', 'Elsewhere on desk'],
  ['something else', undefined, 'a browser'],
])('names a display after its browser and its device: %s', (agent, device, name) => {
  expect(displayName(agent, device)).toBe(name)
})

it('keeps within what the contract takes', () => {
  expect(displayName('Firefox/1', 'x'.repeat(200))).toHaveLength(80)
})
