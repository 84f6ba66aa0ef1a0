import { expect, it } from 'vitest'
import { SeededRandom, roundsOfRun, seedOfRun } from '../testkit/seeded-random.ts'
import { plainPrograms } from './shell-words.ts'

it.each([
  ['make -j8', ['make']],
  ['  make  ', ['make']],
  ['npm ci && npm run build', ['npm', 'npm']],
  ['./configure --prefix=/opt/x; make || ninja', ['./configure', 'make', 'ninja']],
  [`cc 'a b.c' -o "out file"`, ['cc']],
  ['CC=clang make all', ['make']],
  ['make > log 2>&1', ['make']],
  ['sort < in >> out', ['sort']],
  ['ffmpeg -i größe.mkv out.mp4', ['ffmpeg']],
])('[JB72] plain words are programs: %s', (line, programs) => {
  expect(plainPrograms(line)).toEqual(programs)
})

it.each([
  ['nothing', ''],
  ['spaces', '   '],
  ['a variable', 'make $TARGET'],
  ['a substitution', 'make `date`'],
  ['a glob', 'cc *.c'],
  ['braces', 'touch {a,b}'],
  ['home', 'make -C ~/x'],
  ['history', 'make !!'],
  ['an escape', 'make \\'],
  ['two lines', 'make\nmake'],
  ['a zero byte', 'make \0'],
  ['an escape sequence', 'make \u001b[A'],
  ['a comment', 'make # all'],
  ['a pipe, which has a PIPESTATUS', 'make | tee log'],
  ['a list that goes on', 'make &&'],
  ['a pipe that goes on', 'make |'],
  ['a list that begins in the middle', '&& make'],
  ['two ends', 'make ;; make'],
  ['a redirection to nowhere', 'make >'],
  ['the background', 'make &'],
  ['the background, then more', 'make & make'],
  ['both streams at once, which sh does not know', 'make &> log'],
  ['a here-document', 'cat << END'],
  ['an open quote', `make 'x`],
  ['a subshell', '(make)'],
  ['a group', '{ make; }'],
  ['a builtin', 'cd x && make'],
  ['a builtin later', 'make && export x'],
  ['a reserved word', 'time make'],
  ['a loop', 'for i in 1 2; do make; done'],
  ['assignments alone', 'x=1'],
  ['a quoted name, which no alias stands for', `'make' all`],
  ['a job', '%1'],
  ['a zsh command path', '=make'],
])('[JB72] the shell has a part in it, so it stays: %s', (_what, line) => {
  expect(plainPrograms(line)).toBeUndefined()
})

const PIECES = [
  'make',
  'npm',
  ' ',
  '  ',
  '&&',
  '||',
  ';',
  '|',
  '&',
  '>',
  '<',
  '2>&1',
  "'",
  '"',
  '=',
  './x',
  'cd',
  '\n',
  '\0',
  '$x',
  'é',
  '🙂',
  '-j',
  '%',
  '#',
]

/** Lines that were taken though they should not be; stops at the first. */
function firstWrong(taken: (line: string) => readonly string[] | undefined, random: SeededRandom, rounds: number): string | undefined {
  for (let round = 0; round < rounds; round++) {
    const line = Array.from({ length: random.below(12) }, () => random.pick(PIECES)).join('')
    const programs = taken(line)
    if (!programs) continue
    const bare = line.replaceAll(/'[^']*'|"[^"]*"/g, 'q')
    const asked = /[\n\0$#"']|(^|[^|])\|([^|]|$)|[^>&]&([^&]|$)|(&&|\|\||[<>]) *$|^ *[&|;]/.test(bare)
    if (asked || programs.length === 0 || !programs.every((name) => /^[\w./+-]+$/.test(name))) return line
  }
  return undefined
}

it('[JB72] no line makes it throw, and what it takes holds only what an alias may (fuzz)', () => {
  const seed = seedOfRun()
  expect({ seed, line: firstWrong(plainPrograms, new SeededRandom(seed), roundsOfRun(4_000, 200_000)) }).toEqual({ seed, line: undefined })
})

it('[JB72] the fuzz finds a pipe that was overlooked (planted)', () => {
  expect(firstWrong((line) => plainPrograms(line.replace(/\|\s*$/, '')), new SeededRandom(seedOfRun()), 100_000)).toBeDefined()
})
