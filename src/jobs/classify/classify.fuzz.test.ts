import { expect, it } from 'vitest'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { classification, type Effects } from '../job-contract.ts'
import { classify } from './classify.ts'
import { worstEffects } from './verdict.ts'

type Classify = typeof classify

const PIECES = [
  'npm run ',
  'docker run ',
  '-it ',
  '$(',
  ')',
  '`',
  '"',
  "'",
  '\\',
  '&&',
  '||',
  '|',
  ';',
  '&',
  '<',
  '>',
  '<<<',
  '(',
  '{ ',
  '}',
  '\n',
  ' ',
  '--',
  '-p ',
  '80:80 ',
  'A=',
  '#',
  '\0',
  '\u202e',
  '😀',
  'make ',
  'sudo ',
  'xargs ',
  'sh -c ',
  'while true',
  'a'.repeat(300),
  '${',
  '<x>',
]
/** Ways to run a line inside another one; none makes it change less. */
const AROUND: readonly ((line: string) => string)[] = [
  (line) => `sudo -n ${line}`,
  (line) => `sh -c '${line.replaceAll("'", `'\\''`)}'`,
  (line) => `(cd x && ${line})`,
  (line) => `true; ${line} > out`,
  (line) => `echo "$(${line})"`,
  (line) => `env A=1 timeout 5 ${line}`,
  (line) => `cat a | xargs ${line}`,
  (line) => `if true; then ${line}; fi`,
]
const INNER: readonly (readonly [line: string, effects: Effects])[] = [
  ['git push', 'world-once'],
  ['curl -d x https://example.org', 'world-once'],
  ['systemctl restart x', 'this-machine'],
  ['npm publish', 'world-once'],
]

/** Names the first line whose effects got less by being run inside another. */
function fuzz(random: SeededRandom, rounds: number, subject: Classify): string | undefined {
  for (let round = 0; round < rounds; round++) {
    const garbage = Array.from({ length: 1 + random.below(30) }, () => random.pick(PIECES)).join('')
    const found = subject(garbage, {
      name: random.pick(['dev', 'test', garbage]),
      scripts: { a: garbage, [garbage]: 'npm run a' },
      files: { makefile: garbage, dockerfile: garbage, compose: garbage, taskfile: garbage, justfile: garbage },
    })
    if (!classification.safeParse(found).success) return garbage
    const [inner, effects] = random.pick(INNER)
    let line: string = inner
    for (let depth = 1 + random.below(4); depth > 0; depth--) line = random.pick(AROUND)(line)
    const whole = subject(line).effects
    if (worstEffects(whole, effects) !== whole) return line
  }
  return undefined
}

it('[JB24] [JB21] whatever the line, the answer is well formed; and nothing changes less by being run inside something else', () => {
  const seed = seedOfRun()
  const line = fuzz(new SeededRandom(seed), roundsOfRun(3_000, 100_000), classify)
  expect(line, `seed ${seed}`).toBeUndefined()
})

it('[JB24] the fuzz finds a reader that does not look into substitutions', () => {
  const blind: Classify = (line, context) => classify(line.replace(/\$\([^)]*\)/g, 'x'), context)
  expect(fuzz(new SeededRandom(7), 3_000, blind)).toContain('$(')
})

it('[JB21] 10 MB of anything is answered at once, by its length', () => {
  for (const piece of ['a', '(', '$(', "'", 'a && ', '<x>']) {
    expect(classify(piece.repeat(Math.ceil(10_000_000 / piece.length))).label).toBe('ambiguous')
  }
})

it('[JB21] the longest line that is read is read, whatever it repeats', () => {
  for (const piece of [
    'a ',
    'a|',
    'a;',
    '$(a)',
    '(a)',
    "'a' ",
    'A=1 ',
    '<x> ',
    '`a` ',
    'npm run a && ',
    'sudo ',
    '- ',
    '\\\n',
    '"$(',
    '#\n',
    '{ a; } ',
  ]) {
    expect(classification.safeParse(classify(piece.repeat(Math.floor(65_536 / piece.length)))).success, piece).toBe(true)
  }
})
