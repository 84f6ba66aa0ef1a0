import { expect, it } from 'vitest'
import { MAX_LINE, parseShell, type Script, type ShellCommand } from './shell-parse.ts'

/** A line as its words: commands apart by |, steps by the sign that joins them. */
function shown({ steps }: Script): string {
  const sign = { first: '', and: ' && ', or: ' || ', next: ' ; ' }
  return steps.map((step) => `${sign[step.joined]}${step.commands.map(command).join(' | ')}${step.background ? ' &' : ''}`).join('')
}
function command(one: ShellCommand): string {
  const redirects = one.redirects.map(({ operator, descriptor, target }) => ` ${descriptor ?? ''}${operator}[${target}]`).join('')
  if (one.kind === 'group') return `(${shown(one.body)})${redirects}`
  const set = one.assignments.map(([name, value]) => `${name}=[${value}] `).join('')
  return `${set}${one.words.map(({ text }) => `[${text}]`).join('')}${one.inner.map((script) => `{${shown(script)}}`).join('')}${redirects}`
}

it.each([
  ['words', 'tar -c  a\tb', '[tar][-c][a][b]'],
  ['quotes', `echo 'a b'"c $d"\\ e ''`, '[echo][a bc $d e][]'],
  ['lists', 'a && b || c; d & e', '[a] && [b] || [c] ; [d] & ; [e]'],
  ['lines', 'a\n# no\nb \\\n c', '[a] ; [b][c]'],
  ['pipes', 'a | b |& c', '[a] | [b] | [c]'],
  ['variables before a command', 'A=1 B="x y" c D=2', 'A=[1] B=[x y] [c][D=2]'],
  ['redirections', 'a < in > out 2>&1 2>> log <<< word', '[a] <[in] >[out] 2>&[1] 2>>[log] <<<[word]'],
  ['groups', '(a; b) > x && { c; }', '([a] ; [b]) >[x] && ([c])'],
  ['substitutions', 'a $(b | c) `d` "$(e)" <(f)', '[a][$(...)][$(...)][$(...)][<(...)]{[b] | [c]}{[d]}{[e]}{[f]}'],
  ['placeholders of documents', 'docker run <image-id> x', '[docker][run][<image-id>][x]'],
  ['nested quoting', `sh -c 'npm run "a b"'`, '[sh][-c][npm run "a b"]'],
  ['operators in quotes', `a "b && c" '|' \\;`, '[a][b && c][|][;]'],
])('[JB21] %s', (_, line, words) => {
  const script = parseShell(line)
  expect(shown(script)).toBe(words)
  expect(script.unfinished).toBe(false)
})

it.each(["a 'b", 'a "b', 'a $(b', '(a', 'a `b', 'a ${b'])('[JB21] %s is told as unfinished', (line) => {
  expect(parseShell(line).unfinished).toBe(true)
})

it('[JB21] a line over the limit is not read', () => {
  expect(parseShell('a '.repeat(MAX_LINE))).toEqual({ steps: [], unfinished: true })
})

it('[JB21] nesting without an end is cut, not followed', () => {
  for (const sign of ['(', '$(', '{ ', '`', '"$(']) expect(parseShell(sign.repeat(5_000)).steps.length).toBeLessThan(2)
})
