import { expect, it } from 'vitest'
import { explainText, splitOptions } from './explain-command.ts'
import { shellLine } from './shell-line.ts'

it('[JB33] the table says what it is, where it goes, and what speaks for or against every device', () => {
  const text = explainText({
    classification: {
      label: 'batch',
      endpoints: [],
      effects: 'files-only',
      confidence: 0.9,
      reason: '"make" ends by itself',
      programs: ['make'],
    },
    device: 'b',
    reason: 'server: 4.4 s against 33.3 s here',
    folderBytes: 0,
    table: [
      {
        device: 'a',
        name: 'laptop',
        outcome: 'possible',
        why: 'idle, 4 cores',
        cost: { transferMs: 0, startMs: 5, workMs: 33_300, penaltyMs: 0, totalMs: 33_305 },
      },
      {
        device: 'b',
        name: 'server',
        outcome: 'chosen',
        why: 'idle, 32 cores',
        cost: { transferMs: 0, startMs: 60, workMs: 740, penaltyMs: 0, totalMs: 800 },
      },
      { device: 'c', name: 'attic', outcome: 'no', why: 'not linked now' },
    ],
  })
  expect(text.split('\n')).toEqual([
    'batch, 90 %: "make" ends by itself',
    'server: 4.4 s against 33.3 s here',
    '',
    '  laptop    33.3 s  idle, 4 cores',
    '* server    800 ms  idle, 32 cores',
    '- attic             not linked now',
  ])
})

it('[JB103] what is known of it from runs before is said, and when it makes another thing of it', () => {
  const known = (was: 'batch' | 'service') =>
    explainText({
      classification: { label: 'service', endpoints: [], effects: 'files-only', confidence: 0.8, reason: 'by its name', programs: [] },
      learned: { key: 'a'.repeat(20), words: 'seen twice on your devices: listened on port 80', was },
      reason: 'here',
      folderBytes: 0,
      table: [],
    }).split('\n')[1]
  expect(known('service')).toBe('seen twice on your devices: listened on port 80')
  expect(known('batch')).toBe('seen twice on your devices: listened on port 80; by its words alone it would be batch')
})

it('[JB33] options stand before the command, and its own stay its own', () => {
  expect(splitOptions(['--json', '--data=/d', 'make', '--json', '-j'])).toEqual({
    values: { data: '/d', json: true },
    words: ['make', '--json', '-j'],
  })
  expect(splitOptions(['--on', 'server', '--', '--odd'])).toEqual({ values: { on: 'server', json: false }, words: ['--odd'] })
  expect(() => splitOptions(['--unheard', 'x', 'make'])).toThrow('--unheard')
})

it('[JB26] words become a line that reads the same; one word is a line already', () => {
  expect(shellLine(['a b && c'])).toBe('a b && c')
  expect(shellLine(['sh', '-c', "echo 'x'; y"])).toBe(`sh -c 'echo '\\''x'\\''; y'`)
})
