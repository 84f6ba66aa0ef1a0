import { expect, it } from 'vitest'
import { DEFAULT_POLICY, jobSpec } from './job-contract.ts'

const spec = {
  program: 'make',
  arguments: ['-j4'],
  environment: { LANG: 'C' },
  folder: { device: 'laptop', path: '/home/ada/src' },
  endpoints: [
    { kind: 'files-in', place: 'anywhere', path: '.' },
    { kind: 'port', place: 'seat', number: 8080 },
  ],
  effects: 'files-only',
  resources: { memoryMiB: 512, tools: ['make', 'cc'] },
  policy: DEFAULT_POLICY,
}

it('[JB20] a job is read as it was said', () => {
  expect(jobSpec.parse(spec)).toEqual(spec)
})

it.each([
  ['a zero byte in a word', { arguments: ['a\0b'] }],
  ['a word over 100,000 characters', { arguments: ['x'.repeat(100_001)] }],
  ['more than 4,096 words', { arguments: Array.from({ length: 4_097 }, () => '') }],
  ['more than half a mebibyte together', { arguments: Array.from({ length: 6 }, () => 'x'.repeat(99_000)) }],
  ['no program', { program: '' }],
  ['a folder without a device', { folder: { path: '/' } }],
  ['an endpoint nobody knows', { endpoints: [{ kind: 'camera', place: 'seat' }] }],
  ['a port outside of 1 to 65535', { endpoints: [{ kind: 'port', place: 'seat', number: 65_536 }] }],
  ['effects nobody knows', { effects: 'none' }],
  ['a field nobody knows', { sudo: true }],
])('[JB20] a job with %s is refused', (_, change) => {
  expect(jobSpec.safeParse({ ...spec, ...change }).success).toBe(false)
})
