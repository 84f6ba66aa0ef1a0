import { expect, it } from 'vitest'
import { unseenWords } from './guest-words.ts'

const row = (name: string, state: 'self' | 'linked' | 'connecting' | 'away') => ({ deviceId: name, name, state }) as never

it('[AP63] where shells of others are not seen is said, and why', () => {
  const rows = [row('laptop', 'self'), row('nas', 'away'), row('phone', 'linked'), row('server', 'linked'), row('tv', 'linked')]
  expect(unseenWords(rows, { server: 'refused', tv: 'failed' })).toBe(
    'Shells of others are not seen from here on: nas (away), server (this device may use no shell there), tv (did not answer).',
  )
  expect(unseenWords([row('laptop', 'self'), row('phone', 'linked')], {})).toBe('')
})
