import { expect, it } from 'vitest'
import { bindingProblem, conflictsOf, filterCommands } from './key-conflicts.ts'

const commands = [
  { id: 'palette', title: 'Search and run anything', keys: ['Ctrl+K'] },
  { id: 'new-tab', title: 'New tab', keys: ['Ctrl+T', 'Alt+T'] },
]

it('[AP80] a binding that another command has is a conflict, one of its own is not', () => {
  expect(conflictsOf(commands, 'palette', 'Alt+T').map((one) => one.id)).toEqual(['new-tab'])
  expect(conflictsOf(commands, 'new-tab', 'Alt+T')).toEqual([])
})

it('[AP80] commands are found by words and by keys', () => {
  expect(filterCommands(commands, 'run any').map((one) => one.id)).toEqual(['palette'])
  expect(filterCommands(commands, 'alt+t').map((one) => one.id)).toEqual(['new-tab'])
  expect(filterCommands(commands, ' ')).toBe(commands)
})

it.each([
  ['K', false],
  ['Shift+K', false],
  ['Ctrl+C', false],
  ['Ctrl+K', true],
  ['F7', true],
  ['Alt+Shift+ArrowUp', true],
])('[AP80] %s may be bound: %s', (binding, may) => expect(bindingProblem(binding) === undefined).toBe(may))
